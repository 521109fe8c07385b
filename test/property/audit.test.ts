import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../shared/domain/audit/canonical-json.ts';
import { makeEntry, verifyChain } from '../../shared/domain/audit/chain.ts';
import type { AuditEntry, AuditHead } from '../../shared/domain/audit/entry.ts';
import { appendLeaf, EMPTY_FRONTIER, merkleRoot } from '../../shared/domain/audit/merkle.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('canonical JSON', () => {
  it('agrees with an independent implementation on every JSON value', () =>
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 1000 },
    ));

  it('does not depend on the order of keys, and means the same value', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).toBe(
          JSON.stringify(JSON.parse(canonicalJson(JSON.parse(JSON.stringify(value))))),
        );
      }),
    ));
});

const drafts = fc.array(
  fc.record({
    at: fc.constant('2026-01-01T00:00:00.000Z'),
    actor: fc.string({ minLength: 1 }),
    action: fc.constantFrom('model.added', 'request.approved', 'rollout.started'),
    subject: fc.string(),
    details: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
  }),
  { minLength: 1, maxLength: 20 },
);

const chains = drafts.map((each) => {
  const entries: AuditEntry[] = [];
  let head: AuditHead | null = null;
  for (const draft of each) {
    const { entry } = makeEntry(head, draft as Parameters<typeof makeEntry>[1], sha256);
    entries.push(entry);
    head = { seq: entry.seq, hash: entry.hash };
  }
  return entries;
});

const headOf = (chain: readonly AuditEntry[]): AuditHead => ({
  seq: chain.length,
  hash: chain.at(-1)?.hash ?? '',
});

describe('the audit chain', () => {
  it('holds as it was made', () =>
    fc.assert(
      fc.property(chains, (chain) => {
        expect(verifyChain(chain, sha256, headOf(chain))).toEqual({
          problems: [],
          entries: chain.length,
          head: headOf(chain),
        });
      }),
    ));

  it('names the entry in which any field was edited', () =>
    fc.assert(
      fc.property(
        chains,
        fc.nat(),
        fc.constantFrom('at', 'actor', 'action', 'subject', 'details', 'hash'),
        (chain, pick, field) => {
          const at = pick % chain.length;
          const entry = chain[at] as AuditEntry;
          const value =
            field === 'details'
              ? { ...entry.details, extra: true, '': 'x' }
              : field === 'hash'
                ? '0'.repeat(64)
                : field === 'action'
                  ? 'refused'
                  : `${entry[field as 'actor']}!`;
          fc.pre(JSON.stringify(value) !== JSON.stringify(entry[field as 'actor']));
          const { problems } = verifyChain(
            chain.with(at, { ...entry, [field]: value } as AuditEntry),
            sha256,
            headOf(chain),
          );
          expect(problems[0]?.seq).toBe(at + 1);
        },
      ),
    ));

  it('shows any entry removed, repeated, swapped or cut off, at or before the place', () =>
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), (chain, first, second) => {
        const a = first % chain.length;
        const b = second % chain.length;
        const witness = headOf(chain);
        expect(verifyChain(chain.toSpliced(a, 1), sha256, witness).problems[0]?.seq).toBe(a + 1);
        expect(
          verifyChain(chain.toSpliced(a, 0, chain[b] as AuditEntry), sha256, witness).problems.length,
        ).toBeGreaterThan(0);
        expect(verifyChain(chain.slice(0, a), sha256, witness).problems[0]?.seq).toBe(a + 1);
        if (a !== b) {
          const swapped = chain.with(a, chain[b] as AuditEntry).with(b, chain[a] as AuditEntry);
          expect(verifyChain(swapped, sha256, witness).problems[0]?.seq).toBe(Math.min(a, b) + 1);
        }
      }),
    ));
});

/** RFC 6962, section 2.1, word for word: MTH(D[n]) split at the largest power of two below n. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (!only) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(Uint8Array.of(0, ...only));
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(Uint8Array.of(1, ...treeHash(leaves.slice(0, split)), ...treeHash(leaves.slice(split))));
}

it('the incremental Merkle root is that of the definition', () =>
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 70 }), (leaves) => {
      const frontier = leaves.reduce((tree, leaf) => appendLeaf(tree, leaf, sha256), EMPTY_FRONTIER);
      expect(Buffer.from(merkleRoot(frontier, sha256)).toString('hex')).toBe(
        Buffer.from(treeHash(leaves)).toString('hex'),
      );
    }),
  ));
