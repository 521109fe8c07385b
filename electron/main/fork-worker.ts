import { utilityProcess } from 'electron';
import { workerEnvironment } from '../../shared/node/onnx/fork-process.ts';
import type { ForkWorker, WorkerEntry } from '../ports/processes.ts';

/**
 * Worker entries as Electron's utility processes: a packaged console cannot be run as plain Node, so
 * `child_process.fork` is no way there. `locate` names the built file of an entry.
 */
export function forkUtilityWorker(locate: (entry: WorkerEntry) => string): ForkWorker {
  return (entry, options) => {
    const child = utilityProcess.fork(locate(entry), [], {
      serviceName: `Sallyport ${entry}`,
      stdio: 'inherit',
      env: { ...(options?.env ?? workerEnvironment()) },
    });
    let messageListener: (message: unknown) => void = () => {};
    let exitListener: ((code: number | null, signal: string | null) => void) | undefined;
    let exit: number | undefined;
    child.on('message', (message: unknown) => messageListener(message));
    child.on('exit', (code) => {
      exit = code;
      exitListener?.(code, null);
    });
    return {
      // Known only once it has spawned, and gone again when it has ended.
      get pid() {
        return child.pid;
      },
      postMessage: (message) => child.postMessage(message),
      onMessage: (listener) => {
        messageListener = listener;
      },
      onExit: (listener) => {
        exitListener = listener;
        if (exit !== undefined) listener(exit, null);
      },
      kill: () => {
        // A worker deep in a native call does not hear SIGTERM; `kill()` sends no other signal.
        try {
          if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
        } catch {
          // It ended by itself in between.
        }
      },
    };
  };
}
