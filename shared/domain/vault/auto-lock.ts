/** When an operator who is not there any more is signed out: a rule over the clock's readings. All times in milliseconds. */

export interface IdleTime {
  /** How long nobody has been there. */
  readonly idleMs: number;
  /** The clock when that was last looked at. */
  readonly at: number;
}

export function someoneThere(now: number): IdleTime {
  return { idleMs: 0, at: now };
}

/** Time goes on. A clock that was set back takes nothing off, so that nobody stays signed in by setting it. */
export function timePassed(idle: IdleTime, now: number): IdleTime {
  return { idleMs: idle.idleMs + Math.max(0, now - idle.at), at: now };
}

/** `minutes` of the vault's settings; 0 = never. */
export function isTimeToLock(idle: IdleTime, minutes: number): boolean {
  return minutes > 0 && idle.idleMs >= minutes * 60_000;
}
