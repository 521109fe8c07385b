/** What is loaded for one model, as requests see it. */
import type { Receipt } from '../shared/domain/endpoint/endpoint.ts';
import { type ModelRouting, servedModelOf } from '../shared/domain/endpoint/routing.ts';
import { snapshot, startCounting, type VersionCounter } from '../shared/domain/traffic/count.ts';
import type { TrafficSample } from '../shared/domain/traffic/sample.ts';
import type { LoadedRelease } from './release.ts';

/** One model as requests see it: replaced whole at each change. */
export interface LiveModel {
  readonly routing: ModelRouting;
  readonly stable: LoadedRelease | null;
  readonly canary: LoadedRelease | null;
  readonly previous: LoadedRelease | null;
  /** Counters of this generation. */
  readonly counters: { readonly stable: VersionCounter | null; readonly canary: VersionCounter | null };
  readonly pairs: { total: number; disagreements: number; dropped: number };
}

/** What a receipt says beside its question. */
export type ChangeAnswer = Pick<Receipt, 'model' | 'loaded'>;

/** Whether a model that was routed to has no version to answer with. */
export function isOut({ routing, stable }: LiveModel): boolean {
  return stable === null && (routing.stable !== null || routing.moved !== null);
}

/** Of a model that is out: whether that is for its bytes, rather than by somebody's will or a guard's. */
export function isDamaged({ stable, moved }: ModelRouting): boolean {
  return stable !== null || moved?.kind === 'damaged';
}

/** Why a model that was routed to has no version to answer with. */
export function outageText({ name, stable, moved }: ModelRouting): string {
  return stable === null && moved
    ? `${name} cannot be served: ${moved.reason}; there is no good version before it.`
    : `${name} cannot be served: its stored release is not what was signed.`;
}

/** Whether a release gets traffic in this routing. */
export function isServing(routing: ModelRouting, root: string): boolean {
  return routing.stable?.root === root || routing.canary?.root === root;
}

export function liveModel(
  routing: ModelRouting,
  stable: LoadedRelease | null,
  canary: LoadedRelease | null,
  previous: LoadedRelease | null,
): LiveModel {
  return {
    routing,
    stable,
    canary,
    previous,
    counters: {
      stable: routing.stable && startCounting(routing.stable.version),
      canary: routing.canary && startCounting(routing.canary.version),
    },
    pairs: { total: 0, disagreements: 0, dropped: 0 },
  };
}

export function loadedOf(live: LiveModel | undefined, root: string): LoadedRelease | null {
  for (const release of [live?.stable, live?.canary, live?.previous]) {
    if (release?.ref.root === root) return release;
  }
  return null;
}

export function answerOf(live: LiveModel): ChangeAnswer {
  const loaded = [live.stable, live.canary, live.previous].filter((release) => release !== null);
  return {
    model: servedModelOf(live.routing),
    loaded: loaded.map((release) => ({ version: release.ref.version, digest: release.ref.digest })),
  };
}

/** What was counted since this generation began. */
export function trafficOf({ routing, counters, pairs }: LiveModel, now: Date): TrafficSample {
  return {
    at: now.toISOString(),
    generation: routing.generation,
    canary: snapshot(counters.canary),
    stable: snapshot(counters.stable),
    pairs: pairs.total,
    disagreements: pairs.disagreements,
    pairsDropped: pairs.dropped,
    moved: routing.moved ?? null,
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
