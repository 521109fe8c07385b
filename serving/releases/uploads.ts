/** Files on their way in, by the tus protocol: one upload per file of an opened release, resumable after a crash. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ERRORS, Server } from '@tus/server';
import type { PushCounts } from '../metrics/push-counts.ts';
import {
  type AcceptUpload,
  refuseUpload,
  targetOf,
  UPLOAD_LIFETIME_MS,
  UploadStore,
  type UploadTarget,
} from './upload-store.ts';

export const UPLOADS_PATH = '/admin/v1/uploads';

/** An upload without a new byte for so long is not going to be resumed, in milliseconds. */
const ABANDONED_MS = 10 * 60_000;
const MAX_UPLOADS_PER_FILE = 4;

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

/** Ids carry what they are for, so that nothing but the directory has to survive a crash. */
const UPLOAD_ID = /^[0-9a-f]{64}-[0-9a-f]{16}-[0-9a-f]{16}$/;
function uploadPrefix(target: UploadTarget): string {
  const name = createHash('sha256').update(target.name).digest('hex').slice(0, 16);
  return `${target.root}-${name}-`;
}

export interface FinishedUpload {
  readonly id: string;
  readonly path: string;
  /** SHA-256 hex of its plaintext, verified while it came in; null where the agent was started since. */
  readonly digest: string | null;
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
    this.#store = new UploadStore({ directory, accept, counts });
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
        // Null for a host that is none.
        const id = URL.parse(request.url)?.pathname.slice(UPLOADS_PATH.length + 1);
        return id !== undefined && UPLOAD_ID.test(id) ? id : undefined;
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

  /** A finished upload for this file, or null. */
  async finished(target: UploadTarget): Promise<FinishedUpload | null> {
    for (const id of await this.#of(uploadPrefix(target))) {
      const path = join(this.#directory, id);
      try {
        const { size } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { size?: unknown };
        if (typeof size === 'number' && (await stat(path)).size === size)
          return { id, path, digest: this.#store.digestOf(id) };
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

function asDetail(body: string): string {
  return body.startsWith('{') ? body : JSON.stringify({ detail: body.trim() });
}
