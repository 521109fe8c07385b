/** The OpenAPI documents of both listeners, held against what the agent really answers. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdminListener } from '../../serving/http/admin-listener.ts';
import { ADMIN_OPERATIONS } from '../../serving/http/openapi/admin-operations.ts';
import { COMMON_OPERATIONS, PREDICT_OPERATIONS } from '../../serving/http/openapi/predict-operations.ts';
import { PROTOCOL_OPERATIONS } from '../../serving/http/openapi/protocol-operations.ts';
import { createPredictListener } from '../../serving/http/predict-listener.ts';
import { TokenFile } from '../../serving/tokens.ts';
import { generateCheckpointKey, signCheckpoint } from '../../shared/node/checkpoint/index.ts';
import { startAgent } from '../support/agent.ts';
import { type Answered, ApiDocument } from '../support/openapi.ts';
import { makeRelease, makeRevocation, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { limitsOf, serverOptions } from './guard-support.ts';
import { onAgent, type Stage } from './support.ts';

const LIMITS = {
  requestTimeoutMs: 4000,
  rows: 20,
  bodyBytes: 4096,
  addressRequestsPerSecond: 0,
};

/** Errors that no request here brings about, and why. A status alone stands for every operation. */
const NOT_PROVOKED: Readonly<Record<string, string>> = {
  '500': 'a fault of the program: nobody knows how to bring one about',
  '504': 'a model that hangs: the tests of crashes have one',
  '507': 'a full disk: full-disk.test.ts has one',
  '410': 'an upload a day old',
  'admin 408': 'a request may take five minutes there',
  'admin 429': 'tokens have no rate there unless they have one at all, which the predict listener shows',
  'POST /admin/v1/releases 409': 'as many releases on their way as an agent takes',
};

let on: Stage;
let site: Site;
const notes = generateCheckpointKey('vault');
let predict: ApiDocument;
let admin: ApiDocument;
/** Of a token that opens nothing on this listener but what needs none. */
let poor: { readonly predict: string; readonly read: string };
/** Answers to requests that never come to their end, under way while the others are asked. */
let late: Promise<(readonly [ApiDocument, string, Answered])[]>;

beforeAll(async () => {
  site = makeSite({ vaultId: 'vault', checkpointKey: notes.vkey });
  const agent = await startAgent({ ...site, limits: { ...LIMITS, rowsPerSecond: 2, burstSeconds: 10 } });
  on = await onAgent(site, agent);
  predict = await ApiDocument.read(agent.predictUrl, agent.token);
  admin = await ApiDocument.read(agent.adminUrl, agent.token);
  late = Promise.all(
    [
      [predict, 'POST /predict'],
      [predict, 'POST /v2/models/{model}/infer'],
    ].map(async ([document, operation]) => {
      const answer = await raw(document as ApiDocument, operation as string, 'Content-Length: 10', '{');
      return [document as ApiDocument, operation as string, answer] as const;
    }),
  );
  await on.serve(makeRelease(site));
  const tokenOf = async (scope: string): Promise<string> =>
    (
      JSON.parse(
        await agent.command(
          'token',
          'add',
          '--config',
          agent.configFile,
          '--name',
          scope,
          '--scopes',
          scope,
          '--json',
        ),
      ) as { token: string }
    ).token;
  poor = { predict: await tokenOf('predict'), read: await tokenOf('read') };
});
afterAll(async () => {
  await on?.client.close();
  await on?.agent.remove();
});

/** One request on a connection of its own, its body as it is; the answer is whatever came until the connection ended. */
async function raw(document: ApiDocument, operation: string, headers: string, body = ''): Promise<Answered> {
  const [method = '', template = ''] = operation.split(' ');
  const path = template.replace(/\{\w+\}/, 'phish');
  return answersOf(
    await exchange(document, `${method} ${path} HTTP/1.1\r\n${common()}${headers}\r\n\r\n${body}`),
  )[0] as Answered;
}
const common = (): string =>
  `Host: a\r\nAuthorization: Bearer ${on.agent.token}\r\nContent-Type: application/json\r\n`;

