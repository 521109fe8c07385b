import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { TokenFile } from '../../serving/tokens.ts';
import { startAgent } from '../support/agent.ts';
import { makeSite } from '../support/release.ts';
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

test('given tokens are made at the same time, by one process and by several, then all of them are kept', async () => {
  const { path, tokens } = tokenFile();
  const now = new Date();
  const names = Array.from({ length: 8 }, (_, each) => `t${each}`);
  await Promise.all(names.map((name) => new TokenFile(path).add(name, ['read'], 1, now)));
  await Promise.all([tokens.revoke('t0'), tokens.revoke('t1'), tokens.add('t8', ['read'], 1, now)]);
  const kept = (): string[] =>
    tokens
      .list()
      .map(({ name }) => name)
      .sort();
  expect(kept()).toEqual(['t2', 't3', 't4', 't5', 't6', 't7', 't8']);

  const program = `
    import { TokenFile } from ${JSON.stringify(join(import.meta.dirname, '../../serving/tokens.ts'))};
    const tokens = new TokenFile(process.argv[1]);
    for (let each = 0; each < 5; each++) await tokens.add(process.argv[2] + each, ['read'], 1, new Date());`;
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, path, name]),
    ),
  );
  expect(kept()).toHaveLength(7 + 15);
});

test.each([
  ['half of it', '{"version":1,"tokens":['],
  ['nothing', ''],
  ['a token without an end', '{"version":1,"tokens":[{"name":"a"}]}'],
  ['a newer version', '{"version":2,"tokens":[]}'],
])(
  'given the file holds %s, then it is neither listed nor written to, and the reason is said',
  async (_what, text) => {
    const { path, tokens } = tokenFile();
    writeFileSync(path, text);
    const refused = expect.objectContaining({
      code: 'input.invalid',
      message: expect.stringContaining(path),
    });
    expect(() => tokens.list()).toThrow(refused);
    await expect(tokens.add('new', ['read'], 1, new Date())).rejects.toEqual(refused);
    await expect(tokens.revoke('a')).rejects.toEqual(refused);
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

test('given there are 1000 tokens, then one more is refused and those that there are go on', async () => {
  const { path, tokens } = tokenFile();
  const now = new Date();
  const { token, record } = await tokens.add('first', ['read'], 1, now);
  const fill = (count: number): void => {
    const others = Array.from({ length: count - 1 }, (_, each) => ({
      ...record,
      name: `t${each}`,
      hash: each.toString(16).padStart(64, '0'),
    }));
    writeFileSync(path, JSON.stringify({ version: 1, tokens: [record, ...others] }));
  };
  fill(1000);
  const before = readFileSync(path, 'utf8');
  await expect(tokens.add('one-more', ['read'], 1, now)).rejects.toMatchObject({ code: 'conflict' });
  expect(readFileSync(path, 'utf8')).toBe(before);
  // One with too many, as an earlier version could write it, still opens doors and can be made smaller.
  fill(1001);
  const fresh = new TokenFile(path);
  expect(fresh.check(`Bearer ${token}`, ['read'], now).kind).toBe('accepted');
  await fresh.revoke('t0');
  expect(fresh.list()).toHaveLength(1000);
});

test('given a broken file, then each command says so and ends with 2', async () => {
  const site = makeSite();
  const agent = await startAgent(site);
  onTestFinished(() => agent.remove());
  const path = join(agent.directory, 'tokens.json');
  writeFileSync(path, '{ half');
  for (const [verb, ...rest] of [
    ['create', '--name', 'new', '--scopes', 'read'],
    ['list'],
    ['revoke', '--name', 'console'],
  ]) {
    const ended = agent.command('token', verb ?? '', '--config', agent.configFile, ...rest);
    await expect(ended).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('tokens.json') });
  }
  expect(readFileSync(path, 'utf8')).toBe('{ half');
});
