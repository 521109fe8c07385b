/** What lies in a vault's `artifacts` that should not, or not so: names, kinds and rights, no contents. */
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemCode, temporaryOwner } from '../../../shared/node/files/files.ts';

export interface Stray {
  /** From the vault's folder: `artifacts/…`. */
  readonly path: string;
  readonly problem: string;
}

export interface StraySearch {
  /** `artifacts` of the vault. */
  readonly directory: string;
  /** Whether a record names this file. */
  readonly isNamed: (artifactId: string) => boolean;
  /** Whether a process that runs now may be writing it. */
  readonly isBeingWritten: (path: string, owner: number) => boolean;
  /** Milliseconds since the epoch: a file that changed after it may yet be named by a commit that is under way. */
  readonly settledBefore: number;
}

const FOLDER = /^[0-9a-f]{2}$/;
const FILE = /^([0-9a-f]{32})\.age$/;
/** Files looked at at once. */
const BATCH = 64;

/** Everything out of place, by path. Errors of the disk are thrown. */
export async function findStrays(search: StraySearch): Promise<Stray[]> {
  const { directory } = search;
  const found: Stray[] = [];
  const add = (path: string, problem: string | null): void => {
    if (problem !== null) found.push({ path: relative(join(directory, '..'), path), problem });
  };
  const root = await lookAt(directory);
  if (root === null) return [];
  add(directory, root.isDirectory() ? rights(root, 0o700) : 'is not a folder');
  if (!root.isDirectory()) return found;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && FOLDER.test(entry.name)) {
      const status = await lookAt(path);
      add(path, status && rights(status, 0o700));
      await lookInside(search, path, entry.name, add);
    } else add(path, await unexpected(search, path, entry));
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function lookInside(
  search: StraySearch,
  folder: string,
  prefix: string,
  add: (path: string, problem: string | null) => void,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (let at = 0; at < entries.length; at += BATCH) {
    await Promise.all(
      entries.slice(at, at + BATCH).map(async (entry) => {
        const path = join(folder, entry.name);
        const id = FILE.exec(entry.name)?.[1];
        if (id === undefined || !id.startsWith(prefix) || !entry.isFile())
          return add(path, await unexpected(search, path, entry));
        const status = await lookAt(path);
        if (status === null) return;
        add(path, rights(status, 0o600));
        if (!search.isNamed(id) && status.mtimeMs < search.settledBefore)
          add(path, 'is named by no record; it is removed when the vault is next opened for a while');
      }),
    );
  }
}

/** What is wrong with an entry that is no stored file in its place; null for one that is being written. */
async function unexpected(search: StraySearch, path: string, entry: Dirent): Promise<string | null> {
  const owner = temporaryOwner(entry.name);
  if (owner !== null && entry.isFile()) {
    if (search.isBeingWritten(path, owner)) return null;
    // It may have got its name since the folder was read.
    return (await lookAt(path)) === null ? null : 'was left half-written by a process that ended';
  }
  if (entry.isSymbolicLink()) return 'is a symbolic link';
  if (entry.isFile()) return 'is not a file of this vault';
  return entry.isDirectory() ? 'is not a folder of this vault' : 'is not a file';
}

/** What more than the owner alone may do; Windows' modes say nothing. */
function rights(status: Stats, wanted: number): string | null {
  if (process.platform === 'win32') return null;
  if (status.uid !== process.getuid?.()) return 'belongs to another user';
  const mode = status.mode & 0o777;
  if ((mode & ~wanted) === 0) return null;
  return `is open to others: its mode is ${mode.toString(8)}, ${wanted.toString(8)} is what it should be`;
}

async function lookAt(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
