/** Opening and closing the agent's two listeners. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { systemCode } from '../shared/node/files/files.ts';
import type { ListenerConfig } from './config.ts';
import type { Place } from './yaml-file.ts';

/** What the system says of an address, and the field that says so. */
const PROBLEMS: Readonly<Record<string, readonly [field: 'host' | 'port', problem: string]>> = {
  EADDRINUSE: ['port', 'is taken: something listens there already'],
  EACCES: ['port', 'cannot be listened on: this account may not'],
  EADDRNOTAVAIL: ['host', 'cannot be listened on: this machine does not have this address'],
  ENOTFOUND: ['host', 'cannot be listened on: no address goes by this name'],
};

/** Its URL. `unexpected` where the system does not let it listen: another time it may. */
export async function listen(app: FastifyInstance, at: ListenerConfig, place: Place): Promise<string> {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  try {
    await app.listen({ host: at.host, port: at.port });
  } catch (cause) {
    const code = systemCode(cause);
    const [field, problem] = PROBLEMS[code] ?? ['host', `cannot be listened on (${code || String(cause)})`];
    throw place.at(field).refuse(`${host}:${at.port} ${problem}.`, {
      code: 'unexpected',
      hint: 'The agent was not started.',
      cause,
    });
  }
  const { port } = app.server.address() as AddressInfo;
  return `${at.tls ? 'https' : 'http'}://${host}:${port}`;
}

/** Takes no new calls and answers those under way; what is not answered after so many milliseconds is cut off. */
export async function closeListeners(apps: readonly FastifyInstance[], drainMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, drainMs);
  });
  await Promise.race([Promise.all(apps.map(closeListener)), late]);
  clearTimeout(timer);
  for (const { server } of apps) server.closeAllConnections();
}

/** Closes when the last call is answered. Kept-alive connections that become idle on the way are not waited for. */
async function closeListener(app: FastifyInstance): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), 50);
  await app.close().finally(() => clearInterval(idle));
}
