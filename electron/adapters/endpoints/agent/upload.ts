/** Sends one file of a release: encrypted to the agent on the way, by the tus protocol, resumed where it broke off. */
import { Readable } from 'node:stream';
import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client';
import tus from 'tus-js-client';
import { SallyportError } from '../../../../shared/domain/errors.ts';
import { AgeWriter } from '../../../../shared/node/age/index.ts';
import type { ReleasePackage } from '../../../ports/endpoint.ts';
import { type AgentSession, API, agentProblem } from './session.ts';

/** Bytes per request: what is kept in memory to send again, and what is lost at most when a connection breaks. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNK_TIMEOUT_MS = 120_000;
/** Waits before a broken upload is resumed, in milliseconds. */
const RETRY_DELAYS_MS = [100, 500, 1000, 2000, 4000];

type ReleaseFile = ReleasePackage['files'][number];

export interface UploadOptions {
  readonly session: AgentSession;
  readonly root: string;
  readonly file: ReleaseFile;
  readonly recipient: string;
  /** Ciphertext bytes the agent has. */
  readonly onProgress: (sent: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Size of an age file with this header: nonce and header, then 16 bytes more per chunk of 64 KiB, one at least. */
export function encryptedSize(headerBytes: number, plaintextBytes: number): number {
  return headerBytes + plaintextBytes + 16 * Math.max(1, Math.ceil(plaintextBytes / 65_536));
}

export async function uploadFile(options: UploadOptions): Promise<void> {
  const { session, root, file, recipient, signal } = options;
  const writer = await AgeWriter.create([recipient]);
  const size = encryptedSize(writer.begin.length, file.sizeBytes);
  const source = Readable.from(ciphertext(writer, file), { objectMode: false, highWaterMark: CHUNK_BYTES });
  let sourceError: unknown;
  source.on('error', (error) => {
    sourceError = error;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      // The library's types know browsers' inputs; on Node it takes a stream.
      const upload = new tus.Upload(source as never, {
        endpoint: `${session.origin}${API}/uploads`,
        uploadSize: size,
        chunkSize: CHUNK_BYTES,
        metadata: { root, name: file.name },
        retryDelays: [...RETRY_DELAYS_MS],
        storeFingerprintForResuming: false,
        httpStack: new SessionStack(session, signal),
        onChunkComplete: (_size, accepted) => options.onProgress(accepted),
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          if (signal?.aborted || sourceError !== undefined) return false;
          // No answer: the agent may be back in a moment. 409 and 423: it still finishes the broken request.
          if (status === 0)
            return !(causeOf(error) instanceof SallyportError) || isUnreachable(causeOf(error));
          return status === 409 || status === 423 || status === 500;
        },
        onSuccess: () => resolve(),
        onError: (error) => reject(sourceError ?? uploadProblem(error, session.origin)),
      });
      signal?.addEventListener('abort', () => {
        void upload.abort();
        reject(
          new SallyportError('cancelled', 'The push was cancelled.', {
            hint: 'What was sent is kept; push again to go on.',
          }),
        );
      });
      upload.start();
    });
  } finally {
    source.destroy();
  }
}

async function* ciphertext(writer: AgeWriter, file: ReleaseFile): AsyncGenerator<Buffer> {
  yield writer.begin;
  let bytes = 0;
  for await (const piece of file.open()) {
    bytes += piece.length;
    yield* writer.update(piece);
  }
  if (bytes !== file.sizeBytes) {
    throw new SallyportError(
      'integrity.artifact',
      `${file.name} has ${bytes} bytes, not ${file.sizeBytes}.`,
      { hint: 'It was not sent.' },
    );
  }
  yield writer.final();
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'causingError' in error
    ? error.causingError
    : undefined;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof SallyportError && error.code === 'endpoint.unreachable';
}

function uploadProblem(error: unknown, origin: string): unknown {
  const cause = causeOf(error);
  if (cause instanceof SallyportError) return cause;
  if (error instanceof tus.DetailedError && error.originalResponse) {
    return agentProblem(error.originalResponse.getStatus(), error.originalResponse.getBody(), origin);
  }
  return new SallyportError('endpoint.unreachable', `The upload to ${origin} broke off.`, {
    hint: 'What was sent is kept; push again to go on.',
    cause: error,
  });
}

/** The library's requests over our proven connection: it never opens one of its own. */
class SessionStack implements HttpStack {
  readonly #session: AgentSession;
  readonly #signal: AbortSignal | undefined;

  constructor(session: AgentSession, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#signal = signal;
  }

  createRequest(method: string, url: string): HttpRequest {
    return new SessionRequest(this.#session, method, url, this.#signal);
  }

  getName(): string {
    return 'AgentSession';
  }
}

class SessionRequest implements HttpRequest {
  readonly #session: AgentSession;
  readonly #method: string;
  readonly #url: string;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #headers: Record<string, string> = {};

  constructor(session: AgentSession, method: string, url: string, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#method = method;
    this.#url = url;
    this.#signal = signal ? AbortSignal.any([signal, this.#abort.signal]) : this.#abort.signal;
  }

  getMethod(): string {
    return this.#method;
  }

  getURL(): string {
    return this.#url;
  }

  setHeader(name: string, value: string): void {
    this.#headers[name.toLowerCase()] = value;
  }

  getHeader(name: string): string | undefined {
    return this.#headers[name.toLowerCase()];
  }

  setProgressHandler(): void {
    // Progress is told by what the agent has confirmed, not by what left this machine.
  }

  async send(body: unknown): Promise<HttpResponse> {
    const url = new URL(this.#url, this.#session.origin);
    // A Location that leads elsewhere must not take the token there.
    if (url.origin !== this.#session.origin) {
      throw new SallyportError('endpoint.refused', `The agent sent the upload to ${url.origin}.`, {
        hint: 'Nothing was sent there.',
      });
    }
    const answer = await this.#session.send({
      method: this.#method as 'POST' | 'HEAD' | 'PATCH' | 'DELETE',
      path: url.pathname + url.search,
      headers: this.#headers,
      ...(body instanceof Uint8Array ? { body } : {}),
      timeoutMs: CHUNK_TIMEOUT_MS,
      signal: this.#signal,
    });
    return {
      getStatus: () => answer.status,
      getHeader: (name) => answer.headers[name.toLowerCase()],
      getBody: () => answer.body.toString('utf8'),
      getUnderlyingObject: () => answer,
    };
  }

  async abort(): Promise<void> {
    this.#abort.abort();
  }

  getUnderlyingObject(): unknown {
    return null;
  }
}
