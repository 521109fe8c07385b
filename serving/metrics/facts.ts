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

/** How a model's rollout stands, and what the agent itself took out of its traffic. */
export interface GuardFacts {
  readonly model: string;
  /** What each renewal gives the canary; null without one. */
  readonly leaseSeconds: number | null;
  /** Until the canary's lease ends; null without one. */
  readonly leaseSecondsLeft: number | null;
  /** Whether a guard is breached now, or was when the agent moved back. */
  readonly breached: boolean;
  /** How often a revocation took a version of it out of traffic. */
  readonly movesByRevocation: number;
}

export interface Sources {
  cache: () => CacheFacts | null;
  guards: () => readonly GuardFacts[];
  inFlight: () => number;
  mirrorQueue: () => number;
}

export const NO_SOURCES: Sources = {
  cache: () => null,
  guards: () => [],
  inFlight: () => 0,
  mirrorQueue: () => 0,
};
