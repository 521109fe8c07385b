/** The families of the agent as a whole: listeners, pushes, memory, what is stored. */
import type { Registry } from 'prom-client';
import type { Sources } from './facts.ts';
import { addCounter, addGauge, type Sample } from './families.ts';
import type { ListenerCounts } from './listener-counts.ts';
import type { PushCounts } from './push-counts.ts';

export interface AgentNumbers {
  readonly listeners: Readonly<Record<string, ListenerCounts>>;
  readonly pushes: PushCounts;
  readonly damagedReleases: number;
  readonly sources: Sources;
  /** Which program this is, for `sallyport_build_info`. */
  readonly build: Readonly<Record<string, string>>;
}

export function showAgent(registry: Registry, numbers: AgentNumbers): void {
  const { sources } = numbers;
  const gauge = (name: string, help: string, read: () => number | undefined): void =>
    addGauge(registry, name, help, () => one(read()));

  addGauge(registry, 'sallyport_build_info', 'Which program answers; always 1.', () => [[numbers.build, 1]]);
  showListeners(registry, numbers);
  gauge('model_predictions_in_flight', 'Predict calls waiting or running.', () => sources.inFlight());
  gauge('model_mirror_queue_length', 'Mirrored requests waiting for an idle stable version.', () =>
    sources.mirrorQueue(),
  );
  gauge(
    'sallyport_stored_releases_damaged',
    'Stored releases whose bytes are not what was signed, at the last look.',
    () => numbers.damagedReleases,
  );
  addCounter(
    registry,
    'sallyport_pushes_total',
    'Pushes by how they ended (stored, refused, damaged, no_room, failed).',
    () => [...numbers.pushes.results].map(([result, count]): Sample => [{ result }, count]),
  );
  addCounter(registry, 'sallyport_upload_bytes_total', 'Encrypted bytes of releases that came in.', () =>
    one(numbers.pushes.bytes),
  );
  showCache(registry, sources);
}

function showListeners(registry: Registry, { listeners }: AgentNumbers): void {
  const perListener = function* (read: (counts: ListenerCounts) => Iterable<Sample>): Iterable<Sample> {
    for (const counts of Object.values(listeners)) {
      for (const [labels, value] of read(counts)) yield [{ listener: counts.listener, ...labels }, value];
    }
  };
  addCounter(registry, 'sallyport_requests_total', 'Requests answered, by listener and status.', () =>
    perListener(({ answered }) =>
      [...answered].map(([status, count]): Sample => [{ status: String(status) }, count]),
    ),
  );
  addCounter(
    registry,
    'sallyport_requests_refused_total',
    'Requests not let in, by reason (token, scope, address, certificate, shape, rate, busy, malformed, slow).',
    () => perListener(({ refused }) => [...refused].map(([reason, count]): Sample => [{ reason }, count])),
  );
}

function showCache(registry: Registry, sources: Sources): void {
  addGauge(registry, 'sallyport_models_loaded', 'Versions that are in memory.', () =>
    one(sources.cache()?.models),
  );
  addGauge(registry, 'sallyport_models_loaded_bytes', 'Memory of all inference processes.', () =>
    one(sources.cache()?.bytes),
  );
  addGauge(
    registry,
    'sallyport_models_limit_bytes',
    'Memory of inference processes above which the longest unused version is unloaded.',
    () => one(sources.cache()?.limitBytes),
  );
  addCounter(registry, 'sallyport_model_loads_total', 'Loads of a model, by result (success, error).', () => {
    const cache = sources.cache();
    if (!cache) return [];
    return [
      [{ result: 'success' }, cache.loads],
      [{ result: 'error' }, cache.failedLoads],
    ];
  });
  addCounter(registry, 'sallyport_model_unloads_total', 'Models that were unloaded.', () =>
    one(sources.cache()?.unloads),
  );
}

function one(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[{}, value]];
}
