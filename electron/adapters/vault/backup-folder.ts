/** The folder a snapshot lives in, inside the vault's own so that stored files can be linked instead of copied. */
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { artifactMember, isBackupMember } from '../../../shared/domain/vault/backup.ts';
import { systemCode, temporaryOwner, temporaryPath } from '../../../shared/node/files/files.ts';
import { DATABASE_KEY_BYTES, openDatabase } from '../../../shared/node/sqlite/database.ts';
import { schemaVersion } from '../../../shared/node/sqlite/migrate.ts';
import type { ProvedDatabase } from '../../ports/backup.ts';
import { type NamedArtifact, namedArtifacts } from '../../ports/named-artifacts.ts';
import { openStore } from '../sqlite/store.ts';

/** Where the snapshot's folder says which unfinished archive belongs to it. */
const TARGET = 'target';
const FOLDER = /^\.backup\.\d+\.[0-9a-f]{8}\.tmp$/;
/** Every database that is not encrypted begins so. */
const PLAIN_DATABASE = 'SQLite format 3\0';

/** A fresh name for a snapshot of this vault. */
export function snapshotPath(vaultPath: string): string {
  return temporaryPath(join(vaultPath, 'backup'));
}

/**
 * Copies the database as one reader sees it at this moment, whoever writes meanwhile; the copy has the same key and
 * no page of it is ever plain on disk. Then holds the stored files that the copy's rows name, and the key files.
 */
export async function takeSnapshot(
  vaultPath: string,
  snapshot: string,
  databaseKey: Uint8Array,
): Promise<ProvedDatabase & { readonly missing: string[] }> {
  await mkdir(join(snapshot, 'recovery'), { recursive: true, mode: 0o700 });
  const copy = join(snapshot, 'registry.db');
  const database = openDatabase(join(vaultPath, 'registry.db'), databaseKey);
  try {
    database.run('VACUUM INTO ?', copy);
  } finally {
    database.close();
  }
  const named = namedIn(snapshot, databaseKey);
  const missing = await holdArtifacts(
    vaultPath,
    snapshot,
    named.map(({ artifactId }) => artifactId),
  );
  const schema = await proveDatabase(snapshot, databaseKey);
  for (const name of await readdir(vaultPath))
    if (isBackupMember(name)) await keep(vaultPath, snapshot, name);
  for (const name of await readdir(join(vaultPath, 'recovery')).catch(noEntries))
    if (isBackupMember(`recovery/${name}`)) await keep(vaultPath, snapshot, `recovery/${name}`);
  return { schema, named, missing };
}

/** The stored files that the rows of a folder's database name. `vault.newer` for a schema this program does not know. */
export function namedIn(directory: string, databaseKey: Uint8Array): NamedArtifact[] {
  const store = openStore(join(directory, 'registry.db'), databaseKey);
  try {
    return namedArtifacts(store.read);
  } finally {
    store.close();
  }
}

/** Keeps stored files in the snapshot; answers the ids of those that are not there. */
async function holdArtifacts(
  vaultPath: string,
  snapshot: string,
  artifactIds: readonly string[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const artifactId of artifactIds) {
    const name = artifactMember(artifactId);
    if (!isBackupMember(name))
      throw new SallyportError('integrity.vault', 'The database names a stored file that cannot be one.');
    await mkdir(dirname(join(snapshot, name)), { recursive: true, mode: 0o700 });
    if (!(await keep(vaultPath, snapshot, name))) missing.push(artifactId);
  }
  return missing;
}

/** Links a file of the vault; these are replaced or removed, never written into. False where it is not there. */
async function keep(vaultPath: string, snapshot: string, name: string): Promise<boolean> {
  const [from, to] = [join(vaultPath, name), join(snapshot, name)];
  if (name === 'registry.db') return true;
  try {
    // A link to something else than a file would be followed when it is packed.
    if (!(await lstat(from)).isFile()) return false;
    await link(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(code)) throw error;
  }
  // File systems without links: a copy takes the room, and is as good.
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  return true;
}

/** Proves every page and the structure of a folder's database; answers its schema. `integrity.vault` where it fails. */
export async function proveDatabase(directory: string, databaseKey: Uint8Array): Promise<number> {
  const path = join(directory, 'registry.db');
  if (databaseKey.length !== DATABASE_KEY_BYTES)
    throw new SallyportError('unexpected', 'A database key has 32 bytes.');
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    if (buffer.toString('latin1') === PLAIN_DATABASE)
      throw new SallyportError('integrity.vault', 'The copy of the database is not encrypted.', {
        hint: 'It was removed; no backup was made.',
      });
  } finally {
    await handle.close();
  }
  const database = openDatabase(path, databaseKey);
  try {
    const found = database.all<{ integrity_check: string }>('PRAGMA integrity_check');
    if (found.length !== 1 || found[0]?.integrity_check !== 'ok')
      throw new SallyportError('integrity.vault', 'The database is damaged.', {
        hint: 'Nothing was made or restored from it. Use an earlier backup.',
        facts: { problem: (found[0]?.integrity_check ?? 'no answer').slice(0, 200) },
      });
    return schemaVersion(database);
  } finally {
    database.close();
  }
}

/** Writes down which unfinished archive belongs to a snapshot, so that a sweep removes both. */
export function rememberTarget(snapshot: string, temporary: string): Promise<void> {
  return writeFile(join(snapshot, TARGET), temporary, { flag: 'wx', mode: 0o600 });
}

/** Removes snapshots whose process is gone, and what it had written of an archive elsewhere; answers how many. */
export async function sweepSnapshots(vaultPath: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(vaultPath).catch(noEntries)) {
    const owner = FOLDER.test(name) ? temporaryOwner(name) : null;
    if (owner === null || owner === process.pid || isAlive(owner)) continue;
    const snapshot = join(vaultPath, name);
    const target = await readFile(join(snapshot, TARGET), 'utf8').catch(() => null);
    // Only a name that such a process gives: the text could be anybody's.
    if (target !== null && temporaryOwner(basename(target)) === owner) await rm(target, { force: true });
    await rm(snapshot, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

function noEntries(error: unknown): string[] {
  if (systemCode(error) === 'ENOENT') return [];
  throw error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
