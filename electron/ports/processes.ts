/** The worker entries the program has; each is one file in `electron/workers`. */
export type WorkerEntry = 'inference' | 'datasets' | 'vault-jobs' | 'keychain';

/** A running worker process. Messages are structured clones. */
export interface WorkerHandle {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once; `code` null when a signal ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  kill(): void;
  readonly pid: number | undefined;
}

/** Starts a worker: `child_process.fork` on Node, `utilityProcess.fork` in Electron. */
export type ForkWorker = (
  entry: WorkerEntry,
  options?: { readonly env?: Readonly<Record<string, string>> },
) => WorkerHandle;