function openSocket(document: ApiDocument) {
  const { port } = new URL(document === predict ? on.agent.predictUrl : on.agent.adminUrl);
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  socket.on('error', () => {});
  return { socket, closed: new Promise<string>((resolve) => socket.once('close', () => resolve(text))) };
}

function exchange(document: ApiDocument, text: string): Promise<string> {
  const { socket, closed } = openSocket(document);
  socket.write(text);
  return closed;
}

function answersOf(text: string): Answered[] {
  return text.split(/(?=HTTP\/1\.1 \d{3} )/).map((answer) => {
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    const [line = '', ...lines] = head.split('\r\n');
    const headers = lines.map((each) => each.split(/: (.*)/).slice(0, 2) as [string, string]);
    return { status: Number(line.split(' ')[1]), headers: new Headers(headers), body };
  });
}

describe('the documents', () => {
  test('are OpenAPI 3.1 as its authors define it, and their schemas are schemas', () => {
    for (const document of [predict, admin]) {
      expect(document.problems()).toEqual([]);
      expect(document.compileAll()).toBeGreaterThan(5);
    }
  });

  test('have every route that is registered, and no other; every description belongs to a route', async () => {
    const options = serverOptions(new TokenFile('/nowhere/tokens.json'), limitsOf());
    // Routes are registered without a look at the parts behind them.
    const listeners = [
      [
        createPredictListener({ ...options, ready: () => true } as never),
        { ...PREDICT_OPERATIONS, ...PROTOCOL_OPERATIONS },
        predict,
      ],
      [createAdminListener(options as never), ADMIN_OPERATIONS, admin],
    ] as const;
    for (const [app, operations, document] of listeners) {
      await app.ready();
      const registered = app.routes.map(({ method, url }) => `${method} ${url}`);
      expect(new Set(registered).size).toBe(registered.length);
      expect([...registered].sort()).toEqual(Object.keys({ ...operations, ...COMMON_OPERATIONS }).sort());
      expect([...document.operations].sort()).toEqual(registered.map(inBraces).sort());
    }
  });
});

const inBraces = (operation: string): string => operation.replaceAll(/:(\w+)/g, '{$1}');

const NONCE = 'n'.repeat(22);
const PHISH = { name: 'phish' };
const VERSION = { model: 'phish', version: '1.0.0' };
const features = [1, 1, 1];
const INFER = {
  inputs: [{ name: 'features', shape: [1, 3], datatype: 'FP32', data: features }],
};
const asJson = { 'content-type': 'application/json' };

