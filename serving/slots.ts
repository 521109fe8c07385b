/**
 * What is served: per model a routing (durable) and the releases it names (loaded). A change loads first, then makes
 * the new routing durable, then swaps one pointer: a request sees the old routing or the new one, never half of it,
 * and one under way finishes on the version it began with.
 */

import { serialKey } from '../shared/domain/approval/verify-release.ts';
import {
  emptyRouting,
  type ModelRouting,
  type ReleaseRef,
  type RoutingResult,
  servedModelOf,
} from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { snapshot } from '../shared/domain/traffic/count.ts';
import type { TrafficSample } from '../shared/domain/traffic/sample.ts';
import type { Engine } from './engine.ts';
import {
  answerOf,
  type ChangeAnswer,
  isServing,
  type LiveModel,
  liveModel,
  loadedOf,
  textOf,
} from './live-model.ts';
import { Mutex } from './mutex.ts';
import type { LoadedRelease } from './release.ts';
import type { ReleaseStore } from './releases/stored.ts';
import type { AgentState, RememberedAnswer, ServedRelease, StateFile } from './state.ts';

/** A change somebody asks for, under a key that makes asking twice the same as asking once. */
export interface Change {
  readonly key: string;
  /** Digest of what is asked: the same key for something else is refused. */
  readonly request: string;
  /** null = whatever it is now. */
  readonly expectedGeneration: number | null;
  readonly apply: (routing: ModelRouting) => Promise<RoutingResult>;
  /**
   * Releases the console wants to see served. They are loaded, or hashed again where they are loaded already, before
   * the model's turn is taken: a rollback (which names none) never waits for that.
   */
  readonly roots: readonly string[];
}

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
    const { models } = this.#options.state.current;
    // A model may be called `constructor`: what every object inherits is no routing.
    return (Object.hasOwn(models, name) ? models[name] : undefined) ?? emptyRouting(name);
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
  async change(name: string, change: Change): Promise<ChangeAnswer> {
    const known = this.#remembered(name, change);
    if (known) return known;
    const warm = await this.#warm(name, change.roots);
    try {
      return await this.#mutex.run(name, async () => {
        const raced = this.#remembered(name, change);
        if (raced) return raced;
        const before = this.routing(name);
        const result = await change.apply(before);
        if (result.kind === 'refused') {
          throw new SallyportError('refused.state', result.reason, { hint: 'Nothing was changed.' });
        }
        return this.#apply(name, before, result.routing, change, warm);
      });
    } finally {
      // What did not come to serve: the change failed, or another one had loaded the same meanwhile.
      const live = this.#live.get(name);
      for (const [root, release] of warm) if (loadedOf(live, root) !== release) void release.close();
    }
  }

  /** The answer this key was given before, or null. Throws for a key used otherwise, and for an old view. */
  #remembered(name: string, change: Change): ChangeAnswer | null {
    const known = this.#options.state.current.answers.find((answer) => answer.key === change.key);
    if (known && known.request !== change.request) {
      throw new SallyportError('conflict', 'This idempotency key was used for another request.', {
        hint: 'Nothing was changed. Use a fresh key.',
      });
    }
    if (known) return { model: known.model, loaded: known.loaded };
    const { generation } = this.routing(name);
    if (change.expectedGeneration === null || change.expectedGeneration === generation) return null;
    throw new SallyportError(
      'endpoint.stale',
      `${name} is at generation ${generation} here, not ${change.expectedGeneration}: another hand changed it.`,
      { hint: 'Nothing was changed. Read the routing again and decide anew.', facts: { generation } },
    );
  }

  /** Judged at its first activation: what was served here stays loadable, so that a rollback needs nobody else. */
  #wasServed(root: string): boolean {
    return this.#options.state.history().servedRoots.has(root);
  }

  /** Loads what is to be served and is not loaded yet; hashes again, from the disk, what is. */
  async #warm(name: string, roots: readonly string[]): Promise<Loaded> {
    const warm: Loaded = new Map();
    try {
      for (const root of roots) {
        const { routing } = this.#live.get(name) ?? { routing: this.routing(name) };
        if (!isServing(routing, root) && !this.#wasServed(root)) await this.#options.admitStored(root);
        if (!loadedOf(this.#live.get(name), root)) warm.set(root, await this.#options.engine.load(root));
        else if (routing.stable?.root !== root) await this.#options.store.verify(root);
      }
      return warm;
    } catch (error) {
      for (const release of warm.values()) void release.close();
      throw error;
    }
  }

  async #apply(
    name: string,
    before: ModelRouting,
    after: ModelRouting,
    change: Change,
    warm: Loaded,
  ): Promise<ChangeAnswer> {
    const live = this.#live.get(name);
    const served: ServedRelease[] = [];
    if (after.stable && after.stable.root !== before.stable?.root && !this.#wasServed(after.stable.root))
      served.push(await this.#options.admitStored(after.stable.root));
    if (after.canary && after.canary.root !== before.canary?.root && !this.#wasServed(after.canary.root))
      served.push(await this.#options.admitStored(after.canary.root));
    const pick = async (ref: ReleaseRef | null): Promise<LoadedRelease | null> => {
      if (!ref) return null;
      const loaded = loadedOf(live, ref.root) ?? warm.get(ref.root);
      if (loaded) return loaded;
      const release = await this.#load(name, ref);
      warm.set(ref.root, release);
      return release;
    };
    const next = liveModel(
      after,
      await pick(after.stable),
      await pick(after.canary),
      await pick(after.previous).catch((error: unknown) => {
        this.#options.log('warn', 'the previous version cannot be kept warm', {
          model: name,
          version: after.previous?.version,
          problem: textOf(error),
        });
        return null;
      }),
    );
    const answer = answerOf(next);
    await this.#options.state.update((state) =>
      this.#remember(state, after, served, { key: change.key, request: change.request, ...answer }),
    );
    this.#swap(next);
    this.#retire(live, next);
    for (const ref of [after.stable, after.canary]) if (ref) this.#options.store.routed(ref.root);
    // In turn, after this change: a rollback to what is about to be removed must not slip in between.
    void this.#mutex.run(name, () => this.#prune(name));
    return answer;
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
