import type { AgentMove } from '../endpoint/agent-move.ts';
import type { TrafficSample } from '../traffic/sample.ts';

/** What happened to a rollout: answers of effects, readings, time, and what people decided. */
export type RolloutEvent =
  | {
      readonly kind: 'pushed';
      readonly key: string;
      readonly endpointId: string;
      readonly generation: number;
      readonly stableVersion: string | null;
    }
  | {
      readonly kind: 'routed';
      readonly key: string;
      readonly endpointId: string;
      readonly generation: number;
    }
  | {
      readonly kind: 'withdrawn';
      readonly key: string;
      readonly endpointId: string;
      readonly generation: number;
    }
  /** `permanent`: trying again cannot help (refused, integrity). `stale`: the endpoint was changed by another hand. */
  | {
      readonly kind: 'effect-failed';
      readonly key: string;
      readonly endpointId: string;
      readonly reason: string;
      readonly severity: 'transient' | 'permanent' | 'stale';
    }
  | { readonly kind: 'sampled'; readonly endpointId: string; readonly sample: TrafficSample }
  | { readonly kind: 'sample-failed'; readonly endpointId: string; readonly reason: string }
  /** The agent took the canary out by itself: a guard, the lease, a revocation. */
  | { readonly kind: 'moved-back'; readonly endpointId: string; readonly move: AgentMove }
  /** Time has passed: the current step is judged by what was read so far. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'promote' }
  | { readonly kind: 'abort'; readonly reason: string };
