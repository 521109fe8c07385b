import { forkProcess } from '../../../shared/node/onnx/fork-process.ts';
import type { ForkWorker, WorkerEntry } from '../../ports/processes.ts';

/**
 * Worker entries as Node child processes: the command line, tests and wherever there is no Electron. `locate` names the
 * file of an entry: `electron/workers/<entry>.ts` from source, its bundle when built.
 */
export function createForkWorker(locate: (entry: WorkerEntry) => string): ForkWorker {
  return (entry, options) => forkProcess(locate(entry), options);
}
