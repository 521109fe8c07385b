/** The families of models and their versions, read from what was counted of them. */
import type { Registry } from 'prom-client';
import { type Bins, ERROR_TYPES, type ErrorType, type VersionCounts } from './counts.ts';
import type { GuardFacts, Sources } from './facts.ts';
import { addCounter, addGauge, addHistogram, type Labels, type Sample } from './families.ts';
import type { ModelCounts } from './models.ts';

/** Label of calls for a model that is not served: the name came from the caller. */
const UNKNOWN_MODEL = '_unknown';

export interface ModelNumbers {
  readonly models: () => Iterable<ModelCounts>;
  /** Calls for models that are not served here. */
  readonly unknown: ReadonlyMap<ErrorType, number>;
  readonly sources: Sources;
}

type PerVersion = <T>(read: (counts: VersionCounts) => T) => Iterable<readonly [Labels, T]>;

export function showVersions(registry: Registry, numbers: ModelNumbers): void {
  const each: PerVersion = function* (read) {
    for (const { model, versions } of numbers.models()) {
      for (const counts of versions.values())
        yield [{ model_name: model, version: counts.version }, read(counts)];
    }
  };
  const split = function* (
    read: (counts: VersionCounts) => Record<string, number>,
    label: string,
  ): Iterable<Sample> {
    for (const [labels, parts] of each(read)) {
      for (const [name, value] of Object.entries(parts)) yield [{ ...labels, [label]: name }, value];
    }
  };
  const perVersion = (read: (counts: VersionCounts) => number) => () => each(read);
  const bins = (read: (counts: VersionCounts) => Bins) => () => each(read);
  addCounter(
    registry,
    'model_predictions_total',
    'Predict calls answered, by outcome (success, error).',
    () => split(({ succeeded, failed }) => ({ success: succeeded, error: failed }), 'status'),
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
    `Predict calls that failed, by type (${ERROR_TYPES.join(', ')}); without a version where none was chosen yet.`,
    function* () {
      yield* split((counts) => counts.errors, 'error_type');
      yield* earlyErrors(numbers);
    },
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
    () => split((counts) => counts.mirrored, 'result'),
  );
  addCounter(
    registry,
    'model_engine_crashes_total',
    'Inference processes that ended while they worked for a version.',
    perVersion((counts) => counts.crashes),
  );
}

/** Calls that ended before a version was chosen for them have none: its label is empty. */
function* earlyErrors({ models, unknown }: ModelNumbers): Iterable<Sample> {
  const early = function* (model_name: string, errors: ReadonlyMap<ErrorType, number>): Iterable<Sample> {
    for (const [error_type, count] of errors) yield [{ model_name, version: '', error_type }, count];
  };
  for (const { model, errors } of models()) yield* early(model, errors);
  yield* early(UNKNOWN_MODEL, unknown);
}

export function showModels(registry: Registry, numbers: ModelNumbers): void {
  const perModel = (read: (model: ModelCounts) => Iterable<Sample>) =>
    function* (): Iterable<Sample> {
      for (const model of numbers.models()) {
        for (const [labels, value] of read(model)) yield [{ model_name: model.model, ...labels }, value];
      }
    };
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
  const guards = (read: (facts: GuardFacts) => number | null) => () =>
    numbers.sources.guards().map((facts): Sample => [{ model_name: facts.model }, read(facts) ?? Number.NaN]);
  const rollbacks = perModel(({ rollbacks: { agent, operator } }) => [
    [{ by: 'agent' }, agent],
    [{ by: 'operator' }, operator],
  ]);
  addCounter(
    registry,
    'model_rollbacks_total',
    'Times that traffic was taken from a version, by why (agent: a guard, the lease or damaged bytes; operator; revocation).',
    function* () {
      yield* rollbacks();
      for (const { model, movesByRevocation } of numbers.sources.guards())
        yield [{ model_name: model, by: 'revocation' }, movesByRevocation];
    },
  );
  addGauge(
    registry,
    'model_lease_seconds',
    'What each renewal of its lease gives the canary, by its signed plan.',
    guards((facts) => facts.leaseSeconds),
  );
  addGauge(
    registry,
    'model_lease_remaining_seconds',
    'Until the canary loses its traffic unless the console renews its lease.',
    guards((facts) => facts.leaseSecondsLeft),
  );
  addGauge(
    registry,
    'model_guard_breached',
    '1 from the breach of a guard of the rollout until traffic is routed anew.',
    guards((facts) => (facts.breached ? 1 : 0)),
  );
}
