/** Files on their way in, by the tus protocol: one upload per file of an opened release, resumable after a crash. */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileStore } from '@tus/file-store';
import { ERRORS, Server, type Upload } from '@tus/server';
import { systemCode } from '../../shared/node/files/files.ts';
import type { PushCounts } from '../metrics/push-counts.ts';

export const UPLOADS_PATH = '/admin/v1/uploads';

/** Unfinished uploads older than this are removed, in milliseconds. */
const UPLOAD_LIFETIME_MS = 24 * 3_600_000;

/** An upload without a new byte for so long is not going to be resumed, in milliseconds. */
const ABANDONED_MS = 10 * 60_000;
const MAX_UPLOADS_PER_FILE = 4;

/** What tus turns into an HTTP answer when it is thrown. */
export interface UploadRefusal {
  readonly status_code: number;
  readonly body: string;
}

export function refuseUpload(status: number, detail: string): UploadRefusal {
  return { status_code: status, body: JSON.stringify({ detail }) };
}

/** Errors that the library blames on the server, though the caller asked for what there is not here. */
const CALLERS_FAULT: Readonly<Record<string, number>> = {
  [ERRORS.UNSUPPORTED_CONCATENATION_EXTENSION.body]: 400,
  [ERRORS.UNSUPPORTED_CREATION_DEFER_LENGTH_EXTENSION.body]: 400,
  // Another request writes this upload and does not let go of it.
  [ERRORS.ERR_LOCK_TIMEOUT.body]: 409,
};

/** The library's errors are lines of text, and ours its JSON under the name of text: here all have the agent's shape. */
class UploadServer extends Server {
  override write(...[context, headers, status, body]: Parameters<Server['write']>): Promise<Response> {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set('Content-Type', 'application/json; charset=utf-8');
    return super.write(context, headers, CALLERS_FAULT[body ?? ''] ?? status, asDetail(body ?? ''));
  }
}

/**
 * The store of the library hides why a write failed; a full disk must be told from a lost connection. And an upload is
 * two files: of one that was half made or half removed when the agent was killed, the rest goes when it is asked for.
 */
class UploadStore extends FileStore {
  readonly #counts: PushCounts;

  constructor(directory: string, counts: PushCounts) {
    super({ directory, expirationPeriodInMilliseconds: UPLOAD_LIFETIME_MS });
    this.#counts = counts;
  }

