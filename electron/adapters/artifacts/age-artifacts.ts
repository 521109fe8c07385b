import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  checkHeaderRecipients,
  decryptFileStream,
  type HeaderRecipients,
  openHeader,
  readHeader,
  sealToFile,
} from '../../../shared/node/age/index.ts';
import {
  diskError,
  fsyncDirectory,
  makeFolders,
  NotRegularFile,
  openRegularFile,
  systemCode,
  temporaryOwner,
  temporaryPath,
  writeAll,
} from '../../../shared/node/files/files.ts';
import {
  type AddedModel,
  type ArtifactStore,
  ScanRefusal,
  type StoredArtifact,
} from '../../ports/artifacts.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import { runAddModel } from './add-model-job.ts';
import { beingWritten, mayBeWriting } from './being-written.ts';
import { artifactPath } from './layout.ts';
import { nameNewFile } from './name-new-file.ts';
import { findStrays, type Stray } from './strays.ts';
import { runVerifyFile } from './verify-file-job.ts';

export interface AgeArtifactsOptions {
  /** `artifacts` of the vault. Created on the first write. */
  readonly directory: string;
  /** The vault's and the recovery's public keys, `age1…`, as the database names them: every file opens with either. */
  readonly recipients: () => readonly string[];
  /** The vault's private key; throws `locked` while the vault is locked. Asked for at every reading. */
  readonly identity: () => string | readonly string[];
  readonly forkWorker: ForkWorker;
  /** Told at each step of storing a file: `System.reached`. */
  readonly reached?: (point: string) => void;
}

/** Largest content of `putBytes`: it is encrypted where the window's messages are handled. */
export const MAX_SMALL_FILE_BYTES = 16 * 1024 * 1024;

const FILE = /^([0-9a-f]{32})\.age$/;

/** So long a stored file may wait for the commit that names it before it counts as out of place. */
const UNNAMED_MS = 15 * 60 * 1000;

/** Files of a vault: `artifacts/xx/<id>.age`, age files for the vault's and the recovery recipient. */
export class AgeArtifacts implements ArtifactStore {
  readonly #options: AgeArtifactsOptions;
  /** The ends of the writes that are under way: each resolves when its write is over. */
  readonly #ends = new Set<Promise<void>>();

  constructor(options: AgeArtifactsOptions) {
    this.#options = options;
  }

