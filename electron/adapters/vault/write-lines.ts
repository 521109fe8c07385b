import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  diskError,
  fsyncDirectory,
  systemCode,
  temporaryPath,
  writeAll,
} from '../../../shared/node/files/files.ts';

/** Lines gathered before a write, in characters: few system calls, little memory. */
const BATCH = 256 * 1024;

/** Writes lines with their line feeds to a new file, complete or not at all. `conflict` where one is there, `not-found` without the folder. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  await writeNew(path, async (handle) => {
    let batch = '';
    for (const line of lines) {
      batch += `${line}\n`;
      if (batch.length < BATCH) continue;
      await writeAll(handle, Buffer.from(batch, 'utf8'));
      batch = '';
    }
    await writeAll(handle, Buffer.from(batch, 'utf8'));
  });
}

/** The same for bytes. */
export function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  return writeNew(path, (handle) => writeAll(handle, bytes));
}

async function writeNew(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const temporary = temporaryPath(target);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await nameNewFile(temporary, target);
    await fsyncDirectory(dirname(target));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new SallyportError('conflict', `There is already a file ${target}.`, {
        hint: 'It was left as it is. Choose another name.',
      });
    }
    if (systemCode(error) === 'ENOENT') {
      throw new SallyportError('not-found', `There is no folder ${dirname(target)}.`, {
        hint: 'Create it, or choose another.',
        cause: error,
      });
    }
    throw diskError(error);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A hard link refuses an existing name in one step; removable media (FAT) know no links. */
export async function nameNewFile(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error))) throw error;
    await (await open(target, 'wx', 0o600)).close();
    await rename(temporary, target);
  }
}
