/**
 * Everything `/metrics` shows. The names and labels of `model_predictions_total`, `model_prediction_latency_seconds`,
 * `model_versions_active` and `model_prediction_errors_total` are the contract with dashboards and alerts. Labels are
 * bounded: models and versions are those that were released here; what a caller wrote is no label.
 *
 * The place of input drift: sketches of a version's features belong into `VersionCounts`, beside its scores.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import program from '../package.json' with { type: 'json' };
import type { ErrorType, VersionCounts } from './metrics/counts.ts';
import { NO_SOURCES, type Sources } from './metrics/facts.ts';
import { ListenerCounts } from './metrics/listener-counts.ts';
import { ModelCounts, type ShownRouting } from './metrics/models.ts';
import { PushCounts } from './metrics/push-counts.ts';
import { showAgent } from './metrics/show-agent.ts';
import { showModels, showVersions } from './metrics/show-models.ts';

export class Metrics {
  readonly registry = new Registry();
  /** Who is asked at a scrape; each part sets its own. */
  readonly sources: Sources = { ...NO_SOURCES };
  readonly listeners = { predict: new ListenerCounts('predict'), admin: new ListenerCounts('admin') };
  readonly pushes = new PushCounts();
  readonly build = { version: program.version, node: process.versions.node };
  damagedReleases = 0;
  readonly #models = new Map<string, ModelCounts>();
  readonly #unknown = new Map<ErrorType, number>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    const numbers = {
      models: () => this.#models.values(),
      unknown: this.#unknown,
      sources: this.sources,
    };
    showVersions(this.registry, numbers);
    showModels(this.registry, numbers);
    showAgent(this.registry, this);
    collectDefaultMetrics({ register: this.registry });
    // Gauges that the library calls totals; the resources and handles they count are in the others.
    for (const name of ['handles', 'requests', 'resources'])
      this.registry.removeSingleMetric(`nodejs_active_${name}_total`);
  }

  /** Numbers of a version that is loaded. */
  version(model: string, version: string, scoreBounds: readonly number[]): VersionCounts {
    return this.model(model).of(version, scoreBounds, this.#now());
  }

  /** Numbers of a model that was released here. */
  model(name: string): ModelCounts {
    const known = this.#models.get(name);
    if (known) return known;
    const made = new ModelCounts(name);
    this.#models.set(name, made);
    return made;
  }

  /** A call that ended before a version was chosen for it; `model` null = one that is not served here. */
  lost(model: string | null, type: ErrorType): void {
    const errors = model === null ? this.#unknown : this.model(model).errors;
    errors.set(type, (errors.get(type) ?? 0) + 1);
  }

  showRouting(model: string, routing: ShownRouting): void {
    this.model(model).show(routing, this.#now());
  }

  /** The text of all families, as Prometheus reads it. */
  text(): Promise<string> {
    const now = this.#now();
    for (const model of this.#models.values()) model.prune(now);
    return this.registry.metrics();
  }
}
