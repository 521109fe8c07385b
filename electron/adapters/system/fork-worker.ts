import { forkProcess } from '../../../shared/node/onnx/fork-process.ts';
import type { ForkWorker, WorkerEntry } from '../../ports/processes.ts';

/**
 * Worker entries as Node child processes: the command line, tests and wherever there is no Electron. `locate` names the
 * file of an entry: `electron/workers/<entry>.ts` from source, its bundle when built.
 */
export function createForkWorker(locate: (entry: WorkerEntry) => string): ForkWorker {
  return (entry, options) => forkProcess(locate(entry), { ...options, execArgv: NODE_OPTIONS[entry] ?? [] });
}

/**
 * Inference has one helper for the engine's garbage collection, not the usual four: those of a moment would take turns
 * with the thread that runs the models, on a machine with few cores.
 */
const NODE_OPTIONS: Partial<Record<WorkerEntry, readonly string[]>> = { inference: ['--v8-pool-size=1'] };
