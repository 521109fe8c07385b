/** The dashboard, the alert rules and the example of a scrape, against a real agent and a real Prometheus. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { startAgent } from '../support/agent.ts';
import { startPrometheus, type TestPrometheus } from '../support/prometheus.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const FOLDER = join(import.meta.dirname, '../../resources/observability');
const missing = ['promtool', 'prometheus'].filter((name) => spawnSync(name, ['--version']).status !== 0);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly datasource?: { readonly uid: string };
}
const dashboard = JSON.parse(readFileSync(join(FOLDER, 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
};
const rules = (
  parse(readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  }
).groups.flatMap((group) => group.rules);
const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Names of metrics in an expression; `model_name` is a label. */
function metricsIn(expression: string): string[] {
  const names = expression.match(/\b(?:model|sallyport|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return names.filter((name) => name !== 'model_name');
}

describe('the dashboard', () => {
  test('names no host and no data source: both are chosen in it', () => {
    const text = JSON.stringify(dashboard);
    expect(text).not.toMatch(/https?:\/\/|localhost|\d+\.\d+\.\d+\.\d+/);
    for (const { title, datasource, type } of dashboard.panels)
      if (type !== 'row') expect(datasource?.uid, title).toBe(`\${datasource}`);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

// Where Debian's Prometheus is not installed, nobody can answer the queries.
describe.skipIf(missing.length > 0)('with Prometheus', () => {
  let on: Stage;
  let prometheus: TestPrometheus;
  let text: string;
  const scrape = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${on.agent.token}` };
    return (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
  };

  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(site, await startAgent(site));
    const stable = makeRelease(site, { version: '1.0.0', serial: 1 });
    const canary = makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
    await on.serveCanary(stable, canary, { percent: 50 });
    // Beside the agent, and removed with it.
    const directory = join(on.agent.directory, '..', 'prometheus');
    mkdirSync(directory);
    prometheus = await startPrometheus({
      directory,
      target: new URL(on.agent.adminUrl).host,
      token: on.agent.token,
      rules: join(FOLDER, 'alerts.yaml'),
    });
    // Until a rate can be told of both versions and of a failure: each needs two readings.
    await vi.waitUntil(
      async () => {
        await Promise.all(Array.from({ length: 8 }, () => on.predict([1, 1, 1])));
        await on.predict([1, 1]);
        const rates = await prometheus.query('rate(model_predictions_total[10s]) > 0');
        return new Set(rates.map(({ metric }) => `${metric.version} ${metric.status}`)).size >= 3;
      },
      { timeout: 40_000, interval: 100 },
    );
    text = await scrape();
  });
  afterAll(async () => {
    await prometheus.stop();
    await on.agent.remove();
  });

  test('the rate that Prometheus tells is one of calls that were made', async () => {
    const [rate] = await prometheus.query('sum(rate(model_predictions_total{model_name="phish"}[10s]))');
    expect(Number(rate?.value[1])).toBeGreaterThan(0);
    const [total] = await prometheus.query('sum(model_predictions_total)');
    const counted = [...text.matchAll(/^model_predictions_total\{.*\} (\d+)$/gm)];
    expect(Number(total?.value[1])).toBeLessThanOrEqual(
      counted.reduce((sum, match) => sum + Number(match[1]), 0),
    );
    expect(await prometheus.query('up{job="sallyport"} == 1')).toHaveLength(1);
  });

  test('every metric that the dashboard and the rules name is one of the agent', () => {
    const named = [...panels, ...rules].flatMap(({ expr }) => metricsIn(expr));
    const variables = dashboard.templating.list.flatMap(({ definition = '' }) => metricsIn(definition));
    expect(named.length).toBeGreaterThan(40);
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]));
    const unknown = [...named, ...variables].filter(
      (name) => !types.has(name) && types.get(name.replace(/_(bucket|sum|count)$/, '')) !== 'histogram',
    );
    expect(unknown).toEqual([]);
  });

  test('every panel’s query is understood, and those of metrics that are there answer something', async () => {
    const answers = await Promise.all(
      panels.map(async ({ title, expr }) => {
        const query = expr
          .replaceAll('$__rate_interval', '10s')
          .replaceAll(/\$(job|instance|model|version)\b/g, '.*');
        const empty = (await prometheus.query(query)).length === 0;
        const shown = metricsIn(expr).every((name) => new RegExp(`^${name}[ {]`, 'm').test(text));
        return empty && shown ? title : null;
      }),
    );
    expect(answers.length).toBeGreaterThan(30);
    expect(answers.filter((title) => title !== null)).toEqual([]);
  });

  test('every rule is evaluated without an error', async () => {
    await expect
      .poll(
        async () => {
          const { groups } = (await prometheus.get('/api/v1/rules')) as {
            groups: { rules: { name: string; health: string }[] }[];
          };
          return groups.flatMap((group) => group.rules).filter(({ health }) => health !== 'ok');
        },
        { timeout: 20_000 },
      )
      .toEqual([]);
  });

  test('promtool accepts rules and scrape, and each alert fires when it should and not before', () => {
    const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });
    for (const args of [
      ['check', 'rules', 'alerts.yaml'],
      ['check', 'config', '--syntax-only', 'prometheus.yaml'],
      ['test', 'rules', 'alerts.test.yaml'],
    ]) {
      const { status, stdout, stderr } = promtool(...args);
      expect(status, stdout + stderr).toBe(0);
    }
    const tested = readFileSync(join(FOLDER, 'alerts.test.yaml'), 'utf8');
    const fired = new Set(
      [...tested.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/g)].map((match) => match[1]),
    );
    expect(rules.map(({ alert }) => alert).filter((name) => !fired.has(name))).toEqual([]);
  });
});
