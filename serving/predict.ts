/** From a predict call to an answer: route, run, count, mirror. */
import { SallyportError } from '../shared/domain/errors.ts';
import { countRequest, type VersionCounter } from '../shared/domain/traffic/count.ts';
import { bucketOf, isCanary } from '../shared/domain/traffic/route.ts';
import { spokenLabels } from '../shared/node/onnx/output-mapping.ts';
import type { AgentLimits } from './config.ts';
import { isEngineFault } from './engine.ts';
import type { FeatureRows } from './http/features.ts';
import { sha256Text } from './identity.ts';
import { type LiveModel, outageText } from './live-model.ts';
import type { ErrorType, VersionCounts } from './metrics/counts.ts';
import { scoreBoundsOf } from './metrics/models.ts';
import type { Metrics } from './metrics.ts';
import { Mirror } from './mirror.ts';
import type { LoadedRelease } from './release.ts';
import type { Slots } from './slots.ts';

/** Answered 503: not the caller's fault, and worth trying again. */
export class Unavailable extends Error {}

export interface PredictCall {
  readonly model: string;
  readonly version: string | undefined;
  readonly routingKey: string;
  readonly features: FeatureRows;
  /** `performance.now()` at the call's arrival. */
  readonly startedAt: number;
}

export interface PredictAnswer {
  /** One a row: the label; of a model whose classes are text, the class. */
  readonly predictions: readonly (number | string | null)[];
  readonly model_version: string;
  readonly latency_ms: number;
}

interface Choice {
  readonly release: LoadedRelease;
  /** null where the caller named the version: that says nothing about routed traffic. */
  readonly counter: VersionCounter | null;
  readonly canary: boolean;
}

export class Predictor {
  readonly #slots: Slots;
  readonly #limits: AgentLimits;
  readonly #metrics: Metrics;
  readonly #mirror: Mirror;
  #inFlight = 0;

  constructor(slots: Slots, limits: AgentLimits, metrics: Metrics) {
    this.#slots = slots;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#mirror = new Mirror(limits.mirrorQueue);
    metrics.sources.inFlight = () => this.#inFlight;
    metrics.sources.mirrorQueue = () => this.#mirror.waiting;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async predict(call: PredictCall): Promise<PredictAnswer> {
    const live = this.#slots.get(call.model);
    const choice = live && choose(live, call);
    if (!live || !choice) {
      this.#metrics.lost(live ? call.model : null, 'not_found');
      throw new SallyportError('not-found', missing(call, live), { hint: 'See GET /models.' });
    }
    if (choice === 'damaged') {
      this.#metrics.lost(call.model, 'integrity');
      throw new Unavailable(outageText(live.routing));
    }
    const { release } = choice;
    const counts = this.#metrics.version(call.model, release.ref.version, scoreBoundsOf(release.mapping));
    if (this.#inFlight >= this.#limits.inFlight) {
      counts.failure('overload');
      throw new Unavailable('Too many calls at once; try again in a moment.');
    }
    this.#inFlight++;
    try {
      this.#checkWidth(live, choice, call);
      const { labels: answers, scores } = await release.predict(call.features.rows, call.features.count);
      const ms = performance.now() - call.startedAt;
      if (choice.counter) countRequest(choice.counter, ms, false);
      counts.success(ms / 1000, call.features.count, scores);
      if (choice.canary) this.#offerMirror(live, call, answers, counts);
      return {
        predictions: spokenLabels(release.mapping, answers),
        model_version: release.ref.version,
        latency_ms: Math.round(ms * 1000) / 1000,
      };
    } catch (error) {
      this.#countFailure(error, choice, counts, performance.now() - call.startedAt);
      throw error;
    } finally {
      this.#inFlight--;
      this.#mirror.pump();
    }
  }

  #checkWidth(live: LiveModel, choice: Choice, call: PredictCall): void {
    const expected = choice.release.featureCount;
    const { width } = call.features;
    if (expected === null || expected === width) return;
    // Input that stable would have taken: then it is the canary that does not fit its callers.
    const fault = choice.canary && live.stable !== null && live.stable.featureCount === width;
    throw new WrongWidth(
      `${call.model}@${choice.release.ref.version} takes ${expected} values a row, not ${width}.`,
      fault,
    );
  }

  #countFailure(error: unknown, choice: Choice, counts: VersionCounts, ms: number): void {
    const fault = error instanceof WrongWidth ? error.fault : isEngineFault(error);
    if (choice.counter && fault) countRequest(choice.counter, ms, true);
    counts.failure(errorType(error));
  }

  #offerMirror(live: LiveModel, call: PredictCall, canaryLabels: Float64Array, counts: VersionCounts): void {
    const { canary, stable, routing, pairs } = live;
    const { features } = call;
    if (!canary || !stable || !routing.canary) return;
    if (stable.featureCount !== null && stable.featureCount !== features.width) return;
    // Which requests are sampled need not be repeatable, only fair.
    if (Math.random() >= routing.canary.mirrorSample) return;
    this.#mirror.offer({
      rows: features.rows,
      count: features.count,
      canaryLabels,
      canaryMapping: canary.mapping,
      stable,
      done: (total, differing) => {
        // Counted into the generation it was asked in, even when that has passed.
        pairs.total += total;
        pairs.disagreements += differing;
        counts.mirrored.differ += differing;
        counts.mirrored.agree += total - differing;
      },
      dropped: (total) => {
        pairs.dropped += total;
        counts.mirrored.dropped += total;
      },
    });
  }
}

/** Input of a width the version does not take; `fault` = the version's fault, counted against it. */
class WrongWidth extends SallyportError {
  readonly fault: boolean;
  constructor(message: string, fault: boolean) {
    super('input.invalid', message);
    this.fault = fault;
  }
}

/** `damaged`: routed to a release that could not be loaded again, or was revoked with nothing good before it. */
function choose(live: LiveModel, call: PredictCall): Choice | 'damaged' | null {
  const { routing, stable, canary, previous, counters } = live;
  if (call.version !== undefined) {
    const release = [stable, canary, previous].find((each) => each?.ref.version === call.version);
    return release ? { release, counter: null, canary: false } : null;
  }
  if (routing.canary && canary) {
    const bucket = bucketOf(routing.canary.salt, call.routingKey, sha256Text);
    if (isCanary(bucket, routing.canary.percent))
      return { release: canary, counter: counters.canary, canary: true };
  }
  if (stable) return { release: stable, counter: counters.stable, canary: false };
  return routing.stable || routing.moved ? 'damaged' : null;
}

function missing(call: PredictCall, live: LiveModel | undefined): string {
  if (!live) return `No model named ${call.model} is served here.`;
  if (call.version !== undefined) return `${call.model}@${call.version} is not loaded here.`;
  return `No version of ${call.model} is served here.`;
}

function errorType(error: unknown): ErrorType {
  if (!(error instanceof SallyportError)) return 'engine';
  if (error.code === 'engine.timeout') return error.facts.queued === true ? 'overload' : 'timeout';
  if (error.code.startsWith('integrity.')) return 'integrity';
  return error.code.startsWith('engine.') || error.code === 'unexpected' ? 'engine' : 'input';
}
