/** Time, identifiers and randomness: handed in so that rules stay pure and tests can hold the clock. */
export interface System {
  now(): Date;
  /** A fresh, sortable, URL-safe identifier. */
  newId(): string;
  randomBytes(length: number): Uint8Array;
  /** SHA-256, 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Passed at every step after which a stop must lose nothing (`add.renamed`, `rekey.swapped`). Does nothing in the
   * program; the crash harness ends the process there.
   */
  reached(point: string): void;
}

/** Progress and cancellation of a long operation. */
export interface JobContext {
  readonly signal: AbortSignal;
  /** `total` 0 = unknown. Cheap: callers may call it for every chunk. */
  progress(phase: string, done: number, total: number): void;
}
