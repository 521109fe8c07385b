/** Revocation over real sockets: what was revoked is never answered with again, whatever happens after. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { SignedRevocation } from '../../electron/ports/endpoint.ts';
import { startAgent } from '../support/agent.ts';
import {
  makeRelease,
  makeRevocation,
  makeSigner,
  makeSite,
  type Site,
  thresholdModel,
} from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let site: Site;
let on: Stage;
/** Of the vault: one agent serves all tests of this file, each with models of its own. */
let serial = 0;
beforeAll(async () => {
  site = makeSite();
  on = await onAgent(site, await startAgent({ ...site, limits: { keepReleases: 5 } }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

/** A release whose bytes no other has, unless they are given. */
let distinct = 1;
const release = (name: string, minor: number, model = thresholdModel(++distinct)) =>
  makeRelease(site, { name, version: `1.${minor}.0`, serial: minor, model });

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'accepted',
    (error: { code?: string; facts?: { reason?: string } }) => error.facts?.reason ?? error.code ?? error,
  );
}

const version = async (model: string): Promise<unknown> => {
  const { status, body } = await on.predict([1, 1, 1], { model });
  return status === 200 ? body.model_version : status;
};

const routed = async (name: string) => (await on.client.models()).find((model) => model.name === name);

test('given a revoked version, then the newest good one serves; without one nothing does, also after kill -9, and a new one may', async () => {
  const [first, second, third] = [release('worm', 1), release('worm', 2), release('worm', 3)];
  for (const made of [first, second, third]) await on.serve(made);
  await on.serve(release('intact', 1));

  // Second is what third would go back to: it goes first, so that third has to fall back further.
  await on.client.revoke(makeRevocation(site, second, ++serial));
  expect(await routed('worm')).toMatchObject({
    generation: 3,
    stable: { version: '1.3.0' },
    previous: null,
    moved: null,
  });
  await on.client.revoke(makeRevocation(site, third, ++serial));
  expect(await version('worm')).toBe('1.1.0');
  const files = await readdir(join(on.agent.directory, 'state', 'releases'));
  expect(files).not.toContain(second.root);
  expect(files).not.toContain(third.root);

  await on.client.revoke(makeRevocation(site, first, ++serial));
  expect(await version('worm')).toBe(503);
  expect((await on.predict([1, 1, 1], { model: 'worm' })).body.detail).toContain('poisoned');
  expect((await on.predict([1, 1, 1], { model: 'worm', version: '1.1.0' })).status).toBe(404);

  await on.agent.kill();
  await on.agent.restart();
  expect(await version('worm')).toBe(503);
  expect(await version('intact')).toBe('1.1.0');
  expect(await refusalOf(on.client.push(third, () => {}))).toBe('refused.state');
  expect(await refusalOf(on.client.rollback('worm', { key: 'back', to: '1.3.0' }))).toBe('refused.state');
  expect((await on.client.revocations()).map(({ version, by }) => `${version} ${by}`)).toEqual([
    '1.2.0 Ada Byron',
    '1.3.0 Ada Byron',
    '1.1.0 Ada Byron',
  ]);
  await on.serve(release('worm', 4));
  expect(await version('worm')).toBe('1.4.0');
});

test('given the same bytes under two names, when they are revoked, then both go; a canary goes and stable stays', async () => {
  const bad = thresholdModel(++distinct);
  const [stable, canary] = [release('beacon', 1), release('beacon', 2, bad)];
  await on.serve(stable);
  await on.serve(release('tunnel', 1, bad));
  await on.client.push(canary, () => {});
  await on.client.route('beacon', {
    key: 'beacon-canary',
    expectedGeneration: 1,
    stableRoot: stable.root,
    canary: { root: canary.root, percent: 100, mirrorSample: 0, salt: 'a-plan-salt' },
  });
  expect(await version('beacon')).toBe('1.2.0');
  await on.client.revoke(makeRevocation(site, canary, ++serial));
  expect(await routed('tunnel')).toMatchObject({
    stable: null,
    moved: { kind: 'revoked', from: 1, version: '1.1.0' },
  });
  expect(await routed('beacon')).toMatchObject({ generation: 3, canary: null, stable: { version: '1.1.0' } });
  expect(await version('beacon')).toBe('1.1.0');
  expect(await version('tunnel')).toBe(503);
  const headers = { authorization: `Bearer ${on.agent.token}` };
  const metrics = await (await fetch(`${on.agent.predictUrl}/metrics`, { headers })).text();
  // Its bytes are what was signed.
  expect(metrics).toMatch(
    /^model_prediction_errors_total\{model_name="tunnel",version="",error_type="unavailable"\} 1$/m,
  );
  expect(metrics).not.toMatch(/model_name="tunnel",version="",error_type="integrity"\} [1-9]/);
});

test('given a revoked version was pushed and never served, then it cannot be activated or sent again', async () => {
  const made = release('dropper', 1);
  await on.client.push(made, () => {});
  await on.client.revoke(makeRevocation(site, made, ++serial));
  const change = { key: 'dropper', expectedGeneration: 0, stableRoot: made.root, canary: null };
  expect(['refused.state', 'not-found']).toContain(await refusalOf(on.client.route('dropper', change)));
  expect(await refusalOf(on.client.push(made, () => {}))).toBe('refused.state');
});

test('given it is killed between the record and the traffic, then it comes back without the revoked version', async () => {
  const [first, second] = [release('loader', 1), release('loader', 2)];
  await on.serve(first);
  await on.serve(second);
  const { stable, previous } = (await routed('loader')) ?? {};
  await on.client.revoke(makeRevocation(site, second, ++serial));
  await on.agent.kill();
  // The record, with the routing as it was: what a kill in between leaves.
  const path = join(on.agent.directory, 'state', 'state.json');
  const state = JSON.parse(await readFile(path, 'utf8'));
  state.models.loader = { name: 'loader', generation: 2, stable, canary: null, previous };
  await writeFile(path, JSON.stringify(state));
  await on.agent.restart();
  expect(await version('loader')).toBe('1.1.0');
  expect(await routed('loader')).toMatchObject({ generation: 3, moved: { kind: 'revoked', from: 2 } });
});

test('a revocation counts only from whoever may revoke here, for here, and signed as one', async () => {
  const made = release('keylog', 1);
  await on.serve(made);
  const next = ++serial;
  const refused = (signed: SignedRevocation) => refusalOf(on.client.revoke(signed));
  expect(await refused(makeRevocation(site, made, next, { signer: makeSigner('Ada Byron') }))).toBe(
    'refused.role',
  );
  expect(await refused(makeRevocation(site, made, next, { environmentId: 'staging-0' }))).toBe(
    'refused.environment',
  );
  expect(await refused(makeRevocation(site, made, next, { vaultId: 'another' }))).toBe('refused.quorum');
  // An approver's signature over a release is not one over a revocation.
  const { revocation } = makeRevocation(site, made, next);
  expect(await refused({ revocation, bundle: made.bundles[1] ?? '' })).toBe('integrity.signature');

  await on.agent.stop();
  const officer = makeSigner('Katherine Johnson');
  const revokers = [{ person: officer.person, name: officer.name, publicKeyPem: officer.key.publicKeyPem }];
  await writeFile(join(on.agent.directory, 'trust.yaml'), stringify({ ...site.trust, revokers }));
  await on.agent.restart();
  expect(await refused(makeRevocation(site, made, next))).toBe('refused.role');
  expect(await version('keylog')).toBe('1.1.0');
  expect(await refused(makeRevocation(site, made, next, { signer: officer }))).toBe('accepted');
  expect(await version('keylog')).toBe(503);
});
