/** Rolling back what is served: the wish is kept first, then the agents act, then the log says so. */
import { z } from 'zod';
import type { Endpoint, Receipt, ServedModel } from '../../../shared/domain/endpoint/endpoint.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type Actor, roleSchema } from '../../../shared/domain/operator/operator.ts';
import type { EndpointClient } from '../../ports/endpoint.ts';
import type { SettingsReader, Store, StoreWriter } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import { failureOf } from './effects.ts';

export interface RollbackResult {
  readonly version: string;
  readonly previous: string;
  readonly durationMs: number;
  readonly endpoints: string[];
}

/** A rollback that was asked for and not yet written into the log: what a killed process leaves to the next one. */
const intentSchema = z.strictObject({
  /** Idempotency key at every agent. */
  key: z.string(),
  name: z.string(),
  target: z.string(),
  to: z.string().nullable(),
  actor: z.object({
    operatorId: z.string(),
    name: z.string(),
    person: z.string(),
    roles: z.array(roleSchema),
  }),
  /** What each endpoint served when it was asked for, by endpoint id; null where it did not answer. */
  before: z.record(
    z.string(),
    z.object({ stable: z.string().nullable(), canary: z.string().nullable() }).nullable(),
  ),
});
type Intent = z.infer<typeof intentSchema>;

const INTENTS = 'rollouts.rollbacks';
/** Wait between two tries at an endpoint that cannot be reached, in milliseconds. */
const RETRY_MS = 2000;

