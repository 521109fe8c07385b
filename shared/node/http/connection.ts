/**
 * HTTP to one service over one connection: no redirects, a deadline for every call, a bound for every answer, plain
 * HTTP on loopback only, no proxy taken from the environment. Calls run one after another.
 */
import { createSecureContext, TLSSocket } from 'node:tls';
import { buildConnector, Client, errors } from 'undici';
import type { ClientCertificate } from '../../domain/endpoint/credentials.ts';
import { SallyportError } from '../../domain/errors.ts';
import { checkBaseUrl } from './base-url.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  /** From the base URL on, with a leading slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Whole call, from its turn to the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Number of the connection this may go over (`HttpAnswer.connection` of an earlier call), or not at all
   * (`ConnectionLost`). For calls with a secret, which must not reach whoever listens on the port by now.
   */
  readonly onlyOver?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated header the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Which connection it came over, counted from 1. */
  readonly connection: number;
}

/** How to know the other end of TLS, and how to be known to it. Without it: the system's authorities. */
export interface HttpTls {
  /** PEM: the only authorities that count. The host name is checked as always. */
  readonly ca?: string | undefined;
  /** SHA-256 hex of the one certificate that counts, whoever issued it and whatever name is in it. */
  readonly certificateFingerprint?: string | undefined;
  /** The client's own certificate, for a service that asks for one; asked for with each connection. */
  readonly client?: (() => Promise<ClientCertificate | null>) | undefined;
}

/** A call that had to use the existing connection found it closed. It was not sent. */
export class ConnectionLost extends Error {}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export class HttpConnection {
  readonly origin: string;
  readonly #prefix: string;
  readonly #client: Client;
  #mayConnect = false;
  #connection = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** `input.invalid` for an address that must not be spoken to. */
  constructor(baseUrl: string, tls: HttpTls = {}) {
    const url = new URL(checkBaseUrl(baseUrl));
    this.origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#client = new Client(url.origin, {
      pipelining: 1,
      keepAliveTimeout: 60_000,
      connect: (options, callback) => {
        if (!this.#mayConnect) {
          callback(new ConnectionLost('the connection was closed'), null);
          return;
        }
        this.#connection++;
        connectorFor(tls)
          .then((connect) => connect(options, pinned(tls, callback)))
          .catch((error: unknown) =>
            callback(error instanceof Error ? error : new Error(String(error)), null),
          );
      },
    });
  }

  /** Rejects with `ConnectionLost`, `cancelled`, `endpoint.unreachable` or `endpoint.refused` (an answer too large). */
  call(call: HttpCall): Promise<HttpAnswer> {
    const result = this.#queue.then(() => this.#run(call));
    this.#queue = result.catch(() => {});
    return result;
  }

  async #run(call: HttpCall): Promise<HttpAnswer> {
    if (call.signal?.aborted) throw cancelled();
    if (call.onlyOver !== undefined && call.onlyOver !== this.#connection) {
      throw new ConnectionLost('it is another connection by now');
    }
    const deadline = AbortSignal.timeout(call.timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
    this.#mayConnect = call.onlyOver === undefined;
    try {
      const answer = await this.#client.request({
        method: call.method,
        path: this.#prefix + call.path,
        headers: { ...call.headers },
        ...(call.body === undefined ? {} : { body: call.body }),
        signal,
        // The whole call has one deadline; these would be a second and third.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const maxBytes = call.maxBytes ?? MAX_ANSWER_BYTES;
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of answer.body) {
        bytes += (piece as Buffer).length;
        if (bytes > maxBytes) {
          answer.body.destroy();
          throw new SallyportError(
            'endpoint.refused',
            `${this.origin} answered with more than ${maxBytes} bytes.`,
            {
              hint: 'The answer was not used.',
            },
          );
        }
        pieces.push(piece as Buffer);
      }
      return {
        status: answer.statusCode,
        headers: firstValues(answer.headers),
        body: Buffer.concat(pieces),
        connection: this.#connection,
      };
    } catch (error) {
      throw this.#problem(error, call, deadline);
    } finally {
      this.#mayConnect = false;
    }
  }

  #problem(error: unknown, call: HttpCall, deadline: AbortSignal): unknown {
    if (error instanceof SallyportError || error instanceof ConnectionLost) return error;
    if (call.signal?.aborted) return cancelled(error);
    const untrusted = certificateProblem(error);
    if (untrusted !== null) {
      return new SallyportError('integrity.endpoint', `${this.origin} is not trusted: ${untrusted}.`, {
        hint: 'Nothing was sent. Check what listens there, and the authority (or certificate) pinned for it.',
        cause: error,
      });
    }
    const late = deadline.aborted || error instanceof errors.ConnectTimeoutError;
    return new SallyportError(
      'endpoint.unreachable',
      late
        ? `${this.origin} did not answer within ${call.timeoutMs} ms.`
        : `${this.origin} cannot be reached.`,
      { hint: 'Check that it runs and that the address is right.', cause: error },
    );
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

async function connectorFor({
  ca,
  certificateFingerprint,
  client,
}: HttpTls): Promise<buildConnector.connector> {
  const own = (await client?.()) ?? {};
  try {
    createSecureContext({ ...(ca === undefined ? {} : { ca }), ...own });
  } catch {
    // No cause: it could quote the key.
    throw new SallyportError('input.invalid', 'The authority or the client certificate cannot be used.', {
      hint: 'They are PEM; a client’s key must be its certificate’s own. Remove the endpoint and add it again.',
    });
  }
  return buildConnector({
    timeout: 5000,
    // A resumed session would show the certificate of an earlier one.
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
    // Then it is the fingerprint that decides, below, before a byte is sent.
    ...(certificateFingerprint === undefined ? {} : { rejectUnauthorized: false }),
    ...own,
  });
}

function pinned(
  { certificateFingerprint }: HttpTls,
  callback: buildConnector.Callback,
): buildConnector.Callback {
  if (certificateFingerprint === undefined) return callback;
  return (...[error, socket]) => {
    if (error) return callback(error, null);
    const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : undefined;
    if (shown?.replaceAll(':', '').toLowerCase() === certificateFingerprint) return callback(null, socket);
    socket.destroy();
    callback(
      new SallyportError(
        'integrity.endpoint',
        'The endpoint shows another TLS certificate than the one pinned.',
        {
          hint: 'Nothing was sent. If it was renewed, remove the endpoint and add it again, or pin its authority.',
        },
      ),
      null,
    );
  };
}

/** Why a TLS connection was not made to whom it should be, or null for any other trouble. */
function certificateProblem(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate has another name in it';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has ended';
  if (/SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^CERT_/.test(code))
    return 'its certificate is of another authority';
  return null;
}

function firstValues(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const first: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined) first[name.toLowerCase()] = text;
  }
  return first;
}

function cancelled(cause?: unknown): SallyportError {
  return new SallyportError('cancelled', 'The call was cancelled.', cause === undefined ? {} : { cause });
}
