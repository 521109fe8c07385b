import { loadModel } from '../../shared/node/onnx/session.ts';
import { type ModelLoader, openSessionThread } from '../../shared/node/onnx/session-thread.ts';
import { serveInference } from '../../shared/node/onnx/worker-server.ts';
import { openWorkerPort } from '../../shared/node/worker-port.ts';
import { evaluate } from '../adapters/inference/evaluate.ts';
import type { InferenceTask } from '../adapters/inference/evaluate-task.ts';
import { lookAtRows } from '../adapters/inference/rows.ts';
import { isTestDataTask, runTestDataTask } from '../adapters/inference/test-data-task.ts';

// Beside this file, whatever it was built to. Started with the first model; where no thread can be, models run here.
let thread: Promise<ModelLoader> | null = null;
const load: ModelLoader = async (...model) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  thread ??= openSessionThread(new URL(`./inference-thread.${extension}`, import.meta.url)).catch(
    () => loadModel,
  );
  return (await thread)(...model);
};

// Reads data and runs models in one process: rows never travel between processes, and nothing heavy touches the main one.
serveInference(
  openWorkerPort(),
  (task, context) => {
    if (isTestDataTask(task)) return runTestDataTask(task, context);
    const asked = task as InferenceTask;
    return asked.kind === 'evaluate' ? evaluate(asked, context) : lookAtRows(asked, context);
  },
  load,
);
