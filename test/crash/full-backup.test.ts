/** Backup and restore where there is no room, or nothing may be written: a clear word, and nothing half-done. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JobContext } from '../../electron/ports/system.ts';
import { backupVault, restoreVault } from '../../electron/services/vault/index.ts';
import { insertRequest } from '../support/records.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { type TestVault, testVault } from '../support/vault.ts';

const QUIET: JobContext = { signal: new AbortController().signal, progress: () => {} };
const probe = smallDisk(1);
probe?.remove();
const MEGABYTES = 3;

function disk(megabytes = MEGABYTES): SmallDisk {
  const made = smallDisk(megabytes);
  if (!made) throw new Error('no disk');
  onTestFinished(() => made.remove());
  return made;
}

/** A vault that needs more room than the disk has. */
async function largeVault(): Promise<TestVault> {
  const home = await testVault();
  const stored = await home.vault.artifacts.putBytes(randomBytes(MEGABYTES * 1024 * 1024));
  await home.vault.ledger.commit(null, { action: 'request.submitted', subject: 'r', details: {} }, (tx) =>
    insertRequest(tx, 'r', [{ name: 'plan.json', ...stored }]),
  );
  return home;
}

const backup = (home: TestVault, path: string) =>
  backupVault({ vault: home.vault, adapters: home.adapters }, home.admin, { path }, QUIET);
const restore = (home: TestVault, path: string, file: string) =>
  restoreVault(home.adapters, path, { file, passphrase: null, recovery: null }, QUIET);
const hidden = (path: string): string[] => readdirSync(path).filter((name) => name.startsWith('.'));

// Only root may mount a disk.
describe.skipIf(probe === null)(
  `backup${probe === null ? ' (this machine lets no test mount a disk)' : ''}`,
  () => {
    test('onto a disk without room says so and leaves nothing there or in the vault', async () => {
      const home = await largeVault();
      const target = disk();
      await expect(backup(home, join(target.path, 'b'))).rejects.toMatchObject({ code: 'disk.full' });
      expect(readdirSync(target.path)).toEqual([]);
      expect(hidden(home.path)).toEqual([]);
      const actions = [...home.vault.store.read.audit.entries()].map(({ action }) => action);
      expect(actions).not.toContain('vault.backed-up');
    });

    test('onto a disk that takes nothing says so and leaves nothing', async () => {
      const home = await largeVault();
      const target = disk();
      target.readOnly(true);
      await expect(backup(home, join(target.path, 'b'))).rejects.toMatchObject({ code: 'disk.read-only' });
      expect(hidden(home.path)).toEqual([]);
    });

    test('is not restored where there is no room; with room it is', async () => {
      const home = await largeVault();
      const file = join(temporaryDirectory(), 'b');
      await backup(home, file);
      await home.vault.close();
      const small = disk();
      await expect(restore(home, join(small.path, 'vault'), file)).rejects.toMatchObject({
        code: 'disk.full',
      });
      expect(readdirSync(small.path)).toEqual([]);
      small.readOnly(true);
      await expect(restore(home, join(small.path, 'vault'), file)).rejects.toMatchObject({
        code: 'disk.read-only',
      });
      const large = disk(5 * MEGABYTES);
      const vault = await restore(home, join(large.path, 'vault'), file);
      expect(vault?.store.read.requests()).toHaveLength(1);
      await vault?.close();
    });
  },
);
