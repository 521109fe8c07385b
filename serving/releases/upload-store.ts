/** Uploads on the disk: written and verified at the same time, and found out of step after a crash. */
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FileStore } from '@tus/file-store';
import { ERRORS, type Upload } from '@tus/server';
import { SallyportError } from '../../shared/domain/errors.ts';
import { isThere, systemCode, writeAll } from '../../shared/node/files/files.ts';
import { type PushCounts, resultOf } from '../metrics/push-counts.ts';
import { type ExpectedFile, UploadDigest } from './upload-digest.ts';

/** Unfinished uploads older than this are removed, in milliseconds. */
export const UPLOAD_LIFETIME_MS = 24 * 3_600_000;

/** Digests under way that are remembered; one that was forgotten begins again with what is on the disk. */
const MAX_DIGESTS = 256;
/** Read at once of what is on the disk, in bytes: about 1 ms of decryption and hashing. */
const READ_BYTES = 256 * 1024;

/** What tus turns into an HTTP answer when it is thrown. */
export interface UploadRefusal {
  readonly status_code: number;
  readonly body: string;
}

export function refuseUpload(
  status: number,
  detail: string,
  more: { readonly code?: string; readonly hint?: string | undefined } = {},
): UploadRefusal {
  return { status_code: status, body: JSON.stringify({ detail, ...more }) };
}

export interface UploadTarget {
  readonly root: string;
  readonly name: string;
}

export function targetOf(metadata: Record<string, string | null> | undefined): UploadTarget {
  const root = metadata?.root ?? '';
  const name = metadata?.name ?? '';
  if (!/^[0-9a-f]{64}$/.test(root) || name === '')
    throw refuseUpload(400, 'An upload must name its release and its file.');
  return { root, name };
}

/** Decides whether an upload may begin or go on, of which so many bytes are still to come; throws an `UploadRefusal`. */
export type AcceptUpload = (target: UploadTarget, bytes: number) => Promise<ExpectedFile>;

export interface UploadStoreOptions {
  readonly directory: string;
  readonly accept: AcceptUpload;
  readonly counts: PushCounts;
}

/**
 * The store of the library hides why a write failed; a full disk must be told from a lost connection. And an upload is
 * two files: of one that was half made or half removed when the agent was killed, the rest goes when it is asked for.
 */
export class UploadStore extends FileStore {
  readonly #accept: AcceptUpload;
  readonly #counts: PushCounts;
  readonly #digests = new Map<string, UploadDigest>();

  constructor({ directory, accept, counts }: UploadStoreOptions) {
    super({ directory, expirationPeriodInMilliseconds: UPLOAD_LIFETIME_MS });
    this.#accept = accept;
    this.#counts = counts;
  }

  /** Asked by one request for an upload at a time. What was written when it fails is hashed too: it can be resumed. */
  override async write(readable: Readable, id: string, offset: number): Promise<number> {
    let at = offset;
    try {
      const digest = await this.#digestAt(id, offset);
      const handle = await open(this.#path(id), 'r+');
      try {
        // Whoever sends it is answered before the rest of it is given up.
        for await (const piece of readable.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          await writeAll(handle, piece, at);
          at += piece.length;
          this.#counts.bytes += piece.length;
          await this.#take(id, digest, piece);
        }
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw this.#refusalOf(error);
    }
    return at;
  }

  override async getUpload(id: string): Promise<Upload> {
    if (await this.#isHalf(id)) {
      await this.discard(id);
      throw ERRORS.FILE_NOT_FOUND;
    }
    return super.getUpload(id);
  }

  override async remove(id: string): Promise<void> {
    const half = await this.#isHalf(id);
    await this.discard(id);
    if (half) throw ERRORS.FILE_NOT_FOUND;
  }

  /** Whatever is there of it. */
  async discard(id: string): Promise<void> {
    this.#digests.delete(id);
    await rm(this.#path(id), { force: true });
    await rm(`${this.#path(id)}.json`, { force: true });
  }

  /** SHA-256 hex of an upload's plaintext, verified while it came in; null where that is not known. */
  digestOf(id: string): string | null {
    return this.#digests.get(id)?.verified ?? null;
  }

  /** The digest of the first `offset` bytes; after a restart, or where a write failed half-way, of what is on the disk. */
  async #digestAt(id: string, offset: number): Promise<UploadDigest> {
    const known = this.#digests.get(id);
    if (known?.position === offset) return this.#remember(id, known);
    const { size = 0, metadata } = await this.getUpload(id);
    const digest = new UploadDigest(await this.#accept(targetOf(metadata), size - offset), size);
    if (offset > 0) {
      const written = createReadStream(this.#path(id), { end: offset - 1, highWaterMark: READ_BYTES });
      for await (const piece of written) await this.#take(id, digest, piece as Buffer);
    }
    return this.#remember(id, digest);
  }

  /** The longest unused is forgotten first. */
  #remember(id: string, digest: UploadDigest): UploadDigest {
    this.#digests.delete(id);
    const [oldest] = this.#digests.keys();
    if (this.#digests.size >= MAX_DIGESTS && oldest !== undefined) this.#digests.delete(oldest);
    this.#digests.set(id, digest);
    return digest;
  }

  /** A file that turns out wrong is thrown away at once: nothing that follows makes it right. */
  async #take(id: string, digest: UploadDigest, piece: Buffer): Promise<void> {
    try {
      await digest.update(piece);
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      await this.discard(id);
      this.#counts.ended(resultOf(error));
      const { message, code, hint } = error;
      throw refuseUpload(400, message, { code, hint });
    }
  }

  #refusalOf(error: unknown): unknown {
    if (typeof error === 'object' && error !== null && 'status_code' in error) return error;
    switch (systemCode(error)) {
      case 'ENOSPC':
      case 'EDQUOT':
      case 'EFBIG':
        this.#counts.ended('no_room');
        return refuseUpload(507, 'The disk is full: the file was not stored. What is served did not change.');
      case 'ENOENT':
        return ERRORS.FILE_NO_LONGER_EXISTS;
      case '':
        return error;
      default:
        return refuseUpload(500, 'The upload was interrupted; it can be resumed.');
    }
  }

  /** Also when there is nothing at all. */
  async #isHalf(id: string): Promise<boolean> {
    return !((await isThere(this.#path(id))) && (await isThere(`${this.#path(id)}.json`)));
  }

  #path(id: string): string {
    return join(this.directory, id);
  }
}
