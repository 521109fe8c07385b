import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '../../domain/errors.ts';

/** The `code` of a Node system error, or ''. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM']);

/**
 * What the system says of a failed *write*, in the program's words: no space, quota used up or file too large become
 * `disk.full`; a read-only disk or folder, or one of somebody else, `disk.read-only`. Anything else is returned as it
 * came. Use as `throw diskError(error)`.
 */
export function diskError(error: unknown): unknown {
  const code = systemCode(error);
  if (FULL.has(code)) {
    const quota = code === 'EDQUOT';
    return new SallyportError(
      'disk.full',
      quota
        ? 'Your share of the disk is used up: the file was not written.'
        : 'The disk is full: the file was not written.',
      {
        hint: `What was there before is unchanged. Free some space${quota ? ' or ask for more' : ''} and try again.`,
        facts: { system: code },
        cause: error,
      },
    );
  }
  if (!READ_ONLY.has(code)) return error;
  return new SallyportError(
    'disk.read-only',
    code === 'EROFS'
      ? 'The disk is read-only: the file was not written.'
      : 'The folder may not be written to: the file was not written.',
    {
      hint:
        code === 'EROFS'
          ? 'What was there before is unchanged. Mount the disk for writing and try again.'
          : 'What was there before is unchanged. Give your account the right to write there and try again.',
      facts: { system: code },
      cause: error,
    },
  );
}

/** Thrown by `openRegularFile`: there is something by that name, but no file with bytes of its own. */
export class NotRegularFile extends SallyportError {
  /** What is there: `a directory`, `a named pipe`, … */
  readonly what: string;

  constructor(path: string, what: string, cause?: unknown) {
    super('input.invalid', `${path} is ${what}, not a file.`, {
      hint: 'Give the path of the file itself.',
      facts: { path, what },
      ...(cause === undefined ? {} : { cause }),
    });
    this.what = what;
  }
}

function kindOf(status: Stats): string | null {
  if (status.isFile()) return null;
  if (status.isSymbolicLink()) return 'a symbolic link';
  if (status.isDirectory()) return 'a directory';
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}

/**
 * Opens a regular file for reading and nothing else, without ever waiting: a pipe would wait for its writer, a device
 * may act on being opened. Links are followed only with `follow`, for a path that a person gave. Errors:
 * `NotRegularFile`; system errors as they come.
 */
export async function openRegularFile(
  path: string,
  { follow = false }: { readonly follow?: boolean } = {},
): Promise<FileHandle> {
  // Looked at before it is opened, for the sake of devices; what counts is the look at what was opened.
  const there = kindOf(await (follow ? stat(path) : lstat(path)));
  if (there !== null) throw new NotRegularFile(path, there);
  const noFollow = follow ? 0 : (constants.O_NOFOLLOW ?? 0);
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (!follow && systemCode(error) === 'ELOOP') throw new NotRegularFile(path, 'a symbolic link', error);
    throw error;
  }
  const opened = kindOf(await handle.stat());
  if (opened === null) return handle;
  await handle.close();
  throw new NotRegularFile(path, opened);
}

/** Most bytes of a file that is read whole: vaults keep nothing larger beside database and artifacts. */
export const MAX_WHOLE_FILE_BYTES = 64 * 1024 * 1024;

/**
 * All of a regular file that should be small. Links are not followed, and nothing is waited for: what lies there may
 * have been put there by somebody. Errors: `NotRegularFile`, `input.invalid` where it is larger than
 * `MAX_WHOLE_FILE_BYTES`; system errors as they come.
 */
export async function readWholeFile(path: string): Promise<Buffer> {
  const handle = await openRegularFile(path);
  try {
    const { size } = await handle.stat();
    if (size > MAX_WHOLE_FILE_BYTES)
      throw new SallyportError('input.invalid', `${path} is far too large to be what it should be.`, {
        hint: 'Give the right file.',
        facts: { path, bytes: size },
      });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
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

/**
 * Makes a folder and those it is in, for this account alone; answers the first one made, or undefined. Node reports a
 * read-only disk as "no such file" here: the plain call for the first missing folder says what it is.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw diskError(error);
    let first = path;
    while (dirname(first) !== first && (await stat(dirname(first)).catch(() => null)) === null)
      first = dirname(first);
    await mkdir(first, { mode: 0o700 }).catch((cause: unknown) => {
      throw diskError(cause);
    });
    // Somebody made room for it meanwhile.
    await mkdir(path, { recursive: true, mode: 0o700 });
    return first;
  }
}

/** Whether something is there. Only what is known to be missing is: throws where that cannot be told. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
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

/** Writes all of `bytes` at `position`, by default the handle's own; a short write is continued. */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number | null = null,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const at = position === null ? null : position + written;
    const result = await handle.write(bytes, written, bytes.length - written, at);
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
