/**
 * The agent's own eye on its canaries. By the plan that was signed with the release it takes a canary out when a guard
 * breaks or the lease runs out, console connected or not. It never gives one more traffic.
 */
import { judgeCanary } from '../shared/domain/rollout/agent-guard.ts';
import { leaseOf, type RolloutPlan } from '../shared/domain/rollout/plan.ts';
import type { TrafficSample } from '../shared/domain/traffic/sample.ts';
import { type LiveModel, textOf } from './live-model.ts';
import type { GuardFacts } from './metrics/facts.ts';
import type { Slots } from './slots.ts';

/** A renewal is made durable when it is this share of the lease ahead of the disk: after a kill it ends so much early at most. */
const DURABLE_SHARE = 0.25;
/** Stable's p95 is made durable again when it has changed by this share: it moves a little with every look. */
const DURABLE_CHANGE = 0.1;

interface Watch {
  readonly root: string;
  readonly generation: number;
  readonly plan: RolloutPlan;
  stableP95Ms: number | null;
  /** End of the lease by the machine's clock and by this process's own: whichever comes first counts. */
  until: number;
  monotonicUntil: number;
  held: boolean;
}

export interface CanaryWatchOptions {
  readonly slots: Pick<
    Slots,
    'all' | 'get' | 'routing' | 'traffic' | 'moveBack' | 'keepNote' | 'movesByRevocation'
  >;
  /** The plan that was signed with a stored release. */
  readonly planOf: (root: string) => Promise<RolloutPlan>;
  readonly intervalMs: number;
  readonly now: () => Date;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, facts: Record<string, unknown>) => void;
}

