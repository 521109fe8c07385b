import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  fingerprintOfIdentity,
  freshNonce,
  verifyPossession,
  verifyReceipt,
} from '../../electron/adapters/endpoints/agent/proof.ts';
import { agentPaths } from '../../serving/config.ts';
import { AgentKeys, generateSigningPem } from '../../serving/identity.ts';
import type { Receipt } from '../../shared/domain/endpoint/endpoint.ts';
import { generateIdentity } from '../../shared/node/age/index.ts';
import { ConnectionLost, HttpConnection } from '../../shared/node/http/connection.ts';
import { temporaryDirectory } from '../support/temp.ts';

async function agentKeys(): Promise<AgentKeys> {
  const paths = agentPaths(temporaryDirectory());
  await mkdir(`${paths.directory}/keys`, { recursive: true });
  writeFileSync(paths.signingKey, generateSigningPem(), { mode: 0o600 });
  writeFileSync(paths.ageIdentity, (await generateIdentity()).identity, { mode: 0o600 });
  return AgentKeys.load(paths, 'production-1');
}

const slot = (version: string) => ({
  version,
  digest: version.repeat(13).replaceAll('.', '0').slice(0, 64).padEnd(64, 'a'),
  root: 'b'.repeat(64),
});

describe('a receipt', () => {
  const expected = (keys: AgentKeys, nonce: string) => ({
    signingKeyPem: keys.identity.signingKeyPem,
    nonce,
    environmentId: 'production-1',
    model: 'phish',
  });
  const receiptOf = (nonce: string, change: Partial<Receipt> = {}): Receipt => ({
    nonce,
    environmentId: 'production-1',
    at: '2026-01-01T00:00:00.000Z',
    model: { name: 'phish', generation: 1, stable: slot('1.0.0'), canary: null, previous: null },
    loaded: [{ version: '1.0.0', digest: slot('1.0.0').digest }],
    ...change,
  });

  test('is taken when the pinned key signed it for this question', async () => {
    const keys = await agentKeys();
    const nonce = freshNonce();
    expect(verifyReceipt(keys.signReceipt(receiptOf(nonce)), expected(keys, nonce))).toEqual(
      receiptOf(nonce),
    );
  });

  test.each([
    ['another question', { nonce: 'x'.repeat(32) }],
    ['another environment', { environmentId: 'staging-1' }],
    [
      'another model',
      { model: { name: 'other', generation: 1, stable: null, canary: null, previous: null } },
    ],
    ['bytes that were not loaded', { loaded: [] }],
    ['other bytes under the same version', { loaded: [{ version: '1.0.0', digest: 'f'.repeat(64) }] }],
  ] as const)('is refused when it speaks of %s', async (_what, change) => {
    const keys = await agentKeys();
    const nonce = freshNonce();
    const envelope = keys.signReceipt(receiptOf(nonce, structuredClone(change) as Partial<Receipt>));
    expect(() => verifyReceipt(envelope, expected(keys, nonce))).toThrow(
      expect.objectContaining({ code: 'integrity.endpoint' }),
    );
  });

  test('is refused when a byte of it changed, or another agent signed it', async () => {
    const [keys, others] = [await agentKeys(), await agentKeys()];
    const nonce = freshNonce();
    const envelope = keys.signReceipt(receiptOf(nonce));
    const payload = Buffer.from(
      JSON.stringify(receiptOf(nonce, { at: '2027-01-01T00:00:00.000Z' })),
    ).toString('base64');
    for (const forged of [
      { ...envelope, payload },
      others.signReceipt(receiptOf(nonce)),
      { ...envelope, payloadType: 'application/json' },
    ]) {
      expect(() => verifyReceipt(forged, expected(keys, nonce))).toThrow(
        expect.objectContaining({ code: 'integrity.endpoint' }),
      );
    }
  });
});

test('possession is proved for one question only, by the key itself', async () => {
  const [keys, others] = [await agentKeys(), await agentKeys()];
  const nonce = freshNonce();
  expect(verifyPossession({ identity: keys.identity, proof: keys.prove(nonce) }, nonce)).toBe(
    keys.fingerprint,
  );
  expect(fingerprintOfIdentity(keys.identity)).toBe(keys.fingerprint);
  for (const answer of [
    { identity: keys.identity, proof: keys.prove(freshNonce()) },
    { identity: keys.identity, proof: others.prove(nonce) },
    { identity: { ...keys.identity, environmentId: 'staging-1' }, proof: keys.prove(nonce) },
    { identity: { ...keys.identity, ageRecipient: others.identity.ageRecipient }, proof: keys.prove(nonce) },
  ]) {
    expect(() => verifyPossession(answer, nonce)).toThrow(
      expect.objectContaining({ code: 'integrity.endpoint' }),
    );
  }
});

describe('a connection', () => {
  async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }
  const open = (url: string): HttpConnection => {
    const connection = new HttpConnection(url);
    onTestFinished(() => connection.close());
    return connection;
  };
  const get = { method: 'GET', path: '/', timeoutMs: 5000 } as const;

  test('does not follow a redirect', async () => {
    const { url } = await serve((_request, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    expect(await open(url).call(get)).toMatchObject({ status: 302 });
  });

  test('bounds answer and time', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/slow') return;
      response.end(Buffer.alloc(2000));
    });
    await expect(open(url).call({ ...get, maxBytes: 1000 })).rejects.toMatchObject({
      code: 'endpoint.refused',
    });
    await expect(open(url).call({ ...get, path: '/slow', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'endpoint.unreachable',
    });
  });

  test('carries a secret over the connection it was meant for, and over no other', async () => {
    const seen: string[] = [];
    const { url, server } = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.end('ok');
    });
    const connection = open(url);
    const first = await connection.call(get);
    await connection.call({ ...get, path: '/secret-1', onlyOver: first.connection });
    server.closeAllConnections();
    await expect(
      connection.call({ ...get, path: '/secret-2', onlyOver: first.connection }),
    ).rejects.toThrow();
    const second = await connection.call({ ...get, path: '/again' });
    expect(second.connection).toBeGreaterThan(first.connection);
    await expect(
      connection.call({ ...get, path: '/secret-3', onlyOver: first.connection }),
    ).rejects.toBeInstanceOf(ConnectionLost);
    expect(seen).toEqual(['/', '/secret-1', '/again']);
  });

  test('is not opened to another machine without TLS', () => {
    expect(() => new HttpConnection('http://192.0.2.1')).toThrow(
      expect.objectContaining({ code: 'input.invalid' }),
    );
  });
});
