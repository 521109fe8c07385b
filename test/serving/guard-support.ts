/** A listener of the agent in this process, with routes of the test's own, and a client that counts bytes. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type AgentLimits, agentConfigSchema } from '../../serving/config.ts';
import { accessLogIn } from '../../serving/guard/access-log.ts';
import { Rates } from '../../serving/guard/door.ts';
import { createServer, type ServerOptions } from '../../serving/http/server.ts';
import { ListenerCounts } from '../../serving/metrics/listener-counts.ts';
import { TokenFile } from '../../serving/tokens.ts';
import { temporaryDirectory } from '../support/temp.ts';

export interface Listener {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly tokens: TokenFile;
  /** Scopes predict and read. */
  readonly token: string;
  readonly directory: string;
  readonly counts: ListenerCounts;
}

export function limitsOf(change: Partial<AgentLimits> = {}): AgentLimits {
  const base = { version: 1, environmentId: 'e', trust: 't', predict: { port: 0 }, admin: { port: 0 } };
  return agentConfigSchema.parse({ ...base, limits: change }).limits;
}

/** Of a listener that lets everybody with a token in. */
export function serverOptions(tokens: TokenFile, limits: AgentLimits): ServerOptions {
  return {
    log: pino({ level: 'silent' }),
    limits,
    tokens,
    bodyLimit: 64 * 1024 * 1024,
    now: () => new Date(),
    rates: new Rates(limits),
    requestTimeoutMs: limits.requestTimeoutMs,
    name: 'predict',
    counts: new ListenerCounts('predict'),
    access: accessLogIn(pino({ level: 'silent' }), 'debug'),
    tls: null,
    allow: null,
    trustedProxies: null,
    jwt: null,
    collector: null,
  };
}

/** `POST /echo` (predict) answers the length of its body, `GET /open` is open to everybody. */
export async function listener(
  options: Partial<ServerOptions> & { readonly routes?: (app: FastifyInstance) => void } = {},
): Promise<Listener> {
  const directory = temporaryDirectory();
  const path = join(directory, 'tokens.json');
  writeFileSync(path, JSON.stringify({ version: 1, tokens: [] }), { mode: 0o600 });
  const tokens = new TokenFile(path);
  const now = options.now ?? (() => new Date());
  const { token } = await tokens.add('caller', ['predict', 'read'], 1, now());
  const { routes, ...rest } = options;
  const limits = options.limits ?? limitsOf();
  const counts = new ListenerCounts('predict');
  const app = createServer({ ...serverOptions(tokens, limits), counts, now, ...rest });
  app.post('/echo', { config: { scopes: ['predict'] } }, async (request) => ({
    length: JSON.stringify(request.body).length,
  }));
  app.get('/open', { config: { scopes: null } }, async () => ({ open: true }));
  routes?.(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  return { app, port: (app.server.address() as AddressInfo).port, tokens, token, directory, counts };
}

export async function raw(
  port: number,
): Promise<{ socket: Socket; text: () => string; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  // A reset after the answer is an end like another.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, text: () => text, closed };
}

/** Sends text on a connection of its own and resolves with everything that came back when it closed. */
export async function exchange(port: number, text: string): Promise<string> {
  const { socket, text: answer, closed } = await raw(port);
  socket.write(text, 'latin1');
  await closed;
  return answer();
}