  override async write(readable: Readable, id: string, offset: number): Promise<number> {
    const target = createWriteStream(this.#path(id), { flags: 'r+', start: offset });
    try {
      await pipeline(readable, target);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
        this.#counts.ended('no_room');
        throw refuseUpload(507, 'The disk is full: the file was not stored. What is served did not change.');
      }
      throw refuseUpload(500, 'The upload was interrupted; it can be resumed.');
    }
    this.#counts.bytes += target.bytesWritten;
    return offset + target.bytesWritten;
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
    await rm(this.#path(id), { force: true });
    await rm(`${this.#path(id)}.json`, { force: true });
  }

  /** Also when there is nothing at all. */
  async #isHalf(id: string): Promise<boolean> {
    return !((await isThere(this.#path(id))) && (await isThere(`${this.#path(id)}.json`)));
  }

  #path(id: string): string {
    return join(this.directory, id);
  }
}

/** Only what is known to be missing is: an upload is not given up because a look at it failed. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface UploadTarget {
  readonly root: string;
  readonly name: string;
}

/** Decides whether an upload may begin; throws an `UploadRefusal`. */
export type AcceptUpload = (target: UploadTarget, sizeBytes: number) => Promise<void>;

/** Ids carry what they are for, so that nothing but the directory has to survive a crash. */
const UPLOAD_ID = /^[0-9a-f]{64}-[0-9a-f]{16}-[0-9a-f]{16}$/;
function uploadPrefix(target: UploadTarget): string {
  const name = createHash('sha256').update(target.name).digest('hex').slice(0, 16);
  return `${target.root}-${name}-`;
}

export interface UploadsOptions {
  readonly directory: string;
  readonly accept: AcceptUpload;
  /** Of one file. */
  readonly maxBytes: number;
  readonly counts: PushCounts;
  /** An error that nobody foresaw, which the caller is not told. */
  readonly onError: (requestId: string, error: Error) => void;
}

export class Uploads {
  readonly #directory: string;
  readonly #store: UploadStore;
  readonly #server: UploadServer;

  constructor({ directory, accept, maxBytes, counts, onError }: UploadsOptions) {
    this.#directory = directory;
    this.#store = new UploadStore(directory, counts);
    this.#server = new UploadServer({
      path: UPLOADS_PATH,
      datastore: this.#store,
      maxSize: maxBytes,
      relativeLocation: true,
      respectForwardedHeaders: false,
      allowedOrigins: [],
      namingFunction: (_request, metadata) =>
        `${uploadPrefix(targetOf(metadata))}${randomBytes(8).toString('hex')}`,
      // An id names files: what is not one of ours never reaches the store.
      getFileIdFromRequest: (request) => {
        const id = new URL(request.url).pathname.slice(UPLOADS_PATH.length + 1);
        return UPLOAD_ID.test(id) ? id : undefined;
      },
      onUploadCreate: async (_request, upload) => {
        if (upload.size === undefined) throw refuseUpload(400, 'An upload must say its length.');
        const target = targetOf(upload.metadata);
        await this.#makeRoom(target);
        await accept(target, upload.size);
        return {};
      },
      // Anything but an answer of ours keeps its text to itself: it may name paths.
      onResponseError: (request, error) => {
        if ('status_code' in error) {
          return { status_code: error.status_code, body: error.body };
        }
        onError(request.headers.get('x-request-id') ?? '', error);
        return { status_code: 500, body: JSON.stringify({ detail: 'The upload failed.' }) };
      },
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#server.handle(request, response) as Promise<void>;
  }

  /** Path of a finished upload for this file, or null. */
  async finished(target: UploadTarget): Promise<{ id: string; path: string } | null> {
    for (const id of await this.#of(uploadPrefix(target))) {
      const path = join(this.#directory, id);
      try {
        const { size } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { size?: unknown };
        if (typeof size === 'number' && (await stat(path)).size === size) return { id, path };
      } catch {
        // Half a record of an upload that was being made when the agent was killed: swept with the others.
      }
    }
    return null;
  }

  discard(id: string): Promise<void> {
    return this.#store.discard(id);
  }

  /** All uploads for a release: once it is complete, or given up. */
  async discardRelease(root: string): Promise<void> {
    for (const id of await this.#of(`${root}-`)) await this.discard(id);
  }

  /** Uploads that a console gave up would fill the disk: only a few of one file are kept, and none that stands still. */
  async #makeRoom(target: UploadTarget): Promise<void> {
    let running = 0;
    for (const id of await this.#of(uploadPrefix(target))) {
      const status = await stat(join(this.#directory, id)).catch(() => null);
      if (status && Date.now() - status.mtimeMs < ABANDONED_MS) running++;
      else await this.discard(id);
    }
    if (running >= MAX_UPLOADS_PER_FILE)
      throw refuseUpload(429, 'This file is being sent several times already.');
  }

  /** Removes what nobody will resume. */
  async sweep(now: Date): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      const status = await stat(path).catch(() => null);
      if (status && now.getTime() - status.mtimeMs > UPLOAD_LIFETIME_MS) await rm(path, { force: true });
    }
  }

  async #of(prefix: string): Promise<string[]> {
    return (await readdir(this.#directory)).filter(
      (name) => name.startsWith(prefix) && !name.endsWith('.json'),
    );
  }
}

function targetOf(metadata: Record<string, string | null> | undefined): UploadTarget {
  const root = metadata?.root ?? '';
  const name = metadata?.name ?? '';
  if (!/^[0-9a-f]{64}$/.test(root) || name === '')
    throw refuseUpload(400, 'An upload must name its release and its file.');
  return { root, name };
}

function asDetail(body: string): string {
  return body.startsWith('{') ? body : JSON.stringify({ detail: body.trim() });
}
