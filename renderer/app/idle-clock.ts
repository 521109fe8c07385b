/** When a window without input warns and by when the main process signs its operator out. All times in milliseconds. */

/** Input is reported at most so often: the main process needs no more to know that somebody is here. */
export const REPORT_EVERY_MS = 10_000;
/** The warning comes so long before, or at half the time where that is shorter. */
const WARN_MS = 60_000;

export interface IdleState {
  /** Seconds left, once it is time to warn; null before. */
  readonly secondsLeft: number | null;
  /** Until something changes: the warning begins, or the next second of it; null when nothing will. */
  readonly nextInMs: number | null;
}

/**
 * What to show `now`. It counts from the last input the main process knows of, so that the warning never promises
 * time that is not there. `minutes` 0 never signs out.
 */
export function idleState(reportedAt: number, now: number, minutes: number): IdleState {
  if (minutes === 0) return { secondsLeft: null, nextInMs: null };
  const limit = minutes * 60_000;
  const left = reportedAt + limit - now;
  const warnAt = Math.min(WARN_MS, limit / 2);
  if (left > warnAt) return { secondsLeft: null, nextInMs: left - warnAt };
  const secondsLeft = Math.max(0, Math.ceil(left / 1000));
  return { secondsLeft, nextInMs: secondsLeft === 0 ? null : left - (secondsLeft - 1) * 1000 };
}

/** Whether input at `now` is worth a report: the last one is old, or the warning is on the screen. */
export function reportsInput(reportedAt: number, now: number, warning: boolean): boolean {
  return warning || now - reportedAt >= REPORT_EVERY_MS;
}
