import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CollectableVersion,
  type CollectionInput,
  planCollection,
} from '../../shared/domain/model/retention.ts';
import { compareSemver } from '../../shared/domain/model/semver.ts';

function anInput(): fc.Arbitrary<CollectionInput> {
  const version = fc.record({
    version: fc
      .tuple(fc.nat(2), fc.nat(12), fc.constantFrom('', '-rc.1'))
      .map(([major, minor, rest]) => `${major}.${minor}.0${rest}`),
    state: fc.constantFrom('draft' as const, 'validated' as const, 'archived' as const, 'revoked' as const),
    digest: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    artifactId: fc.constant('x'),
    sizeBytes: fc.nat(9),
    removedAt: fc.constant(null),
  });
  return fc
    .record({
      versions: fc.uniqueArray(version, { selector: ({ version: one }) => one, maxLength: 20 }),
      keepLast: fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }),
      aliased: fc.nat(20),
      served: fc.subarray(['a', 'b', 'c']),
      request: fc.nat(20),
    })
    .map(({ versions, keepLast, aliased, served, request }) => ({
      name: 'phish',
      versions,
      keepLast,
      aliases: versions
        .filter((_, index) => index === aliased)
        .map((one) => ({ alias: 'champion', version: one.version })),
      served: new Map(served.map((digest) => [digest, 'edge'])),
      underWay: new Map(
        versions.filter((_, index) => index === request).map((one) => [one.version, 'under an open request']),
      ),
    }));
}

const needed = (one: CollectableVersion, input: CollectionInput): boolean =>
  input.served.has(one.digest) ||
  input.underWay.has(one.version) ||
  input.aliases.some(({ version }) => version === one.version);

describe('what a collection lets go', () => {
  test('is never needed, never among the newest, and every old file that nothing needs', () => {
    fc.assert(
      fc.property(anInput(), (input) => {
        const plan = planCollection(input);
        const gone = [...plan.archive, ...plan.remove].map(({ version }) => version);
        const newer = (one: CollectableVersion): number =>
          input.versions.filter((other) => compareSemver(other.version, one.version) > 0).length;
        const old = input.versions.filter((one) => input.keepLast !== null && newer(one) >= input.keepLast);
        for (const one of gone) {
          expect(old).toContain(one);
          expect(needed(one, input)).toBe(false);
        }
        expect(new Set(plan.remove.map(({ version }) => version))).toEqual(
          new Set(old.filter((one) => !needed(one, input))),
        );
        expect(new Set(plan.kept.map(({ version }) => version))).toEqual(
          new Set(old.filter((one) => needed(one, input))),
        );
        for (const { version } of plan.archive) expect(['draft', 'validated']).toContain(version.state);
      }),
    );
  });

  test('once done, is nothing any more', () => {
    fc.assert(
      fc.property(anInput(), (input) => {
        const plan = planCollection(input);
        const removed = new Set(plan.remove.map(({ version }) => version));
        const archived = new Set(plan.archive.map(({ version }) => version));
        const versions = input.versions.map((one) => ({
          ...one,
          state: archived.has(one) ? ('archived' as const) : one.state,
          removedAt: removed.has(one) ? '2026-01-01' : one.removedAt,
        }));
        const again = planCollection({ ...input, versions });
        expect([again.archive, again.remove]).toEqual([[], []]);
      }),
    );
  });
});
