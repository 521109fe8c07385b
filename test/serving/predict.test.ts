import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { startAgent } from '../support/agent.ts';
import { CLASSIFIER, columnInputs, TYPE } from '../support/engine-models.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage, stage } from './support.ts';

describe('the predict listener', () => {
  let on: Stage;
  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(
      site,
      await startAgent({
        ...site,
        limits: { bodyBytes: 4096, rows: 20 },
        config: { models: { lenient: { input: { allowNonFinite: true } } } },
      }),
    );
    await on.serve(makeRelease(site));
    const numbers: OutputMapping = { ...CLASSIFIER, input: 'number', labelOutput: null, kind: 'regression' };
    await on.serve(makeRelease(site, { name: 'flows', model: columnInputs(TYPE.int64), mapping: numbers }));
    await on.serve(
      makeRelease(site, { name: 'pairs', model: columnInputs(TYPE.float, 2), mapping: numbers }),
    );
    await on.serve(makeRelease(site, { name: 'lenient', model: thresholdModel(0.5) }));
  });
  afterAll(() => on.agent.remove());

  test('answers one row and many with labels, version and time', async () => {
    const one = await on.predict([1, 1, 1]);
    expect(one.status).toBe(200);
    expect(one.body).toMatchObject({ predictions: [1], model_version: '1.0.0' });
    expect(one.body.latency_ms).toBeGreaterThan(0);
    expect(
      (
        await on.predict([
          [0, 0, 0],
          [1, 1, 1],
          [0, 0, 0],
        ])
      ).body.predictions,
    ).toEqual([0, 1, 0]);
    expect((await on.predict([1, 1, 1], { version: '1.0.0' })).body.model_version).toBe('1.0.0');
  });

  test.each([
    ['a model it does not serve', [1, 1, 1], { model: 'other' }, 404],
    ['a version it has not loaded', [1, 1, 1], { version: '9.0.0' }, 404],
    ['too few values', [1, 1], {}, 422],
    [
      'rows of different width',
      [
        [1, 1, 1],
        [1, 1],
      ],
      {},
      422,
    ],
    ['text among the numbers', [1, 'x', 1], {}, 422],
    ['null, which JSON makes of NaN', [1, null, 1], {}, 422],
    ['a number that 32 bits cannot hold', [1, 1e39, 1], {}, 422],
    ['no rows', [], {}, 422],
    ['an object', { a: 1 }, {}, 422],
    ['more rows than the limit', Array.from({ length: 21 }, () => [1, 1, 1]), {}, 413],
  ] as const)('refuses %s', async (_what, features, options, status) => {
    const answer = await on.predict(features, options);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toEqual(expect.any(String));
    expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
  });

  test('feeds several inputs, text, whole numbers and booleans from one row, in the model’s order', async () => {
    const rows = [
      [1, 'tcp', true],
      [2, 'udp', false],
      [3, 'tcp', 0],
    ];
    expect((await on.predict(rows, { model: 'flows' })).body.predictions).toEqual([12, 2, 13]);
    // The same of a model that sees two rows at once, and no other number.
    expect((await on.predict(rows, { model: 'pairs' })).body.predictions).toEqual([12, 2, 13]);
    const wrong = await on.predict(
      [
        [1, 'tcp', true],
        [1.5, 'tcp', true],
      ],
      { model: 'flows' },
    );
    expect([wrong.status, wrong.body.detail]).toEqual([
      422,
      expect.stringMatching(/Row 2, value 1 .* \(input "number"\)/),
    ]);
  });

  test('refuses what is no finite number by row and input, unless the model’s owner allows it', async () => {
    const refused = await on.predict([
      [1, 1, 1],
      [1, null, 1],
    ]);
    expect([refused.status, refused.body.detail]).toEqual([
      422,
      'Row 2, value 2 of "features" is not a finite number.',
    ]);
    expect((await on.predict([1, null, 1], { model: 'lenient' })).status).toBe(200);
  });

  test('refuses a body over the limit, and one that is not JSON', async () => {
    expect((await on.predict(Array.from({ length: 3000 }, () => 1))).status).toBe(413);
    const headers = { authorization: `Bearer ${on.agent.token}`, 'content-type': 'application/json' };
    const broken = await fetch(`${on.agent.predictUrl}/predict`, {
      method: 'POST',
      headers,
      body: '{"model_name":',
    });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toEqual({ detail: expect.any(String) });
  });

  test('answers a wrong token before it has read a byte of the body', async () => {
    const { hostname, port } = new URL(on.agent.predictUrl);
    const socket = connect(Number(port), hostname);
    // Announces a body and never sends it: an agent that reads first would wait.
    socket.write(
      'POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sat_00000000000000000000000000000000\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n',
    );
    let answer = '';
    for await (const data of socket) answer += String(data);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toMatch(/connection: close/i);
  });

  test('asks for a token with the right scope, until it is revoked', async () => {
    const call = (token: string) =>
      fetch(`${on.agent.predictUrl}/predict`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"model_name":"phish","features":[1,1,1]}',
      });
    const { token } = JSON.parse(
      await on.agent.command(
        'token',
        'add',
        '--config',
        on.agent.configFile,
        '--name',
        'reader',
        '--scopes',
        'read',
        '--json',
      ),
    ) as { token: string };
    expect((await call(token)).status).toBe(403);
    const caller = JSON.parse(
      await on.agent.command(
        'token',
        'add',
        '--config',
        on.agent.configFile,
        '--name',
        'caller',
        '--scopes',
        'predict',
        '--json',
      ),
    ) as { token: string };
    expect((await call(caller.token)).status).toBe(200);
    expect(
      (
        await fetch(`${on.agent.predictUrl}/metrics`, {
          headers: { authorization: `Bearer ${caller.token}` },
        })
      ).status,
    ).toBe(403);
    expect(
      (
        await fetch(`${on.agent.adminUrl}/admin/v1/models`, {
          headers: { authorization: `Bearer ${caller.token}` },
        })
      ).status,
    ).toBe(403);
    await on.agent.command('token', 'revoke', '--config', on.agent.configFile, '--name', 'caller');
    expect((await call(caller.token)).status).toBe(401);
    const listed = JSON.parse(
      await on.agent.command('token', 'list', '--config', on.agent.configFile, '--json'),
    ) as { tokens: { name: string }[] };
    expect(listed.tokens.map((each) => each.name)).toEqual(['console', 'reader']);
  });

  test('gives a request its own id back, and a fresh one for a strange one', async () => {
    expect(
      (await on.predict([1, 1, 1], { headers: { 'x-request-id': 'mine-1' } })).headers.get('x-request-id'),
    ).toBe('mine-1');
    expect(
      (await on.predict([1, 1, 1], { headers: { 'x-request-id': 'not an id' } })).headers.get('x-request-id'),
    ).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('lists what it serves', async () => {
    const headers = { authorization: `Bearer ${on.agent.token}` };
    const models = await fetch(`${on.agent.predictUrl}/models`, { headers });
    expect(await models.json()).toEqual({
      models: ['flows', 'lenient', 'pairs', 'phish'].map((name) => ({ name, version: '1.0.0', features: 3 })),
    });
    const versions = await fetch(`${on.agent.predictUrl}/models/phish/versions`, { headers });
    expect(await versions.json()).toMatchObject({
      name: 'phish',
      versions: [{ version: '1.0.0', role: 'stable', percent: 100 }],
    });
    expect((await fetch(`${on.agent.predictUrl}/models/other/versions`, { headers })).status).toBe(404);
    expect((await fetch(`${on.agent.predictUrl}/models`)).status).toBe(401);
    expect((await fetch(`${on.agent.predictUrl}/nothing`, { headers })).status).toBe(404);
    expect(await (await fetch(`${on.agent.predictUrl}/health`)).json()).toEqual({ status: 'ok', models: 4 });
  });

  test('counts in the Prometheus text format, with labels that callers cannot multiply', async () => {
    await on.predict([1, 1, 1]);
    await on.predict([1, 1]);
    for (let each = 0; each < 5; each++) await on.predict([1, 1, 1], { model: `made-up-${each}` });
    const text = await (
      await fetch(`${on.agent.adminUrl}/metrics`, { headers: { authorization: `Bearer ${on.agent.token}` } })
    ).text();
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(|# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="[^"\\\n]*",?)*\})? (-?[\d.e+-]+|\+Inf|NaN))$/,
      );
    }
    expect(text).toMatch(
      /^model_predictions_total\{model_name="phish",version="1\.0\.0",status="success"\} \d+$/m,
    );
    expect(text).toMatch(
      /^model_predictions_total\{model_name="phish",version="1\.0\.0",status="error"\} \d+$/m,
    );
    expect(text).toMatch(
      /^model_prediction_latency_seconds_bucket\{le="0\.001",model_name="phish",version="1\.0\.0"\} \d+$/m,
    );
    expect(text).toMatch(/^model_versions_active\{model_name="phish"\} 1$/m);
    expect(text).toMatch(
      /^model_prediction_errors_total\{model_name="phish",version="1\.0\.0",error_type="input"\} \d+$/m,
    );
    expect(text).not.toContain('made-up');
  });
});

test('given a full house, when one more calls, then it is told to come back', async () => {
  const site = makeSite();
  const on = await onAgent(
    site,
    await startAgent({ ...site, limits: { inFlight: 1, rows: 100_000, bodyBytes: 64 * 1024 * 1024 } }),
  );
  try {
    await on.serve(makeRelease(site, { model: thresholdModel(1) }));
    const long = Array.from({ length: 50_000 }, () => [1, 1, 1]);
    const answers = await Promise.all(Array.from({ length: 12 }, () => on.predict(long)));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses).toContain(200);
    expect(statuses).toContain(503);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(answers.find((answer) => answer.status === 503)?.headers.get('retry-after')).toBe('1');
  } finally {
    await on.agent.remove();
  }
});

test('a body that never comes ends its connection soon after the time it may take, not half a minute later', async () => {
  const on = await stage({ limits: { requestTimeoutMs: 200 } });
  const { hostname, port } = new URL(on.agent.predictUrl);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${on.agent.token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  await once(socket, 'close');
  expect(answer).toContain(' 408 ');
}, 20_000);
