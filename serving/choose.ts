/** Which version answers a call: the one it names, or the one that routing sends it to. */
import { SallyportError } from '../shared/domain/errors.ts';
import type { VersionCounter } from '../shared/domain/traffic/count.ts';
import { bucketOf, isCanary } from '../shared/domain/traffic/route.ts';
import type { Drain } from './drain.ts';
import { isModelFault } from './faults.ts';
import { sha256Text } from './identity.ts';
import type { Held } from './inference/model-cache.ts';
import { isDamaged, isOut, type LiveModel, outageText } from './live-model.ts';
import type { Metrics } from './metrics.ts';
import type { LoadedRelease } from './release.ts';
import type { Slots } from './slots.ts';

/** Answered 503: not the caller's fault, and worth trying again. */
export class Unavailable extends Error {}

/** Where a call goes. */
export interface Destination {
  readonly model: string;
  readonly version: string | undefined;
  readonly routingKey: string;
}

export interface Choice {
  readonly live: LiveModel;
  readonly release: LoadedRelease;
  /** null where the caller named the version: that says nothing about routed traffic. */
  readonly counter: VersionCounter | null;
  readonly canary: boolean;
  /** Of a version that may be unloaded when nobody uses it. */
  readonly letGo?: () => void;
}

/**
 * A version that callers name and that is not in memory is loaded first: then, and only then, a promise. `not-found` for
 * one that was never served here or is no longer kept; `Unavailable` where nothing good is left to answer.
 */
export function choose(
  options: { readonly slots: Slots; readonly metrics: Metrics; readonly drain: Drain },
  call: Destination,
): Choice | Promise<Choice> {
  const { slots, metrics } = options;
  const live = slots.get(call.model);
  if (!live) {
    metrics.lost(null, 'not_found');
    throw missing(`No model named ${call.model} is served here.`);
  }
  if (options.drain.holds(call.model)) {
    metrics.lost(call.model, 'overload');
    throw new Unavailable(`${call.model} takes no calls here for now: it is being drained.`);
  }
  if (call.version === undefined) {
    const choice = routed(live, call);
    if (choice) return choice;
    if (isOut(live)) {
      metrics.lost(call.model, isDamaged(live.routing) ? 'integrity' : 'unavailable');
      throw new Unavailable(outageText(live.routing));
    }
    metrics.lost(call.model, 'not_found');
    throw missing(`No version of ${call.model} is served here.`);
  }
  const { stable, canary, previous } = live;
  const release = [stable, canary, previous].find((each) => each?.ref.version === call.version);
  return release
    ? { live, release, counter: null, canary: false }
    : older(options, live, call.model, call.version);
}

function routed(live: LiveModel, { routingKey }: Destination): Choice | null {
  const { routing, stable, canary, counters } = live;
  if (routing.canary && canary) {
    const bucket = bucketOf(routing.canary.salt, routingKey, sha256Text);
    if (isCanary(bucket, routing.canary.percent))
      return { live, release: canary, counter: counters.canary, canary: true };
  }
  return stable && { live, release: stable, counter: counters.stable, canary: false };
}

async function older(
  { slots, metrics }: { readonly slots: Slots; readonly metrics: Metrics },
  live: LiveModel,
  model: string,
  version: string,
): Promise<Choice> {
  const held = await holdOlder(slots, model, version).catch((error: unknown) => {
    metrics.lost(model, error instanceof Damaged ? 'integrity' : 'engine');
    throw error;
  });
  if (!held) {
    metrics.lost(model, 'not_found');
    throw missing(`${model}@${version} is not kept here.`);
  }
  return { live, release: held.release, counter: null, canary: false, letGo: held.letGo };
}

/** Stored bytes are not what was signed. */
class Damaged extends Unavailable {}

/**
 * A version that is kept and not in memory, loaded; null where it is not kept. `Unavailable` where what is stored cannot be
 * loaded: that is no fault of who asks.
 */
export async function holdOlder(slots: Slots, model: string, version: string): Promise<Held | null> {
  try {
    return await slots.hold(model, version);
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const text = `${model}@${version} cannot be served. ${error.message}`;
    if (error.code.startsWith('integrity.')) throw new Damaged(text);
    if (isModelFault(error)) throw new Unavailable(text);
    throw error;
  }
}

function missing(message: string): SallyportError {
  return new SallyportError('not-found', message, { hint: 'See GET /models.' });
}
