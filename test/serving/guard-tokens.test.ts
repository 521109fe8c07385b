import { once } from 'node:events';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TokenFile } from '../../serving/tokens.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { exchange, listener, raw } from './guard-support.ts';

const TEN_MB = 10 * 1024 * 1024;
const head = (token: string, more = ''): string =>
  `POST /echo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${more}`;

test('given a bad token and a body of 10 MB, when it is sent, then it is answered by the headers and the body stays unread', async () => {
  const on = await listener();
  const sockets: Socket[] = [];
  on.app.server.on('connection', (socket: Socket) => sockets.push(socket));
  const { socket, text, closed } = await raw(on.port);
  socket.write(head(`sat_${'0'.repeat(43)}`, `Content-Length: ${TEN_MB}\r\n\r\n`));
  socket.write(Buffer.alloc(TEN_MB, 0x20));
  await closed;
  expect(text()).toMatch(/^HTTP\/1\.1 401 /);
  expect(text()).toMatch(/connection: close/i);
  // What one read of a socket can bring along with the headers, not the body.
  expect(sockets[0]?.bytesRead).toBeLessThan(TEN_MB / 10);
  expect(sockets[0]?.destroyed).toBe(true);
});

test('the same body with a good token is read whole', async () => {
  const on = await listener();
  const body = JSON.stringify('x'.repeat(TEN_MB));
  const answer = await exchange(
    on.port,
    `${head(on.token, `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`)}${body}`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain(`{"length":${body.length}}`);
});

test('a caller that asks before it sends its body is invited with a good token only', async () => {
  const on = await listener();
  const ask = 'Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n';
  const refused = await exchange(on.port, head('sat_00000000000000000000000000', ask));
  expect(refused).toMatch(/^HTTP\/1\.1 401 /);
  const { socket, text, closed } = await raw(on.port);
  socket.write(head(on.token, ask));
  await once(socket, 'data');
  expect(text()).toMatch(/^HTTP\/1\.1 100 /);
  socket.write('{}');
  await closed;
  expect(text()).toMatch(/HTTP\/1\.1 200 /);
});

function tokenFile(): { path: string; tokens: TokenFile } {
  const path = join(temporaryDirectory(), 'tokens.json');
  return { path, tokens: new TokenFile(path) };
}

test('a token is 256 random bits, kept as its hash alone, in a file for its owner', async () => {
  const { path, tokens } = tokenFile();
  const { token } = await tokens.add('a', ['predict'], 1, new Date());
  expect(Buffer.from(token.replace(/^sat_/, ''), 'base64url')).toHaveLength(32);
  expect(readFileSync(path, 'utf8')).not.toContain(token.slice(4));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a token opens its scopes until its end, and deploying includes reading', async () => {
  const { tokens } = tokenFile();
  const start = new Date('2026-01-01T00:00:00Z');
  const caller = await tokens.add('caller', ['predict'], 1, start);
  const console = await tokens.add('console', ['deploy'], 1, start);
  const check = (token: string, scope: 'predict' | 'read' | 'deploy', at = start) =>
    tokens.check(`Bearer ${token}`, [scope], at).kind;
  expect(check(caller.token, 'predict')).toBe('accepted');
  expect(check(caller.token, 'read')).toBe('scope');
  expect(check(console.token, 'read')).toBe('accepted');
  expect(check(console.token, 'predict')).toBe('scope');
  expect(check(caller.token, 'predict', new Date(start.getTime() + 86_399_999))).toBe('accepted');
  expect(check(caller.token, 'predict', new Date(start.getTime() + 86_400_000))).toBe('unknown');
  expect(tokens.check(`Bearer ${caller.token}x`, ['predict'], start).kind).toBe('unknown');
  expect(tokens.check(`Basic ${caller.token}`, ['predict'], start).kind).toBe('unknown');
  expect(tokens.check(undefined, ['predict'], start).kind).toBe('unknown');
});

test('a changed file counts within moments; a broken one keeps what was; without a file nobody is let in', async () => {
  const { path, tokens } = tokenFile();
  const now = new Date();
  const { token } = await tokens.add('a', ['read'], 1, now);
  const kind = (): string => tokens.check(`Bearer ${token}`, ['read'], now).kind;
  const other = new TokenFile(path);
  const second = await other.add('b', ['read'], 1, now);
  // The file is not looked at for a moment after it was read.
  const kindOfSecond = (): string => tokens.check(`Bearer ${second.token}`, ['read'], now).kind;
  await expect.poll(kindOfSecond).toBe('accepted');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, '{ half');
  // Long enough for another look: it changes nothing.
  await sleep(10);
  expect(kind()).toBe('accepted');
  writeFileSync(path, good);
  await other.revoke('a');
  await expect.poll(kind).toBe('unknown');
  renameSync(path, `${path}.away`);
  await expect.poll(kindOfSecond).toBe('unknown');
  // The same file again: nothing about it is new but its being there.
  renameSync(`${path}.away`, path);
  await expect.poll(kindOfSecond).toBe('accepted');
});
