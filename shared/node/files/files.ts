import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '../../domain/errors.ts';

/** The `code` of a Node system error, or ''. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Turns "no space" into `disk.full`; anything else is returned as it came. Use as `throw diskError(error)`. */
export function diskError(error: unknown): unknown {
  const code = systemCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return error;
  return new SallyportError('disk.full', 'The disk is full: the file was not written.', {
    hint: 'What was there before is unchanged. Free some space and try again.',
    facts: { system: code },
    cause: error,
  });
}

/** Makes a rename, creation or removal in `path` durable. Windows has no such call: its rename is journalled. */
export async function fsyncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name beside `path` for its content until it is complete; holds the process id, so that a sweep sees who is gone. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
}

/** The process id in a name made by `temporaryPath`, or null. */
export function temporaryOwner(name: string): number | null {
  const match = /^\..+\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name);
  return match?.[1] ? Number(match[1]) : null;
}

/** Writes all of `bytes` at the handle's position; a short write is continued. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const result = await handle.write(bytes, written, bytes.length - written);
    written += result.bytesWritten;
  }
}

/**
 * Replaces `path` by a file with exactly `bytes`, or leaves it as it was: temporary file in the same directory, fsync,
 * rename, fsync of the directory. `mode` (default 0600) is set at creation. Errors: `disk.full`, system errors.
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const handle = await open(temporary, 'wx', options.mode ?? 0o600);
    try {
      await writeAll(handle, typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await fsyncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskError(error);
  }
}

/** Longest secret file that is read, in bytes. */
const MAX_SECRET_FILE = 64 * 1024;

/**
 * The text of a secret file, without the line ends at its end. It must be a regular file (no link) of the caller with
 * mode 0600 or stricter; otherwise `usage`, because a secret that others can read is none. On Windows, where modes say
 * nothing, only the kind of file is checked.
 */
export async function readSecretFile(path: string): Promise<string> {
  const refuse = (problem: string, hint: string, cause?: unknown): SallyportError =>
    new SallyportError('usage', `The secret file ${path} ${problem}.`, {
      hint,
      facts: { path },
      ...(cause === undefined ? {} : { cause }),
    });
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a named pipe would wait for a writer. One open file is checked and read: no race.
    handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw refuse('does not exist', 'Check the path.', error);
    if (systemCode(error) === 'ELOOP')
      throw refuse('is a symbolic link', 'Give the path of the file itself.', error);
    throw refuse('cannot be read', 'It must be a regular file of yours with mode 0600.', error);
  }
  try {
    const status = await handle.stat();
    if (!status.isFile())
      throw refuse('is not a regular file', 'Write the secret into a file of yours with mode 0600.');
    if (process.platform !== 'win32') {
      if (status.uid !== process.getuid?.())
        throw refuse('belongs to another user', 'Use a file of your own with mode 0600.');
      if ((status.mode & 0o077) !== 0) throw refuse('can be read by others', `Run: chmod 600 ${path}`);
    }
    if (status.size > MAX_SECRET_FILE)
      throw refuse('is too large to be a secret', `At most ${MAX_SECRET_FILE} bytes are read.`);
    const text = (await handle.readFile()).toString('utf8').replace(/[\r\n]+$/, '');
    if (text === '') throw refuse('is empty', 'Write the secret into it, in one line.');
    return text;
  } finally {
    await handle.close();
  }
}
