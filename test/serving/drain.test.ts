/** Taking no new calls: by an operator's wish, for a model or the whole agent, and at the end. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let on: Stage;
beforeAll(async () => {
  const site = makeSite();
  const limits = { rows: 100_000, bodyBytes: 64 * 1024 * 1024, drainMs: 0 };
  on = await onAgent(site, await startAgent({ ...site, limits }));
  await on.serve(makeRelease(site, { name: 'phish' }));
  await on.serve(makeRelease(site, { name: 'worm', model: thresholdModel(2) }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

async function drain(body: object | null): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${on.agent.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${on.agent.adminUrl}/admin/v1/drain`, {
    headers,
    ...(body === null ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

async function get(path: string): Promise<number> {
  const headers = { authorization: `Bearer ${on.agent.token}` };
  const answer = await fetch(`${on.agent.predictUrl}${path}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

const asked = async (model: string) => (await on.predict([1, 1, 1], { model })).status;
const LONG = Array.from({ length: 100_000 }, () => [1, 1, 1]);

test('given a model is drained, then it alone is refused at once, and taken up again when that ends', async () => {
  expect(await drain({ model: 'worm', draining: true })).toEqual({
    status: 200,
    body: { agent: false, models: ['worm'], inFlight: 0 },
  });
  const refused = await on.predict([1, 1, 1], { model: 'worm' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect([await get('/v2/models/worm/ready'), await get('/v2/models/phish/ready')]).toEqual([503, 200]);
  expect([await asked('phish'), await get('/health')]).toEqual([200, 200]);
  await drain({ model: 'worm', draining: false });
  expect([await asked('worm'), await get('/v2/models/worm/ready')]).toEqual([200, 200]);
  expect((await drain({ model: 'nobody', draining: true })).status).toBe(404);
});

test('given the agent is drained, then it is not ready and takes nothing new, while what was under way is answered', async () => {
  const calls = Array.from({ length: 3 }, () => on.predict(LONG));
  // Under way once the agent counts them; the first answer may come before it is asked.
  let { body } = await drain(null);
  const first = Promise.race(calls).then(() => true);
  while ((body as { inFlight: number }).inFlight === 0) {
    if (await Promise.race([first, Promise.resolve(false)])) break;
    ({ body } = await drain(null));
  }
  await drain({ model: null, draining: true });
  expect([await asked('phish'), await asked('worm')]).toEqual([503, 503]);
  expect([await get('/health'), await get('/v2/health/ready'), await get('/v2/health/live')]).toEqual([
    503, 503, 200,
  ]);
  // Sent before the drain and not read by then, a call may be refused; none may be lost.
  for (const { status } of await Promise.all(calls)) expect([200, 503]).toContain(status);
  expect((await drain(null)).body).toEqual({ agent: true, models: [], inFlight: 0 });

  // Routing goes on: a drained agent can be changed before it takes calls again.
  expect((await on.client.models()).length).toBe(2);
  await drain({ model: null, draining: false });
  expect([await asked('phish'), await get('/v2/health/ready')]).toEqual([200, 200]);
});

test('the command drains a model or the whole agent, says how it stands, and ends it', async () => {
  const { agent } = on;
  const tokenFile = join(agent.directory, 'token.txt');
  await writeFile(tokenFile, `${agent.token}\n`);
  const command = (...more: string[]): Promise<string> =>
    agent.command('drain', '--config', agent.configFile, '--token-file', tokenFile, ...more);
  expect(await command('--model', 'worm')).toBe('Drained: worm. Under way: 0.\n');
  expect([await asked('worm'), await asked('phish')]).toEqual([503, 200]);
  expect(await command('--model', 'worm', '--end')).toBe('Drained: nothing. Under way: 0.\n');
  expect(await command()).toBe('The agent is drained. Under way: 0.\n');
  expect([await asked('phish'), await get('/health')]).toEqual([503, 503]);
  expect(JSON.parse(await command('--status', '--json'))).toEqual({ agent: true, models: [], inFlight: 0 });
  await command('--end');
  expect([await asked('phish'), await get('/health')]).toEqual([200, 200]);

  await expect(command('--model', 'nobody')).rejects.toMatchObject({ code: 3 });
  await writeFile(
    tokenFile,
    await agent.command('token', 'add', '--config', agent.configFile, '--name', 'reader', '--scopes', 'read'),
  );
  expect(await command('--status')).toBe('Drained: nothing. Under way: 0.\n');
  await expect(command()).rejects.toMatchObject({ code: 7, stderr: expect.stringContaining('scope deploy') });
  await rm(tokenFile);
  await expect(command()).rejects.toMatchObject({ code: 2 });
  expect(await asked('phish')).toBe(200);
});

test('given calls that take longer than the stop may, then it ends all the same, and comes back undrained', async () => {
  const calls = Array.from({ length: 2 }, () => on.predict(LONG).catch(() => null));
  await drain({ model: null, draining: true });
  expect(await on.agent.stop()).toBe(0);
  await Promise.all(calls);
  await on.agent.restart();
  expect(await asked('phish')).toBe(200);
});
