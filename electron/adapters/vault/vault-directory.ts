import { lstat, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isDiskRefusal, SallyportError } from '../../../shared/domain/errors.ts';
import {
  diskError,
  fsyncDirectory,
  makeFolders,
  NotRegularFile,
  readWholeFile,
  systemCode,
  temporaryOwner,
  temporaryPath,
  writeFileAtomic,
} from '../../../shared/node/files/files.ts';
import { tryExclusiveLock } from '../../../shared/node/sqlite/exclusive-lock.ts';
import { trySharedLock } from '../../../shared/node/sqlite/shared-lock.ts';
import type { VaultDirectories, VaultDirectory, VaultFile } from '../../ports/vault.ts';
import { openStore } from '../sqlite/store.ts';

/** Something else in a file's place was put there by somebody. */
function planted(file: string, error: unknown): unknown {
  if (!(error instanceof SallyportError)) return error;
  const what =
    error instanceof NotRegularFile
      ? `In the place of ${file} there is ${error.what === 'a directory' ? 'a folder' : error.what}.`
      : `The file ${file} is far too large to be the vault's.`;
  return new SallyportError('integrity.vault', what, {
    hint: 'Nothing was changed. Move it away and put the file back from a backup of this vault.',
    facts: { file },
    cause: error,
  });
}

function directoryAt(path: string): VaultDirectory {
  return {
    path,
    read: async (file) => {
      try {
        return await readWholeFile(join(path, file));
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return null;
        throw planted(file, error);
      }
    },
    write: async (file, bytes) => {
      if (file.startsWith('recovery/')) await mkdir(join(path, 'recovery'), { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(path, file), bytes).catch((error: unknown) => {
        throw systemCode(error) === 'EISDIR'
          ? planted(file, new NotRegularFile(join(path, file), 'a directory', error))
          : error;
      });
    },
    remove: async (file) => {
      await rm(join(path, file), { force: true });
      await fsyncDirectory(dirname(join(path, file))).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
      });
    },
    recoveryFiles: async () => {
      try {
        const names = await readdir(join(path, 'recovery'));
        return names
          .filter((name) => /^[0-9a-f]{64}\.age$/.test(name))
          .map((name): VaultFile => `recovery/${name.slice(0, 64)}.age`);
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return [];
        throw error;
      }
    },
    hasDatabase: () =>
      lstat(join(path, 'registry.db')).then(
        () => true,
        () => false,
      ),
    openStore: (key, options) => openStore(join(path, 'registry.db'), key, options),
    pathOf: (file) => join(path, file),
    tryPresence: () => trySharedLock(join(path, 'open.db')),
    tryAlone: () => tryExclusiveLock(join(path, 'open.db')),
    tryLock: () => {
      try {
        return tryExclusiveLock(join(path, 'lock.db'));
      } catch (error) {
        // What the lock stands for writes: nobody does that here.
        if (isDiskRefusal(error)) return null;
        throw error;
      }
    },
    sweepTemporary: async () => {
      let removed = 0;
      for (const folder of [path, join(path, 'recovery')]) {
        for (const name of await readdir(folder).catch((): string[] => [])) {
          const owner = temporaryOwner(name);
          // Ours may be written at this moment; one of an earlier process with our number goes the next time.
          if (owner === null || owner === process.pid || isAlive(owner)) continue;
          await rm(join(folder, name), { force: true });
          removed++;
        }
      }
      return removed;
    },
  };
}

function exists(path: string): SallyportError {
  return new SallyportError(
    'conflict',
    'There is something in this folder already; nothing was created or changed.',
    {
      hint: 'Choose an empty or a new folder, or open the vault that is there.',
      facts: { path },
    },
  );
}

/** A vault is renamed into its place: what is no plain folder cannot be that place. */
async function refuseOddPlace(target: string): Promise<void> {
  const odd = (message: string, hint: string) =>
    new SallyportError('input.invalid', message, { hint, facts: { path: target } });
  const at = await lstat(target).catch(() => null);
  if (at?.isSymbolicLink())
    throw odd(`${target} is a symbolic link.`, 'Nothing was created or changed. Give the folder itself.');
  const parent = at === null ? null : await stat(dirname(target));
  if (at !== null && at.dev !== parent?.dev)
    throw odd(`${target} is a whole disk.`, 'Nothing was created or changed. Choose a folder on it.');
  for (let folder = dirname(target); ; folder = dirname(folder)) {
    if ((await lstat(join(folder, 'vault.json')).catch(() => null)) !== null)
      throw new SallyportError('conflict', `${target} lies inside of the vault ${folder}.`, {
        hint: 'Nothing was created or changed. Choose a folder outside of it: what is in a vault’s folder is that vault’s.',
        facts: { path: target },
      });
    if (folder === dirname(folder)) return;
  }
}

async function isEmptyOrAbsent(path: string): Promise<'empty' | 'absent' | 'taken'> {
  try {
    return (await readdir(path)).length === 0 ? 'empty' : 'taken';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'absent';
    if (systemCode(error) === 'ENOTDIR') return 'taken';
    throw diskError(error);
  }
}

/** fsync of every file and directory below `path`, so that the rename shows a complete vault or none. */
async function fsyncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await fsyncTree(child);
    else {
      const handle = await open(child, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  }
  await fsyncDirectory(path);
}

/** Removes what earlier attempts at this vault left beside it when their process died. */
async function removeLeftovers(target: string): Promise<void> {
  const prefix = `.${basename(target)}.`;
  const names = await readdir(dirname(target)).catch((): string[] => []);
  for (const name of names) {
    const owner = name.startsWith(prefix) ? temporaryOwner(name) : null;
    if (owner !== null && owner !== process.pid && !isAlive(owner)) {
      await rm(join(dirname(target), name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Vaults as directories of the file system. */
export const vaultDirectories: VaultDirectories = {
  at: (path) => directoryAt(resolve(path)),
  beside: async (path) => {
    const target = resolve(path);
    const entries = await readdir(dirname(target), { withFileTypes: true }).catch(() => []);
    return entries
      .filter(
        (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== basename(target),
      )
      .map((entry) => directoryAt(join(dirname(target), entry.name)));
  },
  create: async (path, fill) => {
    const target = resolve(path);
    if ((await isEmptyOrAbsent(target)) === 'taken') throw exists(target);
    await refuseOddPlace(target);
    await removeLeftovers(target);
    const staging = temporaryPath(target);
    try {
      await makeFolders(join(staging, 'artifacts'));
      await fill(directoryAt(staging));
      await fsyncTree(staging);
      if ((await isEmptyOrAbsent(target)) === 'empty') await rmdir(target);
      await rename(staging, target);
      await fsyncDirectory(dirname(target));
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      const code = systemCode(error);
      throw code === 'ENOTEMPTY' || code === 'EEXIST' ? exists(target) : diskError(error);
    }
  },
};
