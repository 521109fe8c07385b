/**
 * What is served: per model a routing (durable) and the releases it names (loaded). A change loads first, then makes
 * the new routing durable, then swaps one pointer: a request sees the old routing or the new one, never half of it,
 * and one under way finishes on the version it began with.
 */

import { serialKey } from '../shared/domain/approval/verify-release.ts';
import type { Receipt } from '../shared/domain/endpoint/endpoint.ts';
import {
  emptyRouting,
  type ModelRouting,
  type ReleaseRef,
  type RoutingResult,
  servedModelOf,
} from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { snapshot, startCounting, type VersionCounter } from '../shared/domain/traffic/count.ts';
import type { TrafficSample } from '../shared/domain/traffic/sample.ts';
import type { Engine, LoadedRelease } from './engine.ts';
import { Mutex } from './mutex.ts';
import type { ReleaseStore } from './releases/stored.ts';
import type { AgentState, RememberedAnswer, ServedRelease, StateFile } from './state.ts';

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

/** A change somebody asks for, under a key that makes asking twice the same as asking once. */
export interface Change {
  readonly key: string;
  /** Digest of what is asked: the same key for something else is refused. */
  readonly request: string;
  /** null = whatever it is now. */
  readonly expectedGeneration: number | null;
  readonly apply: (routing: ModelRouting) => Promise<RoutingResult>;
  /** Releases to hash again although they are loaded: a wish of the console, but not a rollback, which must not wait. */
  readonly rehash: boolean;
}

export type ChangeAnswer = Pick<Receipt, 'model' | 'loaded'>;

export interface SlotsOptions {
  readonly state: StateFile;
  readonly store: ReleaseStore;
  readonly engine: Engine;
  /** Throws unless this stored release may be served now (quorum, environment, expiry, serial). */
  readonly admitStored: (root: string) => Promise<ServedRelease>;
  readonly now: () => Date;
  readonly keepReleases: number;
  readonly rememberedKeys: number;
  readonly onChange: (live: LiveModel) => void;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, facts: Record<string, unknown>) => void;
}

type Loaded = Map<string, LoadedRelease>;

export class Slots {
  readonly #options: SlotsOptions;
  readonly #live = new Map<string, LiveModel>();
  readonly #mutex = new Mutex();

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get(name: string): LiveModel | undefined {
    return this.#live.get(name);
  }

