/** A version that cannot answer what the other one can: to whom it is counted, and what comes of it, over real sockets. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_GUARDS, type Guards } from '../../shared/domain/rollout/plan.ts';
import type { TrafficSample } from '../../shared/domain/traffic/sample.ts';
import { startAgent } from '../support/agent.ts';
import { CLASSIFIER, firstFeature, pickedFromTwo } from '../support/engine-models.ts';
import { makeRelease, makeSite, type Site } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let site: Site;
let on: Stage;
beforeAll(async () => {
  site = makeSite();
  on = await onAgent(site, await startAgent({ ...site, limits: { guardMs: 20 } }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

const FINE = firstFeature();
/** The score of a negative first feature is NaN. */
const LOGARITHM = firstFeature({ scoreOp: 'Log' });
/** The runtime stops where the first feature is neither 0 nor 1. */
const PICKED = pickedFromTwo();

interface Share {
  readonly percent: number;
  readonly mirrorSample: number;
}

async function served(
  name: string,
  [stable, canary]: readonly [Uint8Array, Uint8Array],
  share: Share,
  guards: Partial<Guards> = {},
  canarysLabel = 'label',
): Promise<void> {
  const release = (version: string, serial: number, model: Uint8Array, labelOutput = 'label') =>
    makeRelease(site, {
      name,
      version,
      serial,
      model,
      mapping: { ...CLASSIFIER, labelOutput },
      plan: {
        guards: { ...DEFAULT_GUARDS, maxP95Ratio: null, minimumRequests: 10, minimumPairs: 10, ...guards },
      },
    });
  await on.serveCanary(release('1.0.0', 1, stable), release('1.1.0', 2, canary, canarysLabel), share);
}

const CANARY_ALONE: Share = { percent: 100, mirrorSample: 0 };
const traffic = (name: string): Promise<TrafficSample> => on.client.traffic(name);
const ask = (model: string, first: number) => on.predict([first, 0, 0], { model });
const errors = async (name: string, version: string): Promise<string[]> => {
  const metrics = await (
    await fetch(`${on.agent.predictUrl}/metrics`, {
      headers: { authorization: `Bearer ${on.agent.token}` },
    })
  ).text();
  const line = new RegExp(
    `^model_prediction_errors_total\\{model_name="${name}",version="${version}",error_type="(.*)"\\} [1-9].*$`,
    'gm',
  );
  return [...metrics.matchAll(line)].map((match) => match[1] ?? '');
};

test.each([
  ['whose answer is no number', 'logarithm', LOGARITHM, -1],
  ['on which the runtime stops', 'picked', PICKED, 7],
])(
  'given a canary %s where stable has an answer, then it counts against the canary, which is taken out',
  async (_what, name, canary, first) => {
    await served(name, [FINE, canary], CANARY_ALONE);
    expect((await ask(name, 1)).body).toMatchObject({ model_version: '1.1.0', predictions: [1] });
    const refused = await ask(name, first);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toMatch(/model answered NaN in "score" for row 1|The runtime stopped/);
    await expect.poll(() => traffic(name)).toMatchObject({ canary: { requests: 2, errors: 1 } });
    expect(await errors(name, '1.1.0')).toEqual(['model']);
    while (!(await traffic(name)).moved) await ask(name, first);
    const { moved } = await traffic(name);
    expect(moved).toMatchObject({ kind: 'guard', version: '1.1.0' });
    expect(moved?.measurements).toMatchObject([
      { guard: 'error-rate', outcome: 'breach' },
      { guard: 'disagreement', outcome: 'insufficient' },
    ]);
    expect((await ask(name, first)).body.model_version).toBe('1.0.0');
  },
);

test('given input that stable cannot answer either, then it does not count against the canary', async () => {
  await served('both', [LOGARITHM, LOGARITHM], CANARY_ALONE);
  for (let call = 0; call < 20; call++) expect((await ask('both', -1)).status).toBe(422);
  for (let call = 0; call < 20; call++) expect((await ask('both', 1)).status).toBe(200);
  expect(await traffic('both')).toMatchObject({ moved: null, canary: { requests: 20, errors: 0 } });
  expect(await errors('both', '1.1.0')).toEqual(['model']);
});

test('given stable is the one that has no answer, then that is no disagreement with its canary', async () => {
  await served('mended', [LOGARITHM, FINE], { percent: 100, mirrorSample: 1 });
  for (let call = 0; call < 12; call++) expect((await ask('mended', -1)).status).toBe(200);
  await expect.poll(() => traffic('mended')).toMatchObject({ pairsDropped: 12 });
  expect(await traffic('mended')).toMatchObject({ pairs: 0, disagreements: 0, moved: null });
});

test('given a call of many rows of which a shadow has no answer to one, then that is one disagreement', async () => {
  await served('one', [FINE, LOGARITHM], { percent: 0, mirrorSample: 1 });
  const rows = Array.from({ length: 20 }, (_, row) => [row === 7 ? -1 : 1, 0, 0]);
  expect((await on.predict(rows, { model: 'one' })).status).toBe(200);
  await expect
    .poll(() => traffic('one'))
    .toMatchObject({ pairs: 1, disagreements: 1, pairsDropped: 19, moved: null });
});

test('given an output that stable has and the canary has not, then asking for it is the canary’s error', async () => {
  await served('renamed', [FINE, firstFeature({ labelName: 'verdict' })], CANARY_ALONE, {}, 'verdict');
  const answer = await fetch(`${on.agent.predictUrl}/v2/models/renamed/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${on.agent.token}` },
    body: JSON.stringify({
      inputs: [{ name: 'features', shape: [1, 3], datatype: 'FP32', data: [1, 0, 0] }],
      outputs: [{ name: 'label' }],
    }),
  });
  expect([answer.status, await answer.text()]).toMatchObject([422, expect.stringContaining('no output')]);
  expect((await traffic('renamed')).canary).toMatchObject({ requests: 1, errors: 1 });
  expect(await errors('renamed', '1.1.0')).toEqual(['input']);
});

test.each([
  ['whose answer is no number', 'shadow-logarithm', LOGARITHM, -1],
  ['on which the runtime stops', 'shadow-picked', PICKED, 7],
])(
  'given a shadow %s, then it disagrees with stable, whose callers have their answers',
  async (_what, name, canary, first) => {
    await served(name, [FINE, canary], { percent: 0, mirrorSample: 1 });
    while (!(await traffic(name)).moved)
      expect(await ask(name, first)).toMatchObject({ status: 200, body: { model_version: '1.0.0' } });
    expect((await traffic(name)).moved?.measurements).toMatchObject([
      { guard: 'error-rate', outcome: 'insufficient' },
      { guard: 'disagreement', outcome: 'breach', measured: 1 },
    ]);
  },
);
