/** Numbers of a real agent that move with what it does: its queue, its joined runs, its processes, its rollouts. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_GUARDS, type RolloutPlan } from '../../shared/domain/rollout/plan.ts';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

let site: Site;
let on: Stage;
beforeAll(async () => {
  site = makeSite();
  // One process: while that is at work, all others wait.
  const config = { engine: { processes: 1 } };
  const limits = { guardMs: 20, predictTimeoutMs: 10_000 };
  on = await onAgent(site, await startAgent({ ...site, config, limits }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

/** The samples of one scrape, by series. */
async function scrape(): Promise<(series: string) => number> {
  const headers = { authorization: `Bearer ${on.agent.token}` };
  const text = await (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
  const samples = new Map(
    [...text.matchAll(/^([^#].*) (\S+)$/gm)].map(([, series = '', value]) => [series, Number(value)]),
  );
  return (series) => samples.get(series) ?? Number.NaN;
}
const shown = async (series: string): Promise<number> => (await scrape())(series);

/** The agent's inference processes, with their memory in bytes. */
function processes(): { readonly pid: number; readonly bytes: number }[] {
  const shown = execFileSync('ps', ['-o', 'pid=,rss=', '--ppid', String(on.agent.pid)], { encoding: 'utf8' });
  return shown
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, kib = 0]) => ({ pid, bytes: kib * 1024 }));
}

/** Stops an inference process where it is until it is let go on, at the latest at the end of the test. */
function stopOne(): () => void {
  const [{ pid } = { pid: 0 }] = processes();
  const goOn = (): void => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was ended meanwhile.
    }
  };
  process.kill(pid, 'SIGSTOP');
  onTestFinished(goOn);
  return goOn;
}

