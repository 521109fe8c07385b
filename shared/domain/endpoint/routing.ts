/** Where an endpoint sends one model's traffic, and how that changes. Pure; the agent persists the result and then acts. */
import { z } from 'zod';
import { modelNameSchema, semverSchema, sha256Schema } from '../model/version.ts';
import { leaseSchema } from '../rollout/plan.ts';
import { type AgentMove, agentMoveSchema } from './agent-move.ts';
import type { ServedModel } from './endpoint.ts';

export const releaseRefSchema = z.object({ version: semverSchema, digest: sha256Schema, root: sha256Schema });
export type ReleaseRef = z.infer<typeof releaseRefSchema>;

export const modelRoutingSchema = z.object({
  name: modelNameSchema,
  /** Rises with every change of traffic, whoever made it. */
  generation: z.number().int().min(0),
  stable: releaseRefSchema.nullable(),
  canary: releaseRefSchema
    .extend({
      percent: z.number().int().min(0).max(100),
      mirrorSample: z.number().min(0).max(1),
      salt: z.string(),
      /** Until when it is served without another word from the console, as last made durable. Of its signed plan. */
      lease: leaseSchema.extend({ until: z.string() }).optional(),
      /** Stable's p95 in milliseconds when it had enough requests beside this canary, as last made durable. */
      stableP95Ms: z.number().min(0).optional(),
    })
    .nullable(),
  previous: releaseRefSchema.nullable(),
  /** Set where the agent itself made this generation; gone with the next one that somebody asks for. */
  moved: agentMoveSchema.nullable().optional(),
});
export type ModelRouting = z.infer<typeof modelRoutingSchema>;
export type CanaryRoute = NonNullable<ModelRouting['canary']>;

export type RoutingResult =
  | { readonly kind: 'changed'; readonly routing: ModelRouting }
  | { readonly kind: 'refused'; readonly reason: string };

export function emptyRouting(name: string): ModelRouting {
  return { name, generation: 0, stable: null, canary: null, previous: null };
}

/**
 * The console's wish. A stable version that gives way becomes `previous`. Without a stable version, requests outside
 * the canary's share stay unanswered as before. `stable: null` over an existing one takes the model out of service.
 */
export function applyRouting(
  routing: ModelRouting,
  wish: { readonly stable: ReleaseRef | null; readonly canary: CanaryRoute | null },
): RoutingResult {
  const { stable, canary } = wish;
  if (stable === null && canary !== null && routing.stable !== null) {
    return refused(
      `${routing.name}@${routing.stable.version} is stable here: name it, or another, beside the canary.`,
    );
  }
  if (stable !== null && canary !== null && stable.root === canary.root) {
    return refused(`${routing.name}@${stable.version} cannot be stable and canary at once.`);
  }
  const previous =
    stable?.root === routing.stable?.root ? routing.previous : (routing.stable ?? routing.previous);
  return {
    kind: 'changed',
    routing: {
      ...routing,
      generation: routing.generation + 1,
      stable,
      canary,
      previous: previous?.root === stable?.root ? null : previous,
      moved: null,
    },
  };
}

/**
 * Back, at once. Without `to`: a canary is dropped first; without one, stable and previous change places. Where all
 * traffic goes to `to` already, nothing changes.
 */
export function applyRollback(routing: ModelRouting, to: ReleaseRef | null): RoutingResult {
  const generation = routing.generation + 1;
  if (to === null) {
    if (routing.canary !== null)
      return { kind: 'changed', routing: { ...routing, generation, canary: null, moved: null } };
    if (routing.previous === null)
      return refused(`There is no earlier version of ${routing.name} here to go back to.`);
    return {
      kind: 'changed',
      routing: { ...routing, generation, stable: routing.previous, previous: routing.stable, moved: null },
    };
  }
  if (routing.stable?.root === to.root) {
    if (routing.canary === null) return { kind: 'changed', routing };
    return { kind: 'changed', routing: { ...routing, generation, canary: null, moved: null } };
  }
  const previous = routing.stable ?? routing.previous;
  return {
    kind: 'changed',
    routing: {
      ...routing,
      generation,
      stable: to,
      canary: null,
      previous: previous?.root === to.root ? null : previous,
      moved: null,
    },
  };
}

/** The canary out, by the agent's own decision. */
export function withoutCanary(
  routing: ModelRouting,
  canary: CanaryRoute,
  move: Omit<AgentMove, 'from' | 'version'>,
): ModelRouting {
  const { generation } = routing;
  const moved = { ...move, from: generation, version: canary.version };
  return { ...routing, generation: generation + 1, canary: null, moved };
}

/** What a canary's watch must not forget in a restart. */
export interface WatchNote {
  /** A later end of the canary's lease. */
  readonly until?: string;
  readonly stableP95Ms?: number;
}

/** Null where it is not this generation any more, or has no lease to end later. Traffic stays, and so does the generation. */
export function withWatchNote(
  routing: ModelRouting,
  generation: number,
  { until, stableP95Ms }: WatchNote,
): ModelRouting | null {
  const { canary } = routing;
  if (routing.generation !== generation || !canary) return null;
  if (until !== undefined && !canary.lease) return null;
  return {
    ...routing,
    canary: {
      ...canary,
      ...(until === undefined || !canary.lease ? {} : { lease: { ...canary.lease, until } }),
      ...(stableP95Ms === undefined ? {} : { stableP95Ms }),
    },
  };
}

/**
 * What is left of a routing when some releases may not be served any more: null where it names none of them. A canary
 * goes; a stable version gives way to the previous one, else to the newest of `earlier`, else to nothing. A canary
 * that stays keeps its share. The generation rises, and the move is told, only where traffic changed.
 */
export function withoutReleases(
  routing: ModelRouting,
  isBarred: (ref: ReleaseRef) => boolean,
  earlier: readonly ReleaseRef[],
  move: Omit<AgentMove, 'from' | 'version'>,
): ModelRouting | null {
  const keep = <T extends ReleaseRef>(ref: T | null): T | null => (ref && !isBarred(ref) ? ref : null);
  const canary = keep(routing.canary);
  const previous = keep(routing.previous);
  const lost = routing.stable && isBarred(routing.stable) ? routing.stable : null;
  const dropped = routing.canary && !canary ? routing.canary : null;
  const out = lost ?? dropped;
  if (!out) return previous === routing.previous ? null : { ...routing, previous };
  const fallback =
    lost && (previous ?? earlier.find((ref) => !isBarred(ref) && ref.root !== canary?.root) ?? null);
  return {
    ...routing,
    generation: routing.generation + 1,
    stable: lost ? fallback : routing.stable,
    canary,
    previous: lost ? null : previous,
    moved: { ...move, from: routing.generation, version: out.version },
  };
}

/** As the admin interface shows it: without the salt, which is the plan's. */
export function servedModelOf(routing: ModelRouting): ServedModel {
  const { canary } = routing;
  return {
    name: routing.name,
    generation: routing.generation,
    stable: routing.stable,
    canary: canary && {
      version: canary.version,
      digest: canary.digest,
      root: canary.root,
      percent: canary.percent,
      mirrorSample: canary.mirrorSample,
    },
    previous: routing.previous,
    moved: routing.moved ?? null,
  };
}

function refused(reason: string): RoutingResult {
  return { kind: 'refused', reason };
}