export interface RollbackDeps {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly system: System;
  readonly clientFor: (endpointId: string) => EndpointClient;
  readonly onMoved: (endpointId: string) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface Rollbacks {
  /** Rolls every endpoint back; `to` null = the version before. */
  run(
    actor: Actor,
    wish: { readonly name: string; readonly target: string; readonly to: string | null },
    endpoints: readonly Endpoint[],
  ): Promise<RollbackResult>;
  /** Finishes what a killed process began. For the holder of the effects lock; cheap when there is nothing. */
  settle(): Promise<void>;
  /** Whether something is left to settle. */
  pending(): boolean;
}

/** Another process wrote the entry of this rollback already. */
class Recorded extends Error {}

export function createRollbacks(deps: RollbackDeps): Rollbacks {
  const { store, ledger, system } = deps;
  /** Intents this process is running, or not to be tried before a time. */
  const own = new Set<string>();
  const notBefore = new Map<string, number>();

  async function servedAt(endpointId: string, name: string): Promise<Slots> {
    return slotsOf((await deps.clientFor(endpointId).models()).find((model) => model.name === name));
  }

  /** The entry, the alias and the end of the intent are one transaction. */
  function record(intent: Intent, version: string, endpoints: number, durationMs: number): Promise<void> {
    const from = previousOf(intent);
    const of = Object.keys(intent.before).length;
    return ledger.commit(
      intent.actor,
      {
        action: 'rollout.rolled-back',
        subject: `${intent.name} on ${intent.target}`,
        details: { from, to: version, endpoints, of, durationMs: Math.round(durationMs) },
      },
      (tx) => {
        if (!forget(tx, intent.key)) throw new Recorded();
        const found = tx.version({ name: intent.name, version });
        // Traffic is where it was; a version revoked since is nobody's champion.
        if (found !== null && found.state !== 'revoked')
          tx.setAlias({ name: intent.name, alias: 'champion', version });
      },
    );
  }

  async function act(
    intent: Intent,
    endpoints: readonly Endpoint[],
    started: number,
  ): Promise<RollbackResult> {
    const { key, name, target, to } = intent;
    const answers = await Promise.allSettled(
      endpoints.map(({ id }): Promise<Receipt> => deps.clientFor(id).rollback(name, { key, to })),
    );
    system.reached('rollback.acted');
    const durationMs = performance.now() - started;
    const receipts = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const version = receipts[0]?.model.stable?.version ?? null;
    if (version !== null) {
      await record(intent, version, receipts.length, durationMs).catch((error: unknown) => {
        if (!(error instanceof Recorded)) throw error;
      });
    }
    const failed = answers.findIndex((answer) => answer.status === 'rejected');
    const failure = answers[failed];
    if (failure !== undefined && failure.status === 'rejected') {
      if (failure.reason instanceof SallyportError && receipts.length === 0) throw failure.reason;
      throw new SallyportError(
        'endpoint.refused',
        `${endpoints[failed]?.name ?? target} did not roll back: ${messageOf(failure.reason)}`,
        {
          hint: `${receipts.length} of ${endpoints.length} endpoints serve ${version ?? 'the earlier version'} now. Run the rollback again for the rest.`,
        },
      );
    }
    await Promise.all(endpoints.map(({ id }) => deps.onMoved(id).catch(deps.onError)));
    return {
      version: version ?? '',
      previous: previousOf(intent),
      durationMs,
      endpoints: endpoints.map((endpoint) => endpoint.name),
    };
  }

  /**
   * One intent of a process that is gone. An endpoint that serves something else by now was rolled back before the
   * kill, or was changed by somebody since: it is left alone.
   */
  async function finish(intent: Intent): Promise<void> {
    const started = performance.now();
    let version: string | null = null;
    let done = 0;
    let refusal = '';
    for (const [id, before] of Object.entries(intent.before)) {
      if (before === null || ledger.read.endpoint(id) === null) continue;
      try {
        const now = await servedAt(id, intent.name);
        const moved = now.stable !== before.stable || now.canary !== before.canary;
        const stable = moved
          ? now.stable
          : ((await deps.clientFor(id).rollback(intent.name, { key: intent.key, to: intent.to })).model.stable
              ?.version ?? null);
        version ??= stable;
        done++;
        await deps.onMoved(id).catch(deps.onError);
      } catch (error) {
        const { reason, severity } = failureOf(error);
        if (severity === 'transient') throw error;
        refusal = reason;
      }
    }
    if (version !== null) return record(intent, version, done, performance.now() - started);
    await ledger.commit(
      intent.actor,
      {
        action: 'rollout.failed',
        subject: `${intent.name} on ${intent.target}`,
        details: { reason: refusal === '' ? 'its endpoints are gone' : refusal, to: intent.to },
      },
      (tx) => {
        if (!forget(tx, intent.key)) throw new Recorded();
      },
    );
  }

  return {
    async run(actor, { name, target, to }, endpoints) {
      const started = performance.now();
      const { operatorId, person, roles } = actor;
      const before = await Promise.all(
        // One that does not answer keeps nobody from rolling the others back.
        endpoints.map(async ({ id }) => [id, await servedAt(id, name).catch(() => null)] as const),
      );
      const intent: Intent = {
        key: `rollback/${system.newId()}`,
        name,
        target,
        to,
        actor: { operatorId, name: actor.name, person, roles: [...roles] },
        before: Object.fromEntries(before),
      };
      own.add(intent.key);
      store.transaction((tx) => tx.setSetting(INTENTS, JSON.stringify([...intentsOf(tx), intent])));
      system.reached('rollback.intended');
      try {
        return await act(intent, endpoints, started);
      } finally {
        // Whoever asked has the answer, good or bad: nobody is to try it again behind their back.
        store.transaction((tx) => forget(tx, intent.key));
        own.delete(intent.key);
      }
    },

    async settle() {
      for (const intent of intentsOf(store.read)) {
        if (own.has(intent.key) || (notBefore.get(intent.key) ?? 0) > system.now().getTime()) continue;
        notBefore.set(intent.key, system.now().getTime() + RETRY_MS);
        await finish(intent).catch((error: unknown) => {
          if (!(error instanceof Recorded)) deps.onError(error);
        });
      }
    },

    pending: () => intentsOf(store.read).length > 0,
  };
}

function intentsOf(read: SettingsReader): Intent[] {
  return z.array(intentSchema).parse(JSON.parse(read.setting(INTENTS) ?? '[]'));
}

/** Takes an intent off the list; false where it is not on it any more. */
function forget(tx: StoreWriter, key: string): boolean {
  const all = intentsOf(tx);
  const rest = all.filter((intent) => intent.key !== key);
  if (rest.length === all.length) return false;
  tx.setSetting(INTENTS, JSON.stringify(rest));
  return true;
}

interface Slots {
  readonly stable: string | null;
  readonly canary: string | null;
}

function slotsOf(served: ServedModel | undefined): Slots {
  return { stable: served?.stable?.version ?? null, canary: served?.canary?.version ?? null };
}

function previousOf(intent: Intent): string {
  return Object.values(intent.before).find((slots) => slots !== null && slots.stable !== null)?.stable ?? '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
