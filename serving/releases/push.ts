/**
 * How a release comes in: `open` verifies statement and signatures, tus brings the files, `complete` checks every one
 * against its signed digest and moves the directory into place in one step. All of it may be repeated at any point,
 * by the same console or another, across a crash of either side.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenRelease } from '../../shared/domain/endpoint/admin-api.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { payloadBytesOf } from '../../shared/node/age/index.ts';
import { diskError, fsyncDirectory, systemCode, writeFileAtomic } from '../../shared/node/files/files.ts';
import type { AgentLimits } from '../config.ts';
import type { PushCounts } from '../metrics/push-counts.ts';
import { Mutex } from '../mutex.ts';
import type { AdmittedRelease } from './admission.ts';
import { type ReleaseRecord, type ReleaseStore, releaseRecordSchema } from './stored.ts';
import { type ExpectedFile, notAsSigned } from './upload-digest.ts';
import { refuseUpload, type UploadTarget } from './upload-store.ts';
import type { FinishedUpload, Uploads } from './uploads.ts';

/** Largest file of a release beside the model, in bytes. */
const MAX_SIDE_FILE = 16 * 1024 * 1024;
/** What age adds: a header, and 16 bytes per 64 KiB. */
function encryptedBound(sizeBytes: number): number {
  return sizeBytes + 16 * (Math.floor(sizeBytes / 65_536) + 2) + 4096;
}
/** Opened releases that may be under way at once. */
const MAX_STAGED = 32;
const STAGING_LIFETIME_MS = 24 * 3_600_000;

export interface PushOptions {
  readonly staging: string;
  readonly limits: AgentLimits;
  readonly store: ReleaseStore;
  /** Verifies bundles and request against trust and history, as of now. */
  readonly admit: (bundles: readonly string[], request: string) => AdmittedRelease;
  readonly now: () => Date;
  readonly counts: PushCounts;
}

export interface CompletedPush {
  readonly admitted: AdmittedRelease;
  readonly missing: readonly string[];
}

export class ReleasePush {
  readonly #options: PushOptions;
  readonly #mutex = new Mutex();

  constructor(options: PushOptions) {
    this.#options = options;
  }

  /** Verifies what was signed and remembers it; answers which files are still to be sent. */
  open(
    body: OpenRelease,
    uploads: Uploads,
  ): Promise<{ root: string; complete: boolean; files: { name: string; received: boolean }[] }> {
    return this.#options.counts.watch(this.#open(body, uploads));
  }

