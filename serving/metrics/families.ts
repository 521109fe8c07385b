/** Prometheus families whose samples are read from counted numbers when they are asked for. */
import type { Registry } from 'prom-client';
import type { Bins } from './counts.ts';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** The little of a metric that the registry writes from. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  get(): Promise<Family & { readonly values: readonly Value[] }>;
}

function register(registry: Registry, family: Omit<Family, 'get'>, values: () => readonly Value[]): void {
  const metric: Family = { ...family, get: async () => ({ ...metric, values: values() }) };
  // Its type asks for a class of the library's own; what it calls is `get`.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}

export function addCounter(
  registry: Registry,
  name: string,
  help: string,
  read: () => Iterable<Sample>,
): void {
  register(registry, { name, help, type: 'counter' }, () => plain(read()));
}

/** A sample whose value is NaN is left out: there is nothing to show. */
export function addGauge(registry: Registry, name: string, help: string, read: () => Iterable<Sample>): void {
  register(registry, { name, help, type: 'gauge' }, () => plain(read()));
}

export function addHistogram(
  registry: Registry,
  name: string,
  help: string,
  read: () => Iterable<readonly [labels: Labels, bins: Bins]>,
): void {
  register(registry, { name, help, type: 'histogram' }, () => {
    const values: Value[] = [];
    for (const [labels, { bounds, counts, sum }] of read()) {
      let total = 0;
      for (const [bin, count] of counts.entries()) {
        total += count;
        values.push({
          labels: { le: bounds[bin] ?? '+Inf', ...labels },
          value: total,
          metricName: `${name}_bucket`,
        });
      }
      values.push({ labels, value: sum, metricName: `${name}_sum` });
      values.push({ labels, value: total, metricName: `${name}_count` });
    }
    return values;
  });
}

function plain(samples: Iterable<Sample>): Value[] {
  const values: Value[] = [];
  for (const [labels, value] of samples) if (!Number.isNaN(value)) values.push({ labels, value });
  return values;
}
