/**
 * The archive of a backup: an uncompressed tar of a vault's files, each encrypted by itself, then the list of them and
 * its signature. `tar`, `age` and the recovery key open it without this program.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type BackupFacts,
  type BackupManifest,
  type BackupMember,
  backupManifestSchema,
  isBackupMember,
  MANIFEST,
  MANIFEST_NOTE,
  memberProblems,
} from '../../../shared/domain/vault/backup.ts';
import { systemCode, writeAll } from '../../../shared/node/files/files.ts';
import type { UnpackedBackup } from '../../ports/backup.ts';

/** Bytes read at once: 1 MiB. */
const PIECE_BYTES = 1024 * 1024;
/** A list of a million members has 150 MB; more is no list of ours. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;
const MAX_NOTE_BYTES = 64 * 1024;

type Progress = (done: number, total: number) => void;

/** Names of the members in a folder, in the order they are packed in: what finds the keys comes first. */
export async function membersIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter(isBackupMember);
  const rank = (name: string): number =>
    name === 'vault.json' ? 0 : name === 'registry.db' ? 1 : name.startsWith('artifacts/') ? 3 : 2;
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/**
 * Writes all members of `directory` and their list to a new file at `target`, without the end of the archive: the
 * signature is still missing. Answers the digest of the list.
 */
