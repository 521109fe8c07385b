/** Odd requests of the tus protocol: at random, and good ones at a live upload with a few of their headers exchanged. */
import { below, junk, type Make, pick, type Random, request, type Target } from './malformed-parts.ts';

const UPLOADS = '/admin/v1/uploads';
const NUMBERS = [
  '0',
  '-1',
  '5',
  '10',
  '1e9',
  '1e+21',
  'abc',
  '',
  '99999999999999999999',
  '1.5',
  '0x10',
] as const;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function metadata(random: Random, root: string): string {
  return pick(random, [
    '',
    'root',
    `root ${base64('0'.repeat(64))},name ${base64('model.onnx')}`,
    `root !!!,name ${base64('../x')}`,
    `name ${base64(junk(random, 30))}`,
    ',,,',
    `root ${base64(root)},name ${base64('../plan.json')}`,
    `root ${base64(root)},name`,
    `root ${base64(root)},name ${base64('plan.json')},__proto__ ${base64('x')}`,
    junk(random, 60).replace(/[\r\n]/g, ''),
  ]);
}

/** Values that a header should not have; undefined = it is left out. */
const ODD_HEADERS: Readonly<Record<string, (random: Random, root: string) => string | undefined>> = {
  'Tus-Resumable': (random) => pick(random, [undefined, '0.2.2', '', 'x']),
  'Upload-Length': (random) => pick(random, [undefined, ...NUMBERS]),
  'Upload-Offset': (random) => pick(random, [undefined, ...NUMBERS]),
  'Upload-Metadata': (random, root) => pick(random, [undefined, metadata(random, root)]),
  'Upload-Concat': (random) =>
    pick(random, ['partial', 'partial', `final;${UPLOADS}/a ${UPLOADS}/b`, 'final;', 'x', '']),
  'Upload-Defer-Length': (random) => pick(random, ['1', '1', '0', '']),
  'Upload-Checksum': (random) => pick(random, ['md5 x', 'sha1 AAAA', '']),
  'X-HTTP-Method-Override': (random) => pick(random, ['DELETE', 'PATCH', 'x']),
  'X-Forwarded-Proto': (random) => pick(random, ['https', 'ftp', '']),
  'Content-Type': (random) => pick(random, [undefined, 'application/offset+octet-stream', 'text/plain', '']),
  'Content-Length': (random) => pick(random, ['0', '5', '200']),
};

/** What a method cannot be asked without. */
function goodHeaders(method: string, root: string): Record<string, string | undefined> {
  const version = { 'Tus-Resumable': '1.0.0' };
  if (method === 'POST')
    return {
      ...version,
      'Upload-Length': '10',
      'Upload-Metadata': `root ${base64(root)},name ${base64('plan.json')}`,
    };
  if (method !== 'PATCH') return version;
  return { ...version, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
}

function atLiveUpload(random: Random, target: Target): string {
  const { root = '', upload = `${UPLOADS}/x` } = target;
  const method = pick(random, [
    'POST',
    'POST',
    'PATCH',
    'PATCH',
    'PATCH',
    'HEAD',
    'DELETE',
    'OPTIONS',
    'GET',
  ]);
  const path =
    method === 'POST'
      ? UPLOADS
      : pick(random, [
          upload,
          upload,
          upload,
          `${upload}.json`,
          `${upload}/`,
          `${upload}?x=/y`,
          `${upload}0`,
        ]);
  const body = junk(random, pick(random, [1, 12, 40, 300]));
  const headers = { ...goodHeaders(method, root), 'Content-Length': String(body.length) } as Record<
    string,
    string | undefined
  >;
  const names = Object.keys(ODD_HEADERS) as [string, ...string[]];
  for (let count = below(random, 3); count > 0; count--) {
    const name = pick(random, names);
    headers[name] = ODD_HEADERS[name]?.(random, root);
  }
  const chunked = random() < 0.1;
  if (chunked) {
    delete headers['Content-Length'];
    headers['Transfer-Encoding'] = 'chunked';
  }
  const sent = chunked
    ? pick(random, [
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        `ff\r\n${body}`,
        `zz\r\n${body}\r\n0\r\n\r\n`,
        `c8\r\n${'x'.repeat(200)}\r\n0\r\n\r\n`,
      ])
    : body;
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return request(target, `${method} ${path}`, lines, sent);
}

export const LIVE_UPLOAD = 'a live upload and odd headers';

export const UPLOAD_KINDS: Readonly<Record<string, Make>> = {
  [LIVE_UPLOAD]: atLiveUpload,
  'headers of an upload': (random, target) => {
    const path = pick(random, [
      UPLOADS,
      `${UPLOADS}/x`,
      `${UPLOADS}/../state`,
      `${UPLOADS}/${'0'.repeat(64)}-0`,
      `${UPLOADS}/${'0'.repeat(64)}-${'0'.repeat(16)}-${'0'.repeat(16)}`,
      `${UPLOADS}/%2e%2e%2fx`,
      `${UPLOADS}/.json`,
      `${UPLOADS}/${encodeURIComponent(junk(random, 20))}`,
    ]);
    const body = junk(random, 40);
    return request(
      target,
      `${pick(random, ['POST', 'PATCH', 'HEAD', 'DELETE', 'OPTIONS', 'GET'])} ${path}`,
      [
        `Tus-Resumable: ${pick(random, ['1.0.0', '0.2.2', '', 'x'])}`,
        `Upload-Length: ${pick(random, NUMBERS)}`,
        `Upload-Offset: ${pick(random, NUMBERS)}`,
        `Upload-Metadata: ${metadata(random, target.root ?? '')}`,
        `Content-Type: ${pick(random, ['application/offset+octet-stream', 'text/plain', ''])}`,
        `Content-Length: ${body.length}`,
      ],
      body,
    );
  },
};
