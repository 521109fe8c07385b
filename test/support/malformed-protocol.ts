/** Malformed requests of the Open Inference Protocol. */
import { deflateSync, gzipSync } from 'node:zlib';
import {
  below,
  junk,
  type Make,
  mutate,
  ODD_VALUES,
  pick,
  type Random,
  request,
  type Target,
} from './malformed-parts.ts';

/** A good request of the Open Inference Protocol: `phish` takes rows of three floats. */
const INFER_PATHS = [
  '/v2/models/phish/infer',
  '/v2/models/phish/versions/1.0.0/infer',
  '/v2/models/other/infer',
  '/predict',
] as const;

function inferRequest(target: Target, path: string, body: string, headers: readonly string[]): string {
  return request(target, `POST ${path}`, [`Content-Length: ${body.length}`, ...headers], body);
}

/** Little-endian rows of three floats, some of them no numbers. */
function floatBytes(random: Random, rows: number): string {
  const bytes = Buffer.alloc(rows * 12);
  for (let at = 0; at < bytes.length; at += 4)
    bytes.writeFloatLE(pick(random, [0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e38]), at);
  return bytes.toString('latin1');
}

export const PROTOCOL: Readonly<Record<string, Make>> = {
  'binary tensors that lie': (random, target) => {
    const rows = below(random, 4);
    const size = pick(random, [rows * 12, -12, 0, 1, 11, 13, 1e15, 2 ** 53, 'x', null, [12], 0.5] as const);
    const shape = pick(random, [
      [rows, 3],
      [3, rows],
      [-1, 3],
      [2 ** 31, 2 ** 31],
      [],
      [rows, 3, 0],
      'x',
      [1.5],
      Array(30).fill(1),
    ] as const);
    const datatype = pick(random, ['FP32', 'FP32', 'BYTES', 'FP16', 'INT64', 'BOOL', 'FP8', 5] as const);
    const input = { name: 'features', shape, datatype, parameters: { binary_data_size: size } };
    const inputs = pick(random, [
      [input],
      [input],
      [input, input],
      [],
      [{ ...input, name: 'other' }],
      [null],
    ] as const);
    const outputs = pick(random, [
      undefined,
      [{ name: 'label', parameters: { binary_data: true } }],
      [{ name: 'none' }],
      [{ name: 'label' }, { name: 'label' }],
      [{}],
    ] as const);
    const head = JSON.stringify({
      id: junk(random, 5),
      inputs,
      outputs,
      parameters: { binary_data_output: random() < 0.5 },
    });
    const length = Buffer.byteLength(head);
    const claimed = pick(random, [
      length,
      length,
      length,
      length + below(random, 30),
      length - 1,
      -1,
      0,
      'abc',
      '1e3',
      '18446744073709551617',
    ] as const);
    const body =
      Buffer.from(head).toString('latin1') +
      floatBytes(random, rows) +
      (random() < 0.3 ? junk(random, 9) : '');
    return inferRequest(target, pick(random, INFER_PATHS), body, [
      `Inference-Header-Content-Length: ${claimed}`,
    ]);
  },
  'texts whose lengths lie': (random, target) => {
    const elements = Array.from({ length: below(random, 4) }, () => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(pick(random, [0, 1, 3, 255, 2 ** 32 - 1]));
      return length.toString('latin1') + junk(random, 4);
    }).join('');
    const head = `{"inputs":[{"name":"features","shape":[${below(random, 5)}],"datatype":"BYTES","parameters":{"binary_data_size":${elements.length}}}]}`;
    return inferRequest(target, INFER_PATHS[0], head + elements, [
      `Inference-Header-Content-Length: ${head.length}`,
    ]);
  },
  'a mutated infer body': (random, target) => {
    const head =
      '{"id":"1","inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}]}';
    const body = mutate(random, head + floatBytes(random, 1));
    return inferRequest(target, INFER_PATHS[0], body, [`Inference-Header-Content-Length: ${head.length}`]);
  },
  'an infer body of odd values': (random, target) => {
    const value = (): string => pick(random, ODD_VALUES);
    const data = pick(random, ['[1,1,1]', '[[1,1,1]]', value()]);
    const body = `{"id":${pick(random, ['"1"', value()])},"inputs":[{"name":"features","shape":${pick(random, ['[1,3]', value()])},"datatype":${pick(random, ['"FP32"', '"INT64"', value()])},"data":${data}}],"outputs":${pick(random, ['[]', value()])},"parameters":${pick(random, ['{}', value()])}}`;
    return inferRequest(target, INFER_PATHS[0], body, ['Content-Type: application/json']);
  },
  'a body that is packed badly': (random, target) => {
    const plain = Buffer.from(
      '{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,1,1]}]}',
    );
    const packed = pick(random, [
      gzipSync(plain),
      deflateSync(plain),
      gzipSync(Buffer.alloc(500_000)),
      plain,
    ]);
    const body = random() < 0.5 ? packed.toString('latin1') : mutate(random, packed.toString('latin1'));
    const encoding = pick(random, ['gzip', 'deflate', 'identity', 'br', 'gzip, deflate', '', 'x']);
    return inferRequest(target, INFER_PATHS[0], body, [
      `Content-Encoding: ${encoding}`,
      `Accept-Encoding: ${pick(random, ['gzip', 'deflate;q=0', '*', junk(random, 9).replace(/[\r\n]/g, ''), ''])}`,
    ]);
  },
  'odd questions about models': (random, target) => {
    const model = pick(random, [
      'phish',
      'other',
      '__proto__',
      'constructor',
      '%00',
      '..%2f..',
      'a'.repeat(300),
      '%ff',
      '',
    ]);
    const what = pick(random, [
      '',
      '/ready',
      '/config',
      '/stats',
      '/infer',
      '/versions/1.0.0',
      '/versions/%00/stats',
      '/versions//ready',
      '/load',
    ]);
    const post = random() < 0.3;
    const path = pick(random, [
      `/v2/models/${model}${what}`,
      '/v2/repository/index',
      '/v2/',
      '/v2?x',
      '/v2/health/',
      '/v2x',
    ]);
    const body = post ? pick(random, ODD_VALUES) : '';
    return request(
      target,
      `${post ? 'POST' : 'GET'} ${path}`,
      post ? [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`] : [],
      body,
    );
  },
};
