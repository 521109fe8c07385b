/**
 * A worker process as its parent sees it. Messages are structured clones (Uint8Array, Map and friends survive);
 * nothing else is shared, so a crash in the worker is an `onExit` here and never an exception.
 */
export interface WorkerHandle {
  /** Process id, or undefined before the process has started. */
  readonly pid: number | undefined;
  postMessage(message: unknown): void;
  /** One listener at a time; a later call replaces the earlier one. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once. `code` is null where a signal ended the process. */
  onExit(listener: (code: number | null) => void): void;
  /** Ends the process at once. Safe to call twice. */
  kill(): void;
}

export interface ForkOptions {
  /** Shown in process lists and crash messages. */
  readonly name?: string;
  /** Environment of the worker; the parent's own where omitted. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a worker process from the path of its entry file: `utilityProcess` in Electron, `child_process` elsewhere.
 * Entries talk through `electron/workers/parent-port.ts`, which knows both.
 */
export type ForkWorker = (entry: string, options?: ForkOptions) => WorkerHandle;