describe('what the predict listener answers', () => {
  const status = async (operation: string, rest: object = {}): Promise<number> =>
    (await predict.ask({ operation, ...rest })).status;

  test('at /predict and beside it', async () => {
    const body = { model_name: 'phish', features };
    expect(await status('POST /predict', { body })).toBe(200);
    expect(await status('POST /predict', { body: { ...body, model_name: 'other' } })).toBe(404);
    expect(await status('POST /predict', { body: { ...body, features: [1] } })).toBe(422);
    expect(await status('POST /predict', { body: { ...body, features: Array(21).fill(features) } })).toBe(
      413,
    );
    expect(await status('POST /predict', { body: '{', headers: asJson })).toBe(400);
    expect(await status('POST /predict', { body: 'x', headers: { 'content-type': 'a/b' } })).toBe(415);
    for (const operation of ['GET /health', 'GET /models', 'GET /metrics', 'GET /openapi.json'])
      expect(await status(operation), operation).toBe(200);
    expect(await status('GET /models/{name}/versions', { path: PHISH })).toBe(200);
    expect(await status('GET /models/{name}/versions', { path: { name: 'other' } })).toBe(404);
  });

  test('by the Open Inference Protocol', async () => {
    for (const operation of [
      'GET /v2',
      'GET /v2/health/live',
      'GET /v2/health/ready',
      'GET /v2/models/stats',
    ])
      expect(await status(operation), operation).toBe(200);
    for (const what of ['', '/ready', '/config', '/stats'])
      for (const at of ['/v2/models/{model}', '/v2/models/{model}/versions/{version}']) {
        expect(await status(`GET ${at}${what}`, { path: VERSION })).toBe(200);
        expect(await status(`GET ${at}${what}`, { path: { model: 'other', version: '1.0.0' } })).toBe(404);
      }
    for (const operation of [
      'POST /v2/models/{model}/infer',
      'POST /v2/models/{model}/versions/{version}/infer',
    ]) {
      const ask = (body: unknown, rest: object = {}) => status(operation, { path: VERSION, body, ...rest });
      expect(await ask(INFER)).toBe(200);
      expect(await ask({ ...INFER, parameters: { binary_data_output: true } })).toBe(200);
      expect(await ask(INFER, { path: { model: 'other', version: '1.0.0' } })).toBe(404);
      expect(await ask({ inputs: [] })).toBe(422);
      expect(await ask('{', { headers: asJson })).toBe(400);
      expect(await ask(INFER, { headers: { 'content-encoding': 'br' } })).toBe(415);
      expect(await ask('x'.repeat(5000))).toBe(413);
    }
    const index = 'POST /v2/repository/index';
    expect(await status(index)).toBe(200);
    expect(await status(index, { body: { ready: true } })).toBe(200);
    expect(await status(index, { body: { ready: 1 } })).toBe(422);
  });

  test('to those it does not let in', async () => {
    await refusesStrangers(predict, poor.read);
    // Twenty rows at once, and two a second: a second call of twenty comes too early.
    const many = { model_name: 'phish', features: Array(20).fill(features) };
    const rows = {
      inputs: [{ name: 'features', shape: [20, 3], datatype: 'FP32', data: Array(60).fill(1) }],
    };
    for (const [operation, body] of [
      ['POST /predict', many],
      ['POST /v2/models/{model}/infer', rows],
    ] as const) {
      let last = 200;
      for (let each = 0; each < 30 && last === 200; each++)
        last = await status(operation, { path: VERSION, body, token: poor.predict });
      expect(last, operation).toBe(429);
    }
    await refusesOddRequests(predict, ['GET /models', 'GET /v2']);
  });
});

