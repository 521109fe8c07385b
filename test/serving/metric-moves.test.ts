/** Moves back as `/metrics` of a real agent counts them: each once, and by what caused it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeRevocation, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let site: Site;
let on: Stage;
/** Of the vault. */
let serial = 0;
beforeAll(async () => {
  site = makeSite();
  on = await onAgent(site, await startAgent({ ...site, limits: { guardMs: 20, keepReleases: 5 } }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

/** A release whose bytes no other has. */
let distinct = 1;
const release = (name: string, minor: number) =>
  makeRelease(site, { name, version: `1.${minor}.0`, serial: minor, model: thresholdModel(++distinct) });

async function moves(model: string): Promise<Record<string, number>> {
  const headers = { authorization: `Bearer ${on.agent.token}` };
  const text = await (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
  const series = new RegExp(`^model_rollbacks_total\\{model_name="${model}",by="(\\w+)"\\} (\\d+)$`, 'gm');
  return Object.fromEntries([...text.matchAll(series)].map(([, by = '', count]) => [by, Number(count)]));
}

const told = (model: string, message: string): number =>
  on.agent
    .log()
    .split('\n')
    .filter((line) => line.includes(`"model":"${model}"`) && line.includes(`"msg":"${message}"`)).length;

test('given an operator goes back, then that is counted once: not again for the same key, nor where all traffic is there already', async () => {
  for (const minor of [1, 2, 3]) await on.serve(release('phish', minor));
  expect(await moves('phish')).toEqual({ agent: 0, operator: 0, revocation: 0 });
  const back = { key: 'back', to: null };
  expect((await on.client.rollback('phish', back)).model.stable?.version).toBe('1.2.0');
  await on.client.rollback('phish', back);
  await Promise.all(['a', 'b'].map((key) => on.client.rollback('phish', { key, to: '1.2.0' })));
  expect(await moves('phish')).toEqual({ agent: 0, operator: 1, revocation: 0 });
  expect(told('phish', 'rolled back')).toBe(1);
  await Promise.all([1, 2].map(() => on.client.rollback('phish', { key: 'further', to: '1.1.0' })));
  expect(await moves('phish')).toEqual({ agent: 0, operator: 2, revocation: 0 });
});

test('given a revocation, then it counts where traffic moved and as what it is: not as a breach or a lease, nor where the version had no traffic', async () => {
  const [first, second, third] = [release('worm', 1), release('worm', 2), release('worm', 3)];
  for (const made of [first, second, third]) await on.serve(made);
  await on.client.revoke(makeRevocation(site, second, ++serial));
  expect(await moves('worm')).toEqual({ agent: 0, operator: 0, revocation: 0 });
  expect(told('worm', 'the routing was moved back')).toBe(0);

  const revocation = makeRevocation(site, third, ++serial);
  await on.client.revoke(revocation);
  await on.client.revoke(revocation);
  expect((await on.predict([9, 9, 9], { model: 'worm' })).body.model_version).toBe('1.1.0');
  expect(await moves('worm')).toEqual({ agent: 0, operator: 0, revocation: 1 });
  expect(told('worm', 'the routing was moved back')).toBe(1);
});

test('given a kill between a revocation’s record and the traffic, then the move at the next start counts as the revocation’s', async () => {
  const [first, second, third] = [release('loader', 1), release('loader', 2), release('loader', 3)];
  for (const made of [first, second, third]) await on.serve(made);
  const path = join(on.agent.directory, 'state', 'state.json');
  const { models } = JSON.parse(await readFile(path, 'utf8'));
  await on.client.revoke(makeRevocation(site, third, ++serial));
  await on.agent.kill();
  const state = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...state, models: { ...state.models, loader: models.loader } }));
  await on.agent.restart();
  expect((await on.predict([9, 9, 9], { model: 'loader' })).body.model_version).toBe('1.2.0');
  expect(await moves('loader')).toEqual({ agent: 0, operator: 0, revocation: 1 });
});

test('given a lease ends, then the move back is the agent’s', async () => {
  const [stable, canary] = [release('left', 1), release('left', 2)];
  await on.serve(stable);
  const plan = { lease: { ms: 1000, after: 'roll-back' as const } };
  const short = makeRelease(site, {
    ...{ name: 'left', version: canary.version, serial: 2, plan },
    model: thresholdModel(++distinct),
  });
  await on.client.push(short, () => {});
  await on.client.route('left', {
    ...{ key: 'left-canary', expectedGeneration: 1, stableRoot: stable.root },
    canary: { root: short.root, percent: 50, mirrorSample: 0, salt: 'a-plan-salt' },
  });
  await expect
    .poll(() => moves('left'), { timeout: 20_000 })
    .toEqual({ agent: 1, operator: 0, revocation: 0 });
});
