import { describe, expect, it } from 'vitest';
import { idleState, REPORT_EVERY_MS, reportsInput } from '../../../renderer/app/idle-clock.ts';
import { isLastGroup, openingOf } from '../../../renderer/features/gate/recovery-words.ts';
import { ERROR_CODES, type ErrorCode } from '../../../shared/domain/errors.ts';
import { recoveryKeyGroups } from '../../../shared/domain/vault/recovery-kit.ts';
import { FAKE_RECOVERY_KEY } from '../../support/renderer-fake.ts';

describe('a recovery key on paper', () => {
  it('is the whole key in groups, the last one of four', () => {
    const groups = recoveryKeyGroups(FAKE_RECOVERY_KEY);
    expect(groups.join('')).toBe(FAKE_RECOVERY_KEY);
    expect(groups[0]).toMatch(/^AGE-SECRET-KEY-1/);
    expect(groups.slice(1).every((group) => group.length === 4)).toBe(true);
    // A real key has 58 characters behind its beginning.
    const real = `AGE-SECRET-KEY-1${'ABCDEFGHJK'.repeat(5)}LMNPQRST`;
    expect(recoveryKeyGroups(real).at(-1)).toBe('QRST');
  });
  it('is confirmed by its end alone, in capitals or not', () => {
    const end = FAKE_RECOVERY_KEY.slice(-4);
    expect(isLastGroup(FAKE_RECOVERY_KEY, ` ${end.toLowerCase()} `)).toBe(true);
    expect(isLastGroup(FAKE_RECOVERY_KEY, end.slice(1))).toBe(false);
    expect(isLastGroup(FAKE_RECOVERY_KEY, FAKE_RECOVERY_KEY.slice(-5, -1))).toBe(false);
  });
});

describe('a vault that does not open', () => {
  it('has a way back for every state of its keychain and of its files', () => {
    const codes = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
      (code) => code.startsWith('keychain.') || ['vault.newer', 'integrity.vault'].includes(code),
    );
    expect(codes.length).toBeGreaterThanOrEqual(6);
    for (const code of [...codes, 'disk.read-only', 'disk.full'] as const)
      expect(openingOf(code)?.ways.length, code).toBeGreaterThan(0);
  });
  it('offers the recovery key first where only it helps, and last where waiting does', () => {
    expect(openingOf('keychain.missing')?.ways[0]).toBe('recover');
    expect(openingOf('keychain.changed')?.ways[0]).toBe('recover');
    expect(openingOf('keychain.locked')?.ways[0]).toBe('retry');
    // A newer program's vault is not opened by any key.
    expect(openingOf('vault.newer')?.ways).not.toContain('recover');
  });
  it('says nothing of its own about a wrong passphrase', () => {
    expect(openingOf('auth.failed')).toBeNull();
  });
});

describe('the time before a sign-out', () => {
  const minute = 60_000;
  it('is silent until its last minute, and wakes by itself when that begins', () => {
    expect(idleState(0, 0, 15)).toEqual({ secondsLeft: null, nextInMs: 14 * minute });
    expect(idleState(0, 14 * minute - 1, 15)).toEqual({ secondsLeft: null, nextInMs: 1 });
    expect(idleState(0, 14 * minute, 15).secondsLeft).toBe(60);
  });
  it('counts the seconds down to nothing', () => {
    expect(idleState(0, 14 * minute + 18_400, 15)).toEqual({ secondsLeft: 42, nextInMs: 600 });
    expect(idleState(0, 15 * minute, 15)).toEqual({ secondsLeft: 0, nextInMs: null });
    expect(idleState(0, 60 * minute, 15).secondsLeft).toBe(0);
  });
  it('warns for half of a short time, and never where nobody is signed out', () => {
    expect(idleState(0, 29_999, 1).secondsLeft).toBeNull();
    expect(idleState(0, 30_000, 1).secondsLeft).toBe(30);
    expect(idleState(0, 1e12, 0)).toEqual({ secondsLeft: null, nextInMs: null });
  });
  it('begins anew with input, which is told at most every few seconds, or at once under the warning', () => {
    expect(reportsInput(0, REPORT_EVERY_MS - 1, false)).toBe(false);
    expect(reportsInput(0, REPORT_EVERY_MS, false)).toBe(true);
    expect(reportsInput(0, 1, true)).toBe(true);
  });
});
