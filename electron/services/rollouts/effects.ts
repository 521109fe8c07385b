import type { AgentMove } from '../../../shared/domain/endpoint/agent-move.ts';
import { type ErrorCode, SallyportError } from '../../../shared/domain/errors.ts';
import type { RolloutEvent } from '../../../shared/domain/rollout/events.ts';
import type { RolloutEffect, RolloutState } from '../../../shared/domain/rollout/state.ts';
import type { EndpointClient, ReleasePackage } from '../../ports/endpoint.ts';

/**
 * Runs one effect and answers with the event it led to; never throws. Safe to run again after a crash: pushing skips
 * what is there, routing and rolling back carry the effect's idempotency key.
 */
export async function runEffect(
  effect: RolloutEffect,
  state: RolloutState,
  connect: () => EndpointClient,
  release: () => Promise<ReleasePackage>,
  signal: AbortSignal,
): Promise<RolloutEvent> {
  const { key, endpointId } = effect;
  try {
    const client = connect();
    switch (effect.kind) {
      case 'push': {
        await client.push(await release(), () => {}, signal);
        const served = (await client.models(signal)).find((model) => model.name === state.name);
        return {
          kind: 'pushed',
          key,
          endpointId,
          generation: served?.generation ?? 0,
          stableVersion: served?.stable?.version ?? null,
        };
      }
      case 'route': {
        const served = (await client.models(signal)).find((model) => model.name === state.name);
        const receipt = await client.route(
          state.name,
          {
            key,
            expectedGeneration: effect.expectedGeneration,
            stableRoot: effect.final ? state.root : (served?.stable?.root ?? null),
            canary: effect.final
              ? null
              : {
                  root: state.root,
                  percent: effect.percent,
                  mirrorSample: state.plan.mirrorSample,
                  salt: state.plan.salt,
                },
          },
          signal,
        );
        if (!receipt.loaded.some((slot) => slot.version === state.version && slot.digest === state.digest)) {
          throw new SallyportError(
            'integrity.endpoint',
            'the receipt names other bytes than the release has.',
            { hint: 'Take the endpoint out of service.' },
          );
        }
        return { kind: 'routed', key, endpointId, generation: receipt.model.generation };
      }
      case 'withdraw': {
        const served = (await client.models(signal)).find((model) => model.name === state.name);
        const before = state.endpoints.find((endpoint) => endpoint.endpointId === endpointId)?.stableVersion;
        const inCanary = served?.canary?.version === state.version;
        // An endpoint that served this version before the rollout keeps it.
        const inStable = served?.stable?.version === state.version && before !== state.version;
        if (!served || (!inCanary && !inStable))
          return { kind: 'withdrawn', key, endpointId, generation: served?.generation ?? 0 };
        // The agent may take the canary out by itself between the two calls: then this would be one step too many.
        const { generation: expectedGeneration } = served;
        const receipt = await client.rollback(state.name, { key, to: null, expectedGeneration }, signal);
        return { kind: 'withdrawn', key, endpointId, generation: receipt.model.generation };
      }
    }
  } catch (error) {
    const failure = failureOf(error);
    if (failure.severity !== 'stale') return { kind: 'effect-failed', key, endpointId, ...failure };
    // Taking out is asked again with what the endpoint is at by then.
    if (effect.kind === 'withdraw')
      return { kind: 'effect-failed', key, endpointId, ...failure, severity: 'transient' };
    const move = await ownMove(effect, state, connect, signal);
    return move === null
      ? { kind: 'effect-failed', key, endpointId, ...failure }
      : { kind: 'moved-back', endpointId, move };
  }
}

/** Why an endpoint is not at the generation that was expected of it, where that is its own doing. */
async function ownMove(
  effect: RolloutEffect,
  state: RolloutState,
  connect: () => EndpointClient,
  signal: AbortSignal,
): Promise<AgentMove | null> {
  if (effect.kind !== 'route') return null;
  const sample = await connect()
    .traffic(state.name, signal)
    .catch(() => null);
  return sample?.moved?.from === effect.expectedGeneration ? sample.moved : null;
}

/**
 * What may be different the next time: the endpoint comes back, the screen is unlocked and the keychain with it, room
 * is made on the disk. A canary must not be left in traffic because its token could not be read for a minute.
 */
const MAY_PASS: ReadonlySet<ErrorCode> = new Set([
  'endpoint.unreachable',
  'cancelled',
  'keychain.missing',
  'keychain.locked',
  'keychain.cancelled',
  'disk.full',
]);

/** An unreachable endpoint may answer later; a refusal or an integrity failure will not change by asking again. */
export function failureOf(error: unknown): { reason: string; severity: 'transient' | 'permanent' | 'stale' } {
  if (!(error instanceof SallyportError))
    return { reason: 'an unexpected error; the log has the details.', severity: 'transient' };
  const severity =
    error.code === 'endpoint.stale' ? 'stale' : MAY_PASS.has(error.code) ? 'transient' : 'permanent';
  return { reason: error.message, severity };
}
