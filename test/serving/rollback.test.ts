import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { logisticRegression, model } from '../support/onnx-builder.ts';
import { makeRelease, thresholdModel } from '../support/release.ts';
import { onAgent, stage } from './support.ts';

test('given callers without pause, when traffic is switched back and forth, then no call fails and each is answered by one version', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site, { version: '1.0.0', serial: 1, model: thresholdModel(0.5) }));
  await on.serve(makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(5) }));
  const pool = new Pool(on.agent.predictUrl, { connections: 16 });
  const call = {
    method: 'POST' as const,
    path: '/predict',
    headers: { authorization: `Bearer ${on.agent.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model_name: 'phish', features: [1, 1, 1] }),
  };
  // What each version says of this row: an answer that mixes two versions would show.
  const says: Record<string, number> = { '1.0.0': 1, '1.1.0': 0 };
  const answered: Record<string, number> = { '1.0.0': 0, '1.1.0': 0 };
  const wrong: unknown[] = [];
  let switching = true;
  const caller = async (): Promise<void> => {
    while (switching) {
      const { statusCode, body } = await pool.request(call);
      const answer = (await body.json()) as { model_version: string; predictions: number[] };
      if (statusCode !== 200 || answer.predictions[0] !== says[answer.model_version])
        wrong.push([statusCode, answer]);
      else answered[answer.model_version] = (answered[answer.model_version] ?? 0) + 1;
    }
  };
  const callers = Array.from({ length: 16 }, caller);
  for (let turn = 0; turn < 20; turn++) {
    const before = Object.values(answered).reduce((sum, count) => sum + count, 0);
    const { model } = await on.client.rollback('phish', { key: `turn-${turn}`, to: null });
    expect(model.generation).toBe(3 + turn);
    // The next turn comes when calls have been answered in this one.
    while (Object.values(answered).reduce((sum, count) => sum + count, 0) < before + 50)
      await new Promise((resolve) => setImmediate(resolve));
  }
  switching = false;
  await Promise.all(callers);
  await pool.close();
  expect(wrong).toEqual([]);
  expect(Math.min(...Object.values(answered))).toBeGreaterThan(50);
});

test('given a canary that differs, when its requests are mirrored, then pairs, disagreements and routing are counted', async () => {
  const on = await stage();
  const first = makeRelease(on.site, { version: '1.0.0', serial: 1, model: thresholdModel(0.5) });
  const second = makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
  await on.serve(first);
  await on.client.push(second, () => {});
  const canary = { root: second.root, percent: 50, mirrorSample: 1, salt: 'a-plan-salt' };
  await on.client.route('phish', { key: 'c', expectedGeneration: 1, stableRoot: first.root, canary });
  let toCanary = 0;
  for (let caller = 0; caller < 60; caller++) {
    // They differ on [1,1,1] and agree on [0,0,0].
    const features = caller % 2 === 0 ? [1, 1, 1] : [0, 0, 0];
    const headers = { 'x-routing-key': `caller-${caller}` };
    const once = await on.predict(features, { headers });
    const again = await on.predict(features, { headers });
    expect(again.body.model_version).toBe(once.body.model_version);
    if (once.body.model_version === '1.1.0') toCanary += 2;
  }
  // A version that is asked for by name says nothing about routed traffic.
  await on.predict([1, 1, 1], { version: '1.1.0' });
  let traffic = await on.client.traffic('phish');
  while (traffic.pairs + traffic.pairsDropped < toCanary) traffic = await on.client.traffic('phish');
  expect(traffic).toMatchObject({
    generation: 2,
    canary: { version: '1.1.0', requests: toCanary, errors: 0 },
    stable: { requests: 120 - toCanary },
  });
  expect(traffic.pairs).toBe(toCanary);
  expect(traffic.disagreements).toBeGreaterThan(0);
  expect(traffic.disagreements).toBeLessThan(traffic.pairs);
  expect(traffic.canary?.latencyCounts.reduce((sum, count) => sum + count, 0)).toBe(toCanary);

  await on.client.rollback('phish', { key: 'r', to: null });
  expect(await on.client.traffic('phish')).toMatchObject({
    generation: 3,
    canary: null,
    pairs: 0,
    stable: { requests: 0 },
  });
});

test('given a shadow, then stable answers everybody, its requests are compared with what the canary says, and no answer waits for it', async () => {
  const on = await stage({ limits: { guardMs: 60_000 } });
  const first = makeRelease(on.site, { version: '1.0.0', serial: 1, model: thresholdModel(0.5) });
  const second = makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
  await on.serve(first);
  await on.client.push(second, () => {});
  const shadow = { root: second.root, percent: 0, mirrorSample: 1, salt: 'a-plan-salt' };
  await on.client.route('phish', {
    key: 's',
    expectedGeneration: 1,
    stableRoot: first.root,
    canary: shadow,
  });
  for (let call = 0; call < 20; call++) {
    const { body } = await on.predict(call % 4 === 0 ? [1, 1, 1] : [0, 0, 0]);
    expect(body.model_version).toBe('1.0.0');
  }
  // Asked by name, a version says nothing about routed traffic.
  await on.predict([1, 1, 1], { version: '1.0.0' });
  let traffic = await on.client.traffic('phish');
  while (traffic.pairs + traffic.pairsDropped < 20) traffic = await on.client.traffic('phish');
  expect(traffic).toMatchObject({
    pairs: 20,
    disagreements: 5,
    pairsDropped: 0,
    canary: { version: '1.1.0', requests: 0 },
    stable: { requests: 20 },
  });
});

test('given a canary of another width, when callers send what stable takes, then that is an error of the canary', async () => {
  const on = await stage();
  const first = makeRelease(on.site, { version: '1.0.0', serial: 1 });
  const second = makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(1, 4) });
  await on.serveCanary(first, second, { percent: 100 });
  expect((await on.predict([1, 1, 1])).status).toBe(422);
  expect((await on.predict([1, 1])).status).toBe(422);
  expect((await on.client.traffic('phish')).canary).toMatchObject({ requests: 1, errors: 1 });
});

test('given a large release is still being loaded, when a rollback is asked for, then it does not wait for it', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site, { version: '1.0.0', serial: 1, model: thresholdModel(0.5) }));
  await on.serve(makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(5) }));
  const spec = logisticRegression();
  const large = model({ ...spec, doc: 'x'.repeat(160 * 1024 * 1024) });
  const third = makeRelease(on.site, { version: '1.2.0', serial: 3, model: large });
  await on.client.push(third, () => {});
  const order: string[] = [];
  const hand = await onAgent(on.site, on.agent);
  const routed = on.client
    .route('phish', { key: 'slow', expectedGeneration: 2, stableRoot: third.root, canary: null })
    .then(
      () => order.push('routed'),
      (error: { code?: string }) => order.push(String(error.code)),
    );
  await hand.client.rollback('phish', { key: 'now', to: null });
  order.push('rolled back');
  await routed;
  // Whichever came first, nothing was lost: the rollback was at once, and the late wish met a newer generation.
  expect(order).toEqual(['rolled back', 'endpoint.stale']);
  expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.0.0');
  await hand.client.close();
});
