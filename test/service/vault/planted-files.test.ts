/** Somebody who may write into a vault's folder puts something else in the place of its small files. */
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVault, recoverVault } from '../../../electron/services/vault/index.ts';
import { testVault, VAULT_PASSPHRASE } from '../../support/vault.ts';

const PLANTED: readonly [string, (path: string) => void][] = [
  ['a folder', (path) => mkdirSync(path)],
  // Read to its end, it would never end.
  ['a link to a device', (path) => symlinkSync('/dev/zero', path)],
  ['a link to another file', (path) => symlinkSync('/etc/hostname', path)],
  [
    'a file of three gigabytes',
    (path) => {
      writeFileSync(path, '');
      truncateSync(path, 3 * 1024 ** 3);
    },
  ],
];

describe.skipIf(process.platform === 'win32').each(PLANTED)('%s', (what, plant) => {
  /** Runs `work` while it stands in the place of `file`, and puts the file back. */
  async function inPlaceOf<T>(path: string, file: string, work: () => Promise<T>): Promise<T> {
    const at = join(path, file);
    renameSync(at, `${at}.away`);
    plant(at);
    try {
      return await work();
    } finally {
      rmSync(at, { recursive: true });
      renameSync(`${at}.away`, at);
    }
  }

  test('in the place of any file that opens the vault is told as what it is; put right, all works', async () => {
    const passphrase = VAULT_PASSPHRASE;
    const { adapters, path, vault, recoveryKey } = await testVault({
      keys: { kind: 'passphrase', passphrase },
    });
    await vault.secrets.set('endpoint-token/x', 'token');
    await vault.close();
    const told = { code: 'integrity.vault' };

    for (const file of ['vault.json', 'passphrase.age', 'open.db']) {
      // A lock on something that is no file is nobody's: the vault opens for reading.
      if (file === 'open.db' && what !== 'a file of three gigabytes') continue;
      await inPlaceOf(path, file, () =>
        expect(openVault(adapters, path, { passphrase }), file).rejects.toMatchObject(told),
      );
    }
    await inPlaceOf(path, 'recovery.age', () =>
      expect(
        recoverVault(adapters, path, { recoveryKey, keys: { kind: 'passphrase', passphrase } }),
      ).rejects.toMatchObject(told),
    );
    // Whoever has the keys is not kept out by it, and the recovery key gets its file again.
    await inPlaceOf(path, 'recovery.age', async () => {
      await (await openVault(adapters, path, { passphrase })).close();
      const mended = recoverVault(adapters, path, { recoveryKey, keys: { kind: 'passphrase', passphrase } });
      if (what === 'a folder') await expect(mended).rejects.toMatchObject(told);
      else await (await mended).close();
    });
    const again = await openVault(adapters, path, { passphrase });
    await inPlaceOf(path, 'secrets.age', async () => {
      await expect(again.secrets.get('endpoint-token/x')).rejects.toMatchObject(told);
      await expect(again.secrets.set('endpoint-token/y', 'new')).rejects.toMatchObject(told);
    });
    expect(await again.secrets.get('endpoint-token/x')).toBe('token');
    await again.close();
  });
});
