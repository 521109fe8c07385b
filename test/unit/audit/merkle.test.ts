import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/domain/audit/bytes.ts';
import {
  type Checkpoint,
  contradicts,
  isCheckpointDue,
  verifyCheckpoints,
} from '../../../shared/domain/audit/checkpoint.ts';
import { appendLeaf, EMPTY_FRONTIER, logRoot, merkleRoot } from '../../../shared/domain/audit/merkle.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Leaves and roots of the test tree that Certificate Transparency implementations share. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the Merkle tree (RFC 6962)', () => {
  it('has the hash of nothing as its root while it is empty', () => {
    expect(toHex(merkleRoot(EMPTY_FRONTIER, sha256))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('grows through the shared test tree', () => {
    let frontier = EMPTY_FRONTIER;
    for (const [at, leaf] of LEAVES.entries()) {
      frontier = appendLeaf(frontier, fromHex(leaf) ?? new Uint8Array(), sha256);
      expect(toHex(merkleRoot(frontier, sha256))).toBe(ROOTS[at]);
    }
  });
});

describe('checkpoints of a log', () => {
  const hashes = Array.from({ length: 25 }, (_, at) => createHash('sha256').update(String(at)).digest('hex'));
  const at = (size: number, log = hashes): Checkpoint => ({
    origin: 'sallyport/v1',
    size,
    root: logRoot(log.slice(0, size), sha256),
  });
  const problems = (log: readonly string[], checkpoints: readonly Checkpoint[]) =>
    verifyCheckpoints(log, checkpoints, 'sallyport/v1', sha256);

  it('agree with the log they were made of, in any order', () => {
    expect(problems(hashes, [at(20), at(0), at(10), at(10), at(25)])).toEqual([]);
  });

  it('given a rewritten entry, the first checkpoint after it tells', () => {
    const rewritten = hashes.with(11, '0'.repeat(64));
    expect(problems(rewritten, [at(10), at(20)])).toEqual([
      { seq: 20, problem: expect.stringContaining('rewritten') },
    ]);
  });

  it('given a log that was cut off, the checkpoint beyond its end tells', () => {
    expect(problems(hashes.slice(0, 15), [at(10), at(20)])).toEqual([
      { seq: 16, problem: expect.stringContaining('cut off') },
    ]);
  });

  it('of another log are no evidence', () => {
    expect(problems(hashes, [{ ...at(10), origin: 'sallyport/v2' }])).toEqual([
      { seq: null, problem: expect.stringContaining('sallyport/v2') },
    ]);
  });

  it('contradict with one size and two roots', () => {
    expect(contradicts(at(10), at(10, hashes.toReversed()))).toBe(true);
    expect(contradicts(at(10), at(10))).toBe(false);
    expect(contradicts(at(10), at(20))).toBe(false);
  });

  it('are due every ten entries', () => {
    expect([
      isCheckpointDue(9, 0),
      isCheckpointDue(10, 0),
      isCheckpointDue(19, 10),
      isCheckpointDue(20, 10),
    ]).toEqual([false, true, false, true]);
  });
});
