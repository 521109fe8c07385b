import { compareRanks, type RankComparer, type RankedDifference } from '../../shared/domain/metrics/index.ts';
import { loadModel } from '../../shared/node/onnx/session.ts';
import {
  type ModelLoader,
  openSessionThread,
  type SessionThread,
} from '../../shared/node/onnx/session-thread.ts';
import { serveInference } from '../../shared/node/onnx/worker-server.ts';
import { openWorkerPort } from '../../shared/node/worker-port.ts';
import { evaluate } from '../adapters/inference/evaluate.ts';
import type { InferenceTask } from '../adapters/inference/evaluate-task.ts';
import { lookAtRows } from '../adapters/inference/rows.ts';
import { isTestDataTask, runTestDataTask } from '../adapters/inference/test-data-task.ts';

// Beside this file, whatever it was built to. Started with the first model; where no thread can be, models run here.
let opening: Promise<SessionThread | null> | null = null;
let thread: SessionThread | null = null;
const load: ModelLoader = async (...model) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  opening ??= openSessionThread(new URL(`./inference-thread.${extension}`, import.meta.url)).catch(
    () => null,
  );
  thread = await opening;
  return (thread?.load ?? loadModel)(...model);
};
const compare: RankComparer = async (pair) =>
  thread ? ((await thread.compute(pair)) as RankedDifference | null) : compareRanks(pair);

// Reads data and runs models in one process: rows never travel between processes, and nothing heavy touches the main one.
serveInference(
  openWorkerPort(),
  (task, context) => {
    if (isTestDataTask(task)) return runTestDataTask(task, context);
    const asked = task as InferenceTask;
    return asked.kind === 'evaluate' ? evaluate(asked, context, compare) : lookAtRows(asked, context);
  },
  load,
);
