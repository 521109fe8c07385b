import { describe, expect, it } from 'vitest';
import { effectiveState, refusalOf } from '../../../shared/domain/approval/lifecycle.ts';
import { evaluateQuorum, samePerson } from '../../../shared/domain/approval/quorum.ts';
import type { ApprovalRecord, RequestRecord } from '../../../shared/domain/approval/request.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';

const submitter = { person: 'Ada Byron', keyFingerprint: 'k0' };

describe('a quorum', () => {
  it('is distinct people with distinct keys', () => {
    expect(
      evaluateQuorum(
        [
          { person: 'Bo', keyFingerprint: 'k1' },
          { person: 'Cy', keyFingerprint: 'k2' },
        ],
        submitter,
        2,
      ).met,
    ).toBe(true);
    expect(
      evaluateQuorum(
        [
          { person: 'Bo', keyFingerprint: 'k1' },
          { person: 'bo ', keyFingerprint: 'k2' },
        ],
        submitter,
        2,
      ).met,
    ).toBe(false);
    expect(
      evaluateQuorum(
        [
          { person: 'Bo', keyFingerprint: 'k1' },
          { person: 'Cy', keyFingerprint: 'k1' },
        ],
        submitter,
        2,
      ).met,
    ).toBe(false);
  });
  it('never counts the submitter, neither the person under another key nor the key under another name', () => {
    const result = evaluateQuorum(
      [
        { person: 'ADA  byron', keyFingerprint: 'k9' },
        { person: 'Zoe', keyFingerprint: 'k0' },
      ],
      submitter,
      1,
    );
    expect(result.met).toBe(false);
    expect(result.ignored).toHaveLength(2);
  });
  it('knows one person under every spelling that looks the same', () => {
    const spellings = [
      ['Ada Byron', 'Ada\u200b Byron'],
      ['Ada Byron', 'Ada Byron\u200d'],
      ['Ada Byron', '\u202eAda\u00a0By\u00adron'],
      ['Jos\u00e9', 'Jose\u0301'],
      ['Gro\u00df', 'GROSS'],
    ] as const;
    for (const [a, b] of spellings) expect([a, b, samePerson(a, b)]).toEqual([a, b, true]);
    expect(samePerson('Ada Byron', 'Ada Myron')).toBe(false);
  });
  it('is never met by nobody, even when the number asked for is zero', () => {
    expect(evaluateQuorum([], submitter, 0).met).toBe(false);
  });
});

describe('a request', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  const record: RequestRecord = {
    id: 'q',
    environmentName: 'production',
    root: 'a'.repeat(64),
    state: 'open',
    reason: '',
    quorum: 2,
    createdAt: '2026-01-01T00:00:00Z',
    request: {
      vaultId: 'v',
      requestId: 'q',
      name: 'phish',
      version: '1.0.0',
      digest: 'b'.repeat(64),
      environmentId: 'production-1',
      serial: 1,
      submitter: { name: 'ada', ...submitter },
      createdAt: '2026-01-01T00:00:00Z',
      notAfter: '2026-01-03T00:00:00Z',
    },
  };
  const manager = (person: string): Actor => ({
    operatorId: person,
    name: person,
    person,
    roles: ['release-manager'],
  });
  const approval = (person: string): ApprovalRecord => ({
    requestId: 'q',
    operator: person,
    person,
    keyFingerprint: `k-${person}`,
    kind: 'approval',
    bundle: '{}',
    createdAt: '',
  });

  it('expires by itself', () => {
    expect(effectiveState(record, now)).toBe('open');
    expect(effectiveState({ ...record, state: 'approved' }, new Date('2026-01-03T00:00:00Z'))).toBe(
      'expired',
    );
    expect(effectiveState({ ...record, state: 'rejected' }, new Date('2027-01-03T00:00:00Z'))).toBe(
      'rejected',
    );
  });
  it('is approved by release managers only, once each, never by its submitter', () => {
    expect(refusalOf('approve', record, [], manager('bo'), now)).toBeNull();
    expect(
      refusalOf('approve', record, [], { ...manager('bo'), roles: ['analyst', 'administrator'] }, now),
    ).toContain('release manager');
    expect(refusalOf('approve', record, [], manager('Ada Byron'), now)).toContain('submitter');
    expect(refusalOf('approve', record, [approval('bo')], manager('Bo'), now)).toContain('already');
  });
  it('is not deployed before it is approved', () => {
    expect(refusalOf('deploy', record, [approval('bo')], manager('cy'), now)).toBe(
      'It has 1 of 2 approvals.',
    );
    expect(refusalOf('deploy', { ...record, state: 'approved' }, [], manager('cy'), now)).toBeNull();
    expect(
      refusalOf('deploy', { ...record, state: 'approved' }, [], manager('cy'), new Date('2026-02-01')),
    ).toContain('expired');
  });
});
