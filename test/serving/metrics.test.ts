/** `/metrics` of a real agent, judged by Prometheus' own tool; and that its labels stay few. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ERROR_TYPES, PROBABILITY_BOUNDS } from '../../serving/metrics/counts.ts';
import { Metrics } from '../../serving/metrics.ts';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const promtoolMissing = spawnSync('promtool', ['--version']).status !== 0;

describe('the text of /metrics', () => {
  let on: Stage;
  let text: string;
  const value = (series: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? Number.NaN);
  };

  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(site, await startAgent(site));
    const stable = makeRelease(site, { version: '1.0.0', serial: 1 });
    const canary = makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
    await on.serveCanary(stable, canary, { percent: 100 });
    for (const features of [
      [[1, 1, 1]],
      [
        [1, 1, 1],
        [4, 4, 4],
        [0, 0, 0],
      ],
      [[1, 1]],
    ])
      await on.predict(features);
    await on.predict([9, 9, 9], { version: '1.0.0' });
    await on.predict([1, 1, 1], { version: '7.0.0' });
    for (const model of ['strange', 'stranger', 'phish"} 1\nx{a="']) await on.predict([1, 1, 1], { model });
    await fetch(`${on.agent.predictUrl}/models`);
    const known = { headers: { authorization: `Bearer ${on.agent.token}` } };
    await fetch(`${on.agent.predictUrl}/%zz`, known);
    const strange = makeRelease(site, { environmentId: 'elsewhere', serial: 3 });
    await on.client.push(strange, () => {}).catch(() => {});
    const headers = { authorization: `Bearer ${on.agent.token}` };
    const differing = 'model_mirrored_pairs_total{model_name="phish",version="1.1.0",result="differ"}';
    await vi.waitUntil(
      async () => {
        text = await (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
        return value(differing) === 2;
      },
      { timeout: 20_000 },
    );
  });
  afterAll(() => on.agent.remove());

  // Where it is not installed, nobody else can judge the text.
  test.skipIf(promtoolMissing)('promtool has nothing to say against it', () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(checked.stderr + checked.stdout).toBe('');
    expect(checked.status).toBe(0);
  });

  test('calls, rows, errors and times are counted per version, as dashboards expect their names', () => {
    const canary = 'model_name="phish",version="1.1.0"';
    expect(value(`model_predictions_total{${canary},status="success"}`)).toBe(2);
    expect(value(`model_predictions_total{${canary},status="error"}`)).toBe(1);
    expect(value(`model_prediction_errors_total{${canary},error_type="input"}`)).toBe(1);
    expect(value(`model_prediction_rows_total{${canary}}`)).toBe(4);
    expect(value(`model_prediction_latency_seconds_count{${canary}}`)).toBe(2);
    expect(value('model_predictions_total{model_name="phish",version="1.0.0",status="success"}')).toBe(1);
    expect(value('model_versions_active{model_name="phish"}')).toBe(2);
    expect(value(`model_traffic_weight_ratio{${canary},role="canary"}`)).toBe(1);
    expect(value('model_traffic_weight_ratio{model_name="phish",version="1.0.0",role="stable"}')).toBe(0);
    expect(value('model_routing_generation{model_name="phish"}')).toBe(2);
    expect(value(`model_mirrored_pairs_total{${canary},result="agree"}`)).toBe(2);
  });

  test('every type of error is told in the help, and those of calls without a version are there before the first', () => {
    const help = /^# HELP model_prediction_errors_total (.*)$/m.exec(text)?.[1] ?? '';
    for (const type of ERROR_TYPES) expect(help).toMatch(new RegExp(`\\b${type}\\b`));
    // A rate needs a first reading: a model that goes out while it is scraped must be seen going.
    for (const type of ['unavailable', 'integrity', 'engine', 'overload'])
      expect(value(`model_prediction_errors_total{model_name="phish",version="",error_type="${type}"}`)).toBe(
        0,
      );
  });

  test('scores lie in bins that do not move, each in one', () => {
    const canary = 'model_name="phish",version="1.1.0"';
    const bounds = [...text.matchAll(/^model_prediction_score_bucket\{le="([^"]+)",.*version="1\.1\.0"/gm)];
    expect(bounds.map((match) => match[1])).toEqual([...PROBABILITY_BOUNDS.map(String), '+Inf']);
    expect(value(`model_prediction_score_count{${canary}}`)).toBe(4);
    // sigmoid(3 − 5) twice, sigmoid(12 − 5) and sigmoid(0 − 5).
    expect(value(`model_prediction_score_bucket{le="0.1",${canary}}`)).toBe(1);
    expect(value(`model_prediction_score_bucket{le="0.15",${canary}}`)).toBe(3);
    expect(value(`model_prediction_score_bucket{le="0.95",${canary}}`)).toBe(3);
    expect(value(`model_prediction_score_bucket{le="1",${canary}}`)).toBe(4);
  });

  test('what listeners answered and refused, and what was pushed, is counted by reason', async () => {
    expect(value('sallyport_requests_total{listener="predict",status="404"}')).toBe(4);
    expect(value('sallyport_requests_refused_total{listener="predict",reason="token"}')).toBe(1);
    expect(value('sallyport_requests_refused_total{listener="predict",reason="malformed"}')).toBe(1);
    expect(value('sallyport_pushes_total{result="stored"}')).toBe(2);
    expect(value('sallyport_pushes_total{result="refused"}')).toBe(1);
    expect(value('sallyport_upload_bytes_total')).toBeGreaterThan(1000);
    expect(text).toMatch(/^sallyport_build_info\{version="\d+\.\d+\.\d+",node="24\./m);
  });

  test('a name that a caller made up is no label', () => {
    const missing = 'version="",error_type="not_found"';
    expect(value(`model_prediction_errors_total{model_name="_unknown",${missing}}`)).toBe(3);
    expect(value(`model_prediction_errors_total{model_name="phish",${missing}}`)).toBe(1);
    expect(text).not.toContain('strange');
    expect(text).not.toContain('7.0.0');
  });
});

describe('the labels of versions', () => {
  const at = (start = 0) => {
    let now = start;
    const pass = (ms: number): void => {
      now += ms;
    };
    const metrics = new Metrics(() => now);
    const route = (version: string): void => {
      metrics.version('m', version, PROBABILITY_BOUNDS);
      metrics.showRouting('m', {
        generation: 1,
        weights: [{ version, digest: 'd', role: 'stable', percent: 100 }],
      });
    };
    const versions = async (): Promise<string[]> => {
      const text = await metrics.text();
      return [...text.matchAll(/^model_prediction_rows_total\{model_name="m",version="([^"]+)"\}/gm)].map(
        (match) => match[1] ?? '',
      );
    };
    return { metrics, route, versions, pass };
  };

  test('go a while after the version lost its traffic, and not before a scrape has seen its end', async () => {
    const { route, versions, pass } = at();
    route('1.0.0');
    route('2.0.0');
    pass(5 * 60_000);
    expect(await versions()).toEqual(['1.0.0', '2.0.0']);
    pass(6 * 60_000);
    expect(await versions()).toEqual(['2.0.0']);
    pass(24 * 3_600_000);
    expect(await versions()).toEqual(['2.0.0']);
  });

  test('stay while callers ask for that version by its name', async () => {
    const { metrics, route, versions, pass } = at();
    route('1.0.0');
    route('2.0.0');
    for (let minute = 0; minute < 30; minute++) {
      pass(60_000);
      metrics.version('m', '1.0.0', PROBABILITY_BOUNDS).success(0.001, 1, null);
      expect(await versions()).toEqual(['1.0.0', '2.0.0']);
    }
  });

  test('are few, however many versions come and go', async () => {
    const { route, versions, pass } = at();
    for (let patch = 0; patch < 100; patch++) {
      route(`1.0.${patch}`);
      pass(1000);
    }
    expect(await versions()).toHaveLength(9);
  });
});
