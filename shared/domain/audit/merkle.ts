/** Merkle tree hashes of RFC 6962, section 2.1, grown one leaf at a time. */

import { SallyportError } from '../errors.ts';
import { concatBytes, fromHex, type HashFunction, toHex } from './bytes.ts';

/**
 * A tree as far as its root and further growth need it: the roots of its complete subtrees from left to right, their
 * sizes being the binary digits of `size`, largest first. At most 53 of them.
 */
export interface MerkleFrontier {
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: MerkleFrontier = { size: 0, peaks: [] };

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The tree with one leaf more. `leaf` is the leaf's content; the 0x00 prefix of leaves is added here. */
export function appendLeaf(frontier: MerkleFrontier, leaf: Uint8Array, hash: HashFunction): MerkleFrontier {
  const peaks = [...frontier.peaks];
  let node = hash(concatBytes(LEAF, leaf));
  // As many merges as `size` has trailing one bits, like a carry in binary addition.
  for (let size = frontier.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = peaks.pop();
    if (!left)
      throw new SallyportError('unexpected', 'A Merkle frontier has fewer peaks than its size needs.');
    node = hash(concatBytes(NODE, left, node));
  }
  peaks.push(node);
  return { size: frontier.size + 1, peaks };
}

/** The root: hash of nothing for the empty tree, else the peaks joined from the right. */
export function merkleRoot(frontier: MerkleFrontier, hash: HashFunction): Uint8Array {
  const last = frontier.peaks.at(-1);
  if (!last) return hash(new Uint8Array(0));
  return frontier.peaks.slice(0, -1).reduceRight((right, left) => hash(concatBytes(NODE, left, right)), last);
}

/** The tree grown by audit entries. A leaf is the entry's hash, as 32 bytes. */
export function appendEntryHash(
  frontier: MerkleFrontier,
  entryHash: string,
  hash: HashFunction,
): MerkleFrontier {
  const leaf = fromHex(entryHash);
  if (leaf?.length !== 32)
    throw new SallyportError(
      'integrity.audit',
      'An audit entry has a hash that is not 64 hexadecimal digits.',
    );
  return appendLeaf(frontier, leaf, hash);
}

/** Root of the log of these entry hashes, hex. */
export function logRoot(entryHashes: Iterable<string>, hash: HashFunction): string {
  let frontier = EMPTY_FRONTIER;
  for (const entryHash of entryHashes) frontier = appendEntryHash(frontier, entryHash, hash);
  return toHex(merkleRoot(frontier, hash));
}
