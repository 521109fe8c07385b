import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { JwtGate, jwtSchema } from '../../serving/guard/jwt.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { exchange, limitsOf, listener, raw } from './guard-support.ts';

const KINDS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;

interface Key {
  readonly kid: string;
  readonly alg: keyof typeof KINDS;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const key = (kid: string, alg: keyof typeof KINDS): Key => ({ kid, alg, ...KINDS[alg]() });
const [ec, ed, rsa, next] = [
  key('ec', 'ES256'),
  key('ed', 'EdDSA'),
  key('rsa', 'RS256'),
  key('next', 'ES256'),
];

async function write(path: string, ...keys: Key[]): Promise<void> {
  const set = await Promise.all(
    keys.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
  );
  writeFileSync(`${path}.new`, JSON.stringify({ keys: set }));
  renameSync(`${path}.new`, path);
}

const CLAIMS = { iss: 'https://id.example', aud: 'agent', sub: 'scanner', scope: 'predict read' };

function sign(by: Key, claims: Record<string, unknown> = {}): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const payload = { iat: seconds, exp: seconds + 300, ...CLAIMS, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: by.alg, kid: by.kid }).sign(by.privateKey);
}

async function guarded(change: Record<string, unknown> = {}, limits: Parameters<typeof limitsOf>[0] = {}) {
  const jwks = join(temporaryDirectory(), 'jwks.json');
  await write(jwks, ec, ed, rsa);
  const config = jwtSchema.parse({ jwks, issuer: CLAIMS.iss, audience: CLAIMS.aud, ...change });
  // Of the test's own, so that a slow machine earns its callers nothing.
  const start = Date.now();
  let shift = 0;
  const on = await listener({
    jwt: new JwtGate(config),
    limits: limitsOf(limits),
    now: () => new Date(start + shift),
    routes: (app) => {
      app.get('/who', { config: { scopes: ['read'] } }, async (request) => ({ name: request.caller?.name }));
      app.get('/held', { config: { scopes: ['read'] } }, async () => {
        await sleep(200);
        return {};
      });
      app.get('/deploy', { config: { scopes: ['deploy'] } }, async () => ({}));
    },
  });
  const ask = (token: string, path = '/who') =>
    fetch(`http://127.0.0.1:${on.port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return {
    ...on,
    jwks,
    ask,
    status: async (token: string, path?: string) => (await ask(token, path)).status,
    pass: (seconds: number) => {
      shift += seconds * 1000;
    },
  };
}

test('a token of each kind of key in the file opens what its claim says, and is known by its subject', async () => {
  const on = await guarded();
  for (const by of [ec, ed, rsa]) {
    const token = await sign(by);
    for (const again of [1, 2]) {
      const answer = await on.ask(token);
      expect([answer.status, again]).toEqual([200, again]);
      expect(await answer.json()).toEqual({ name: 'jwt:scanner' });
    }
    expect(await on.status(token, '/deploy')).toBe(403);
  }
  expect(await on.status(on.token)).toBe(200);
});

const REFUSED: readonly (readonly [string, () => Promise<string>])[] = [
  ['another issuer', () => sign(ec, { iss: 'https://other.example' })],
  ['another audience', () => sign(ec, { aud: 'another' })],
  ['a key that is not in the file', () => sign({ ...next, kid: 'ec' })],
  ['a name of a key that is not in the file', () => sign(next)],
  ['no signature at all', async () => `${new UnsecuredJWT(CLAIMS).setExpirationTime('5m').encode()}AAAA`],
  [
    'a shared secret that is a public key',
    () =>
      new SignJWT({ ...CLAIMS, exp: Math.floor(Date.now() / 1000) + 300 })
        .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
        .sign(Buffer.from(rsa.publicKey.export({ type: 'spki', format: 'pem' }))),
  ],
  ['no end', () => sign(ec, { exp: undefined })],
  ['no subject', () => sign(ec, { sub: undefined })],
  ['a subject with a line break', () => sign(ec, { sub: 'a\nb' })],
  ['an end that is past', () => sign(ec, { exp: Math.floor(Date.now() / 1000) - 31 })],
  ['a beginning to come', () => sign(ec, { nbf: Math.floor(Date.now() / 1000) + 60 })],
  ['three parts of nothing', async () => 'aaaa.bbbb.cccc'],
];
test.each(REFUSED)('is refused with %s', async (_what, make) => {
  const on = await guarded();
  const answer = await on.ask(await make());
  expect(answer.status).toBe(401);
  expect(await answer.json()).toEqual({ detail: 'A valid bearer token is needed.' });
});

test('algorithms that are not on the list are refused, though their key is in the file', async () => {
  const on = await guarded({ algorithms: ['EdDSA'] });
  expect(await on.status(await sign(ed))).toBe(200);
  expect(await on.status(await sign(ec))).toBe(401);
  expect(await on.status(await sign(rsa))).toBe(401);
  for (const algorithm of ['none', 'HS256', 'HS512']) {
    const asked = { jwks: 'f', issuer: 'i', audience: 'a', algorithms: [algorithm] };
    expect(jwtSchema.safeParse(asked).success).toBe(false);
  }
});

test('a claim’s words are taken as configured, from a text or a list', async () => {
  const on = await guarded({ scopeClaim: 'roles', scopes: { 'model-reader': 'read', admin: 'deploy' } });
  expect(await on.status(await sign(ec, { roles: ['model-reader'] }))).toBe(200);
  expect(await on.status(await sign(ec, { roles: 'x model-reader y' }))).toBe(200);
  expect(await on.status(await sign(ec, { roles: ['admin'] }), '/deploy')).toBe(200);
  for (const roles of [undefined, 'read', ['predict'], 7, ['toString'], 'constructor'])
    expect(await on.status(await sign(ec, { roles }))).toBe(403);
});

test('its times are looked at with every request, with the tolerance that is configured', async () => {
  const on = await guarded({ clockToleranceSeconds: 10 });
  const token = await sign(ec);
  expect(await on.status(token)).toBe(200);
  on.pass(305);
  expect(await on.status(token)).toBe(200);
  on.pass(10);
  expect(await on.status(token)).toBe(401);
});

test('given a new file of keys, then tokens of new keys open and those of taken-away keys do not, known ones included', async () => {
  const on = await guarded();
  const [old, fresh] = [await sign(ec), await sign(next)];
  expect([await on.status(old), await on.status(fresh)]).toEqual([200, 401]);
  await write(on.jwks, ec, next);
  expect([await on.status(old), await on.status(fresh)]).toEqual([200, 200]);
  writeFileSync(on.jwks, '{ half');
  expect([await on.status(old), await on.status(fresh)]).toEqual([200, 200]);
  await write(on.jwks, next);
  expect([await on.status(old), await on.status(fresh)]).toEqual([401, 200]);
  rmSync(on.jwks);
  expect(await on.status(fresh)).toBe(401);
  await write(on.jwks, next);
  expect(await on.status(fresh)).toBe(200);
});

test('it is checked before the body is read, too', async () => {
  const on = await guarded();
  const token = await sign({ ...next, kid: 'ec' });
  const { socket, text, closed } = await raw(on.port);
  socket.write(
    `POST /echo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`,
  );
  await closed;
  expect(text()).toMatch(/^HTTP\/1\.1 401 /);
});

/** A token by a key that is not in the file, under the name of one that is: its signature has to be checked. */
const forged = (sub: string): Promise<string> => sign({ ...next, kid: 'ec' }, { sub });

test('given an address has used up what it may ask without a valid token, then no signature is checked for it; tokens that are known still open', async () => {
  const on = await guarded({}, { addressRequestsPerSecond: 1, burstSeconds: 3 });
  const known = await sign(ec);
  const statuses = [await on.status(known)];
  for (let each = 0; each < 4; each++) statuses.push(await on.status(await forged(`s${each}`)));
  // A good one costs the address nothing: three more are judged, and the fourth is not.
  expect(statuses).toEqual([200, 401, 401, 401, 429]);
  const fresh = await sign(ed);
  const answer = await on.ask(fresh);
  expect(answer.status).toBe(429);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await on.status(known)).toBe(200);
  expect(await on.status(on.token)).toBe(200);
  on.pass(1);
  expect(await on.status(fresh)).toBe(200);
});

test('given forged tokens come all at once, then no more of them are checked than the address may ask', async () => {
  const on = await guarded({}, { addressRequestsPerSecond: 1, burstSeconds: 2 });
  const tokens = await Promise.all(Array.from({ length: 8 }, (_, each) => forged(`s${each}`)));
  const statuses = await Promise.all(tokens.map((token) => on.status(token)));
  expect(statuses.sort()).toEqual([401, 401, 429, 429, 429, 429, 429, 429]);
});

test('given two new tokens come at once where one request may be under way, then one of them is refused', async () => {
  const on = await guarded({}, { requests: 1 });
  const [first, second] = await Promise.all([sign(ec, { sub: 'a' }), sign(ec, { sub: 'b' })]);
  const get = (token: string): string =>
    `GET /held HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n`;
  // In one packet: both are there before a signature is checked.
  const answers = await exchange(on.port, `${get(first)}\r\n${get(second)}Connection: close\r\n\r\n`);
  expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '503']);
  // Whoever was let in or refused is counted out again.
  expect(await on.status(await sign(ec, { sub: 'c' }))).toBe(200);
  expect(await on.status(await forged('d'))).toBe(401);
  expect(await on.status(await sign(ec, { sub: 'e' }))).toBe(200);
});

test('a file without keys, with secrets or with private keys is not taken', async () => {
  const path = join(temporaryDirectory(), 'jwks.json');
  const open = (): JwtGate => new JwtGate(jwtSchema.parse({ jwks: path, issuer: 'i', audience: 'a' }));
  expect(open).toThrow(expect.objectContaining({ code: 'input.invalid' }));
  for (const keys of [[], [{ kty: 'oct', k: 'c2VjcmV0' }], [await exportJWK(ec.privateKey)]]) {
    writeFileSync(path, JSON.stringify({ keys }));
    expect(open).toThrow(expect.objectContaining({ code: 'input.invalid' }));
  }
});

test.each(['/who', '/%zz'])(
  'given callers of %s that went away while their signature was checked, then their places are free again',
  async (path) => {
    const checked: (() => void)[] = [];
    const verdict = { kind: 'accepted', name: 'jwt:late' } as const;
    const jwt = {
      check: () => () => new Promise((resolve) => checked.push(() => resolve(verdict))),
    } as unknown as JwtGate;
    const on = await listener({ jwt, limits: limitsOf({ requests: 3, requestsPerToken: 2 }) });
    const gone = await Promise.all([raw(on.port), raw(on.port)]);
    for (const { socket } of gone)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\n\r\n`);
    await expect.poll(() => checked.length).toBe(2);
    const connections = () =>
      new Promise((tell) => on.app.server.getConnections((_error, count) => tell(count)));
    for (const { socket } of gone) socket.destroy();
    await expect.poll(connections).toBe(0);
    for (const check of checked.splice(0)) check();
    for (let each = 0; each < 3; each++) {
      const answer = fetch(`http://127.0.0.1:${on.port}/none`, {
        headers: { authorization: 'Bearer a.b.c' },
      });
      await expect.poll(() => checked.length).toBe(1);
      for (const check of checked.splice(0)) check();
      expect((await answer).status).toBe(404);
    }
    expect(on.counts.answered.get(499)).toBe(2);
  },
);
