/**
 * Everything `/metrics` shows. The names and labels of the first four families are the contract with dashboards and
 * alerts. Labels are bounded: models and versions are those that were released here; what a caller wrote is no label.
 *
 * The place of input drift: sketches of a version's features belong into `VersionCounts`, beside its scores.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Bins, ErrorType, VersionCounts } from './metrics/counts.ts';
import { NO_SOURCES, type Sources } from './metrics/facts.ts';
import { addCounter, addGauge, addHistogram, type Labels, type Sample } from './metrics/families.ts';
import { ModelCounts, type ShownRouting } from './metrics/models.ts';

/** Label of requests for a model that is not served: the name came from the caller. */
export const UNKNOWN_MODEL = '_unknown';

export class Metrics {
  readonly registry = new Registry();
  /** Who is asked at a scrape; each part sets its own. */
  readonly sources: Sources = { ...NO_SOURCES };
  damagedReleases = 0;
  readonly #models = new Map<string, ModelCounts>();
  readonly #unknown = new Map<ErrorType, number>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#addModels();
    this.#addVersions();
    this.#addAgent();
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

  *#perModel(read: (model: ModelCounts) => Iterable<Sample>): Iterable<Sample> {
    for (const model of this.#models.values()) {
      for (const [labels, value] of read(model)) yield [{ model_name: model.model, ...labels }, value];
    }
  }

  *#perVersion<T>(read: (counts: VersionCounts) => T): Iterable<readonly [Labels, T]> {
    for (const { model, versions } of this.#models.values()) {
      for (const counts of versions.values())
        yield [{ model_name: model, version: counts.version }, read(counts)];
    }
  }

  *#split(read: (counts: VersionCounts) => Record<string, number>, label: string): Iterable<Sample> {
    for (const [labels, numbers] of this.#perVersion(read)) {
      for (const [name, value] of Object.entries(numbers)) yield [{ ...labels, [label]: name }, value];
    }
  }

  *#errors(): Iterable<Sample> {
    yield* this.#split((counts) => counts.errors, 'error_type');
    const early = function* (model_name: string, errors: ReadonlyMap<ErrorType, number>): Iterable<Sample> {
      for (const [error_type, count] of errors) yield [{ model_name, version: '', error_type }, count];
    };
    for (const { model, errors } of this.#models.values()) yield* early(model, errors);
    yield* early(UNKNOWN_MODEL, this.#unknown);
  }

  #addVersions(): void {
    const { registry } = this;
    const perVersion = (read: (counts: VersionCounts) => number) => () => this.#perVersion(read);
    const bins = (read: (counts: VersionCounts) => Bins) => () => this.#perVersion(read);
    addCounter(
      registry,
      'model_predictions_total',
      'Predict calls answered, by outcome (success, error).',
      () => this.#split(({ succeeded, failed }) => ({ success: succeeded, error: failed }), 'status'),
    );
    addHistogram(
      registry,
      'model_prediction_latency_seconds',
      'Time from the arrival of a predict call to its answer, successful calls.',
      bins((counts) => counts.latency),
    );
    addCounter(
      registry,
      'model_prediction_errors_total',
      'Predict calls that failed, by type (input, not_found, overload, timeout, engine, integrity).',
      () => this.#errors(),
    );
    addCounter(
      registry,
      'model_prediction_rows_total',
      'Rows answered.',
      perVersion((counts) => counts.rows),
    );
    addGauge(
      registry,
      'model_queue_length',
      'Calls that wait for their turn.',
      perVersion((counts) => counts.queued),
    );
    addHistogram(
      registry,
      'model_queue_wait_seconds',
      'Time a call waited for its turn before the model ran.',
      bins((counts) => counts.waits),
    );
    addHistogram(
      registry,
      'model_batch_rows',
      'Rows of one run of the model: one call, or several together.',
      bins((counts) => counts.batches),
    );
    addHistogram(
      registry,
      'model_prediction_score',
      'Scores answered, in the model’s own scale. A version’s bins never move.',
      bins((counts) => counts.scores),
    );
    addCounter(
      registry,
      'model_mirrored_pairs_total',
      'Rows of this canary that stable was asked as well, by result (agree, differ, dropped).',
      () => this.#split((counts) => counts.mirrored, 'result'),
    );
    addCounter(
      registry,
      'model_engine_crashes_total',
      'Inference processes that ended while they worked for a version.',
      perVersion((counts) => counts.crashes),
    );
  }

  #addModels(): void {
    const { registry } = this;
    const perModel = (read: (model: ModelCounts) => Iterable<Sample>) => () => this.#perModel(read);
    addGauge(
      registry,
      'model_versions_active',
      'Versions loaded and able to answer: stable, canary and the one kept warm.',
      perModel(({ routing }) => [[{}, routing.weights.length]]),
    );
    addGauge(
      registry,
      'model_version_info',
      'Which bytes are loaded as which version; always 1.',
      perModel(({ routing }) =>
        routing.weights.map(({ version, digest, role }): Sample => [{ version, digest, role }, 1]),
      ),
    );
    addGauge(
      registry,
      'model_traffic_weight_ratio',
      'Share of routed traffic per version, 0 to 1.',
      perModel(({ routing }) =>
        routing.weights
          .filter(({ role }) => role !== 'previous')
          .map(({ version, role, percent }): Sample => [{ version, role }, percent / 100]),
      ),
    );
    addGauge(
      registry,
      'model_routing_generation',
      'Rises with every change of the routing.',
      perModel(({ routing }) => [[{}, routing.generation]]),
    );
    addCounter(
      registry,
      'model_rollbacks_total',
      'Moves back to the version before, by who decided (agent: a guard or the lease; operator).',
      perModel(({ rollbacks }) => [
        [{ by: 'agent' }, rollbacks.agent],
        [{ by: 'operator' }, rollbacks.operator],
      ]),
    );
    const guards = (read: (facts: ReturnType<Sources['guards']>[number]) => number | null) => () =>
      this.sources.guards().map((facts): Sample => [{ model_name: facts.model }, read(facts) ?? Number.NaN]);
    addGauge(
      registry,
      'model_lease_remaining_seconds',
      'Until the canary loses its traffic unless the console renews its lease.',
      guards((facts) => facts.leaseSecondsLeft),
    );
    addGauge(
      registry,
      'model_guard_breached',
      '1 while a guard of the rollout is breached.',
      guards((facts) => (facts.breached ? 1 : 0)),
    );
  }

  #addAgent(): void {
    const { registry, sources } = this;
    const one = (read: () => number | undefined) => (): Sample[] => [[{}, read() ?? Number.NaN]];
    addGauge(
      registry,
      'model_predictions_in_flight',
      'Predict calls waiting or running.',
      one(() => sources.inFlight()),
    );
    addGauge(
      registry,
      'model_mirror_queue_length',
      'Mirrored requests waiting for an idle stable version.',
      one(() => sources.mirrorQueue()),
    );
    addGauge(
      registry,
      'sallyport_stored_releases_damaged',
      'Stored releases whose bytes are not what was signed, at the last look.',
      one(() => this.damagedReleases),
    );
    addGauge(
      registry,
      'sallyport_models_loaded',
      'Versions that are in memory.',
      one(() => sources.cache()?.models),
    );
    addGauge(
      registry,
      'sallyport_models_loaded_bytes',
      'Bytes of the models in memory.',
      one(() => sources.cache()?.bytes),
    );
    addGauge(
      registry,
      'sallyport_models_limit_bytes',
      'Bytes of models that may be in memory before the longest unused is unloaded.',
      one(() => sources.cache()?.limitBytes),
    );
    addCounter(
      registry,
      'sallyport_model_loads_total',
      'Loads of a model, by result (success, error).',
      () => {
        const cache = sources.cache();
        if (!cache) return [];
        return [
          [{ result: 'success' }, cache.loads],
          [{ result: 'error' }, cache.failedLoads],
        ];
      },
    );
    addCounter(
      registry,
      'sallyport_model_unloads_total',
      'Models that were unloaded.',
      one(() => sources.cache()?.unloads),
    );
  }
}
