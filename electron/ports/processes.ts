/** The worker entries the program has; each is one file in `electron/workers`. */
export type WorkerEntry = 'inference' | 'datasets' | 'vault-jobs' | 'backup' | 'keychain' | 'rekey';

/** A running worker process. Messages are structured clones. */
export interface WorkerHandle {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once; `code` null when a signal ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  kill(): void;
  /** Whether this process waits for the worker before it ends by itself; yes until said otherwise. */
  hold?(held: boolean): void;
  readonly pid: number | undefined;
}

/** Starts a worker: `child_process.fork` on Node, `utilityProcess.fork` in Electron. */
export type ForkWorker = (
  entry: WorkerEntry,
  options?: { readonly env?: Readonly<Record<string, string>> },
) => WorkerHandle;

/** A program of ours in a process of its own: the serving agent, the traffic player. */
export interface RunningProgram {
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, also when it has ended already. */
  onExit(listener: (code: number | null) => void): void;
  /** `stop` asks it to end in order; `kill` ends it at once. */
  end(how: 'stop' | 'kill'): void;
}

/** Starts one of our entries with arguments, on the runtime this process has. */
export type LaunchProgram = (entry: string, args: readonly string[]) => RunningProgram;
