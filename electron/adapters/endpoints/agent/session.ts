/** Calls to one agent: proof of its key first, then the token, over that same connection and no other. */
import type { z } from 'zod';
import { agentErrorSchema, identityAnswerSchema } from '../../../../shared/domain/endpoint/admin-api.ts';
import type { AgentIdentity } from '../../../../shared/domain/endpoint/endpoint.ts';
import { type ErrorCode, SallyportError } from '../../../../shared/domain/errors.ts';
import {
  ConnectionLost,
  type HttpAnswer,
  type HttpCall,
  HttpConnection,
  type HttpTls,
} from '../../../../shared/node/http/connection.ts';
import { freshNonce, requirePinned, verifyPossession } from './proof.ts';

export const API = '/admin/v1';
const IDENTITY_TIMEOUT_MS = 5000;
/** Tries to get a proven connection that then stays open for one call. */
const ATTEMPTS = 3;

export type AgentCall = Omit<HttpCall, 'onlyOver'>;

export class AgentSession {
  readonly #connection: HttpConnection;
  readonly #token: () => Promise<string>;
  readonly #pinned: string;
  /** The connection over which the pinned key was proved. */
  #proven: number | null = null;

  constructor(adminUrl: string, pinnedFingerprint: string, token: () => Promise<string>, tls: HttpTls = {}) {
    this.#connection = new HttpConnection(adminUrl, tls);
    this.#pinned = pinnedFingerprint;
    this.#token = token;
  }

  /** Asks who answers now, and insists that it is the pinned agent. */
  async prove(signal?: AbortSignal): Promise<AgentIdentity> {
    this.#proven = null;
    const { identity, fingerprint, connection } = await askIdentity(this.#connection, signal);
    requirePinned(fingerprint, this.#pinned);
    this.#proven = connection;
    return identity;
  }

  /** One call with the token. The answer may have any status. */
  async send(call: AgentCall): Promise<HttpAnswer> {
    const token = await this.#token();
    for (let attempt = 1; ; attempt++) {
      if (this.#proven === null) await this.prove(call.signal);
      const proven: number = this.#proven ?? 0;
      try {
        return await this.#connection.call({
          ...call,
          onlyOver: proven,
          headers: { ...call.headers, authorization: `Bearer ${token}` },
        });
      } catch (error) {
        if (this.#proven === proven) this.#proven = null;
        // Nothing was sent: whoever answers at the address now has to prove itself first.
        if (error instanceof ConnectionLost && attempt < ATTEMPTS) continue;
        if (error instanceof ConnectionLost) throw unreachable(this.#connection.origin);
        throw error;
      }
    }
  }

  /** A JSON call; an error answer is thrown, a good one parsed. */
  async json<T>(schema: z.ZodType<T>, call: AgentCall & { readonly json?: unknown }): Promise<T> {
    const { json, ...rest } = call;
    const answer = await this.send({
      ...rest,
      ...(json === undefined
        ? {}
        : { body: JSON.stringify(json), headers: { ...rest.headers, 'content-type': 'application/json' } }),
    });
    if (answer.status >= 400)
      throw agentProblem(answer.status, answer.body.toString('utf8'), this.#connection.origin);
    return parseAnswer(schema, answer, this.#connection.origin);
  }

  get origin(): string {
    return this.#connection.origin;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** Who answers at an address, and the fingerprint of the key it proved to hold. No token is sent. */
export async function askIdentity(
  connection: HttpConnection,
  signal?: AbortSignal,
): Promise<{ identity: AgentIdentity; fingerprint: string; connection: number }> {
  const nonce = freshNonce();
  const answer = await connection.call({
    method: 'GET',
    path: `${API}/identity?nonce=${nonce}`,
    timeoutMs: IDENTITY_TIMEOUT_MS,
    maxBytes: 64 * 1024,
    signal,
  });
  if (answer.status !== 200) throw notAnAgent(connection.origin);
  const proven = parseAnswer(identityAnswerSchema, answer, connection.origin);
  return {
    identity: proven.identity,
    fingerprint: verifyPossession(proven, nonce),
    connection: answer.connection,
  };
}

function parseAnswer<T>(schema: z.ZodType<T>, answer: HttpAnswer, origin: string): T {
  try {
    return schema.parse(JSON.parse(answer.body.toString('utf8')));
  } catch (cause) {
    throw notAnAgent(origin, cause);
  }
}

function notAnAgent(origin: string, cause?: unknown): SallyportError {
  return new SallyportError('endpoint.refused', `${origin} does not answer as a serving agent does.`, {
    hint: 'Give the address of the agent’s admin listener.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function unreachable(origin: string): SallyportError {
  return new SallyportError('endpoint.unreachable', `${origin} closes the connection again and again.`, {
    hint: 'Check that the agent runs.',
  });
}

/** An agent's error answer as one of the program's errors; `facts.reason` is the agent's own code. */
export function agentProblem(status: number, body: string, origin: string): SallyportError {
  let detail = `${origin} answered with status ${status}.`;
  let reason = '';
  let hint: string | undefined;
  try {
    const parsed = agentErrorSchema.parse(JSON.parse(body));
    detail = parsed.detail.slice(0, 2000);
    reason = parsed.code ?? '';
    hint = parsed.hint?.slice(0, 2000);
  } catch {
    // Not the agent's own error (a proxy's, perhaps): the status has to do.
  }
  return new SallyportError(codeOf(status, reason), detail, {
    hint: hint ?? hintOf(status),
    facts: { status, reason },
  });
}

function codeOf(status: number, reason: string): ErrorCode {
  if (status === 401 || status === 403) return 'endpoint.unauthorized';
  if (reason === 'endpoint.stale') return 'endpoint.stale';
  // Busy counts as away: the same request may be answered later.
  if (status === 429 || status === 502 || status === 503 || status === 504) return 'endpoint.unreachable';
  return 'endpoint.refused';
}

function hintOf(status: number): string {
  if (status === 401)
    return 'The token is wrong, revoked or has ended: make a new one with `agent token`, and add the endpoint again.';
  if (status === 403) return 'The token lacks the scope this needs.';
  return 'Nothing was changed by this call.';
}
