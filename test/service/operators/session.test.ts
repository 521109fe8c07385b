import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createCurrentSession } from '../../../electron/services/session/current.ts';
import { createSessionService, type SessionService } from '../../../electron/services/session/index.ts';
import { lastEntry } from '../../support/registry.ts';
import { OPERATOR_PASSPHRASE, type TestVault, testVault } from '../../support/vault.ts';

function sessionOf(home: TestVault): SessionService {
  const { vault, adapters } = home;
  return createSessionService({
    ledger: vault.ledger,
    store: vault.store,
    secrets: vault.secrets,
    keys: adapters.keys,
    system: adapters.system,
  });
}
const wrong = { operator: 'ada', passphrase: 'not her passphrase' };
const right = { operator: 'ada', passphrase: OPERATOR_PASSPHRASE };
const actions = ({ vault }: TestVault): string[] =>
  [...vault.store.read.audit.entries()].map(({ action }) => action);

describe('signing in', () => {
  test('with the right passphrase makes the actor, and is in the log', async () => {
    const home = await testVault();
    expect(await sessionOf(home).signIn(right)).toEqual(home.admin);
    expect(actions(home).at(-1)).toBe('session.signed-in');
  });

  test('with a wrong one is refused and is in the log', async () => {
    const home = await testVault();
    await expect(sessionOf(home).signIn(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
    expect(home.vault.store.read.audit.entry(3)).toMatchObject({
      action: 'session.refused',
      subject: 'ada',
      details: { failures: 1 },
    });
  });

  test('under an unknown name is refused without writing down what was typed', async () => {
    const home = await testVault();
    await expect(
      sessionOf(home).signIn({ operator: 'my secret passphrase', passphrase: 'x' }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    expect([...home.vault.store.read.audit.lines()].join('\n')).not.toContain('my secret passphrase');
    expect(actions(home).at(-1)).toBe('session.refused');
  });

  test('waits from the third failure on: the right passphrase is not even looked at, then it is, and all is forgotten', async () => {
    const home = await testVault();
    home.clock.heldAt = Date.now();
    const session = sessionOf(home);
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(session.signIn(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
    await expect(session.signIn(right)).rejects.toMatchObject({
      code: 'auth.failed',
      facts: { retryAfterMs: expect.any(Number) },
    });
    // Somebody who goes on guessing is seen to.
    expect(lastEntry(home)).toMatchObject({
      action: 'session.refused',
      subject: home.admin.name,
      details: { reason: 'too early', failures: 3 },
    });
    home.clock.ahead += 1001;
    await session.signIn(right);
    expect(home.vault.store.read.signInFailures(home.admin.operatorId).count).toBe(0);
  });

  test('counts guesses made side by side one after the other', async () => {
    const home = await testVault();
    home.clock.heldAt = Date.now();
    const session = sessionOf(home);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => session.signIn(wrong)));
    const waited = outcomes.filter(
      (each) => each.status === 'rejected' && 'retryAfterMs' in each.reason.facts,
    );
    expect(waited).toHaveLength(7);
    expect(home.vault.store.read.signInFailures(home.admin.operatorId).count).toBe(3);
  });

  test('fails with the way back where the key file is gone', async () => {
    const home = await testVault();
    await home.vault.secrets.delete(`operator-key/${home.admin.operatorId}`);
    await expect(sessionOf(home).signIn(right)).rejects.toMatchObject({
      code: 'keychain.missing',
      hint: expect.stringContaining('recover'),
    });
  });
});

describe("an operator's key", () => {
  test('is lent for one call, and is the one whose public half is stored', async () => {
    const home = await testVault();
    const publicKeyPem = await sessionOf(home).signWithOperatorKey(
      home.admin.operatorId,
      OPERATOR_PASSPHRASE,
      (pem) => createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString(),
    );
    expect(publicKeyPem).toBe(home.vault.store.read.operator(home.admin.operatorId)?.publicKeyPem);
  });

  test('is not lent for a wrong passphrase, which counts as a failed sign-in', async () => {
    const home = await testVault();
    let used = false;
    const attempt = sessionOf(home).signWithOperatorKey(home.admin.operatorId, 'wrong wrong wrong', () => {
      used = true;
    });
    await expect(attempt).rejects.toMatchObject({ code: 'auth.failed' });
    expect(used).toBe(false);
    expect(home.vault.store.read.signInFailures(home.admin.operatorId).count).toBe(1);
  });

  test("an unlocked vault is nobody's signature: the stored secret is no private key", async () => {
    const home = await testVault();
    const stored = Buffer.from(
      (await home.vault.secrets.get(`operator-key/${home.admin.operatorId}`)) ?? '',
      'base64',
    ).toString('latin1');
    expect(stored.startsWith('age-encryption.org/v1\n-> scrypt ')).toBe(true);
    expect(stored).not.toContain('PRIVATE KEY');
    await expect(
      home.adapters.keys.decrypt(home.vault.identity(), Buffer.from(stored, 'latin1')),
    ).rejects.toMatchObject({ code: 'auth.failed' });
  });
});

test('the current session is empty until somebody signed in, and after sign-out', async () => {
  const home = await testVault();
  const current = createCurrentSession((id) => home.vault.store.read.operator(id));
  expect(() => current.require()).toThrow(expect.objectContaining({ code: 'locked' }));
  current.set(home.admin);
  expect(current.require()).toEqual(home.admin);
  current.set(null);
  expect(current.actor()).toBeNull();
});
