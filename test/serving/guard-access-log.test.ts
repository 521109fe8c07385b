import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { raw } from './guard-support.ts';
import { onAgent, type Stage } from './support.ts';

type Line = Record<string, unknown>;

async function withLog(
  logFeatures: boolean,
): Promise<Stage & { file: string; line: (id: string) => Promise<Line> }> {
  const site = makeSite();
  const on = await onAgent(
    site,
    await startAgent({ ...site, config: { accessLog: { file: 'access.log', logFeatures } } }),
  );
  const file = join(on.agent.directory, 'access.log');
  await on.serve(makeRelease(site));
  const line = async (id: string): Promise<Line> => {
    await expect.poll(() => (existsSync(file) ? readFileSync(file, 'utf8') : '')).toContain(`"${id}"`);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    return JSON.parse(lines.find((each) => each.includes(`"${id}"`)) ?? '{}') as Line;
  };
  return { ...on, file, line };
}

let on: Awaited<ReturnType<typeof withLog>>;
beforeAll(async () => {
  on = await withLog(false);
});
afterAll(() => on.agent.remove());

const asked = (id: string) => ({ headers: { 'x-request-id': id } });

test('a path that cannot be read comes as far as any other that is not there, and has its line', async () => {
  const { agent } = on;
  const get = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${agent.predictUrl}/%zz`, { headers: { 'x-request-id': id, ...headers } });
  expect((await get('odd-1')).status).toBe(401);
  expect(await on.line('odd-1')).toMatchObject({ caller: null, method: 'GET', route: '/%zz', status: 401 });
  const known = await get('odd-2', { authorization: `Bearer ${agent.token}` });
  expect([known.status, known.headers.get('x-request-id')]).toEqual([400, 'odd-2']);
  expect(await on.line('odd-2')).toMatchObject({ caller: 'console', address: '127.0.0.1', status: 400 });
  const metrics = await (
    await fetch(`${agent.predictUrl}/metrics`, { headers: { authorization: `Bearer ${agent.token}` } })
  ).text();
  expect(metrics).toMatch(/^sallyport_requests_total\{listener="predict",status="400"\} 1$/m);
  expect(metrics).toMatch(/^sallyport_requests_total\{listener="predict",status="401"\} 1$/m);
});

test('a prediction is one line: who, what, how long, of which version, and no value of it', async () => {
  await on.predict(
    [
      [0.123456, 1, 1],
      [0, 0, 0],
    ],
    asked('mine-1'),
  );
  const line = await on.line('mine-1');
  expect(line).toEqual({
    level: 30,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    listener: 'predict',
    requestId: 'mine-1',
    caller: 'console',
    address: '127.0.0.1',
    method: 'POST',
    route: '/predict',
    status: 200,
    ms: expect.any(Number),
    model: 'phish@1.0.0',
    rows: 2,
  });
  expect(readFileSync(on.file, 'utf8')).not.toContain('0.123456');
});

test('refused requests have their line, without what was wrong in them', async () => {
  await on.predict([1, 'secret-value', 1], asked('bad-1'));
  expect(await on.line('bad-1')).toMatchObject({ status: 422, caller: 'console', model: 'phish' });
  const stranger = { authorization: 'Bearer wrong-wrong-wrong-wrong', 'x-request-id': 'bad-2' };
  await fetch(`${on.agent.predictUrl}/none?token=in-the-query`, { headers: stranger });
  expect(await on.line('bad-2')).toMatchObject({ status: 401, caller: null, route: '/none' });
  const text = readFileSync(on.file, 'utf8');
  for (const secret of ['secret-value', 'wrong-wrong', 'in-the-query', on.agent.token])
    expect(text).not.toContain(secret);
});

test('whoever goes away before the answer has a line as well', async () => {
  const { socket, closed } = await raw(Number(new URL(on.agent.predictUrl).port));
  const headers = `Host: a\r\nAuthorization: Bearer ${on.agent.token}\r\nX-Request-Id: gone-1\r\n`;
  socket.write(
    `POST /predict HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
  );
  // It was taken up by then.
  await on.predict([1, 1, 1]);
  socket.destroy();
  await closed;
  expect(await on.line('gone-1')).toMatchObject({ status: 499, caller: 'console', route: '/predict' });
});

test('the admin listener writes into it too, and nothing of it is in the agent’s own log', async () => {
  await on.predict([1, 1, 1], asked('mine-2'));
  await on.line('mine-2');
  const lines = readFileSync(on.file, 'utf8').trimEnd().split('\n');
  expect(lines.some((each) => each.includes('"listener":"admin"') && each.includes('/routing'))).toBe(true);
  // What happened is told there under the request's id; that it was asked, and by whom, only in the file.
  expect(on.agent.log()).not.toContain('"msg":"request"');
  expect(on.agent.log()).toContain('release stored');
  expect(statSync(on.file).mode & 0o777).toBe(0o600);
});

test('after it was renamed, SIGHUP begins a new one', async () => {
  await on.predict([1, 1, 1], asked('before-1'));
  await on.line('before-1');
  renameSync(on.file, `${on.file}.1`);
  process.kill(on.agent.pid, 'SIGHUP');
  await expect.poll(() => existsSync(on.file)).toBe(true);
  await on.predict([1, 1, 1], asked('after-1'));
  await on.line('after-1');
  expect(readFileSync(`${on.file}.1`, 'utf8')).not.toContain('after-1');
});

test('with logFeatures the rows are in it, and a stop loses no line', async () => {
  const open = await withLog(true);
  try {
    await open.predict([0.25, 1, 1], asked('rows-1'));
    expect(await open.agent.stop()).toBe(0);
    expect(await open.line('rows-1')).toMatchObject({ features: [0.25, 1, 1], rows: 1 });
  } finally {
    await open.agent.remove();
  }
});

test('a folder that is not there stops the agent at start', async () => {
  const site = makeSite();
  const file = join(temporaryDirectory(), 'none', 'access.log');
  await expect(startAgent({ ...site, config: { accessLog: { file } } })).rejects.toThrow('cannot be written');
});
