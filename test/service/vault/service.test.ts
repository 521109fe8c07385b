import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeLines } from '../../../electron/adapters/vault/write-lines.ts';
import { createVaultService, type VaultService } from '../../../electron/services/vault/index.ts';
import { generateIdentity } from '../../../shared/node/age/index.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, type TestVault, testVault } from '../../support/vault.ts';

async function opened(): Promise<TestVault & { readonly service: VaultService }> {
  const home = await testVault();
  return { ...home, service: createVaultService({ vault: home.vault, adapters: home.adapters, writeLines }) };
}

const lastEntry = ({ vault }: TestVault) => [...vault.store.read.audit.entries()].at(-1);

describe('the vault', () => {
  test('tells what it is, and when it last got new keys', async () => {
    const home = await opened();
    const { service, vault, admin } = home;
    expect(service.about()).toMatchObject({
      id: vault.id,
      keys: 'keychain',
      recipient: vault.recipient,
      versions: 0,
      auditEntries: 2,
      lastBackup: null,
      lastRekey: null,
      settings: { autoLockMinutes: 15, protectedAliases: ['champion'], keepLast: null },
    });
    const outcome = await service.rekey(admin, { full: false, newRecoveryKey: false, passphrase: null });
    expect(outcome.recoveryKey).toBeNull();
    expect(service.about()).toMatchObject({ recipient: vault.recipient, lastRekey: expect.any(String) });
  });

  test('takes rules from an administrator alone, and writes down both, before and after', async () => {
    const home = await opened();
    const settings = { autoLockMinutes: 5, protectedAliases: ['gold', 'champion', 'gold'], keepLast: 3 };
    await expect(home.service.setSettings(actorWith('analyst'), { settings })).rejects.toMatchObject({
      code: 'refused.role',
    });
    expect(lastEntry(home)?.action).toBe('refused');
    const after = await home.service.setSettings(home.admin, { settings });
    expect(after.settings).toEqual({ ...settings, protectedAliases: ['champion', 'gold'] });
    expect(lastEntry(home)).toMatchObject({
      action: 'vault.settings-changed',
      actor: 'ada',
      details: {
        before: { autoLockMinutes: 15, protectedAliases: ['champion'], keepLast: null },
        after: { autoLockMinutes: 5, protectedAliases: ['champion', 'gold'], keepLast: 3 },
      },
    });
    const { auditEntries } = after;
    // The same again is no change.
    expect((await home.service.setSettings(home.admin, { settings })).auditEntries).toBe(auditEntries);
    await expect(
      home.service.setSettings(home.admin, { settings: { ...settings, autoLockMinutes: -1 } }),
    ).rejects.toMatchObject({ code: 'input.invalid' });
  });

  test.each(['analyst', 'release-manager', 'auditor'] as const)('is not rekeyed by an %s', async (role) => {
    const { service, vault } = await opened();
    const { recipient } = vault;
    await expect(
      service.rekey(actorWith(role), { full: false, newRecoveryKey: false, passphrase: null }),
    ).rejects.toMatchObject({ code: 'refused.role' });
    expect(vault.recipient).toBe(recipient);
  });
});

describe('the recovery kit', () => {
  test('is written for this vault’s key alone, for its owner alone, never over a file, and audited', async () => {
    const home = await opened();
    const folder = temporaryDirectory();
    const path = join(folder, 'kit.html');
    const stranger = await generateIdentity();
    await expect(
      home.service.saveRecoveryKit(null, { path, recoveryKey: stranger.identity }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    // As it is typed from a screen.
    const recoveryKey = home.recoveryKey.toLowerCase().replace(/(.{4})/g, '$1 ');
    expect(await home.service.saveRecoveryKit(null, { path, recoveryKey })).toEqual({ path });
    const html = readFileSync(path, 'utf8');
    expect(html.replace(/<[^>]+>/g, '')).toContain(home.recoveryKey);
    expect(html).toContain(home.vault.id);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lastEntry(home)).toMatchObject({ action: 'vault.kit-saved', actor: 'system', details: { path } });
    await expect(home.service.saveRecoveryKit(home.admin, { path, recoveryKey })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(readFileSync(path, 'utf8')).toBe(html);
  });
});
