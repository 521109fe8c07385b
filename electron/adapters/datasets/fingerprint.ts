import { createHash } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, join, sep } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** A dataset as it was when it was hashed. */
export interface Fingerprint {
  /** Absolute, without symbolic links: what is hashed is what is parsed. */
  readonly path: string;
  readonly fileName: string;
  /** SHA-256 of the file, lower-case hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Line ends in the file: an estimate of its rows for progress. */
  readonly lines: number;
  /** The first bytes, up to 1 MiB. */
  readonly head: Uint8Array;
  /** Device, inode, size and modification time in nanoseconds. */
  readonly identity: string;
}

const BLOCK_BYTES = 2 ** 20;

/** Hashes the file in one pass. Synchronous reads: this runs in a worker process that has nothing else to do. */
export function fingerprintFile(path: string, progress: (done: number, total: number) => void): Fingerprint {
  let file: number;
  let real: string;
  try {
    real = realpathSync(path);
    file = openSync(real, 'r');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new SallyportError(
      missing ? 'not-found' : 'dataset.invalid',
      missing ? `There is no file ${path}.` : `The file ${path} cannot be read.`,
      { cause },
    );
  }
  try {
    const stat = fstatSync(file, { bigint: true });
    if (!stat.isFile()) throw new SallyportError('dataset.invalid', `${path} is not a regular file.`);
    const sizeBytes = Number(stat.size);
    const hash = createHash('sha256');
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let head: Uint8Array = new Uint8Array(0);
    let lines = 0;
    let done = 0;
    for (let length = readSync(file, block); length > 0; length = readSync(file, block)) {
      const bytes = block.subarray(0, length);
      if (done === 0) head = Uint8Array.from(bytes);
      hash.update(bytes);
      for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
      done += length;
      if (done % (32 * BLOCK_BYTES) === 0) progress(done, sizeBytes);
    }
    if (done !== sizeBytes) throw changed(path);
    return {
      path: real,
      fileName: basename(path),
      digest: hash.digest('hex'),
      sizeBytes,
      lines,
      head,
      identity: identityOf(stat),
    };
  } finally {
    closeSync(file);
  }
}

/** Several files that are one dataset. */
export interface FileSet {
  readonly files: readonly Fingerprint[];
  /** SHA-256 of the lines `<digest>  <name>` of all files, sorted by name: what `sha256sum * | sha256sum` gives. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Most files that a folder of test data may hold. */
const MAX_FILES = 10_000;

/** Joins hashed files; `names` are what their lines say. */
export function fileSet(files: readonly Fingerprint[], names: readonly string[]): FileSet {
  const lines = files.map(({ digest }, index) => `${digest}  ${names[index]}\n`);
  const order = [...names.keys()].sort((a, b) =>
    Buffer.compare(Buffer.from(names[a] ?? ''), Buffer.from(names[b] ?? '')),
  );
  const hash = createHash('sha256');
  for (const index of order) hash.update(lines[index] ?? '');
  return {
    files: order.flatMap((index) => files[index] ?? []),
    digest: hash.digest('hex'),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/**
 * Hashes all files under a folder, such as ONNX test data. Names in the digest are relative with `/`; a symbolic link is
 * refused, because what it points to may change under the same name.
 */
export function fingerprintFolder(path: string): FileSet {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new SallyportError('not-found', `There is no folder ${path}.`, { cause });
  }
  const odd = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (odd !== undefined)
    throw new SallyportError('dataset.invalid', `${odd.name} in the folder is neither a file nor a folder.`, {
      hint: 'Copy what it points to into the folder.',
    });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (paths.length > MAX_FILES)
    throw new SallyportError(
      'dataset.invalid',
      `The folder holds ${paths.length} files; at most ${MAX_FILES} are read.`,
    );
  const names = paths.map((file) =>
    file
      .slice(path.length)
      .split(sep)
      .filter((part) => part !== '')
      .join('/'),
  );
  return fileSet(
    paths.map((file) => fingerprintFile(file, () => {})),
    names,
  );
}

/** Throws `dataset.invalid` when the file is no longer the one that was hashed. */
export function assertUnchanged(dataset: Fingerprint): void {
  let identity: string | null = null;
  try {
    identity = identityOf(statSync(dataset.path, { bigint: true }));
  } catch {
    // Removed: not the same either.
  }
  if (identity !== dataset.identity) throw changed(dataset.fileName);
}

function identityOf(stat: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

function changed(name: string): SallyportError {
  return new SallyportError('dataset.invalid', `The file ${name} changed while it was read.`, {
    hint: 'No result was kept. Run it again when nothing writes to the file.',
  });
}