  async add(sourcePath: string, job?: JobContext): Promise<AddedModel> {
    const { forkWorker, recipients } = this.#options;
    return this.#store(async (temporary, artifactId) => {
      const added = await runAddModel(
        forkWorker,
        { sourcePath, targetPath: temporary, recipients: recipients() },
        job,
      );
      const critical = added.findings.filter(({ severity }) => severity === 'critical');
      const [worst] = critical;
      if (worst) {
        throw new ScanRefusal(`The model was refused: ${worst.title} (${worst.where}).`, added, {
          hint: 'Nothing of it was kept. Ask its author for a model without it.',
          facts: {
            rule: worst.ruleId,
            where: worst.where,
            reference: worst.reference,
            critical: critical.length,
            digest: added.digest,
          },
        });
      }
      return { artifactId, ...added };
    });
  }

  async putBytes(bytes: Uint8Array): Promise<StoredArtifact> {
    if (bytes.length > MAX_SMALL_FILE_BYTES) {
      throw new SallyportError('input.invalid', 'This file is too large to be stored whole.', {
        facts: { bytes: bytes.length, limit: MAX_SMALL_FILE_BYTES },
      });
    }
    return this.#store(async (temporary, artifactId) => {
      const { digest, sizeBytes } = await sealToFile(this.#options.recipients(), [bytes], temporary);
      return { artifactId, digest, sizeBytes };
    });
  }

  getBytes(artifactId: string, expectedDigest: string): Promise<Buffer> {
    return this.readAll(artifactId, expectedDigest);
  }

  async discard(artifactId: string): Promise<void> {
    const path = this.#pathOf(artifactId);
    try {
      await rm(path);
      await fsyncDirectory(dirname(path));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }

  read(artifactId: string, expectedDigest: string): AsyncGenerator<Buffer, void, undefined> {
    return this.#read(artifactId, expectedDigest, false);
  }

  /** `reuse` as in `decryptFileStream`: for callers here that are done with a piece before the next. */
  async *#read(
    artifactId: string,
    expectedDigest: string,
    reuse: boolean,
  ): AsyncGenerator<Buffer, void, undefined> {
    const handle = await this.#open(artifactId);
    try {
      const fileKey = await this.#fileKey(handle, artifactId);
      const hash = createHash('sha256');
      for await (const piece of decryptFileStream(handle, fileKey, { reuse })) {
        hash.update(piece);
        yield piece;
      }
      if (hash.digest('hex') !== expectedDigest) throw notTheFile(artifactId);
    } finally {
      await handle.close();
    }
  }

  async readAll(artifactId: string, expectedDigest: string): Promise<Buffer> {
    const handle = await this.#open(artifactId);
    try {
      const fileKey = await this.#fileKey(handle, artifactId);
      // Not from Node's shared pool; the ciphertext's size is the plaintext's and at most a few KiB per 10 MiB more.
      const whole = Buffer.allocUnsafeSlow((await handle.stat()).size);
      const hash = createHash('sha256');
      let size = 0;
      for await (const piece of decryptFileStream(handle, fileKey, { reuse: true })) {
        piece.copy(whole, size);
        // Hashed where it will be used: what is loaded is what was hashed.
        hash.update(whole.subarray(size, size + piece.length));
        size += piece.length;
      }
      if (hash.digest('hex') !== expectedDigest) throw notTheFile(artifactId);
      return whole.subarray(0, size);
    } finally {
      await handle.close();
    }
  }

  async exportTo(artifactId: string, expectedDigest: string, path: string, job?: JobContext): Promise<void> {
    const temporary = temporaryPath(path);
    try {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        let done = 0;
        for await (const piece of this.#read(artifactId, expectedDigest, true)) {
          checkCancelled(job);
          await writeAll(handle, piece);
          done += piece.length;
          job?.progress('exporting', done, 0);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await nameNewFile(temporary, path);
      await fsyncDirectory(dirname(path));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw diskError(error);
      throw new SallyportError('not-found', `There is no folder ${dirname(path)}.`, {
        hint: 'Create it, or choose another.',
        cause: error,
      });
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async verify(artifactId: string, expectedDigest: string, job?: JobContext): Promise<number> {
    const handle = await this.#open(artifactId);
    let fileKey: Uint8Array;
    try {
      fileKey = await this.#fileKey(handle, artifactId);
    } finally {
      await handle.close();
    }
    const path = this.#pathOf(artifactId);
    const found = await runVerifyFile(this.#options.forkWorker, { path, fileKey }, job);
    if (found.digest !== expectedDigest) throw notTheFile(artifactId);
    return found.sizeBytes;
  }

  async recipientsOf(artifactId: string): Promise<HeaderRecipients> {
    const handle = await this.#open(artifactId);
    try {
      const { header, fileKey } = await this.#openHeader(handle, artifactId);
      return await checkHeaderRecipients(header, fileKey, this.#options.recipients());
    } finally {
      await handle.close();
    }
  }

  strays(isNamed: (artifactId: string) => boolean): Promise<Stray[]> {
    return findStrays({
      directory: this.#options.directory,
      isNamed,
      isBeingWritten: mayBeWriting,
      settledBefore: Date.now() - UNNAMED_MS,
    });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#ends);
  }

  async stat(artifactId: string): Promise<{ storedBytes: number; writtenAt: Date } | null> {
    const found = await stat(this.#pathOf(artifactId)).catch(() => null);
    return found && { storedBytes: found.size, writtenAt: found.mtime };
  }

  async list(): Promise<string[]> {
    const ids: string[] = [];
    for (const { name } of await this.#files()) {
      const id = FILE.exec(name)?.[1];
      if (id) ids.push(id);
    }
    return ids.sort();
  }

  async sweepTemporary(): Promise<number> {
    let removed = 0;
    for (const { name, path } of await this.#files()) {
      const owner = temporaryOwner(name);
      if (owner === null || mayBeWriting(path, owner)) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  /** Lets `write` fill a temporary file and gives it its name, durably; removes it where anything throws. */
  async #store<T extends StoredArtifact>(
    write: (temporary: string, artifactId: string) => Promise<T>,
  ): Promise<T> {
    const artifactId = randomBytes(16).toString('hex');
    const path = this.#pathOf(artifactId);
    const temporary = temporaryPath(path);
    beingWritten.add(temporary);
    const { promise: end, resolve: ended } = Promise.withResolvers<void>();
    this.#ends.add(end);
    try {
      await this.#makeFolder(dirname(path));
      const stored = await write(temporary, artifactId);
      this.#options.reached?.('artifact.written');
      await rename(temporary, path);
      this.#options.reached?.('artifact.renamed');
      await fsyncDirectory(dirname(path));
      this.#options.reached?.('artifact.stored');
      return stored;
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError(error);
    } finally {
      beingWritten.delete(temporary);
      this.#ends.delete(end);
      ended();
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    const created = await makeFolders(folder);
    if (created === undefined) return;
    await fsyncDirectory(this.#options.directory);
    if (created !== folder) await fsyncDirectory(dirname(this.#options.directory));
  }

  async #files(): Promise<{ readonly name: string; readonly path: string }[]> {
    try {
      const entries = await readdir(this.#options.directory, { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => ({ name: entry.name, path: join(entry.parentPath, entry.name) }));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  #pathOf(artifactId: string): string {
    return artifactPath(this.#options.directory, artifactId);
  }

  async #open(artifactId: string): Promise<FileHandle> {
    const path = this.#pathOf(artifactId);
    try {
      return await openRegularFile(path);
    } catch (error) {
      if (error instanceof NotRegularFile) throw unusable(artifactId, `is ${error.what}, not a file`, error);
      const code = systemCode(error);
      if (code === '') throw error;
      throw unusable(artifactId, code === 'ENOENT' ? 'is missing' : `cannot be opened (${code})`, error);
    }
  }

  async #fileKey(handle: FileHandle, artifactId: string): Promise<Uint8Array> {
    return (await this.#openHeader(handle, artifactId)).fileKey;
  }

  async #openHeader(
    handle: FileHandle,
    artifactId: string,
  ): Promise<{ readonly header: Uint8Array; readonly fileKey: Uint8Array }> {
    // Asked first, so that a locked vault says so whatever the file is like.
    const identity = this.#options.identity();
    try {
      const header = await readHeader(handle);
      return { header, fileKey: await openHeader(identity, header) };
    } catch (error) {
      if (error instanceof SallyportError && error.code === 'auth.failed')
        throw notTheFile(artifactId, error);
      throw error;
    }
  }
}

/** A file by the right name that nothing can be read from. */
function unusable(artifactId: string, what: string, cause: unknown): SallyportError {
  return new SallyportError('integrity.artifact', `A stored file ${what}.`, {
    hint: 'Restore it from a backup of the vault, or add the model again.',
    facts: { artifactId },
    cause,
  });
}

function notTheFile(artifactId: string, cause?: unknown): SallyportError {
  return new SallyportError('integrity.artifact', 'A stored file is not the one that was registered.', {
    hint: 'Nothing of it was used. Restore it from a backup of the vault, or add the model again.',
    facts: { artifactId },
    ...(cause === undefined ? {} : { cause }),
  });
}

function checkCancelled(job: JobContext | undefined): void {
  if (job?.signal.aborted)
    throw new SallyportError('cancelled', 'The operation was cancelled.', { hint: 'Nothing was changed.' });
}
