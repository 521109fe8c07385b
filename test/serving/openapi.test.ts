/** The OpenAPI documents of both listeners, held against what the agent really answers. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdminListener } from '../../serving/http/admin-listener.ts';
import { ADMIN_OPERATIONS } from '../../serving/http/openapi/admin-operations.ts';
import { COMMON_OPERATIONS, PREDICT_OPERATIONS } from '../../serving/http/openapi/predict-operations.ts';
import { PROTOCOL_OPERATIONS } from '../../serving/http/openapi/protocol-operations.ts';
import { createPredictListener } from '../../serving/http/predict-listener.ts';
import { TokenFile } from '../../serving/tokens.ts';
import { startAgent } from '../support/agent.ts';
import { type Answered, ApiDocument } from '../support/openapi.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { limitsOf, serverOptions } from './guard-support.ts';
import { onAgent, type Stage } from './support.ts';

const LIMITS = {
  requests: 12,
  requestTimeoutMs: 2500,
  rows: 20,
  bodyBytes: 4096,
  addressRequestsPerSecond: 0,
};

let on: Stage;
let predict: ApiDocument;
let admin: ApiDocument;
/** Of a token that opens nothing on this listener but what needs none. */
let poor: { readonly predict: string; readonly read: string };
/** Answers to requests that never come to their end, under way while the others are asked. */
let late: Promise<(readonly [ApiDocument, string, Answered])[]>;

beforeAll(async () => {
  const site = makeSite();
  const agent = await startAgent({ ...site, limits: { ...LIMITS, rowsPerSecond: 400, burstSeconds: 1 } });
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
  const path = template.replace('{model}', 'phish');
  return answersOf(
    await exchange(document, `${method} ${path} HTTP/1.1\r\n${common()}${headers}\r\n\r\n${body}`),
  )[0] as Answered;
}
const common = (): string =>
  `Host: a\r\nAuthorization: Bearer ${on.agent.token}\r\nContent-Type: application/json\r\n`;

function open(document: ApiDocument) {
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
  const { socket, closed } = open(document);
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
    const many = { model_name: 'phish', features: Array(20).fill(features) };
    const statuses = new Set<number>();
    for (let each = 0; each < 30 && !statuses.has(429); each++)
      statuses.add(await status('POST /predict', { body: many }));
    expect(statuses.has(429)).toBe(true);
    const rows = {
      inputs: [{ name: 'features', shape: [20, 3], datatype: 'FP32', data: Array(60).fill(1) }],
    };
    expect(await status('POST /v2/models/{model}/infer', { path: VERSION, body: rows })).toBe(429);
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
});

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
