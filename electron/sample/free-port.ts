import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { SallyportError } from '../../shared/domain/errors.ts';

/**
 * Below those that Linux (32768), macOS and Windows (49152) give to whoever connects: one of them may belong to a client
 * when its owner is started again.
 */
const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 100;

/** A port nobody uses now, on loopback; nobody gets it by chance while its owner is away. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = FIRST + randomInt(COUNT);
    if (await isFree(port)) return port;
  }
  throw new SallyportError('unexpected', 'No loopback port is free.');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await new Promise((closed) => server.close(closed));
  return true;
}
