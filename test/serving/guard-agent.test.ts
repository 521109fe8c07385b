/** What `agent.yaml` says of callers, on a started agent: whose JSON Web Tokens and which addresses are let in. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { startAgent, type TestAgent } from '../support/agent.ts';
import { makeSite } from '../support/release.ts';

const site = makeSite();
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const others = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const CLAIMS = { iss: 'https://id.example', aud: 'agent', sub: 'scanner', scope: 'models.predict' };

function sign(key: KeyObject, claims: Record<string, unknown> = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 300;
  return new SignJWT({ ...CLAIMS, exp, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'own' })
    .sign(key);
}

async function started(config: Record<string, unknown>): Promise<TestAgent> {
  const agent = await startAgent({
    ...site,
    config,
    env: async (directory) => {
      const key = { ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' };
      writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [key] }));
      return {};
    },
  });
  onTestFinished(() => agent.remove());
  return agent;
}

async function status(url: string, token: string): Promise<number> {
  return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
}

test('given a key set, then its tokens are let in on both listeners by the scopes they name, and no others', async () => {
  const jwt = {
    jwks: 'jwks.json',
    issuer: CLAIMS.iss,
    audience: CLAIMS.aud,
    algorithms: ['ES256'],
    scopes: { 'models.predict': 'predict', 'models.read': 'read' },
  };
  const agent = await started({ jwt });
  const models = `${agent.predictUrl}/models`;
  const admin = `${agent.adminUrl}/admin/v1/models`;
  expect(await status(models, await sign(own.privateKey))).toBe(200);
  expect(await status(models, await sign(others.privateKey))).toBe(401);
  expect(await status(models, await sign(own.privateKey, { iss: 'https://other.example' }))).toBe(401);
  expect(await status(models, await sign(own.privateKey, { aud: 'another' }))).toBe(401);
  expect(await status(models, await sign(own.privateKey, { exp: 1 }))).toBe(401);
  expect(await status(models, await sign(own.privateKey, { scope: 'predict' }))).toBe(403);
  expect(await status(admin, await sign(own.privateKey))).toBe(403);
  expect(await status(admin, await sign(own.privateKey, { scope: 'models.read' }))).toBe(200);
  expect(await status(admin, await sign(others.privateKey, { scope: 'models.read' }))).toBe(401);
  // Its own tokens go on beside them.
  expect(await status(models, agent.token)).toBe(200);
});

test('given no key set, then no JSON Web Token is let in', async () => {
  const agent = await started({});
  expect(await status(`${agent.predictUrl}/models`, await sign(own.privateKey))).toBe(401);
});

test('given a list of addresses, then each listener answers those on its own, and refuses the others whatever they have', async () => {
  const there = ['127.0.0.0/8', '::1'];
  const elsewhere = ['192.0.2.0/24'];
  const open = await started({ predict: { allow: there }, admin: { allow: elsewhere } });
  expect(await status(`${open.predictUrl}/models`, open.token)).toBe(200);
  expect(await status(`${open.adminUrl}/admin/v1/models`, open.token)).toBe(403);
  const shut = await started({ predict: { allow: elsewhere }, admin: { allow: there } });
  expect(await status(`${shut.predictUrl}/models`, shut.token)).toBe(403);
  expect((await fetch(`${shut.predictUrl}/health`)).status).toBe(403);
  expect(await status(`${shut.adminUrl}/admin/v1/models`, shut.token)).toBe(200);
});
