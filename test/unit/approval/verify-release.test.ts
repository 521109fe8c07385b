import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RELEASE_FILES, type ReleaseRequest } from '../../../shared/domain/approval/request.ts';
import {
  admitRelease,
  checkQuorum,
  checkRequest,
  type ReleaseTrust,
  type ServingHistory,
  serialKey,
} from '../../../shared/domain/approval/verify-release.ts';

const ROOT = 'a'.repeat(64);
const NOW = new Date('2026-06-01T12:00:00Z');
const PEOPLE = ['Ada Byron', 'Grace Hopper', 'Katherine Johnson', 'Sam Submitter'];
const trust: ReleaseTrust = {
  environmentId: 'production-1',
  vaultIds: ['vault-1'],
  quorum: 2,
  approvers: PEOPLE.flatMap((person, index) =>
    [0, 1].map((key) => ({ person, name: person.toLowerCase(), keyFingerprint: `key-${index}-${key}` })),
  ),
  submitters: null,
};
const request: ReleaseRequest = {
  vaultId: 'vault-1',
  requestId: 'r',
  name: 'phish',
  version: '1.0.0',
  digest: 'd'.repeat(64),
  environmentId: 'production-1',
  serial: 5,
  submitter: { name: 'sam', person: 'Sam Submitter', keyFingerprint: 'key-3-0' },
  createdAt: '2026-06-01T00:00:00Z',
  notAfter: '2026-06-02T00:00:00Z',
};
const unserved: ServingHistory = {
  servedRoots: new Set(),
  revokedDigests: new Set(),
  highestSerial: {},
};

describe('quorum', () => {
  test('is met exactly when enough people other than the submitter signed this root with a pinned key', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ person: fc.nat(3), key: fc.nat(2), right: fc.boolean() }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 4 }),
        (signed, quorum) => {
          const signatures = signed.map(({ person, key, right }) => ({
            keyFingerprint: `key-${person}-${key}`,
            root: right ? ROOT : 'b'.repeat(64),
          }));
          // Key 2 of nobody is pinned; person 3 is the submitter.
          const people = new Set(
            signed
              .filter((each) => each.right && each.key < 2 && each.person !== 3)
              .map((each) => each.person),
          );
          expect(checkQuorum({ ...trust, quorum }, request, ROOT, signatures).kind).toBe(
            people.size >= quorum ? 'admitted' : 'refused',
          );
        },
      ),
    );
  });

  test('asks for a known submitter’s signature where submitters are pinned', () => {
    const pinned = {
      ...trust,
      submitters: [{ person: 'Sam Submitter', name: 'sam', keyFingerprint: 'key-3-0' }],
    };
    const approvals = [
      { keyFingerprint: 'key-0-0', root: ROOT },
      { keyFingerprint: 'key-1-0', root: ROOT },
    ];
    expect(checkQuorum(pinned, request, ROOT, approvals).kind).toBe('refused');
    expect(
      checkQuorum(pinned, request, ROOT, [...approvals, { keyFingerprint: 'key-3-0', root: ROOT }]).kind,
    ).toBe('admitted');
  });
});

describe('a request', () => {
  const code = (change: Partial<ReleaseRequest>, history = unserved, now = NOW) => {
    const result = checkRequest(trust, { ...request, ...change }, ROOT, history, now);
    return result.kind === 'refused' ? result.code : 'admitted';
  };
  test('is for this vault and this environment', () => {
    expect(code({})).toBe('admitted');
    expect(code({ vaultId: 'vault-2' })).toBe('refused.quorum');
    expect(code({ environmentId: 'production-2' })).toBe('refused.environment');
  });
  test('ends, also where its end cannot be read', () => {
    expect(code({}, unserved, new Date('2026-06-02T00:00:00Z'))).toBe('refused.expired');
    expect(code({ notAfter: 'tomorrow' })).toBe('refused.expired');
  });
  test('is over once its model was revoked, served before or not', () => {
    const revoked = { ...unserved, revokedDigests: new Set([request.digest]) };
    expect(code({}, revoked)).toBe('refused.state');
    expect(code({}, { ...revoked, servedRoots: new Set([ROOT]) })).toBe('refused.state');
  });
  test('rises in its serial, per model, until it was served', () => {
    const newer = { ...unserved, highestSerial: { [serialKey(request)]: 5 } };
    expect(code({}, newer)).toBe('refused.state');
    expect(code({ serial: 6 }, newer)).toBe('admitted');
    expect(code({ name: 'other' }, newer)).toBe('admitted');
    expect(code({ serial: 1 }, { ...newer, servedRoots: new Set([ROOT]) }, new Date('2030-01-01'))).toBe(
      'admitted',
    );
  });
});

test('a directory holds its files and no other', () => {
  const files = new Map<string, string>(
    RELEASE_FILES.map((name) => [name, name === 'model.onnx' ? request.digest : 'e'.repeat(64)]),
  );
  const signatures = [
    { keyFingerprint: 'key-0-0', root: ROOT },
    { keyFingerprint: 'key-1-0', root: ROOT },
  ];
  const admit = (change: (files: Map<string, string>) => void) => {
    const copy = new Map(files);
    change(copy);
    return admitRelease({ trust, request, root: ROOT, files: copy, signatures, history: unserved, now: NOW })
      .kind;
  };
  expect(admit(() => {})).toBe('admitted');
  expect(admit((all) => all.set('model-card.md', 'f'.repeat(64)))).toBe('admitted');
  expect(admit((all) => all.set('run.sh', 'f'.repeat(64)))).toBe('refused');
  expect(admit((all) => all.delete('plan.json'))).toBe('refused');
  expect(admit((all) => all.set('model.onnx', 'f'.repeat(64)))).toBe('refused');
});