describe('what the admin listener answers', () => {
  const ask = (operation: string, rest: object = {}): Promise<Answered> => admin.ask({ operation, ...rest });
  const status = async (operation: string, rest: object = {}): Promise<number> =>
    (await ask(operation, rest)).status;

  test('about itself and its models', async () => {
    for (const operation of [
      'GET /metrics',
      'GET /openapi.json',
      'GET /admin/v1/models',
      'GET /admin/v1/revocations',
    ])
      expect(await status(operation), operation).toBe(200);
    const query = `nonce=${NONCE}`;
    expect(await status('GET /admin/v1/identity', { query })).toBe(200);
    expect(await status('GET /admin/v1/identity')).toBe(422);
    expect(await status('GET /admin/v1/models/{name}/traffic', { path: PHISH })).toBe(200);
    expect(await status('GET /admin/v1/models/{name}/receipt', { path: PHISH, query })).toBe(200);
    expect(await status('GET /admin/v1/models/{name}/receipt', { path: PHISH })).toBe(422);
    expect(await status('GET /admin/v1/models/{name}/traffic', { path: { name: '!' } })).toBe(422);
  });

  test('when a release is pushed, routed, taken back and revoked', async () => {
    const made = makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(2) });
    const opening = {
      bundles: made.bundles,
      request: await textOf(made, 'request.json'),
      files: made.files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    };
    const open = 'POST /admin/v1/releases';
    const complete = 'POST /admin/v1/releases/{root}/complete';
    expect(await status(complete, { path: { root: made.root } })).toBe(404);
    expect(await status(complete, { path: { root: 'x' } })).toBe(422);
    expect(await status(open, { body: opening })).toBe(200);
    expect(await status(open, { body: { ...opening, bundles: opening.bundles.slice(0, 1) } })).toBe(422);
    expect(await status(complete, { path: { root: made.root } })).toBe(200);
    await uploads(made.root);
    await on.client.push(made, () => {});

    const { root: stableRoot } = makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(2) });
    const lease = 'POST /admin/v1/models/{name}/lease';
    expect(await status(lease, { path: PHISH, body: { generation: 1 } })).toBe(200);
    expect(await status(lease, { path: PHISH, body: {} })).toBe(422);
    const routing = 'POST /admin/v1/models/{name}/routing';
    const change = { key: 'k1', expectedGeneration: 1, stableRoot: made.root, canary: null, nonce: NONCE };
    expect(stableRoot).not.toBe(made.root);
    expect(await status(routing, { path: PHISH, body: change })).toBe(200);
    expect(await status(routing, { path: PHISH, body: { ...change, key: 'k2' } })).toBe(409);
    expect(
      await status(routing, {
        path: PHISH,
        body: { ...change, key: 'k3', expectedGeneration: 2, stableRoot },
      }),
    ).toBe(404);
    expect(await status(routing, { path: PHISH, body: {} })).toBe(422);
    const rollback = 'POST /admin/v1/models/{name}/rollback';
    const back = { key: 'b1', to: null, nonce: NONCE };
    expect(await status(rollback, { path: PHISH, body: back })).toBe(200);
    expect(await status(rollback, { path: PHISH, body: { ...back, to: '1.0.0' } })).toBe(409);
    expect(await status(rollback, { path: PHISH, body: { ...back, key: 'b2', to: '9.0.0' } })).toBe(404);
    expect(await status(rollback, { path: PHISH, body: {} })).toBe(422);

    const revoke = 'POST /admin/v1/revocations';
    expect(await status(revoke, { body: { ...makeRevocation(site, made, 1), nonce: NONCE } })).toBe(200);
    expect(
      await status(revoke, { body: { ...makeRevocation(site, made, 1, { reason: 'other' }), nonce: NONCE } }),
    ).toBe(422);
    expect(await status(revoke, { body: {} })).toBe(422);
    expect(await status('GET /admin/v1/revocations')).toBe(200);
  });

  /** Of the file `plan.json` of an opened release, by the tus protocol. */
  async function uploads(root: string): Promise<void> {
    const tus = { 'tus-resumable': '1.0.0' };
    const begin = 'POST /admin/v1/uploads';
    const metadata = (name: string): string =>
      `root ${Buffer.from(root).toString('base64')},name ${Buffer.from(name).toString('base64')}`;
    const headers = { ...tus, 'upload-length': '20', 'upload-metadata': metadata('plan.json') };
    expect(await status(begin, { headers: { ...headers, 'tus-resumable': '0.2.2' } })).toBe(400);
    const { 'tus-resumable': _none, ...unversioned } = headers;
    expect(await status(begin, { headers: unversioned })).toBe(412);
    expect(await status(begin, { headers: { ...headers, 'upload-metadata': metadata('other') } })).toBe(409);
    expect(await status(begin, { headers: { ...headers, 'upload-length': '2000000' } })).toBe(413);
    expect(await status(begin, { headers: tus })).toBe(400);
    const begun = await ask(begin, { headers });
    expect(begun.status).toBe(201);
    const id = begun.headers.get('location')?.split('/').pop() ?? '';
    const piece = { ...tus, 'content-type': 'application/offset+octet-stream' };
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const operation = `${method} /admin/v1/uploads/{id}`;
      const body = method === 'PATCH' ? { body: 'ten bytes.' } : {};
      const at = { ...piece, 'upload-offset': '0' };
      expect(await status(operation, { path: { id: 'none' }, headers: at, ...body }), method).toBe(404);
      const { 'tus-resumable': _version, ...bare } = at;
      expect(await status(operation, { path: { id }, headers: bare, ...body }), method).toBe(412);
      if (method === 'PATCH') {
        const early = { ...at, 'upload-offset': '5' };
        expect(await status(operation, { path: { id }, headers: early, ...body })).toBe(409);
        expect(await status(operation, { path: { id }, headers: at, body: 'more than twenty bytes' })).toBe(
          413,
        );
      }
      expect(await status(operation, { path: { id }, headers: at, ...body }), method).toBe(
        method === 'HEAD' ? 200 : 204,
      );
    }
  }

  test('when it is drained, and what the predict listener says then', async () => {
    const drain = 'POST /admin/v1/drain';
    expect(await status(drain, { body: { model: null, draining: true } })).toBe(200);
    expect(await status('GET /admin/v1/drain')).toBe(200);
    for (const operation of ['GET /health', 'GET /v2/health/ready', 'GET /v2/models/{model}/ready'])
      expect((await predict.ask({ operation, path: VERSION })).status, operation).toBe(503);
    const body = { model_name: 'phish', features };
    expect((await predict.ask({ operation: 'POST /predict', body })).status).toBe(503);
    expect(await status(drain, { body: { model: null, draining: false } })).toBe(200);
    expect(await status(drain, { body: { model: 'other', draining: true } })).toBe(404);
    expect(await status(drain, { body: {} })).toBe(422);
  });

  test('about checkpoints', async () => {
    const note = (size: number, fill: string): object => ({
      note: signCheckpoint({ origin: 'sallyport/vault', size, root: fill.repeat(32) }, notes.skey),
    });
    const path = { vaultId: site.vaultId };
    const leave = 'POST /admin/v1/checkpoints/{vaultId}';
    expect(await status(leave, { path, body: note(10, 'ab') })).toBe(200);
    expect(await status(leave, { path, body: note(9, 'ab') })).toBe(409);
    expect(await status(leave, { path, body: note(10, 'cd') })).toBe(422);
    expect(await status(leave, { path, body: { note: 'x' } })).toBe(422);
    expect(await status(leave, { path: { vaultId: 'other' }, body: note(10, 'ab') })).toBe(404);
    const read = 'GET /admin/v1/checkpoints/{vaultId}';
    expect(await status(read, { path })).toBe(200);
    expect(await status(read, { path: { vaultId: 'other' } })).toBe(404);
  });

  test('to those it does not let in', async () => {
    await refusesStrangers(admin, poor.predict);
    await refusesOddRequests(admin, ['GET /admin/v1/models', 'DELETE /admin/v1/uploads/{id}']);
    const rollback = 'POST /admin/v1/models/{name}/rollback';
    const large = { key: 'x'.repeat(1_100_000), to: null, nonce: NONCE };
    expect(await status(rollback, { path: PHISH, body: large })).toBe(413);
    expect(await status(rollback, { path: PHISH, body: 'x', headers: { 'content-type': 'a/b' } })).toBe(415);
  });
});