export class CanaryWatch {
  readonly #options: CanaryWatchOptions;
  readonly #watches = new Map<string, Watch>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: CanaryWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const next = (): void => {
      this.#timer = setTimeout(() => {
        this.#looking = this.look().finally(() => {
          if (this.#timer) next();
        });
      }, this.#options.intervalMs);
      this.#timer.unref();
    };
    next();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  /** Judges every canary once. */
  async look(): Promise<void> {
    for (const live of this.#options.slots.all()) {
      try {
        await this.#judge(live);
      } catch (error) {
        this.#options.log('error', 'a canary could not be judged', {
          model: live.routing.name,
          problem: textOf(error),
        });
      }
    }
  }

  /** A reading for the console that drives the rollout; while its view is the current one, the lease begins anew. */
  async renew(name: string, generation: number): Promise<TrafficSample> {
    const live = this.#options.slots.get(name);
    const watch = live && live.routing.generation === generation ? await this.#watchOf(live) : null;
    if (watch) {
      const { ms } = leaseOf(watch.plan);
      this.#extend(watch, ms);
      const saved = this.#options.slots.routing(name).canary?.lease?.until;
      if (saved !== undefined && watch.until - Date.parse(saved) > ms * DURABLE_SHARE)
        await this.#options.slots.keepNote(name, generation, { until: new Date(watch.until).toISOString() });
    }
    return this.traffic(name);
  }

  traffic(name: string): TrafficSample {
    const sample = this.#options.slots.traffic(name);
    const watch = this.#watches.get(name);
    const current = watch && watch.generation === sample.generation;
    return { ...sample, leaseUntil: current ? new Date(watch.until).toISOString() : null };
  }

  /** For the metrics. */
  facts(): GuardFacts[] {
    return this.#options.slots.all().map(({ routing }) => {
      const watch = this.#watches.get(routing.name);
      const leased = routing.canary !== null && watch !== undefined;
      return {
        model: routing.name,
        leaseSeconds: leased ? leaseOf(watch.plan).ms / 1000 : null,
        leaseSecondsLeft: leased ? Math.max(0, this.#leftMs(watch)) / 1000 : null,
        breached: routing.moved?.kind === 'guard',
        movesByRevocation: this.#options.slots.movesByRevocation.get(routing.name) ?? 0,
      };
    });
  }

  async #judge(live: LiveModel): Promise<void> {
    const { routing } = live;
    const { name, generation, stable, canary } = routing;
    if (!canary) {
      this.#watches.delete(name);
      return;
    }
    const { slots, now } = this.#options;
    const at = now().toISOString();
    const from = { generation, root: canary.root };
    const watch = await this.#watchOf(live).catch(async (error: unknown) => {
      const reason = `Its plan cannot be read any more: ${textOf(error)}`;
      await slots.moveBack(name, from, { at, kind: 'damaged', reason, measurements: [] });
      return null;
    });
    if (!watch) return;
    const { plan, stableP95Ms } = watch;
    const judged = judgeCanary(
      { name, generation, stable, canary, plan, stableP95Ms },
      slots.traffic(name),
      now(),
    );
    watch.stableP95Ms = judged.stableP95Ms;
    if (judged.breach) {
      await slots.moveBack(name, from, { at, kind: 'guard', ...judged.breach });
      return;
    }
    // A full disk must keep nobody from judging; the next look tries again.
    await this.#keepReference(watch, name).catch(() => {});
    if (this.#leftMs(watch) > 0) return;
    const { ms, after } = leaseOf(plan);
    if (after === 'roll-back') {
      const reason = `The console was not heard of for ${ms / 1000} s, and the plan says to roll back then.`;
      await slots.moveBack(name, from, { at, kind: 'lease', reason, measurements: [] });
    } else if (!watch.held) {
      watch.held = true;
      const facts = { model: name, version: canary.version, percent: canary.percent };
      this.#options.log('warn', 'the lease ran out; the canary holds where it is', facts);
    }
  }

  /** At 100 % there are no requests to learn it from again after a restart. */
  async #keepReference({ stableP95Ms, generation }: Watch, name: string): Promise<void> {
    if (stableP95Ms === null) return;
    const saved = this.#options.slots.routing(name).canary?.stableP95Ms;
    if (saved !== undefined && Math.abs(stableP95Ms - saved) <= DURABLE_CHANGE * saved) return;
    await this.#options.slots.keepNote(name, generation, { stableP95Ms });
  }

  /** The watch of this generation; begun from what is durable, where it is a new one or the agent was started anew. */
  async #watchOf(live: LiveModel): Promise<Watch | null> {
    const { name, generation, canary } = live.routing;
    if (!canary) return null;
    const isCurrent = (watch: Watch): boolean =>
      watch.root === canary.root && watch.generation === generation;
    const known = this.#watches.get(name);
    if (known && isCurrent(known)) return known;
    const plan = known?.root === canary.root ? known.plan : await this.#options.planOf(canary.root);
    // A look and a renewal may read the plan at once: whoever is second must not begin the lease again.
    const begun = this.#watches.get(name);
    if (begun && isCurrent(begun)) return begun;
    const now = this.#options.now().getTime();
    const { ms } = leaseOf(plan);
    const until = canary.lease ? Date.parse(canary.lease.until) : now + ms;
    const watch: Watch = {
      root: canary.root,
      generation,
      plan,
      // Stable's last p95 outlives a step: at 100 % it gets no more requests to take a new one from.
      stableP95Ms: known?.root === canary.root ? known.stableP95Ms : (canary.stableP95Ms ?? null),
      until,
      monotonicUntil: performance.now() + (until - now),
      held: false,
    };
    this.#watches.set(name, watch);
    return watch;
  }

  #extend(watch: Watch, ms: number): void {
    watch.until = this.#options.now().getTime() + ms;
    watch.monotonicUntil = performance.now() + ms;
    watch.held = false;
  }

  /** A clock that was set back must not lengthen a lease, nor must a machine that slept: its own clock stood still. */
  #leftMs(watch: Watch): number {
    return Math.min(watch.until - this.#options.now().getTime(), watch.monotonicUntil - performance.now());
  }
}
