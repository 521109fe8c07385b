/** The counted numbers of all models: which versions have some, and when those of a version that went are let go. */
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import {
  EARLY_ERROR_TYPES,
  type ErrorType,
  PROBABILITY_BOUNDS,
  SCORE_BOUNDS,
  VersionCounts,
} from './counts.ts';

/** A version that gets no traffic any more is shown so long after its last use, so that no scrape misses its end. */
const SHOWN_AFTER_MS = 10 * 60_000;
/** Unrouted versions of a model that are shown at most. */
const SHOWN_UNROUTED = 8;

export interface ShownWeight {
  readonly version: string;
  readonly digest: string;
  readonly role: 'stable' | 'canary' | 'previous';
  readonly percent: number;
}

/** A model's routing, for the gauges. */
export interface ShownRouting {
  readonly generation: number;
  readonly weights: readonly ShownWeight[];
}

export class ModelCounts {
  readonly model: string;
  readonly versions = new Map<string, VersionCounts>();
  /** Calls that ended before a version was chosen for them; shown from the beginning: a rate needs a first reading. */
  readonly errors = new Map<ErrorType, number>(EARLY_ERROR_TYPES.map((type) => [type, 0]));
  /** Moves back; those for a revocation are among the facts of its guard. */
  readonly rollbacks = { agent: 0, operator: 0 };
  routing: ShownRouting = { generation: 0, weights: [] };
  /** When a version was last routed to or asked by name, and how many calls it had had then. */
  readonly #used = new Map<string, { at: number; calls: number }>();

  constructor(model: string) {
    this.model = model;
  }

  /** The numbers of a version; made at its first use. `now` in milliseconds. */
  of(version: string, scoreBounds: readonly number[], now: number): VersionCounts {
    const known = this.versions.get(version);
    if (known) return known;
    const made = new VersionCounts(version, scoreBounds);
    this.versions.set(version, made);
    this.#used.set(version, { at: now, calls: 0 });
    return made;
  }

  show(routing: ShownRouting, now: number): void {
    for (const { version } of [...this.routing.weights, ...routing.weights]) this.#use(version, now);
    this.routing = routing;
    this.prune(now);
  }

  /** Lets go of versions without traffic: after a while, and of many at once the longest unused. */
  prune(now: number): void {
    const routed = new Set(this.routing.weights.map(({ version }) => version));
    const idle: { readonly version: string; readonly since: number }[] = [];
    for (const [version, counts] of this.versions) {
      if (routed.has(version)) continue;
      // A call that names its version reaches one without traffic, too.
      if (this.#used.get(version)?.calls !== counts.succeeded + counts.failed) this.#use(version, now);
      idle.push({ version, since: this.#used.get(version)?.at ?? now });
    }
    idle.sort((a, b) => b.since - a.since);
    for (const [place, { version, since }] of idle.entries()) {
      if (place < SHOWN_UNROUTED && now - since < SHOWN_AFTER_MS) continue;
      this.versions.delete(version);
      this.#used.delete(version);
    }
  }

  #use(version: string, now: number): void {
    const counts = this.versions.get(version);
    if (counts) this.#used.set(version, { at: now, calls: counts.succeeded + counts.failed });
  }
}

/** Where the bins of a version's score histogram are: the same for every version of its kind, and never moving. */
export function scoreBoundsOf({ kind }: OutputMapping): readonly number[] {
  return kind === 'classifier' ? PROBABILITY_BOUNDS : SCORE_BOUNDS;
}
