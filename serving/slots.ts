/**
 * What is served: per model a routing (durable) and the releases it names (loaded). A change loads first, then makes
 * the new routing durable, then swaps one pointer: a request sees the old routing or the new one, never half of it,
 * and one under way finishes on the version it began with.
 */

import type { AgentMove } from '../shared/domain/endpoint/agent-move.ts';
import {
  emptyRouting,
  type ModelRouting,
  type ReleaseRef,
  type RoutingResult,
  servedModelOf,
  type WatchNote,
  withoutCanary,
  withoutReleases,
  withWatchNote,
} from '../shared/domain/endpoint/routing.ts';
import { isDiskRefusal, SallyportError } from '../shared/domain/errors.ts';
import type { TrafficSample } from '../shared/domain/traffic/sample.ts';
import type { Held, ModelCache, Spare } from './inference/model-cache.ts';
import {
  answerOf,
  type ChangeAnswer,
  isServing,
  type LiveModel,
  liveModel,
  loadedOf,
  textOf,
  trafficOf,
} from './live-model.ts';
import { Mutex } from './mutex.ts';
import type { LoadedRelease } from './release.ts';
import { pruneReleases } from './releases/prune.ts';
import type { ReleaseStore } from './releases/stored.ts';
import { requireNotRevoked, withoutRevoked } from './revocations.ts';
import { knownAnswer, remember, type ServedRelease, type StateFile } from './state.ts';

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
  readonly cache: ModelCache;
  /** Throws unless this stored release may be served now (quorum, environment, expiry, serial). */
  readonly admitStored: (root: string) => Promise<ServedRelease>;
  readonly now: () => Date;
  readonly keepReleases: number;
  readonly rememberedKeys: number;
  readonly onChange: (live: LiveModel) => void;
  /** Told of every step back that the agent took by itself; those for a revocation are in `movesByRevocation`. */
  readonly onMove: (routing: ModelRouting) => void;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, facts: Record<string, unknown>) => void;
}

type Loaded = Map<string, LoadedRelease>;

export class Slots {
  readonly #options: SlotsOptions;
  readonly #live = new Map<string, LiveModel>();
  readonly #mutex = new Mutex();
  /** How often a revocation took a version of a model out of traffic, since the agent's start. */
  readonly movesByRevocation = new Map<string, number>();