  async #open(
    body: OpenRelease,
    uploads: Uploads,
  ): Promise<{ root: string; complete: boolean; files: { name: string; received: boolean }[] }> {
    const { store, admit, staging, now } = this.#options;
    const admitted = admit(body.bundles, body.request);
    const { root } = admitted;
    return this.#mutex.run(root, async () => {
      store.hold(root);
      if (await this.#isWhole(root)) {
        return { root, complete: true, files: admitted.files.map(({ name }) => ({ name, received: true })) };
      }
      const record = recordOf(admitted, body, now());
      this.#checkSizes(record);
      await this.#checkSpace(record.files.reduce((sum, file) => sum + encryptedBound(file.sizeBytes), 0));
      const directory = join(staging, root);
      if (!(await isThere(directory)) && (await readdir(staging)).length >= MAX_STAGED) {
        throw new SallyportError('conflict', 'Too many releases are being sent to this agent.', {
          hint: 'Finish one, or try again later.',
        });
      }
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(directory, 'release.json'), JSON.stringify(record));
      const files = [];
      for (const { name } of admitted.files) {
        const received =
          (await isThere(join(directory, `${name}.age`))) ||
          (await uploads.finished({ root, name })) !== null;
        files.push({ name, received });
      }
      return { root, complete: false, files };
    });
  }

  /** Whether the stored release is there and as signed. One that is damaged makes room to be sent again. */
  async #isWhole(root: string): Promise<boolean> {
    const { store } = this.#options;
    if (!(await store.has(root))) return false;
    try {
      await store.verify(root);
      return true;
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'integrity.artifact') throw error;
      await store.remove(root);
      return false;
    }
  }

  /** May so many bytes of this upload come? It must be a file of an opened release, and not larger than was announced. */
  async accept(target: UploadTarget, bytes: number): Promise<ExpectedFile> {
    const record = await this.#staged(target.root);
    const file = record?.files.find((each) => each.name === target.name);
    if (!file) throw refuseUpload(409, 'No release that was opened here has this file.');
    if (bytes > encryptedBound(file.sizeBytes))
      throw refuseUpload(413, 'The upload is larger than the file that was announced.');
    try {
      await this.#checkSpace(bytes);
    } catch (error) {
      this.#options.counts.ended('no_room');
      throw refuseUpload(507, error instanceof Error ? error.message : 'The disk is full.');
    }
    return { ...file, opener: (fileBytes, use) => this.#options.store.opener(fileBytes, use) };
  }

  /** Checks what arrived. A file that is not what was signed is thrown away and named in the error. */
  complete(root: string, uploads: Uploads): Promise<CompletedPush> {
    return this.#options.counts.watch(this.#complete(root, uploads));
  }

  async #complete(root: string, uploads: Uploads): Promise<CompletedPush> {
    const { store, admit, staging } = this.#options;
    return this.#mutex.run(root, async () => {
      store.hold(root);
      if (await store.has(root)) {
        const stored = await store.read(root);
        return { admitted: admit(stored.record.bundles, stored.record.request), missing: [] };
      }
      const record = await this.#staged(root);
      if (!record) {
        throw new SallyportError('not-found', 'No such release was opened here.', {
          hint: 'Send its statement and signatures first.',
        });
      }
      // Judged again: the trust file, the clock or the serial may have moved on since it was opened.
      const admitted = admit(record.bundles, record.request);
      const directory = join(staging, root);
      const missing: string[] = [];
      for (const file of admitted.files) {
        const place = join(directory, `${file.name}.age`);
        if (await isThere(place)) continue;
        const upload = await uploads.finished({ root, name: file.name });
        if (!upload) {
          missing.push(file.name);
          continue;
        }
        await this.#checkUpload(upload, file, uploads);
        await syncFile(upload.path);
        await rename(upload.path, place);
        await uploads.discard(upload.id);
      }
      if (missing.length > 0) return { admitted, missing };
      await this.#recordSizes(directory, record);
      try {
        await fsyncDirectory(directory);
        await rename(directory, store.directoryOf(root));
        await fsyncDirectory(staging);
        await fsyncDirectory(join(store.directoryOf(root), '..'));
      } catch (error) {
        throw diskError(error);
      }
      await uploads.discardRelease(root);
      this.#options.counts.ended('stored');
      return { admitted, missing };
    });
  }

  /** Removes what was begun and never finished. */
  async sweep(uploads: Uploads): Promise<void> {
    const { staging, now } = this.#options;
    for (const root of await readdir(staging)) {
      const status = await stat(join(staging, root)).catch(() => null);
      if (status && now().getTime() - status.mtimeMs < STAGING_LIFETIME_MS) continue;
      await rm(join(staging, root), { recursive: true, force: true });
    }
    await uploads.sweep(now());
    await this.#options.store.sweep();
  }

  /** One that came in since the agent was started was hashed on its way: the file is not read again. */
  async #checkUpload(
    upload: FinishedUpload,
    file: { name: string; digest: string },
    uploads: Uploads,
  ): Promise<void> {
    let { digest } = upload;
    try {
      digest ??= await this.#options.store.digestOf(upload.path);
    } catch (error) {
      await uploads.discard(upload.id);
      throw error;
    }
    if (digest === file.digest) return;
    await uploads.discard(upload.id);
    throw notAsSigned(file, digest);
  }

  /**
   * Sizes were announced by whoever opened the release; the statement holds digests alone. What stays is how long the
   * files are whose digests were right: memory is allowed and counted by it.
   */
  async #recordSizes(directory: string, record: ReleaseRecord): Promise<void> {
    const files: ReleaseRecord['files'] = [];
    for (const file of record.files) {
      const handle = await open(join(directory, `${file.name}.age`), 'r');
      try {
        files.push({ ...file, sizeBytes: await payloadBytesOf(handle) });
      } finally {
        await handle.close();
      }
    }
    await writeFileAtomic(join(directory, 'release.json'), JSON.stringify({ ...record, files }));
  }

  async #staged(root: string): Promise<ReleaseRecord | null> {
    try {
      const text = await readFile(join(this.#options.staging, root, 'release.json'), 'utf8');
      return releaseRecordSchema.parse(JSON.parse(text));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    }
  }

  #checkSizes(record: ReleaseRecord): void {
    for (const file of record.files) {
      const limit = file.name === 'model.onnx' ? this.#options.limits.modelBytes : MAX_SIDE_FILE;
      if (file.sizeBytes > limit) {
        throw new SallyportError(
          'input.invalid',
          `${file.name} has ${file.sizeBytes} bytes; this agent takes ${limit}.`,
          {
            hint: 'Raise `limits.modelBytes` in agent.yaml, or use a smaller model. Nothing was sent.',
          },
        );
      }
    }
  }

  /** Serving needs room for its state: a push may not take the last of it. */
  async #checkSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.staging);
    const free = bavail * bsize - this.#options.limits.reserveBytes;
    if (bytes <= free) return;
    throw new SallyportError('disk.full', 'The agent has no room for this release.', {
      hint: 'What it serves did not change. Free some space on it and push again.',
      facts: { needed: bytes, free: Math.max(0, free) },
    });
  }
}

function recordOf(admitted: AdmittedRelease, body: OpenRelease, now: Date): ReleaseRecord {
  const sizes = new Map(body.files.map((file) => [file.name, file.sizeBytes]));
  return {
    version: 1,
    bundles: [...body.bundles],
    request: body.request,
    files: admitted.files.map(({ name, digest }) => {
      const sizeBytes = sizes.get(name);
      if (sizeBytes === undefined) {
        throw new SallyportError('input.invalid', `The size of ${name} was not announced.`, {
          hint: 'Nothing was sent.',
        });
      }
      return { name, digest, sizeBytes };
    }),
    openedAt: now.toISOString(),
  };
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } catch (error) {
    throw diskError(error);
  } finally {
    await handle.close();
  }
}
