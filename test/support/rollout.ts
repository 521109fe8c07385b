import { decide } from '../../shared/domain/rollout/decide.ts';
import type { RolloutEvent } from '../../shared/domain/rollout/events.ts';
import { DEFAULT_GUARDS, type Guards, type RolloutPlan } from '../../shared/domain/rollout/plan.ts';
import { type RolloutStart, startRollout } from '../../shared/domain/rollout/start.ts';
import type { RolloutState } from '../../shared/domain/rollout/state.ts';
import type { Decision } from '../../shared/domain/rollout/transitions.ts';
import { LATENCY_BUCKETS_MS, type TrafficSample } from '../../shared/domain/traffic/sample.ts';

export const T0 = new Date('2026-01-01T00:00:00.000Z');

export function plan(change: Partial<RolloutPlan> = {}, guards: Partial<Guards> = {}): RolloutPlan {
  return {
    strategy: 'canary',
    steps: [10, 50, 100],
    bakeMs: 10_000,
    maxStepMs: 60_000,
    mirrorSample: 1,
    salt: 'salt-of-the-plan',
    guards: { ...DEFAULT_GUARDS, ...guards },
    ...change,
  };
}

export function start(change: Partial<RolloutStart> = {}): RolloutStart {
  return {
    id: 'r1',
    requestId: 'q1',
    name: 'phish',
    version: '1.1.0',
    digest: 'd'.repeat(64),
    root: 'e'.repeat(64),
    environmentId: 'production-1',
    target: 'production',
    plan: plan(),
    endpoints: [{ id: 'a', name: 'edge-a' }],
    startedBy: 'rita',
    ...change,
  };
}

/** A histogram with `count` requests in the bucket that holds `ms`. */
export function latency(ms: number, count: number): number[] {
  const counts = Array.from({ length: LATENCY_BUCKETS_MS.length + 1 }, () => 0);
  const at = LATENCY_BUCKETS_MS.findIndex((bound) => ms <= bound);
  counts[at === -1 ? LATENCY_BUCKETS_MS.length : at] = count;
  return counts;
}

export interface Traffic {
  readonly canary?: number;
  readonly canaryErrors?: number;
  readonly canaryMs?: number;
  readonly stable?: number;
  readonly stableMs?: number;
  readonly pairs?: number;
  readonly disagreements?: number;
}

export function sample(generation: number, traffic: Traffic, at = T0): TrafficSample {
  return {
    at: at.toISOString(),
    generation,
    canary: {
      version: '1.1.0',
      requests: traffic.canary ?? 0,
      errors: traffic.canaryErrors ?? 0,
      latencyCounts: latency(traffic.canaryMs ?? 1, traffic.canary ?? 0),
    },
    stable: {
      version: '1.0.0',
      requests: traffic.stable ?? 0,
      errors: 0,
      latencyCounts: latency(traffic.stableMs ?? 1, traffic.stable ?? 0),
    },
    pairs: traffic.pairs ?? 0,
    disagreements: traffic.disagreements ?? 0,
    pairsDropped: 0,
  };
}

/** Plays a rollout by hand: time moves only when told. */
export class RolloutStage {
  state: RolloutState;
  now: Date = T0;
  #generations = new Map<string, number>();

  constructor(begin: RolloutStart = start()) {
    this.state = startRollout(begin, this.now).state;
  }

  send(event: RolloutEvent): Decision {
    const decision = decide(this.state, event, this.now);
    if (decision.kind === 'decided') this.state = decision.state;
    return decision;
  }

  wait(ms: number): this {
    this.now = new Date(this.now.getTime() + ms);
    return this;
  }

  generation(endpointId = 'a'): number {
    return this.#generations.get(endpointId) ?? 0;
  }

  /** Answers every pending effect as a healthy endpoint would. */
  settle(stableVersion: string | null = '1.0.0'): this {
    for (const effect of this.state.pending) {
      const generation = this.generation(effect.endpointId) + (effect.kind === 'push' ? 0 : 1);
      this.#generations.set(effect.endpointId, generation);
      const { key, endpointId } = effect;
      if (effect.kind === 'push') this.send({ kind: 'pushed', key, endpointId, generation, stableVersion });
      else if (effect.kind === 'route') this.send({ kind: 'routed', key, endpointId, generation });
      else this.send({ kind: 'withdrawn', key, endpointId, generation });
    }
    return this;
  }

  /** The step's first reading is empty, the second has this traffic; then time is looked at. */
  traffic(seen: Traffic, endpointId = 'a'): Decision {
    this.send({ kind: 'sampled', endpointId, sample: sample(this.generation(endpointId), {}, this.now) });
    this.send({ kind: 'sampled', endpointId, sample: sample(this.generation(endpointId), seen, this.now) });
    return this.send({ kind: 'tick' });
  }
}

export const HEALTHY: Traffic = { canary: 1000, stable: 9000, pairs: 1000, disagreements: 10 };
