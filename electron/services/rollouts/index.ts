/** Rollouts: start what was approved, drive it by the one rule, answer what people ask of it, roll back. */

import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { Actor, Permission } from '../../../shared/domain/operator/operator.ts';
import type { RolloutEvent } from '../../../shared/domain/rollout/events.ts';
import { allowedRolloutActions, isFinal } from '../../../shared/domain/rollout/phases.ts';
import { startRollout } from '../../../shared/domain/rollout/start.ts';
import type { RolloutState } from '../../../shared/domain/rollout/state.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import type { EndpointClient } from '../../ports/endpoint.ts';
import type { Store } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import type { RequestsService } from '../requests/index.ts';
import { applyEvent } from './apply.ts';
import { driveRollout } from './driver.ts';
import { createRollbacks, type RollbackResult } from './rollback.ts';
import { resolveTarget } from './target.ts';

export interface RolloutsDeps {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly system: System;
  readonly requests: Pick<RequestsService, 'releasePackage'>;
  readonly clientFor: (endpointId: string) => EndpointClient;
  /** Only the holder of the vault's effects lock runs effects; asked again until it is had. */
  readonly tryAcquireEffects: () => boolean;
  readonly pollMs: number;
  readonly onUpdate: (view: RolloutView) => void;
  readonly onError: (error: unknown) => void;
  /** Told after an endpoint confirmed another routing, so that what it serves now is known. */
  readonly onMoved: (endpointId: string) => Promise<void>;
  /** Told after each final phase, to send checkpoints to the agents. */
  readonly onFinished: () => Promise<void>;
}

export interface RolloutsService {
  list(actor: Actor): Promise<RolloutView[]>;
  get(actor: Actor, input: { id: string }): Promise<RolloutView>;
  deploy(actor: Actor, input: { requestId: string; target: string }): Promise<RolloutView>;
  pause(actor: Actor, input: { id: string }): Promise<RolloutView>;
  resume(actor: Actor, input: { id: string }): Promise<RolloutView>;
  promote(actor: Actor, input: { id: string }): Promise<RolloutView>;
  abort(actor: Actor, input: { id: string; reason: string }): Promise<RolloutView>;
  rollback(actor: Actor, input: { name: string; target: string; to: string | null }): Promise<RollbackResult>;
  /** Resolves when the rollout is final. */
  finished(id: string, signal?: AbortSignal): Promise<RolloutView>;
  /** Resolves when no rollback of a killed process is left to finish. Waits for ever where nobody runs effects. */
  settled(): Promise<void>;
  /** Takes up what an earlier process left; call once after the vault is open. */
  start(): void;
  /** Stops driving; every rollout stays as it is and is taken up by the next `start`. */
  close(): Promise<void>;
}

