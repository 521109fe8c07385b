import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LATENCY_BUCKETS_MS } from '../shared/domain/traffic/sample.ts';

/** Label of requests for a model that is not served: the name came from the caller, and labels must stay few. */
export const UNKNOWN_MODEL = '_unknown';

/** Everything `/metrics` shows. Names and labels of the first four are the contract with dashboards and alerts. */
export class Metrics {
  readonly registry = new Registry();

  readonly predictions = new Counter({
    name: 'model_predictions_total',
    help: 'Predict calls answered, by outcome (success, error).',
    labelNames: ['model_name', 'version', 'status'] as const,
    registers: [this.registry],
  });
  readonly latency = new Histogram({
    name: 'model_prediction_latency_seconds',
    help: 'Time from the arrival of a predict call to its answer, successful calls.',
    labelNames: ['model_name', 'version'] as const,
    buckets: LATENCY_BUCKETS_MS.map((ms) => ms / 1000),
    registers: [this.registry],
  });
  readonly versionsActive = new Gauge({
    name: 'model_versions_active',
    help: 'Versions loaded and able to answer: stable, canary and the one kept warm.',
    labelNames: ['model_name'] as const,
    registers: [this.registry],
  });
  readonly errors = new Counter({
    name: 'model_prediction_errors_total',
    help: 'Predict calls that failed, by type (input, not_found, overload, timeout, engine, integrity).',
    labelNames: ['model_name', 'version', 'error_type'] as const,
    registers: [this.registry],
  });
  readonly weight = new Gauge({
    name: 'model_traffic_weight_percent',
    help: 'Share of routed traffic per version.',
    labelNames: ['model_name', 'version', 'role'] as const,
    registers: [this.registry],
  });
  readonly generation = new Gauge({
    name: 'model_routing_generation',
    help: 'Rises with every change of the routing.',
    labelNames: ['model_name'] as const,
    registers: [this.registry],
  });
  readonly inFlight = new Gauge({
    name: 'model_predictions_in_flight',
    help: 'Predict calls waiting or running.',
    registers: [this.registry],
  });
  readonly mirrored = new Counter({
    name: 'model_mirrored_pairs_total',
    help: 'Rows answered by canary and stable, by result (agree, differ, dropped).',
    labelNames: ['model_name', 'result'] as const,
    registers: [this.registry],
  });
  readonly mirrorQueue = new Gauge({
    name: 'model_mirror_queue_length',
    help: 'Mirrored requests waiting for an idle stable version.',
    registers: [this.registry],
  });
  readonly crashes = new Counter({
    name: 'model_engine_crashes_total',
    help: 'Inference processes that ended while they worked for a version.',
    labelNames: ['model_name', 'version'] as const,
    registers: [this.registry],
  });
  readonly damaged = new Gauge({
    name: 'sallyport_stored_releases_damaged',
    help: 'Stored releases whose bytes are not what was signed, at the last look.',
    registers: [this.registry],
  });

  readonly #weights = new Map<string, readonly Weight[]>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Shows a model's shares of traffic in place of those shown before: a gauge keeps every label it ever had. */
  showWeights(model: string, weights: readonly Weight[]): void {
    for (const { version, role } of this.#weights.get(model) ?? [])
      this.weight.remove({ model_name: model, version, role });
    this.#weights.set(model, weights);
    for (const { version, role, percent } of weights)
      this.weight.set({ model_name: model, version, role }, percent);
  }
}

interface Weight {
  readonly version: string;
  readonly role: 'stable' | 'canary';
  readonly percent: number;
}