export async function packMembers(
  directory: string,
  target: string,
  facts: BackupFacts,
  progress: Progress,
): Promise<{ readonly manifestDigest: string; readonly members: number }> {
  const names = await membersIn(directory);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const mtime = new Date(facts.createdAt);
  const pack = tar.pack();
  const written = pipeline(pack, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
  // Told where it is awaited below; until then it is nobody's unhandled rejection.
  written.catch(() => {});
  const members: BackupMember[] = [];
  let done = 0;
  for (const [index, name] of names.entries()) {
    const size = sizes[index] ?? 0;
    const hash = createHash('sha256');
    const source = createReadStream(join(directory, name), { highWaterMark: PIECE_BYTES });
    source.on('data', (piece) => {
      hash.update(piece);
      done += piece.length;
      progress(done, total);
    });
    await raced(written, addMember(pack, { name, size, mtime, mode: 0o600 }, source));
    members.push({ name, size, sha256: hash.digest('hex') });
  }
  const manifest: BackupManifest = { ...facts, members };
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`, 'utf8');
  await raced(written, addWhole(pack, { name: MANIFEST, mtime, mode: 0o600 }, bytes));
  pack.push(null);
  await written;
  return { manifestDigest: createHash('sha256').update(bytes).digest('hex'), members: members.length };
}

/** Appends the signature and the end of the archive, and makes the file durable. */
export async function sealArchive(target: string, note: string, createdAt: string): Promise<void> {
  const pack = tar.pack();
  const bytes = Buffer.from(note, 'utf8');
  pack.entry({ name: MANIFEST_NOTE, mtime: new Date(createdAt), mode: 0o600 }, bytes);
  pack.finalize();
  const handle = await open(target, 'a');
  try {
    for await (const piece of pack) await writeAll(handle, piece as Buffer);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What becomes of one member's bytes. */
interface MemberSink {
  write(piece: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads an archive from end to end and proves it complete: every member is listed with its size and digest, each once,
 * and nothing else is in it. With `directory` the members are written there. Answers the digest of the whole file too.
 *
 * Errors: `integrity.vault`, `input.invalid` (no file of this kind), `not-found`, `disk.full`.
 */
export async function readArchive(
  file: string,
  directory: string | null,
  progress: Progress,
): Promise<UnpackedBackup & { readonly digest: string }> {
  const handle = await openArchive(file);
  try {
    const { size: total } = await handle.stat();
    const whole = createHash('sha256');
    const extract = tar.extract();
    const source = handle.createReadStream({ start: 0, highWaterMark: PIECE_BYTES, autoClose: false });
    let done = 0;
    source.on('data', (piece) => {
      whole.update(piece);
      done += piece.length;
      progress(done, total);
    });
    const read = pipeline(source, extract as unknown as NodeJS.WritableStream);
    read.catch(() => {});
    const found: BackupMember[] = [];
    const seen = new Set<string>();
    let manifest: Buffer | null = null;
    let note: Buffer | null = null;
    try {
      for await (const entry of extract) {
        const { name, type, size } = entry.header;
        if (type !== 'file' && type !== 'contiguous-file')
          throw damaged(`it holds a ${type}, ${shown(name)}`);
        if (seen.has(name)) throw damaged(`the member ${shown(name)} is in it twice`);
        if (note !== null) throw damaged('something follows its signature');
        seen.add(name);
        if (name === MANIFEST) manifest = await readWhole(entry, size, MAX_MANIFEST_BYTES);
        else if (name === MANIFEST_NOTE) note = await readWhole(entry, size, MAX_NOTE_BYTES);
        else if (!isBackupMember(name) || manifest !== null)
          throw damaged(`it holds ${shown(name)}, which is no part of a backup`);
        else found.push(await readMember(entry, name, directory));
      }
      await read;
    } catch (error) {
      throw archiveError(error);
    }
    if (manifest === null || note === null) throw damaged('its end is missing');
    const listed = parseManifest(manifest);
    const [problem] = memberProblems(listed, found);
    if (problem) throw damaged(problem);
    const { members: _members, ...facts } = listed;
    return {
      facts,
      manifestDigest: createHash('sha256').update(manifest).digest('hex'),
      note: note.toString('utf8'),
      members: found.length,
      bytes: total,
      digest: whole.digest('hex'),
    };
  } finally {
    await handle.close();
  }
}

async function openArchive(file: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a named pipe would wait for a writer.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT')
      throw new SallyportError('not-found', `There is no file ${file}.`, { hint: 'Check the path.', cause });
    throw new SallyportError('input.invalid', `The file ${file} cannot be read (${systemCode(cause)}).`, {
      hint: 'Check its permissions.',
      cause,
    });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new SallyportError('input.invalid', `${file} is not a file.`, { hint: 'Give the path of a backup.' });
}

/** The reader's types do not say what its pieces are. */
type EntryStream = AsyncIterable<unknown>;

async function readWhole(entry: EntryStream, size: number, limit: number): Promise<Buffer> {
  if (size > limit) throw damaged('its list is too long');
  const pieces: Uint8Array[] = [];
  for await (const piece of entry) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function readMember(entry: EntryStream, name: string, directory: string | null): Promise<BackupMember> {
  const hash = createHash('sha256');
  const sink = directory === null ? null : await createMember(join(directory, ...name.split('/')));
  let size = 0;
  try {
    for await (const each of entry) {
      const piece = each as Buffer;
      hash.update(piece);
      size += piece.length;
      await sink?.write(piece);
    }
  } finally {
    await sink?.close();
  }
  return { name, size, sha256: hash.digest('hex') };
}

async function createMember(path: string): Promise<MemberSink> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'wx', 0o600);
  return { write: (piece) => writeAll(handle, piece), close: () => handle.close() };
}

function parseManifest(bytes: Buffer): BackupManifest {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged('its list cannot be read', cause);
  }
  if (typeof content === 'object' && content !== null && 'format' in content && Number(content.format) > 1) {
    throw new SallyportError('vault.newer', 'This backup was made by a newer version of Sallyport.', {
      hint: 'Nothing was restored. Restore it with that version, or update this one.',
    });
  }
  const manifest = backupManifestSchema.safeParse(content);
  if (!manifest.success) throw damaged('its list is malformed', manifest.error);
  return manifest.data;
}

function damaged(what: string, cause?: unknown): SallyportError {
  return new SallyportError('integrity.vault', `The backup is not whole: ${what}.`, {
    hint: 'Nothing was restored from it. Use another backup.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Names come from the file: shortened, and without what would move a terminal's cursor. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

/** What the tar reader throws is about the file; the disk's and our own errors stay what they are. */
function archiveError(error: unknown): unknown {
  return error instanceof SallyportError || systemCode(error) !== ''
    ? error
    : damaged('it is no archive', error);
}

interface MemberHeader {
  readonly name: string;
  readonly size?: number;
  readonly mtime: Date;
  readonly mode: number;
}

function addMember(pack: tar.Pack, header: MemberHeader, source: AsyncIterable<Uint8Array>): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = pack.entry(header, (error) => (error ? reject(error) : resolve()));
    // Bounded by the archive's own stream: a piece is asked for when the one before was taken.
    pipeline(source, entry as unknown as NodeJS.WritableStream).catch(reject);
  });
}

function addWhole(pack: tar.Pack, header: MemberHeader, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** `work`, unless writing fails first: nobody takes the pieces any more then, and `work` would wait for ever. */
async function raced<T>(written: Promise<void>, work: Promise<T>): Promise<T> {
  return (await Promise.race([work, written.then(() => work)])) as T;
}