export function createRolloutsService(deps: RolloutsDeps): RolloutsService {
  const { store, ledger, system } = deps;
  const read = store.read;
  const driving = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const rollbacks = createRollbacks(deps);
  let sweeper: Promise<void> | null = null;
  let holdsEffects = false;

  const viewOf = (state: RolloutState): RolloutView => ({
    state,
    points: read.points(state.id),
    allowedActions: allowedRolloutActions(state),
  });
  const stateOf = (id: string): RolloutState => {
    const state = read.rollout(id);
    if (state === null)
      throw new SallyportError('not-found', `There is no rollout ${id}.`, {
        hint: 'List them with: sallyport rollout list',
      });
    return state;
  };

  async function apply(id: string, event: RolloutEvent, actor: Actor | null): Promise<RolloutState> {
    const state = await applyEvent({ store, ledger, now: () => system.now() }, id, event, actor);
    if (event.kind === 'routed' || event.kind === 'withdrawn')
      await deps.onMoved(event.endpointId).catch(deps.onError);
    deps.onUpdate(viewOf(state));
    return state;
  }

  function drive(id: string): void {
    if (driving.has(id) || stop.signal.aborted) return;
    const run = driveRollout(
      {
        system,
        pollMs: deps.pollMs,
        load: (rolloutId) => read.rollout(rolloutId),
        apply: (rolloutId, event) => apply(rolloutId, event, null),
        addPoint: (rolloutId, point) => store.transaction((tx) => tx.addPoint(rolloutId, point)),
        client: deps.clientFor,
        release: async (requestId) => (await deps.requests.releasePackage(requestId)).release,
      },
      id,
      stop.signal,
    )
      .then(async () => {
        const state = read.rollout(id);
        if (state !== null && isFinal(state)) await deps.onFinished();
      })
      .catch(deps.onError)
      .finally(() => driving.delete(id));
    driving.set(id, run);
  }

  /** Drives every unfinished rollout, also those another process has just started. */
  async function sweep(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        holdsEffects ||= deps.tryAcquireEffects();
        if (holdsEffects) {
          for (const state of read.unfinished()) drive(state.id);
          await rollbacks.settle();
        }
      } catch (error) {
        deps.onError(error);
      }
      await system.sleep(deps.pollMs, stop.signal).catch(() => undefined);
    }
  }

  async function control(
    actor: Actor,
    id: string,
    event: RolloutEvent,
    permission: Permission = 'rollout.control',
  ): Promise<RolloutView> {
    await ledger.require(actor, permission, id);
    const state = await apply(id, event, actor);
    if (holdsEffects && !isFinal(state)) drive(id);
    return viewOf(state);
  }

  /** Ends a running rollout by taking its version out; one that is on its way back already is waited for. */
  async function takeOut(actor: Actor, id: string): Promise<RolloutState> {
    if (stateOf(id).phase !== 'rolling-back')
      await apply(id, { kind: 'abort', reason: 'rolled back' }, actor);
    if (holdsEffects) drive(id);
    const { state } = await finished(id);
    if (state.phase === 'rolled-back') return state;
    throw new SallyportError('endpoint.refused', `The rollback did not succeed: ${state.reason}`, {
      hint: 'Check the endpoint.',
    });
  }

  async function finished(id: string, signal?: AbortSignal): Promise<RolloutView> {
    while (!isFinal(stateOf(id))) {
      signal?.throwIfAborted();
      if (stop.signal.aborted)
        throw new SallyportError(
          'cancelled',
          'The program is closing; the rollout goes on when it is opened again.',
        );
      await system.sleep(Math.min(deps.pollMs, 200), signal).catch(() => undefined);
    }
    await driving.get(id);
    return viewOf(stateOf(id));
  }

  return {
    list: async () => read.rollouts().map(viewOf),
    get: async (_actor, { id }) => viewOf(stateOf(id)),

    async deploy(actor, { requestId, target }) {
      await ledger.require(actor, 'rollout.deploy', requestId);
      const { environmentId, endpoints } = resolveTarget(read, target);
      const requested = read.request(requestId);
      if (requested === null)
        throw new SallyportError('not-found', `There is no request ${requestId}.`, {
          hint: 'List them with: sallyport request list',
        });
      if (requested.request.environmentId !== environmentId) {
        throw new SallyportError(
          'refused.environment',
          `Request ${requestId} is approved for ${requested.environmentName}, and ${target} is not in it.`,
          { hint: 'Nothing was sent. Submit a request for that environment.' },
        );
      }
      const { record, plan } = await deps.requests.releasePackage(requestId);
      const { state } = startRollout(
        {
          id: system.newId(),
          requestId,
          name: record.request.name,
          version: record.request.version,
          digest: record.request.digest,
          root: record.root,
          environmentId,
          target,
          plan,
          endpoints: endpoints.map(({ id, name }) => ({ id, name })),
          startedBy: actor.name,
        },
        system.now(),
      );
      await ledger.commit(
        actor,
        {
          action: 'rollout.started',
          subject: state.id,
          details: {
            model: formatRef(state),
            target,
            requestId,
            strategy: plan.strategy,
            steps: plan.steps,
            digest: state.digest,
            root: state.root,
          },
        },
        (tx) => {
          const running = tx
            .unfinished()
            .find((other) => other.name === state.name && other.environmentId === environmentId);
          if (running !== undefined) {
            throw new SallyportError(
              'conflict',
              `${formatRef(running)} is being rolled out to ${running.target} (${running.phase}).`,
              { hint: 'Wait for it to end, or abort it.' },
            );
          }
          tx.saveRollout(state);
        },
      );
      system.reached('deploy.started');
      deps.onUpdate(viewOf(state));
      if (holdsEffects) drive(state.id);
      return viewOf(state);
    },

    pause: (actor, { id }) => control(actor, id, { kind: 'pause' }),
    resume: (actor, { id }) => control(actor, id, { kind: 'resume' }),
    promote: (actor, { id }) => control(actor, id, { kind: 'promote' }),
    abort: (actor, { id, reason }) => control(actor, id, { kind: 'abort', reason }, 'rollout.rollback'),

    async rollback(actor, { name, target, to }) {
      await ledger.require(actor, 'rollout.rollback', `${name} on ${target}`);
      const { environmentId, endpoints } = resolveTarget(read, target);
      const started = performance.now();
      const running = read
        .unfinished()
        .find(
          (state) =>
            state.name === name &&
            state.environmentId === environmentId &&
            state.endpoints.some((part) => endpoints.some((endpoint) => endpoint.id === part.endpointId)),
        );
      if (running !== undefined) {
        const ended = await takeOut(actor, running.id);
        const stable = ended.endpoints[0]?.stableVersion ?? '';
        // Out of the canary is where a plain rollback ends; a named version may be further back.
        if (to === null || to === stable)
          return {
            version: stable,
            previous: running.version,
            durationMs: performance.now() - started,
            endpoints: ended.endpoints.map((e) => e.endpointName),
          };
      }
      const result = await rollbacks.run(actor, { name, target, to }, endpoints);
      await deps.onFinished();
      return result;
    },

    finished,
    async settled() {
      while (rollbacks.pending()) await system.sleep(Math.min(deps.pollMs, 200), stop.signal);
    },
    start() {
      sweeper ??= sweep();
    },
    async close() {
      stop.abort();
      await sweeper;
      await Promise.all(driving.values());
    },
  };
}
