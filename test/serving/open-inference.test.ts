/** The Open Inference Protocol over real sockets, with the bytes that stock clients send. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { EVERY_TYPE_MAPPING, everyTypeModel } from '../support/every-type.ts';
import {
  type ClientAnswer,
  type ClientRequest,
  type ClientTensor,
  type Element,
  readAnswer,
  requestBody,
} from '../support/open-inference.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let on: Stage;
beforeAll(async () => {
  const site = makeSite();
  const agent = await startAgent({
    ...site,
    limits: { rows: 300, bodyBytes: 65_536 },
    config: { accessLog: { file: 'access.log', logFeatures: true }, scores: { round: 2 } },
  });
  on = await onAgent(site, agent);
  const [stable, canary] = [
    makeRelease(site),
    makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(2) }),
  ];
  await on.serveCanary(stable, canary, { percent: 50, salt: 'open-inference' });
  await on.serve(
    makeRelease(site, {
      name: 'every-type',
      version: '2.0.0-rc.1',
      model: everyTypeModel(),
      mapping: EVERY_TYPE_MAPPING,
    }),
  );
});
afterAll(async () => {
  await on?.client.close();
  await on?.agent.remove();
});

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly error: string | undefined;
  readonly answer: ClientAnswer;
}

async function send(
  path: string,
  body: Uint8Array | undefined,
  headers: Record<string, string> = {},
  token: string | null = on.agent.token,
): Promise<Reply> {
  const response = await fetch(`${on.agent.predictUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isAnswer = response.status === 200 && path.endsWith('/infer');
  return {
    status: response.status,
    headers: response.headers,
    error: response.status === 200 ? undefined : (JSON.parse(bytes.toString()) as { error: string }).error,
    answer: isAnswer
      ? readAnswer(bytes, response.headers.get('inference-header-content-length'))
      : (JSON.parse(bytes.toString()) as ClientAnswer),
  };
}

function infer(
  request: ClientRequest,
  { model = 'phish/versions/1.0.0', headers = {} }: { model?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const made = requestBody(request);
  return send(`/v2/models/${model}/infer`, made.body, { ...made.headers, ...headers });
}

const ROWS: ClientTensor = { name: 'features', datatype: 'FP32', shape: [2, 3], values: [1, 1, 1, 0, 0, 0] };
const rows = (change: Partial<ClientTensor>): ClientRequest => ({ inputs: [{ ...ROWS, ...change }] });
const valuesOf = ({ answer }: Reply): Record<string, readonly Element[]> =>
  Object.fromEntries(answer.outputs.map(({ name, values }) => [name, values]));

describe('inference', () => {
  test('answers binary and JSON inputs in JSON, with every output, version, id and request id', async () => {
    for (const binary of [true, false]) {
      const reply = await infer(
        { ...rows({ binary }), id: 'call-7' },
        { headers: { 'x-request-id': 'mine' } },
      );
      expect(reply.status, reply.error).toBe(200);
      expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
      expect(reply.headers.get('x-request-id')).toBe('mine');
      expect(reply.answer).toMatchObject({ model_name: 'phish', model_version: '1.0.0', id: 'call-7' });
      expect(reply.answer.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
        ['label', 'INT64', [2]],
        ['probabilities', 'FP32', [2, 2]],
      ]);
      expect(valuesOf(reply).label).toEqual([1, 0]);
    }
  });

  test('answers in binary what is asked for in binary, one by one or all', async () => {
    const one = await infer({
      ...rows({}),
      outputs: [{ name: 'probabilities' }, { name: 'label', parameters: { binary_data: true } }],
    });
    expect(one.answer.outputs.map(({ name, parameters }) => [name, parameters?.binary_data_size])).toEqual([
      ['probabilities', undefined],
      ['label', 16],
    ]);
    expect(valuesOf(one).label).toEqual([1n, 0n]);
    expect(one.headers.get('content-type')).toBe('application/octet-stream');
    const all = await infer({ ...rows({}), parameters: { binary_data_output: true } });
    expect(all.answer.outputs.map(({ parameters }) => parameters?.binary_data_size)).toEqual([16, 16]);
    expect(valuesOf(all)).toMatchObject({ label: [1n, 0n], probabilities: valuesOf(one).probabilities });
  });

  test('shows scores as exactly as the agent is told to, in JSON and in binary', async () => {
    for (const binary of [true, false]) {
      const reply = await infer({ ...rows({}), parameters: { binary_data_output: binary } });
      // Of 0.9959… and 0.3775…: the sum of the row, less one half, through the logistic function.
      expect(valuesOf(reply).probabilities).toEqual([0.5, 0.92, 0.5, 0.38].map(Math.fround));
    }
  });

  const TENSORS: readonly Omit<ClientTensor, 'shape'>[] = [
    { name: 'in_BYTES', datatype: 'BYTES', values: ['é "\n', ''] },
    { name: 'in_INT64', datatype: 'INT64', values: [-(2n ** 63n), 9007199254740993n] },
    { name: 'in_UINT64', datatype: 'UINT64', values: [2n ** 64n - 1n, 0n] },
    { name: 'in_FP16', datatype: 'FP16', values: [1.5, -65504], binary: true },
    { name: 'in_FP32', datatype: 'FP32', values: [0.75, -1.5] },
    { name: 'in_FP64', datatype: 'FP64', values: [0.1, 1e308] },
    { name: 'in_BOOL', datatype: 'BOOL', values: [true, false] },
    { name: 'in_INT8', datatype: 'INT8', values: [-128, 127] },
    { name: 'in_UINT8', datatype: 'UINT8', values: [0, 255] },
    { name: 'in_INT16', datatype: 'INT16', values: [-32768, 32767] },
    { name: 'in_UINT16', datatype: 'UINT16', values: [0, 65535] },
    { name: 'in_INT32', datatype: 'INT32', values: [-(2 ** 31), 2 ** 31 - 1] },
    { name: 'in_UINT32', datatype: 'UINT32', values: [0, 2 ** 32 - 1] },
  ];
  const every = 'every-type/versions/2.0.0-rc.1';

  test.each([true, false])(
    'takes every datatype, in any order, and gives each value back (binary: %s)',
    async (binary) => {
      const inputs = TENSORS.map((tensor) => ({ binary, shape: [1, 2], ...tensor }));
      const outputs = [...inputs].reverse().map(({ datatype }) => ({
        name: `out_${datatype}`,
        parameters: { binary_data: binary || datatype === 'FP16' },
      }));
      const reply = await infer({ inputs, outputs }, { model: every });
      expect(reply.status, reply.error).toBe(200);
      expect(reply.answer.outputs.map(({ name }) => name)).toEqual(outputs.map(({ name }) => name));
      const got = valuesOf(reply);
      for (const { datatype, values } of TENSORS) {
        const sent = binary ? values : values.map((value) => (value === 0n ? 0 : value));
        expect(got[`out_${datatype}`], datatype).toEqual(sent);
      }
    },
  );

  test('does not put halves into JSON, and says how to have them', async () => {
    const inputs = TENSORS.map((tensor) => ({ shape: [1, 2], ...tensor }));
    const reply = await infer({ inputs }, { model: every });
    expect(reply).toMatchObject({ status: 422, error: expect.stringContaining('Output "out_FP16" is FP16') });
  });

  test('takes bodies packed with gzip and deflate, and packs large answers where that is asked for', async () => {
    const many = requestBody({
      inputs: [{ ...ROWS, shape: [300, 3], values: Array(900).fill(1) }],
      parameters: { binary_data_output: true },
    });
    for (const [encoding, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
    ] as const) {
      const headers = { ...many.headers, 'content-encoding': encoding, 'accept-encoding': encoding };
      const reply = await send('/v2/models/phish/versions/1.0.0/infer', pack(many.body), headers);
      expect(reply.status, reply.error).toBe(200);
      expect(reply.headers.get('content-encoding')).toBe(encoding);
      expect(valuesOf(reply).label).toEqual(Array(300).fill(1n));
    }
    const small = await infer(rows({}), { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers.has('content-encoding')).toBe(false);
  });

  test('refuses a body that is larger unpacked than it may be, badly packed, or packed otherwise', async () => {
    const path = '/v2/models/phish/infer';
    const bomb = gzipSync(Buffer.alloc(1_000_000, 32));
    expect(bomb.length).toBeLessThan(65_536);
    expect(gunzipSync(bomb).length).toBe(1_000_000);
    expect(await send(path, bomb, { 'content-encoding': 'gzip' })).toMatchObject({
      status: 413,
      error: expect.stringContaining('65536'),
    });
    const cut = gzipSync(requestBody(rows({ binary: false })).body).subarray(0, -4);
    expect((await send(path, cut, { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await send(path, Buffer.from('x'), { 'content-encoding': 'deflate' })).status).toBe(400);
    for (const encoding of ['br', 'gzip, gzip', 'x'])
      expect(await send(path, Buffer.from('x'), { 'content-encoding': encoding })).toMatchObject({
        status: 415,
        error: expect.stringContaining('gzip or deflate'),
      });
  });
});

describe('what does not fit is refused with the input, the row and nothing run', () => {
  test.each([
    [
      'an input that is missing',
      { inputs: [{ ...ROWS, name: 'other' }] },
      422,
      'Input "features" is missing',
    ],
    [
      'one that the model does not have',
      { inputs: [ROWS, { ...ROWS, name: 'other' }] },
      422,
      'no input "other"',
    ],
    ['the same input twice', { inputs: [ROWS, ROWS] }, 422, 'Input "features" is there more than once'],
    ['another datatype', rows({ datatype: 'FP64' }), 422, 'Input "features"'],
    ['another width', rows({ shape: [3, 2] }), 422, 'Input "features" takes the shape'],
    ['another rank', rows({ shape: [6] }), 422, 'Input "features" takes the shape'],
    ['no rows', rows({ shape: [0, 3], values: [] }), 422, 'Input "features" is empty'],
    [
      'a number that is none',
      rows({ values: [1, 1, 1, 0, Number.NaN, 0] }),
      422,
      'Row 2, value 2 of "features"',
    ],
    [
      'an infinite number',
      rows({ values: [1, 1, Number.NEGATIVE_INFINITY, 0, 0, 0] }),
      422,
      'Row 1, value 3',
    ],
    [
      'null',
      rows({ values: [1, 1, 1, 0, Number.NaN, 0], binary: false }),
      422,
      'Input "features", row 2, value 2',
    ],
    ['an output there is not', { ...rows({}), outputs: [{ name: 'score' }] }, 422, 'no output "score"'],
    ['more bytes than the shape', rows({ shape: [1, 3] }), 400, 'Input "features": 24 bytes'],
    [
      'more rows than a call may have',
      rows({ shape: [301, 3], values: Array(903).fill(0) }),
      413,
      '301 rows; at most 300',
    ],
  ] as const)('%s', async (_what, request, status, error) => {
    const reply = await infer(request as ClientRequest);
    expect(reply).toMatchObject({ status, error: expect.stringContaining(error) });
    expect(reply.headers.get('x-request-id')).toEqual(expect.any(String));
  });

  test('text that the runtime would cut off', async () => {
    const inputs = [{ name: 'in_BYTES', datatype: 'BYTES', shape: [1, 2], values: ['a', 'b\0c'] }];
    // Checked input by input: the others are there, with the right types.
    const others = [
      'BOOL',
      'UINT8',
      'UINT16',
      'UINT32',
      'INT8',
      'INT16',
      'INT32',
      'FP16',
      'FP32',
      'FP64',
    ].map((datatype) => ({ name: `in_${datatype}`, datatype, shape: [1, 2], values: [0, 0] }));
    const wide = ['INT64', 'UINT64'].map((datatype) => ({
      name: `in_${datatype}`,
      datatype,
      shape: [1, 2],
      values: [0n, 0n],
    }));
    const reply = await infer({ inputs: [...inputs, ...others, ...wide] }, { model: 'every-type' });
    expect(reply).toMatchObject({
      status: 422,
      error: expect.stringContaining('Row 1, value 2 of "in_BYTES" has a NUL'),
    });
  });

  test.each([
    ['a model that is not served', 'other', 404],
    ['a version that is not loaded', 'phish/versions/9.0.0', 404],
    ['a number for a version', 'phish/versions/1', 404],
    ['a name that means something else to JavaScript', 'constructor', 404],
    ['a path in a name', '..%2F..%2Fetc', 404],
  ])('%s', async (_what, model, status) => {
    const reply = await infer(rows({}), { model });
    expect(reply.status).toBe(status);
    expect(reply.error).toEqual(expect.any(String));
  });

  test('a caller without a token, or with one that may not predict, before a byte of the body was read', async () => {
    const { body, headers } = requestBody(rows({}));
    const path = '/v2/models/phish/infer';
    expect(await send(path, body, headers, null)).toMatchObject({
      status: 401,
      error: expect.stringContaining('token'),
    });
    const { command, configFile } = on.agent;
    const { token } = JSON.parse(
      await command('token', 'add', '--config', configFile, '--name', 'reader', '--scopes', 'read', '--json'),
    ) as { token: string };
    expect(await send(path, body, headers, token)).toMatchObject({ status: 403 });
    expect((await send('/v2/models/phish', undefined, {}, token)).status).toBe(200);
  });
});

describe('one routing for both APIs', () => {
  test('the same key sees the same version here and at /predict, and both versions are seen', async () => {
    const { pairs } = await on.client.traffic('phish');
    const seen = new Set<string>();
    let mirrored = 0;
    for (let each = 0; each < 12; each++) {
      const headers = { 'x-routing-key': `caller-${each}` };
      const here = await infer(rows({}), { model: 'phish', headers });
      const there = await on.predict([[1, 1, 1]], { headers });
      expect(here.answer.model_version).toBe(there.body.model_version);
      seen.add(here.answer.model_version);
      // Two rows and one.
      if (here.answer.model_version === '1.1.0') mirrored += 3;
    }
    expect([...seen].sort()).toEqual(['1.0.0', '1.1.0']);
    // After the answers: whoever counts next would count some of these.
    await expect.poll(async () => (await on.client.traffic('phish')).pairs).toBe(pairs + mirrored);
  });

  test('calls are counted, mirrored and logged as those of /predict are', async () => {
    const { canary, pairs } = await on.client.traffic('phish');
    const keys = Array.from({ length: 12 }, (_, each) => `counted-${each}`);
    let asked = 0;
    for (const key of keys) {
      const reply = await infer(rows({}), {
        model: 'phish',
        headers: { 'x-routing-key': key, 'x-request-id': key },
      });
      if (reply.answer.model_version === '1.1.0') asked++;
    }
    expect(asked).toBeGreaterThan(0);
    await expect.poll(async () => (await on.client.traffic('phish')).pairs).toBe(pairs + 2 * asked);
    expect((await on.client.traffic('phish')).canary?.requests).toBe((canary?.requests ?? 0) + asked);
    // Thresholds ½ and 2 agree about the rows 1,1,1 and 0,0,0.
    expect((await on.client.traffic('phish')).disagreements).toBe(0);
    const lineOf = async () =>
      (await readFile(join(on.agent.directory, 'access.log'), 'utf8'))
        .split('\n')
        .find((line) => line.includes('"counted-0"'));
    await expect.poll(lineOf).toBeDefined();
    expect(JSON.parse((await lineOf()) ?? '')).toMatchObject({
      route: '/v2/models/:model/infer',
      caller: 'console',
      status: 200,
      rows: 2,
      model: expect.stringMatching(/^phish@1\.[01]\.0$/),
      features: [{ name: 'features', datatype: 'FP32', shape: [2, 3], data: [1, 1, 1, 0, 0, 0] }],
    });
  });
});

describe('questions about the server and its models', () => {
  const get = async (path: string): Promise<unknown> => (await send(path, undefined)).answer;
  const TENSOR = { name: 'features', datatype: 'FP32', shape: [-1, 3] };

  test('health needs no token; everything else does', async () => {
    for (const path of ['/v2/health/live', '/v2/health/ready'])
      expect((await send(path, undefined, {}, null)).status).toBe(200);
    for (const path of [
      '/v2',
      '/v2/models/phish',
      '/v2/models/phish/ready',
      '/v2/models/stats',
      '/v2/nothing',
    ])
      expect(await send(path, undefined, {}, null)).toMatchObject({ status: 401, error: expect.any(String) });
  });

  test('a model’s interface, as metadata and as configuration, by model and by version', async () => {
    expect(await get('/v2')).toMatchObject({
      name: 'sallyport',
      extensions: expect.arrayContaining(['binary_tensor_data']),
    });
    for (const path of ['/v2/models/phish', '/v2/models/phish/versions/1.1.0'])
      expect(await get(path)).toEqual({
        name: 'phish',
        versions: ['1.0.0', '1.1.0'],
        platform: 'onnxruntime_onnx',
        inputs: [TENSOR],
        outputs: [
          { name: 'label', datatype: 'INT64', shape: [-1] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
        ],
      });
    expect(await get('/v2/models/phish/config')).toMatchObject({
      max_batch_size: 0,
      input: [{ name: 'features', data_type: 'TYPE_FP32', dims: [-1, 3] }],
    });
    expect(await get('/v2/models/every-type')).toMatchObject({
      versions: ['2.0.0-rc.1'],
      inputs: expect.arrayContaining([{ name: 'in_BYTES', datatype: 'BYTES', shape: [-1, 2] }]),
    });
  });

  test('what is ready, and what is not here', async () => {
    expect(await get('/v2/models/phish/versions/1.1.0/ready')).toEqual({ name: 'phish', ready: true });
    for (const path of [
      '/v2/models/other',
      '/v2/models/other/ready',
      '/v2/models/phish/versions/7.0.0/ready',
    ])
      expect((await send(path, undefined)).status).toBe(404);
    const index = await send('/v2/repository/index', Buffer.from(''));
    expect(index.answer).toEqual([
      { name: 'every-type', version: '2.0.0-rc.1', state: 'READY', reason: '' },
      { name: 'phish', version: '1.0.0', state: 'READY', reason: '' },
      { name: 'phish', version: '1.1.0', state: 'READY', reason: '' },
    ]);
    expect((await send('/v2/repository/index', Buffer.from('{"ready":true}'))).status).toBe(200);
    expect((await send('/v2/repository/index', Buffer.from('{"ready":1}'))).status).toBe(422);
    expect((await send('/v2/repository/index', Buffer.from('{'))).status).toBe(400);
  });

  test('what was counted, of calls by either API', async () => {
    type Stats = {
      model_stats: {
        version: string;
        inference_count: number;
        inference_stats: { success: { count: number } };
      }[];
    };
    const of = async (): Promise<Stats['model_stats'][number] | undefined> =>
      ((await get('/v2/models/phish/versions/1.0.0/stats')) as Stats).model_stats[0];
    const before = await of();
    await infer(rows({}));
    await on.predict([1, 1, 1], { version: '1.0.0' });
    const after = await of();
    expect((after?.inference_count ?? 0) - (before?.inference_count ?? 0)).toBe(3);
    expect((after?.inference_stats.success.count ?? 0) - (before?.inference_stats.success.count ?? 0)).toBe(
      2,
    );
    expect(((await get('/v2/models/stats')) as Stats).model_stats).toHaveLength(3);
    expect(
      ((await get('/v2/models/phish/stats')) as Stats).model_stats.map(({ version }) => version),
    ).toEqual(['1.0.0', '1.1.0']);
  });

  test('what is not offered is said so, in the protocol’s shape', async () => {
    for (const path of [
      '/v2/repository/models/phish/load',
      '/v2/repository/models/phish/unload',
      '/v2/logging',
    ])
      expect(await send(path, Buffer.from('{}'))).toMatchObject({
        status: 404,
        error: expect.stringContaining('/openapi.json'),
      });
    expect((await send('/v2/systemsharedmemory/status', undefined)).status).toBe(404);
  });
});

test('a version without traffic that is still kept is told of and asked by its name', async () => {
  const releases = ['1.2.0', '1.3.0'].map((version, place) =>
    makeRelease(on.site, { version, serial: 3 + place, model: thresholdModel(3 + place) }),
  );
  for (const release of releases) await on.serve(release);
  const path = '/v2/models/phish/versions/1.0.0';
  expect((await send(path, undefined)).answer).toMatchObject({ name: 'phish', versions: ['1.3.0', '1.2.0'] });
  expect((await send(`${path}/ready`, undefined)).status).toBe(200);
  expect((await infer(rows({}))).answer.model_version).toBe('1.0.0');
});