  all(): LiveModel[] {
    return [...this.#live.values()].sort((a, b) => (a.routing.name < b.routing.name ? -1 : 1));
  }

  routing(name: string): ModelRouting {
    return this.#options.state.current.models[name] ?? emptyRouting(name);
  }

  /**
   * Loads what was served before the stop. A canary that cannot be loaded is dropped; a stable version that cannot
   * (a byte of it changed on disk) gives way to the previous one, if that is whole: back is always allowed.
   */
  async restore(): Promise<void> {
    for (const routing of Object.values(this.#options.state.current.models)) {
      await this.#mutex.run(routing.name, () => this.#restoreModel(routing));
    }
  }

  async #restoreModel(routing: ModelRouting): Promise<void> {
    const load = async (ref: ReleaseRef | null): Promise<LoadedRelease | null> => {
      if (!ref) return null;
      try {
        return await this.#load(routing.name, ref);
      } catch (error) {
        this.#options.log('error', 'a release that was served cannot be loaded', {
          model: routing.name,
          version: ref.version,
          problem: textOf(error),
        });
        return null;
      }
    };
    const stable = await load(routing.stable);
    const canary = await load(routing.canary);
    const previous = await load(routing.previous);
    const next = { ...routing };
    if (routing.canary && !canary) next.canary = null;
    const fellBack = routing.stable !== null && stable === null && previous !== null;
    if (fellBack) {
      next.stable = routing.previous;
      next.previous = routing.stable;
    }
    const moved = fellBack || next.canary !== routing.canary;
    if (moved) {
      next.generation = routing.generation + 1;
      await this.#options.state.update((state) => ({
        ...state,
        models: { ...state.models, [routing.name]: next },
      }));
      this.#options.log('warn', 'the routing was moved back', {
        model: routing.name,
        generation: next.generation,
        stable: next.stable?.version,
      });
    }
    this.#swap(liveModel(next, fellBack ? previous : stable, canary, fellBack ? null : previous));
  }

  /** Runs a change. The answer of the first run is remembered durably and given again to the same key. */
  change(name: string, change: Change): Promise<ChangeAnswer> {
    return this.#mutex.run(name, async () => {
      const known = this.#options.state.current.answers.find((answer) => answer.key === change.key);
      if (known) {
        if (known.request !== change.request) {
          throw new SallyportError('conflict', 'This idempotency key was used for another request.', {
            hint: 'Nothing was changed. Use a fresh key.',
          });
        }
        return { model: known.model, loaded: known.loaded };
      }
      const before = this.routing(name);
      if (change.expectedGeneration !== null && change.expectedGeneration !== before.generation) {
        throw new SallyportError(
          'endpoint.stale',
          `${name} is at generation ${before.generation} here, not ${change.expectedGeneration}: another hand changed it.`,
          {
            hint: 'Nothing was changed. Read the routing again and decide anew.',
            facts: { generation: before.generation },
          },
        );
      }
      const result = await change.apply(before);
      if (result.kind === 'refused') {
        throw new SallyportError('refused.state', result.reason, { hint: 'Nothing was changed.' });
      }
      return this.#apply(name, before, result.routing, change);
    });
  }

  async #apply(
    name: string,
    before: ModelRouting,
    after: ModelRouting,
    change: Change,
  ): Promise<ChangeAnswer> {
    const live = this.#live.get(name);
    const fresh: Loaded = new Map();
    try {
      const served: ServedRelease[] = [];
      for (const [ref, wasServing] of [
        [after.stable, before.stable],
        [after.canary, before.canary],
      ] as const) {
        if (!ref || ref.root === wasServing?.root) continue;
        served.push(await this.#options.admitStored(ref.root));
        if (change.rehash && loadedOf(live, ref.root)) await this.#options.store.verify(ref.root);
      }
      const pick = async (ref: ReleaseRef | null, optional: boolean): Promise<LoadedRelease | null> => {
        if (!ref) return null;
        const loaded = loadedOf(live, ref.root) ?? fresh.get(ref.root);
        if (loaded) return loaded;
        try {
          const release = await this.#load(name, ref);
          fresh.set(ref.root, release);
          return release;
        } catch (error) {
          if (!optional) throw error;
          this.#options.log('warn', 'the previous version cannot be kept warm', {
            model: name,
            version: ref.version,
            problem: textOf(error),
          });
          return null;
        }
      };
      const next = liveModel(
        after,
        await pick(after.stable, false),
        await pick(after.canary, false),
        await pick(after.previous, true),
      );
      const answer = answerOf(next);
      await this.#options.state.update((state) =>
        this.#remember(state, after, served, { key: change.key, request: change.request, ...answer }),
      );
      this.#swap(next);
      this.#retire(live, next);
      for (const { root } of served) this.#options.store.routed(root);
      void this.#prune(name);
      return answer;
    } catch (error) {
      for (const release of fresh.values()) void release.close();
      throw error;
    }
  }

  async #load(name: string, ref: ReleaseRef): Promise<LoadedRelease> {
    const release = await this.#options.engine.load(ref.root);
    if (release.name === name && release.ref.digest === ref.digest) return release;
    await release.close();
    throw new SallyportError('integrity.artifact', `The stored release is not of ${name}.`, {
      hint: 'It was not loaded.',
    });
  }

  #remember(
    state: AgentState,
    routing: ModelRouting,
    served: readonly ServedRelease[],
    answer: RememberedAnswer,
  ): AgentState {
    const known = new Set(state.served.map((each) => each.root));
    return {
      ...state,
      models: { ...state.models, [routing.name]: routing },
      served: [...state.served, ...served.filter((each) => !known.has(each.root))],
      answers: [...state.answers, answer].slice(-this.#options.rememberedKeys),
    };
  }

  #swap(live: LiveModel): void {
    this.#live.set(live.routing.name, live);
    this.#options.onChange(live);
  }

  #retire(before: LiveModel | undefined, after: LiveModel): void {
    for (const release of [before?.stable, before?.canary, before?.previous]) {
      if (release && !loadedOf(after, release.ref.root)) void release.retire();
    }
  }

  /** Removes stored releases of a model: of those served all but the newest few, and those that never can be served. */
  async #prune(name: string): Promise<void> {
    const { store, state, keepReleases, log } = this.#options;
    try {
      const routing = this.routing(name);
      const routed = new Set([routing.stable, routing.canary, routing.previous].map((ref) => ref?.root));
      const { served } = state.current;
      const { highestSerial, servedRoots } = state.history();
      const others = served.filter((each) => each.name === name && !routed.has(each.root)).reverse();
      const doomed = others.slice(keepReleases).map((each) => each.root);
      for (const root of await store.roots()) {
        if (servedRoots.has(root)) continue;
        const { request } = await store.read(root);
        if (request.name === name && request.serial <= (highestSerial[serialKey(request)] ?? 0))
          doomed.push(root);
      }
      for (const root of doomed) {
        if ((await store.has(root)) && !store.isHeld(root)) await store.remove(root);
      }
    } catch (error) {
      log('warn', 'old releases could not be removed', { model: name, problem: textOf(error) });
    }
  }

  traffic(name: string): TrafficSample {
    const live = this.#live.get(name);
    return {
      at: this.#options.now().toISOString(),
      generation: live?.routing.generation ?? this.routing(name).generation,
      canary: snapshot(live?.counters.canary ?? null),
      stable: snapshot(live?.counters.stable ?? null),
      pairs: live?.pairs.total ?? 0,
      disagreements: live?.pairs.disagreements ?? 0,
      pairsDropped: live?.pairs.dropped ?? 0,
    };
  }

  /** What is served now, for a receipt. */
  answer(name: string): ChangeAnswer {
    const live = this.#live.get(name);
    return live ? answerOf(live) : { model: servedModelOf(this.routing(name)), loaded: [] };
  }

  /** The stored release of a version that was served here: where a rollback may go. */
  served(name: string, version: string): ServedRelease | undefined {
    return this.#options.state.current.served.findLast(
      (each) => each.name === name && each.version === version,
    );
  }

  async close(): Promise<void> {
    for (const live of this.#live.values()) {
      for (const release of [live.stable, live.canary, live.previous]) await release?.close();
    }
  }
}

export function servedReleaseOf(
  request: { vaultId: string; name: string; version: string; digest: string; serial: number },
  root: string,
  now: Date,
): ServedRelease {
  const { vaultId, name, version, digest, serial } = request;
  return { root, name, version, digest, vaultId, serial, firstServedAt: now.toISOString() };
}

function liveModel(
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

function loadedOf(live: LiveModel | undefined, root: string): LoadedRelease | null {
  for (const release of [live?.stable, live?.canary, live?.previous]) {
    if (release?.ref.root === root) return release;
  }
  return null;
}

function answerOf(live: LiveModel): ChangeAnswer {
  const loaded = [live.stable, live.canary, live.previous].filter((release) => release !== null);
  return {
    model: servedModelOf(live.routing),
    loaded: loaded.map((release) => ({ version: release.ref.version, digest: release.ref.digest })),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
