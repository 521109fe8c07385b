/**
 * The models in memory. What gets routed traffic always stays; the previous version, and older ones that callers name,
 * stay while there is room, and go by their last use. They come back when they are asked for.
 */
import type { CacheFacts } from '../metrics/facts.ts';
import type { LoadedRelease } from '../release.ts';

export interface ModelCacheOptions {
  /** Decrypts, hashes and loads a stored release. */
  readonly load: (root: string) => Promise<LoadedRelease>;
  readonly limitBytes: number;
  /** Told of a release that was unloaded to make room. */
  readonly unloaded: (release: LoadedRelease) => void;
}

/** A version that a routing names but sends nothing to; `giveUp` answers whether it could be. */
export interface Spare {
  readonly release: LoadedRelease;
  readonly giveUp: () => Promise<boolean>;
}

/** A release that is kept from being unloaded until it is let go. */
export interface Held {
  readonly release: LoadedRelease;
  letGo(): void;
}

interface Older {
  readonly loading: Promise<LoadedRelease>;
  loaded: LoadedRelease | null;
  holders: number;
}

export class ModelCache {
  readonly #options: ModelCacheOptions;
  readonly #loaded = new Set<LoadedRelease>();
  /** By root: versions without a place in any routing. */
  readonly #older = new Map<string, Older>();
  #spare: () => readonly Spare[] = () => [];
  #loads = 0;
  #failedLoads = 0;
  #unloads = 0;
  #trimming: Promise<void> | null = null;

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  setSpare(spare: () => readonly Spare[]): void {
    this.#spare = spare;
  }

  /** Loads for a routing; whoever asked ends it. */
  async load(root: string): Promise<LoadedRelease> {
    try {
      const release = await this.#options.load(root);
      this.#loads++;
      this.#loaded.add(release);
      void release.ended.then(() => this.#loaded.delete(release));
      void this.trim();
      return release;
    } catch (error) {
      this.#failedLoads++;
      throw error;
    }
  }

  /** A version without a place in a routing, loaded if it is not; several callers wait for one load. */
  async hold(root: string): Promise<Held> {
    let older = this.#older.get(root);
    if (!older) {
      const made: Older = { loading: this.load(root), loaded: null, holders: 0 };
      older = made;
      this.#older.set(root, made);
      made.loading.then(
        (release) => {
          made.loaded = release;
        },
        () => this.#older.delete(root),
      );
    }
    const held = older;
    held.holders++;
    const letGo = (): void => {
      held.holders--;
      if (held.holders === 0) void this.trim();
    };
    try {
      return { release: await held.loading, letGo };
    } catch (error) {
      held.holders--;
      throw error;
    }
  }

  /** A version that gets a place in a routing, where it is loaded already: the routing's from now on. */
  take(root: string): LoadedRelease | null {
    const older = this.#older.get(root);
    if (!older?.loaded) return null;
    this.#older.delete(root);
    return older.loaded;
  }

  /** Ends versions without a place in a routing, such as those that were revoked. */
  async drop(which: (release: LoadedRelease) => boolean): Promise<void> {
    for (const [root, { loading }] of this.#older) {
      const release = await loading.catch(() => null);
      if (!release || !which(release)) continue;
      this.#older.delete(root);
      await release.close();
    }
  }

  /** Unloads what was not used for longest until the rest has room. One at a time: memory comes back by and by. */
  trim(): Promise<void> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = null;
    });
    return this.#trimming;
  }

  async #trim(): Promise<void> {
    while (this.#bytes() > this.#options.limitBytes) {
      const [first] = this.#candidates().sort((a, b) => a.release.lastUsedAt - b.release.lastUsedAt);
      if (!first) return;
      // It got traffic meanwhile.
      if (!(await first.giveUp())) return;
      this.#unloads++;
      // Not counted from here on, while calls under way are still answered.
      this.#loaded.delete(first.release);
      this.#options.unloaded(first.release);
    }
  }

  #candidates(): Spare[] {
    const candidates = this.#spare().filter(({ release }) => this.#loaded.has(release));
    for (const [root, { loaded, holders }] of this.#older) {
      if (!loaded || holders > 0) continue;
      candidates.push({
        release: loaded,
        giveUp: async () => {
          this.#older.delete(root);
          void loaded.retire();
          return true;
        },
      });
    }
    return candidates;
  }

  #bytes(): number {
    let bytes = 0;
    for (const release of this.#loaded) bytes += release.bytes;
    return bytes;
  }

  get facts(): CacheFacts {
    return {
      models: this.#loaded.size,
      bytes: this.#bytes(),
      limitBytes: this.#options.limitBytes,
      loads: this.#loads,
      failedLoads: this.#failedLoads,
      unloads: this.#unloads,
    };
  }

  /** Ends all of them, wherever they have their place: one that was loaded may not have got it yet. */
  async close(): Promise<void> {
    await this.drop(() => true);
    await Promise.all([...this.#loaded].map((release) => release.close()));
  }
}
