import type { RolloutEvent } from '../../../shared/domain/rollout/events.ts';
import { isFinal, isWatched } from '../../../shared/domain/rollout/phases.ts';
import type { RolloutState, TrafficPoint } from '../../../shared/domain/rollout/state.ts';
import type { TrafficSample } from '../../../shared/domain/traffic/sample.ts';
import type { EndpointClient, ReleasePackage } from '../../ports/endpoint.ts';
import type { System } from '../../ports/system.ts';
import { failureOf, runEffect } from './effects.ts';
import { trafficPoint } from './points.ts';

export interface DriverDeps {
  readonly system: System;
  /** Time between two readings of an endpoint, in milliseconds. */
  readonly pollMs: number;
  readonly load: (id: string) => RolloutState | null;
  readonly apply: (id: string, event: RolloutEvent) => Promise<RolloutState>;
  readonly addPoint: (id: string, point: TrafficPoint) => void;
  readonly client: (endpointId: string) => EndpointClient;
  readonly release: (requestId: string) => Promise<ReleasePackage>;
}

/** Longest wait between two tries of a failing effect, in milliseconds. */
const MAX_BACKOFF_MS = 10_000;

/**
 * Runs one rollout to its end: pending effects first (also those a crashed process left), then readings and time.
 * The state is read afresh each turn, so what another process decided is seen. Returns when the rollout is final or
 * the signal is given; the latter changes nothing.
 */
export async function driveRollout(deps: DriverDeps, id: string, signal: AbortSignal): Promise<void> {
  let release: Promise<ReleasePackage> | null = null;
  let previous = new Map<string, TrafficSample>();
  let previousAt = deps.system.now();
  let failures = 0;
  while (!signal.aborted) {
    const state = deps.load(id);
    if (state === null || isFinal(state)) return;
    if (state.pending.length > 0) {
      const events = await Promise.all(
        state.pending.map(async (effect) => {
          deps.system.reached(`rollout.${effect.kind}.due`);
          const event = await runEffect(
            effect,
            state,
            () => deps.client(effect.endpointId),
            () => {
              release ??= deps.release(state.requestId);
              return release;
            },
            signal,
          );
          deps.system.reached(`rollout.${effect.kind}.acted`);
          return event;
        }),
      );
      if (signal.aborted) return;
      for (const event of events) {
        await deps.apply(id, event);
        deps.system.reached('rollout.applied');
      }
      const failed = events.some((event) => event.kind === 'effect-failed');
      if (failed) release = null;
      failures = failed ? failures + 1 : 0;
      if (failed) await pause(deps.system, Math.min(MAX_BACKOFF_MS, deps.pollMs * 2 ** failures), signal);
      continue;
    }
    if (isWatched(state)) {
      const current = await readEndpoints(deps, state, signal);
      if (signal.aborted) return;
      const at = deps.system.now();
      const point = trafficPoint(state, previous, current, (at.getTime() - previousAt.getTime()) / 1000, at);
      if (point !== null) deps.addPoint(id, point);
      previous = current;
      previousAt = at;
      await deps.apply(id, { kind: 'tick' });
    }
    await pause(deps.system, deps.pollMs, signal);
  }
}

async function readEndpoints(
  deps: DriverDeps,
  state: RolloutState,
  signal: AbortSignal,
): Promise<Map<string, TrafficSample>> {
  const samples = new Map<string, TrafficSample>();
  await Promise.all(
    state.endpoints.map(async ({ endpointId, generation }) => {
      try {
        const sample = await deps.client(endpointId).renew(state.name, generation, signal);
        samples.set(endpointId, sample);
        await deps.apply(state.id, { kind: 'sampled', endpointId, sample });
      } catch (error) {
        if (!signal.aborted)
          await deps.apply(state.id, { kind: 'sample-failed', endpointId, reason: failureOf(error).reason });
      }
    }),
  );
  return samples;
}

async function pause(system: System, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await system.sleep(ms, signal);
  } catch {
    // Only the signal ends a sleep early; the loop looks at it next.
  }
}