async function textOf(release: ReturnType<typeof makeRelease>, name: string): Promise<string> {
  let text = '';
  for await (const piece of release.files.find((file) => file.name === name)?.open() ?? [])
    text += Buffer.from(piece).toString();
  return text;
}

/** Every operation that asks for a token, without one and with one that opens something else. */
async function refusesStrangers(document: ApiDocument, other: string): Promise<void> {
  for (const operation of document.operations) {
    const { security } = document.operation(operation);
    if (security.length === 0) continue;
    expect((await document.ask({ operation, token: null })).status, operation).toBe(401);
    const opened = security.some(({ token }) => token?.includes(other === poor.read ? 'read' : 'predict'));
    if (!opened) expect((await document.ask({ operation, token: other })).status, operation).toBe(403);
  }
}

/** Requests that are refused for their form, at one operation of each shape of errors. */
async function refusesOddRequests(document: ApiDocument, operations: readonly string[]): Promise<void> {
  for (const operation of operations) {
    expect((await document.ask({ operation, query: 'x'.repeat(3000) })).status).toBe(414);
    expect((await document.ask({ operation, headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
    const twice = await raw(document, operation, 'X-Routing-Key: a\r\nX-Routing-Key: b\r\nConnection: close');
    expect(twice.status).toBe(400);
    document.check(operation, twice);
    const noRequest = answersOf(await exchange(document, 'what is this\r\n\r\n'))[0] as Answered;
    expect(noRequest.status).toBe(400);
    document.check(operation, noRequest);
  }
}

test('requests that never come to their end are told so', async () => {
  for (const [document, operation, answer] of await late) {
    expect(answer.status, operation).toBe(408);
    document.check(operation, answer);
  }
});

test('an agent that stops answers what is still asked on open connections, and says so', async () => {
  const asked = [
    [predict, 'POST /predict', JSON.stringify({ model_name: 'phish', features })],
    [predict, 'POST /v2/models/{model}/infer', JSON.stringify(INFER)],
    [admin, 'POST /admin/v1/models/{name}/rollback', '{}'],
    [admin, 'DELETE /admin/v1/uploads/{id}', 'x'],
  ] as const;
  const open = asked.map(([document, operation, body]) => {
    const { socket, closed } = openSocket(document);
    const [method = '', template = ''] = operation.split(' ');
    const head = `${method} ${template.replace(/\{\w+\}/, 'phish')} HTTP/1.1\r\n${common()}Content-Length: ${body.length}\r\n\r\n`;
    // Under way when the agent is told to stop; the same once more behind it.
    socket.write(head);
    return { document, operation, socket, closed, rest: `${body}${head}${body}` };
  });
  // Every connection is served: a later one on the same listener has its answer.
  await predict.ask({ operation: 'GET /health' });
  await admin.ask({ operation: 'GET /admin/v1/models' });
  const stopped = on.agent.stop();
  for (const base of [on.agent.predictUrl, on.agent.adminUrl])
    await expect
      .poll(() =>
        fetch(`${base}/openapi.json`).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed');
  for (const { document, operation, socket, closed, rest } of open) {
    socket.write(rest);
    const [first, second] = answersOf(await closed);
    expect([200, 412, 422], operation).toContain(first?.status);
    expect(second?.status, operation).toBe(503);
    document.check(operation, second as Answered);
  }
  expect(await stopped).toBe(0);
});

test('every answer and every error that the documents promise was seen, but for those that are named', () => {
  for (const [name, document] of [
    ['predict', predict],
    ['admin', admin],
  ] as const) {
    const missing = document.operations.flatMap((operation) => {
      const own = ownStatuses(operation);
      return Object.entries(document.operation(operation).responses)
        .filter(([status, response]) => {
          if ([status, `${name} ${status}`, `${operation} ${status}`].some((each) => NOT_PROVOKED[each]))
            return false;
          // What the listener answers to anything has to be seen once in each shape, what is the route's own everywhere.
          const shared = '$ref' in response && !own.includes(Number(status));
          return shared
            ? !document.seenShared.has(response.$ref.split('/').pop() ?? '')
            : !document.seen.has(`${operation} ${status}`);
        })
        .map(([status]) => `${operation} ${status}`);
    });
    expect(missing).toEqual([]);
  }
});

/** Statuses that are said of this operation, and not of all. */
function ownStatuses(operation: string): number[] {
  const all = { ...PREDICT_OPERATIONS, ...PROTOCOL_OPERATIONS, ...ADMIN_OPERATIONS, ...COMMON_OPERATIONS };
  const found = Object.entries(all).find(([key]) => inBraces(key) === operation)?.[1];
  return [...Object.keys(found?.answers ?? {}).map(Number), ...(found?.errors ?? [])];
}
