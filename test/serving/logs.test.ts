/** The agent's own log: one JSON object a line, those of a request with its id, and nothing secret or personal in it. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

/** Values nobody else would write. */
const FEATURES = [31337.125, 27182.8125, 16180.25];

describe('the log at its most talkative', () => {
  let on: Stage;
  const lines = (): Record<string, unknown>[] =>
    on.agent
      .log()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (id: string) => lines().filter((line) => line.requestId === id);
  const call = (id: string, path: string, options: RequestInit & { listener?: 'admin' } = {}) =>
    fetch(`${options.listener === 'admin' ? on.agent.adminUrl : on.agent.predictUrl}${path}`, {
      ...options,
      headers: {
        authorization: `Bearer ${on.agent.token}`,
        'content-type': 'application/json',
        'x-request-id': id,
        ...options.headers,
      },
    });
  const post = (
    id: string,
    path: string,
    body: unknown,
    options: RequestInit & { listener?: 'admin' } = {},
  ) => call(id, path, { method: 'POST', body: JSON.stringify(body), ...options });

  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(site, await startAgent({ ...site, config: { logLevel: 'debug' } }));
    await on.serve(makeRelease(site, { version: '1.0.0', serial: 1 }));
    await on.serve(makeRelease(site, { version: '2.0.0', serial: 2, model: thresholdModel(5) }));
  });
  afterAll(() => on.agent.remove());

  test('whatever becomes of a request, its line has the id that the caller gave and was answered', async () => {
    const good = { model_name: 'phish', features: FEATURES };
    const asked: [string, Promise<Response>, number][] = [
      ['good', post('good', '/predict', good), 200],
      ['wide', post('wide', '/predict', { ...good, features: [...FEATURES, 1] }), 422],
      ['no-model', post('no-model', '/predict', { ...good, model_name: 'other' }), 404],
      ['no-json', call('no-json', '/predict', { method: 'POST', body: `{"features":[${FEATURES[0]}` }), 400],
      [
        'no-token',
        post('no-token', '/predict', good, { headers: { authorization: 'Bearer guessed-guessed-guessed' } }),
        401,
      ],
      ['no-route', call('no-route', '/nothing?features=31337.125'), 404],
      [
        'v2',
        post('v2', '/v2/models/phish/infer', {
          inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 3], data: FEATURES }],
        }),
        200,
      ],
      [
        'v2-bad',
        post('v2-bad', '/v2/models/phish/infer', {
          inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 2], data: FEATURES }],
        }),
        422,
      ],
      [
        'no-upload',
        call('no-upload', '/admin/v1/uploads/none', {
          listener: 'admin',
          method: 'HEAD',
          headers: { 'tus-resumable': '1.0.0' },
        }),
        404,
      ],
    ];
    for (const [id, answer, status] of asked) {
      const response = await answer;
      expect(response.status, id).toBe(status);
      expect(response.headers.get('x-request-id')).toBe(id);
      await expect.poll(() => of(id).map((line) => line.status)).toEqual([status]);
    }
    expect(of('no-token')[0]).toMatchObject({ caller: null, route: '/predict' });
    expect(of('no-route')[0]).toMatchObject({ route: '/nothing' });
  });

  test('what a console changed is told with its request, too', async () => {
    const back = await post(
      'back',
      '/admin/v1/models/phish/rollback',
      { key: 'back', to: null, nonce: 'n'.repeat(43) },
      { listener: 'admin' },
    );
    expect(back.status, await back.clone().text()).toBe(200);
    await expect
      .poll(() => of('back').map((line) => line.msg))
      .toEqual(expect.arrayContaining(['rolled back', 'request']));
    expect(
      lines()
        .filter((line) => line.msg === 'routed')
        .every((line) => line.requestId),
    ).toBe(true);
  });

  test('a failure that nobody foresaw is told with its request and its cause, and to the caller without it', async () => {
    const folder = join(on.agent.directory, 'state');
    renameSync(folder, `${folder}.away`);
    const failed = await post(
      'broken',
      '/admin/v1/models/phish/rollback',
      { key: 'again', to: '2.0.0', nonce: 'n'.repeat(43) },
      { listener: 'admin' },
    );
    renameSync(`${folder}.away`, folder);
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toMatch(/ENOENT|state/);
    await expect.poll(() => of('broken').find((line) => line.level === 50)).toBeDefined();
    expect(JSON.stringify(of('broken').find((line) => line.level === 50))).toContain('ENOENT');
  });

  test('no line has a token, a header, a query or a value of a feature', async () => {
    const text = on.agent.log();
    expect(lines().length).toBeGreaterThan(15);
    expect(text).not.toContain(on.agent.token);
    expect(text).not.toContain('guessed');
    expect(text).not.toMatch(/bearer|authorization|PRIVATE KEY|AGE-SECRET/i);
    for (const value of FEATURES) expect(text).not.toContain(String(value));
    expect(lines().every((line) => typeof line.level === 'number' && typeof line.time === 'number')).toBe(
      true,
    );
  });
});
