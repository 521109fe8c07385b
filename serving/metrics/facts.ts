/** What other parts of the agent know and `/metrics` shows: asked for at each scrape. */

/** What is loaded, in all inference processes together. */
export interface CacheFacts {
  readonly models: number;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly loads: number;
  readonly failedLoads: number;
  readonly unloads: number;
}

/** How a model's rollout stands, as the agent judges it itself. */
export interface GuardFacts {
  readonly model: string;
  /** What each renewal gives the canary; null without one. */
  readonly leaseSeconds: number | null;
  /** Until the canary's lease ends; null without one. */
  readonly leaseSecondsLeft: number | null;
  /** Whether a guard is breached now, or was when the agent moved back. */
  readonly breached: boolean;
}

export interface Sources {
  cache: () => CacheFacts | null;
  guards: () => readonly GuardFacts[];
  inFlight: () => number;
  mirrorQueue: () => number;
  /** How often a revocation took a version of this model out of traffic. */
  movesByRevocation: (model: string) => number;
}

export const NO_SOURCES: Sources = {
  cache: () => null,
  guards: () => [],
  inFlight: () => 0,
  mirrorQueue: () => 0,
  movesByRevocation: () => 0,
};
