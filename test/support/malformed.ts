/** Malformed requests, the same ones for the same seed. */
import {
  below,
  json,
  junk,
  type Make,
  mutate,
  ODD_VALUES,
  pick,
  request,
  seeded,
  type Target,
} from './malformed-parts.ts';
import { PROTOCOL } from './malformed-protocol.ts';
import { UPLOAD_KINDS } from './malformed-uploads.ts';

export interface Malformed {
  readonly kind: string;
  readonly listener: 'predict' | 'admin';
  readonly bytes: Buffer;
}

const PREDICT: Readonly<Record<string, Make>> = {
  'a predict body of odd values': (random, target) => {
    const value = (): string => pick(random, ODD_VALUES);
    return json(
      target,
      'POST /predict',
      `{"model_name":${pick(random, ['"phish"', value()])},"version":${pick(random, ['"1.0.0"', value()])},"features":${value()}}`,
    );
  },
  'a mutated predict body': (random, target) =>
    json(target, 'POST /predict', mutate(random, '{"model_name":"phish","features":[[1,1,1],[0,0,0]]}')),
  'a body of another type': (random, target) => {
    const body = junk(random, 300);
    const type = pick(random, [
      'text/plain',
      'application/octet-stream',
      'multipart/form-data',
      '',
      'application/json; charset=x',
      'a/b/c',
      'application/jsonp',
    ]);
    return request(
      target,
      'POST /predict',
      [`Content-Type: ${type}`, `Content-Length: ${body.length}`],
      body,
    );
  },
  'a strange path': (random, target) => {
    const path = pick(random, [
      `/${junk(random, 40).replace(/[\r\n ]/g, '')}`,
      '/models/../../etc/passwd',
      '/models/%2e%2e%2f/versions',
      '/models/%00/versions',
      `/models/${'a'.repeat(below(random, 3000))}/versions`,
      '*',
      'http://other.example/models',
      '//models',
      '/models/__proto__/versions',
      '/models/constructor/versions',
      '/%',
      '/models/%ff/versions',
      '/metrics?x=%',
      '/models;x=1',
      '/health/../models',
      '/?\u0001',
    ]);
    return request(target, `GET ${path}`, [], '');
  },
  'a strange method': (random, target) =>
    request(
      target,
      `${pick(random, ['TRACE', 'CONNECT', 'OPTIONS', 'PROPFIND', 'get', 'GE T', 'M-SEARCH', 'QUERY', 'PUT', 'DELETE', junk(random, 8)])} /predict`,
      [],
      '',
    ),
  'strange headers': (random, target) => {
    const header = pick(random, [
      `X-A: ${'b'.repeat(below(random, 40_000))}`,
      Array.from({ length: below(random, 200) }, (_, at) => `X-${at}: 1`).join('\r\n'),
      `Authorization: Bearer ${junk(random, 60)}`,
      'Host: b',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 4\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked, gzip',
      'Transfer-Encoding: xchunked',
      'Content-Length: -5',
      'Content-Length: 99999999999999999999',
      'Expect: 200-ok',
      'Upgrade: h2c\r\nConnection: Upgrade',
      'Content-Encoding: gzip',
      ' folded: x',
      'no colon',
      `X-Routing-Key: ${junk(random, 50).replace(/[\r\n]/g, '')}`,
      `X-Request-Id: ${junk(random, 200).replace(/[\r\n]/g, '')}`,
      'X-Forwarded-For: junk',
      `${junk(random, 10)}: 1`,
    ]);
    return request(target, pick(random, ['GET /models', 'POST /predict']), [header], '');
  },
  'broken chunks': (random, target) => {
    const body = pick(random, [
      'zz\r\nab\r\n0\r\n\r\n',
      '5\r\nab\r\n0\r\n\r\n',
      'ffffffffffffffff\r\nab',
      '-1\r\n\r\n',
      '2;x=y\r\n{}\r\n0\r\nHost: b\r\n\r\n',
      `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
      '2\n{}\n0\n\n',
      `2\r\n{}\r\n${junk(random, 20)}`,
    ]);
    return request(
      target,
      'POST /predict',
      ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
      body,
    );
  },
  'a pipeline': (random, target) => {
    const good = json(target, 'POST /predict', '{"model_name":"phish","features":[1,1,1]}');
    return Array.from({ length: 2 + below(random, 6) }, () =>
      pick(random, [
        good,
        good,
        request(target, 'GET /models', [], ''),
        mutate(random, good),
        request({ ...target, token: 'x' }, 'GET /models', [], ''),
      ]),
    ).join('');
  },
  'bytes that are no request': (random) => junk(random, 500),
};

const ADMIN: Readonly<Record<string, Make>> = {
  ...UPLOAD_KINDS,
  'an admin body of odd values': (random, target) => {
    const path = pick(random, [
      '/releases',
      `/releases/${'0'.repeat(64)}/complete`,
      '/releases/x/complete',
      '/models/phish/routing',
      '/models/phish/rollback',
      '/models/__proto__/rollback',
      '/checkpoints/v',
      '/checkpoints/%00',
    ]);
    const value = (): string => pick(random, ODD_VALUES);
    const fields = [
      'nonce',
      'key',
      'expectedGeneration',
      'canary',
      'to',
      'note',
      'bundles',
      'request',
      'files',
    ]
      .filter(() => random() < 0.6)
      .map((field) => `"${field}":${value()}`);
    return json(
      target,
      `POST /admin/v1${path}`,
      random() < 0.3 ? mutate(random, `{${fields.join(',')}}`) : `{${fields.join(',')}}`,
    );
  },
  'odd questions to the admin listener': (random, target) =>
    request(
      target,
      `GET /admin/v1/${pick(random, ['identity', 'identity?nonce=', 'identity?nonce=x&nonce=y', `identity?nonce=${'a'.repeat(1500)}`, 'models/none/receipt?nonce=%00', 'models/%00/traffic', 'models/phish/receipt', 'checkpoints/..%2f..%2fx', `checkpoints/${'v'.repeat(300)}`])}`,
      [],
      '',
    ),
};

const KINDS = [
  ...Object.entries({ ...PREDICT, ...PROTOCOL }).map(([kind, make]) => ({
    kind,
    make,
    listener: 'predict' as const,
  })),
  ...Object.entries(ADMIN).map(([kind, make]) => ({ kind, make, listener: 'admin' as const })),
];

/** The kind of request number `at`: each in turn. */
export function kindOf(at: number): string {
  return KINDS[at % KINDS.length]?.kind ?? '';
}

/** The request number `at` of a seed. One in ten has no valid token. */
export function malformed(seed: number, at: number, target: Target): Malformed {
  const random = seeded(seed * 1_000_003 + at);
  const chosen = KINDS[at % KINDS.length] ?? KINDS[0];
  if (!chosen) throw new Error('there are kinds');
  const token = random() < 0.1 ? 'sat_wrong-wrong-wrong-wrong' : target.token;
  return {
    kind: chosen.kind,
    listener: chosen.listener,
    bytes: Buffer.from(chosen.make(random, { ...target, token }), 'latin1'),
  };
}
