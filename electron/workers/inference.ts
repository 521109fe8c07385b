import { serveInference } from '../../shared/node/onnx/worker-server.ts';
import { openWorkerPort } from '../../shared/node/worker-port.ts';
import { evaluate } from '../adapters/inference/evaluate.ts';
import type { EvaluateTask } from '../adapters/inference/evaluate-task.ts';

// Reads data and runs models in one process: rows never travel between processes, and nothing heavy touches the main one.
serveInference(openWorkerPort(), (task, context) => evaluate(task as EvaluateTask, context));
