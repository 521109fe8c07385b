/** Asking the agent that runs with a configuration, from the machine it runs on. */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { SallyportError } from '../shared/domain/errors.ts';
import type { ListenerConfig } from './config.ts';

const TIMEOUT_MS = 4000;

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
}

export interface OwnAnswer {
  readonly status: number;
  readonly text: string;
}

/** The listener asks its callers for certificates, and this one has none. */
export class CertificateAsked extends Error {}

/**
 * The answer, whatever its status; `endpoint.unreachable` where there is none. With TLS the one who answers must have the
 * certificate of this configuration: what is asked is this agent, not a name. With `allow`, this machine's own address
 * must be in it.
 */
export async function askOwnAgent(
  name: 'predict' | 'admin',
  listener: ListenerConfig,
  { method, path, token, body }: Question,
): Promise<OwnAnswer> {
  if (listener.port === 0)
    throw problem(`agent.yaml leaves the port to the system; give the ${name} listener one.`);
  const host = listener.host === '0.0.0.0' ? '127.0.0.1' : listener.host === '::' ? '::1' : listener.host;
  const options = {
    host,
    port: listener.port,
    method,
    path,
    timeout: TIMEOUT_MS,
    agent: false as const,
    headers: {
      // Where this machine is the one of a trusted proxy, it must say whom it speaks for.
      ...(listener.trustedProxies.length > 0 ? { 'x-forwarded-for': host } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  };
  const ca = listener.tls ? await readFile(listener.tls.cert, 'utf8') : null;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent =
      ca === null
        ? plainRequest(options)
        : // The certificate is compared as a whole; its names are those that callers use.
          tlsRequest({ ...options, ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined });
    sent.on('response', resolve);
    sent.on('timeout', () => sent.destroy(problem(`No answer within ${TIMEOUT_MS / 1000} s.`)));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (listener.tls?.clientCa !== undefined && asksForCertificate(error)) reject(new CertificateAsked());
      else if (error instanceof SallyportError) reject(error);
      else reject(problem(`No agent answers: ${error.code ?? error.message}.`));
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return { status: answer.statusCode ?? 0, text: await text(answer) };
}

/** TLS 1.3 tells a client without a certificate after its handshake; TLS 1.2 within. */
function asksForCertificate(error: NodeJS.ErrnoException): boolean {
  return /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ECONNRESET/i.test(`${error.code} ${error.message}`);
}

function problem(message: string): SallyportError {
  return new SallyportError('endpoint.unreachable', message);
}
