import { fork } from 'node:child_process';
import { join } from 'node:path';

export interface LoadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn. */
  readonly bodies: readonly string[];
  /** Requests per second, open loop; 0 = closed loop. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly connections: number;
  /** Field of the answer that names the version, or null. */
  readonly versionField: string | null;
}

/** The first answer of a version after another one's (or at the start). */
export interface Switch {
  readonly version: string;
  readonly atEpochMs: number;
}

export interface LoadReport {
  readonly sent: number;
  /** Anything but a 200: refused, reset, timed out. */
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Milliseconds from when each request was due to its last byte. */
  readonly latencies: readonly number[];
  readonly switches: readonly Switch[];
  readonly versions: Readonly<Record<string, number>>;
}

type Message = { readonly ready?: true; readonly report?: LoadReport; readonly problem?: string };

/** Starts a load; `started` resolves when the generator is running. */
export function load(request: LoadRequest): {
  readonly started: Promise<void>;
  readonly report: Promise<LoadReport>;
} {
  const child = fork(join(import.meta.dirname, 'load-worker.ts'), [], {
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  let begin = (): void => {};
  const started = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const report = new Promise<LoadReport>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if (message.ready) {
        child.send(request);
        begin();
      }
      if (message.problem !== undefined) reject(new Error(message.problem));
      if (message.report !== undefined) resolve(message.report);
    });
    child.once('exit', (code) => reject(new Error(`The load generator ended with ${code}.`)));
  }).finally(() => child.connected && child.disconnect());
  return { started, report };
}
