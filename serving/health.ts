/** `agent health`: asks the agent that runs with a configuration how it is, for supervisors that start a program. */
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { SallyportError } from '../shared/domain/errors.ts';
import type { AgentConfig } from './config.ts';

const TIMEOUT_MS = 4000;

/**
 * Resolves when `GET /health` of the predict listener answers 200; otherwise `endpoint.unreachable`. With TLS the one
 * who answers must have the certificate of this configuration: what is asked is this agent, not a name. A listener that
 * asks for client certificates is alive when it asks for one. With `allow`, this machine's own address must be in it.
 */
export async function checkHealth({ predict }: AgentConfig): Promise<void> {
  if (predict.port === 0)
    throw problem('agent.yaml leaves the port to the system; give the predict listener one.');
  const host = predict.host === '0.0.0.0' ? '127.0.0.1' : predict.host === '::' ? '::1' : predict.host;
  const options = {
    host,
    port: predict.port,
    path: '/health',
    timeout: TIMEOUT_MS,
    agent: false as const,
    // Where this machine is the one of a trusted proxy, it must say whom it speaks for.
    headers: predict.trustedProxies.length > 0 ? { 'x-forwarded-for': host } : {},
  };
  const ca = predict.tls ? await readFile(predict.tls.cert, 'utf8') : null;
  await new Promise<void>((resolve, reject) => {
    const sent =
      ca === null
        ? plainRequest(options)
        : // The certificate is compared as a whole; its names are those that callers use.
          tlsRequest({ ...options, ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined });
    sent.on('response', (answer) => {
      answer.resume();
      if (answer.statusCode === 200) resolve();
      else reject(problem(`The agent answered ${answer.statusCode}.`));
    });
    sent.on('timeout', () => sent.destroy(problem(`No answer within ${TIMEOUT_MS / 1000} s.`)));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (predict.tls?.clientCa !== undefined && asksForCertificate(error)) resolve();
      else
        reject(
          error instanceof SallyportError
            ? error
            : problem(`No agent answers: ${error.code ?? error.message}.`),
        );
    });
    sent.end();
  });
}

/** TLS 1.3 tells a client without a certificate after its handshake; TLS 1.2 within. */
function asksForCertificate(error: NodeJS.ErrnoException): boolean {
  return /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ECONNRESET/i.test(`${error.code} ${error.message}`);
}

function problem(message: string): SallyportError {
  return new SallyportError('endpoint.unreachable', message);
}
