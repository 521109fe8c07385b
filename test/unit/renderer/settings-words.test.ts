import { describe, expect, it } from 'vitest';
import { backupAdvice, backupName } from '../../../renderer/features/settings/backup-words.ts';
import { policyChanges } from '../../../renderer/features/settings/gate-words.ts';
import { rekeyDone } from '../../../renderer/features/settings/rekey-words.ts';
import { POLICY } from '../../support/renderer-data.ts';

describe('a changed policy before it is kept', () => {
  const change = (part: Partial<typeof POLICY>) => policyChanges(POLICY, { ...POLICY, ...part });
  it('shows only what differs, before and after', () => {
    expect(change({})).toEqual([]);
    expect(change({ quorum: { approvals: 3 } })).toEqual([
      { field: 'Approvals needed', before: '2 people', after: '3 people', looser: false },
    ]);
  });
  it('calls out what demands less: fewer people, rows or gates, more findings or datasets', () => {
    const digest = 'a'.repeat(64);
    const looser = [
      change({ quorum: { approvals: 1 } }),
      change({ minimumRows: 10 }),
      change({ maximumSeverity: 'high' }),
      change({ gates: POLICY.gates.slice(1) }),
      change({ gates: [{ metric: 'roc_auc', min: 0.9 }, ...POLICY.gates.slice(1)] }),
      policyChanges({ ...POLICY, datasets: [digest] }, { ...POLICY, datasets: [] }),
    ];
    expect(looser.map((changes) => changes.map((each) => each.looser))).toEqual(looser.map(() => [true]));
  });
  it('calls nothing looser that demands as much or more', () => {
    const digest = 'a'.repeat(64);
    const stricter = [
      change({ gates: [{ metric: 'roc_auc', min: 0.99 }, ...POLICY.gates.slice(1)] }),
      change({ gates: [...POLICY.gates, { metric: 'mcc', min: 0.5 }] }),
      change({ gates: [...POLICY.gates].reverse() }),
      change({ datasets: [digest] }),
      change({ minimumRows: 5000, maximumSeverity: 'low' }),
    ];
    for (const changes of stricter) expect(changes.every((each) => !each.looser)).toBe(true);
  });
});

describe('what is said of backups and keys', () => {
  const now = Date.parse('2026-06-30T12:00:00Z');
  it('warns of a vault that was never backed up, or long ago with entries since', () => {
    expect(backupAdvice({ lastBackup: null, auditEntries: 1 }, now)).toContain('never');
    const at = '2026-06-20T12:00:00Z';
    expect(backupAdvice({ lastBackup: { at, head: 40 }, auditEntries: 41 }, now)).toBe(
      '1 entry of the log is newer than the last backup, 10 d ago.',
    );
    expect(backupAdvice({ lastBackup: { at, head: 41 }, auditEntries: 41 }, now)).toBeNull();
    expect(
      backupAdvice({ lastBackup: { at: '2026-06-29T12:00:00Z', head: 1 }, auditEntries: 41 }, now),
    ).toBeNull();
  });
  it('names a backup after its vault and its day', () => {
    expect(backupName('0123456789abcdef', now)).toBe('sallyport-01234567-2026-06-30.tar');
  });
  it('never claims of a rekey more than it did', () => {
    const plain = rekeyDone({ artifacts: 3, full: false }).join(' ');
    expect(plain).toContain('file keys of artifacts are unchanged');
    expect(plain).not.toMatch(/encrypted again|--full/);
    expect(rekeyDone({ artifacts: 3, full: true }).join(' ')).toContain('3 stored files encrypted again');
  });
});