  constructor(options: SlotsOptions) {
    this.#options = options;
    options.cache.setSpare(() => this.#spare());
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

  async #restoreModel(before: ModelRouting): Promise<void> {
    // A revocation that a crash cut off between its record and the traffic.
    const routing = withoutRevoked(this.#options, before) ?? before;
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
    const lost = new Set<string>();
    if (routing.stable && !stable && previous) lost.add(routing.stable.root);
    if (routing.canary && !canary) lost.add(routing.canary.root);
    const moved = withoutReleases(routing, (ref) => lost.has(ref.root), [], {
      at: this.#options.now().toISOString(),
      kind: 'damaged',
      reason: 'It cannot be loaded from this agent’s disk.',
      measurements: [],
    });
    const fellBack = routing.stable !== null && lost.has(routing.stable.root);
    // Kept as previous: sent again, a damaged release can be gone back to.
    const next = moved && fellBack ? { ...moved, previous: routing.stable } : (moved ?? routing);
    if (next !== before) {
      await this.#saveRouting(next);
      this.#tellMove(before, next);
    }
    this.#swap(liveModel(next, fellBack ? previous : stable, canary, fellBack ? null : previous));
  }

  /** Takes what was revoked out of every model's traffic and memory, and its files off the disk. */
  async withdrawRevoked(): Promise<void> {
    for (const { name } of Object.values(this.#options.state.current.models)) {
      await this.#mutex.run(name, async () => {
        const unusable = new Set<string>();
        let before = this.routing(name);
        for (
          let after = withoutRevoked(this.#options, before);
          after;
          after = withoutRevoked(this.#options, before, unusable)
        ) {
          try {
            await this.#apply(name, before, after, null, new Map());
            this.#tellMove(before, after);
          } catch (error) {
            // The version it would fall back to cannot be loaded: then the one before that.
            if (isDiskRefusal(error) || !after.stable || unusable.has(after.stable.root)) throw error;
            unusable.add(after.stable.root);
            continue;
          }
          before = after;
        }
        await this.#prune(name);
      });
    }
    const { cache, state } = this.#options;
    await cache.drop(({ ref }) => state.revocationOf(ref.digest) !== undefined);
  }

  /** Takes the canary of this generation out, because the agent itself decided so. Nothing where it is gone already. */
  moveBack(
    name: string,
    from: { readonly generation: number; readonly root: string },
    move: Omit<AgentMove, 'from' | 'version'>,
  ): Promise<void> {
    return this.#mutex.run(name, async () => {
      const before = this.routing(name);
      const { canary } = before;
      if (before.generation !== from.generation || canary?.root !== from.root) return;
      const after = withoutCanary(before, canary, move);
      await this.#apply(name, before, after, null, new Map());
      this.#tellMove(before, after);
    });
  }

  /** Makes durable what the canary's watch must not forget. */
  async keepNote(name: string, generation: number, note: WatchNote): Promise<void> {
    await this.#mutex.run(name, async () => {
      const routing = withWatchNote(this.routing(name), generation, note);
      if (routing) await this.#saveRouting(routing);
    });
  }

  async #saveRouting(routing: ModelRouting): Promise<void> {
    await this.#options.state.update((state) => ({
      ...state,
      models: { ...state.models, [routing.name]: routing },
    }));
  }

  /** Nothing where traffic stayed as it was: only what is kept warm changed then. */
  #tellMove(before: ModelRouting, after: ModelRouting): void {
    const { name, generation, stable, canary, moved } = after;
    if (generation === before.generation) return;
    const { movesByRevocation } = this;
    if (moved?.kind === 'revoked') movesByRevocation.set(name, (movesByRevocation.get(name) ?? 0) + 1);
    else this.#options.onMove(after);
    const facts = { model: name, generation, stable: stable?.version, canary: canary?.version };
    const why = { kind: moved?.kind, version: moved?.version, reason: moved?.reason };
    this.#options.log('warn', 'the routing was moved back', { ...facts, ...why });
  }

  /** Runs a change. The answer of the first run is remembered durably and given again to the same key. */
  async change(name: string, change: Change): Promise<ChangeAnswer> {
    const known = knownAnswer(this.#options.state.current, this.routing(name), change);
    if (known) return known;
    const warm = await this.#warm(name, change.roots);
    try {
      return await this.#mutex.run(name, async () => {
        const raced = knownAnswer(this.#options.state.current, this.routing(name), change);
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
        if (!loadedOf(this.#live.get(name), root)) warm.set(root, await this.#loadRoot(root));
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
    /** null where nobody asked for it: then there is no answer to remember. */
    change: Change | null,
    warm: Loaded,
  ): Promise<ChangeAnswer> {
    for (const ref of [after.stable, after.canary]) if (ref) requireNotRevoked(this.#options.state, ref);
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
      remember(
        state,
        after,
        served,
        change && { key: change.key, request: change.request, ...answer },
        this.#options.rememberedKeys,
      ),
    );
    this.#swap(next);
    this.#retire(live, next);
    for (const ref of [after.stable, after.canary]) if (ref) this.#options.store.routed(ref.root);
    // In turn, after this change: a rollback to what is about to be removed must not slip in between.
    void this.#mutex.run(name, () => this.#prune(name));
    return answer;
  }

  async #load(name: string, ref: ReleaseRef): Promise<LoadedRelease> {
    const release = await this.#loadRoot(ref.root);
    if (release.name === name && release.ref.digest === ref.digest) return release;
    await release.close();
    throw new SallyportError('integrity.artifact', `The stored release is not of ${name}.`, {
      hint: 'It was not loaded.',
    });
  }

  /** A version that callers named may be in memory already. */
  async #loadRoot(root: string): Promise<LoadedRelease> {
    const { cache } = this.#options;
    return cache.take(root) ?? cache.load(root);
  }

  /** A version that was served here and has no place in the routing now; null where there is none. */
  async hold(name: string, version: string): Promise<Held | null> {
    const { state, cache, store } = this.#options;
    const served = this.served(name, version);
    if (!served || state.revocationOf(served.digest) || !(await store.has(served.root))) return null;
    return cache.hold(served.root);
  }

  /** Previous versions, which the cache may give up. */
  #spare(): Spare[] {
    return [...this.#live.values()].flatMap(({ routing, previous }) =>
      previous ? [{ release: previous, giveUp: () => this.#giveUp(routing.name, previous) }] : [],
    );
  }

  #giveUp(name: string, release: LoadedRelease): Promise<boolean> {
    return this.#mutex.run(name, async () => {
      const live = this.#live.get(name);
      if (live?.previous !== release || live.stable === release) return false;
      this.#swap({ ...live, previous: null });
      void release.retire();
      return true;
    });
  }

  #swap(live: LiveModel): void {
    this.#live.set(live.routing.name, live);
    this.#options.onChange(live);
    void this.#options.cache.trim();
  }

  #retire(before: LiveModel | undefined, after: LiveModel): void {
    for (const release of [before?.stable, before?.canary, before?.previous]) {
      if (release && !loadedOf(after, release.ref.root)) void release.retire();
    }
  }

  async #prune(name: string): Promise<void> {
    await pruneReleases(this.#options, this.routing(name)).catch((error: unknown) =>
      this.#options.log('warn', 'old releases could not be removed', { model: name, problem: textOf(error) }),
    );
  }

  traffic(name: string): TrafficSample {
    const live = this.#live.get(name) ?? liveModel(this.routing(name), null, null, null);
    return trafficOf(live, this.#options.now());
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
    await this.#options.cache.close();
  }
}
