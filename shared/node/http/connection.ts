/**
 * HTTP to one service over one connection: no redirects, a deadline for every call, a bound for every answer, plain
 * HTTP on loopback only, no proxy taken from the environment. Calls run one after another.
 */
import { buildConnector, Client, errors } from 'undici';
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
  constructor(baseUrl: string) {
    const url = new URL(checkBaseUrl(baseUrl));
    this.origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    const connector = buildConnector({ timeout: 5000 });
    this.#client = new Client(url.origin, {
      pipelining: 1,
      keepAliveTimeout: 60_000,
      connect: (options, callback) => {
        if (!this.#mayConnect) {
          callback(new ConnectionLost('the connection was closed'), null);
          return;
        }
        this.#connection++;
        connector(options, callback);
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