/** The Open Inference Protocol's answers to these rows: of each the probability of 1. */
async function infer(rows: readonly (readonly number[])[]): Promise<number[]> {
  const answer = await fetch(`${on.agent.predictUrl}/v2/models/phish/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${on.agent.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      inputs: [{ name: 'features', shape: [rows.length, 3], datatype: 'FP32', data: rows.flat() }],
      outputs: [{ name: 'probabilities' }],
    }),
  });
  const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
  return (outputs[0]?.data ?? []).filter((_, place) => place % 2 === 1);
}

describe('given the one process of a version is at work', () => {
  const CALLS = 30;
  const version = 'model_name="phish",version="1.0.0"';
  const label = (row: readonly number[]): number =>
    row.reduce((sum, value) => sum + value, 0) > 4.5 ? 1 : 0;
  /** Of one to three rows, no two calls with the same. */
  const rowsOf = (call: number): number[][] =>
    Array.from({ length: (call % 3) + 1 }, (_, row) => [call / 10, row, (call * 7) % 5]);
  const rows = Array.from({ length: CALLS }, (_, call) => rowsOf(call).length).reduce((a, b) => a + b, 0);

  beforeAll(() => on.serve(makeRelease(site, { model: thresholdModel(4.5) })));

  test('when many connections ask at once, then they wait, few runs answer all, and each has its own answers', async () => {
    expect(await shown(`model_queue_length{${version}}`)).toBe(0);
    expect(await shown(`model_batch_rows_count{${version}}`)).toBe(0);
    const goOn = stopOne();
    const first = on.predict([1, 1, 1]);
    await expect.poll(() => shown(`model_batch_rows_count{${version}}`)).toBe(1);
    const labels = Array.from({ length: CALLS }, (_, call) => on.predict(rowsOf(call)));
    const scores = Array.from({ length: CALLS }, (_, call) => infer(rowsOf(call)));
    await expect.poll(() => shown(`model_queue_length{${version}}`)).toBe(2 * CALLS);
    const since = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 400));
    goOn();
    const waited = (performance.now() - since) / 1000;

    expect((await first).body.predictions).toEqual([0]);
    const answers = (await Promise.all(labels)).map(({ body }) => body.predictions);
    expect(answers).toEqual(Array.from({ length: CALLS }, (_, call) => rowsOf(call).map(label)));
    for (const [call, probabilities] of (await Promise.all(scores)).entries()) {
      const expected = rowsOf(call).map((row) => 1 / (1 + Math.exp(4.5 - row.reduce((a, b) => a + b, 0))));
      expect(probabilities).toHaveLength(expected.length);
      for (const [row, probability] of probabilities.entries())
        expect(probability).toBeCloseTo(expected[row] ?? -1, 5);
    }

    const value = await scrape();
    expect(value(`model_queue_length{${version}}`)).toBe(0);
    // The first alone, then all of either way to ask.
    expect(value(`model_batch_rows_count{${version}}`)).toBe(3);
    expect(value(`model_batch_rows_sum{${version}}`)).toBe(1 + 2 * rows);
    expect(value(`model_batch_rows_bucket{le="1",${version}}`)).toBe(1);
    expect(value(`model_batch_rows_bucket{le="32",${version}}`)).toBe(1);
    expect(value(`model_batch_rows_bucket{le="64",${version}}`)).toBe(3);
    expect(value(`model_queue_wait_seconds_count{${version}}`)).toBe(1 + 2 * CALLS);
    expect(value(`model_queue_wait_seconds_bucket{le="0.25",${version}}`)).toBe(1);
    expect(value(`model_queue_wait_seconds_sum{${version}}`)).toBeGreaterThan(2 * CALLS * waited);
  });

  test('when it hangs until it is ended, then that is counted for its version, and the next one answers', async () => {
    const quiet = await scrape();
    expect(quiet(`model_engine_crashes_total{${version}}`)).toBe(0);
    expect(quiet(`model_prediction_errors_total{${version},error_type="timeout"}`)).toBe(0);
    stopOne();
    expect((await on.predict([1, 1, 1])).status).toBeGreaterThanOrEqual(500);
    const ended = await scrape();
    expect(ended(`model_engine_crashes_total{${version}}`)).toBe(1);
    expect(ended(`model_prediction_errors_total{${version},error_type="timeout"}`)).toBe(1);
    expect((await on.predict([1, 1, 1])).status).toBe(200);
  });
});

test('the memory of loaded versions is that of their processes, and grows with each', async () => {
  const bytes = () => shown('sallyport_models_loaded_bytes');
  const before = { shown: await bytes(), loaded: await shown('sallyport_models_loaded') };
  await on.serve(makeRelease(site, { name: 'worm' }));
  const after = await scrape();
  expect(after('sallyport_models_loaded')).toBe(before.loaded + 1);
  expect(after('sallyport_models_loaded_bytes')).toBeGreaterThan(before.shown + 10e6);
  // Each tells its memory from time to time.
  const real = processes().reduce((sum, process) => sum + process.bytes, 0);
  expect(after('sallyport_models_loaded_bytes') / real).toBeGreaterThan(0.5);
  expect(after('sallyport_models_loaded_bytes') / real).toBeLessThan(2);
});

describe('given a canary', () => {
  const canary = async (name: string, plan: Partial<RolloutPlan>): Promise<void> => {
    const stable = makeRelease(site, { name, version: '1.0.0', serial: 1 });
    const next = makeRelease(site, { name, version: '1.1.0', serial: 2, model: thresholdModel(5), plan });
    await on.serveCanary(stable, next, { percent: 100 });
  };

  test('then its lease is told, runs down, and is whole again when the console renews it', async () => {
    await canary('driven', { lease: { ms: 600_000, after: 'hold' } });
    const left = () => shown('model_lease_remaining_seconds{model_name="driven"}');
    await expect.poll(() => shown('model_lease_seconds{model_name="driven"}')).toBe(600);
    const first = await left();
    expect(first).toBeGreaterThan(500);
    expect(first).toBeLessThanOrEqual(600);
    await expect.poll(left).toBeLessThan(first - 0.2);
    const later = await left();
    await on.client.renew('driven', 2);
    expect(await left()).toBeGreaterThan(later);
    await on.client.rollback('driven', { key: 'driven-back', to: null });
    const value = await scrape();
    expect(value('model_lease_seconds{model_name="driven"}')).toBeNaN();
    expect(value('model_lease_remaining_seconds{model_name="driven"}')).toBeNaN();
  });

  test('then a breached guard is told for its model alone, until somebody routes anew', async () => {
    const guards = { ...DEFAULT_GUARDS, maxP95Ratio: null, minimumPairs: 10 };
    await canary('watched', { guards });
    const breached = async (name: string) => shown(`model_guard_breached{model_name="${name}"}`);
    expect(await breached('watched')).toBe(0);
    // Stable says 1, the canary 0.
    while (!(await on.client.traffic('watched')).moved) await on.predict([1, 1, 1], { model: 'watched' });
    expect(await breached('watched')).toBe(1);
    expect(await breached('driven')).toBe(0);
    await on.serve(makeRelease(site, { name: 'watched', version: '1.2.0', serial: 3 }));
    expect(await breached('watched')).toBe(0);
  });
});
