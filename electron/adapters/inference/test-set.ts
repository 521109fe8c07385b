/** Runs a model on one folder of its own test data. In the worker process: a hostile file or model ends only that. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { compareTensors } from '../../../shared/domain/evidence/compare-values.ts';
import type { ComparedOutput, TestSetReport, Tolerance } from '../../../shared/domain/evidence/test-data.ts';
import {
  type FittedModel,
  fitValues,
  type NamedValue,
  Unfit,
} from '../../../shared/domain/onnx/fit-values.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import type { OnnxSummary, OnnxValue } from '../../../shared/domain/onnx/summary.ts';
import { MAX_TENSOR_BYTES } from '../../../shared/domain/onnx/tensor.ts';
import { readTestValue } from '../../../shared/domain/onnx/test-value.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import { openSession, type PlainTensor } from '../../../shared/node/onnx/runtime.ts';
import { actualTensor, plainTensor } from '../../../shared/node/onnx/tensor-values.ts';
import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';

/** One folder with `input_*.pb` and `output_*.pb`, and the model whose bytes were sent under `key`. */
export interface TestSetTask {
  readonly kind: 'test-set';
  readonly key: string;
  readonly folder: string;
  readonly tolerance: Tolerance;
}

/** A set's verdict, all but its name and its time. */
export type TestSetVerdict = Pick<TestSetReport, 'status' | 'reason' | 'outputs'>;

/** Throws `dataset.invalid` and `not-found` for data that cannot be read; what the model does wrong is in the verdict. */
export async function runTestSet(
  task: TestSetTask,
  context: Pick<TaskContext, 'bytes'>,
): Promise<TestSetVerdict> {
  const model = context.bytes(task.key);
  const { summary } = readOnnx(bytesSource(model));
  const inputs = readValues(task.folder, 'input', summary.inputs);
  const outputs = readValues(task.folder, 'output', summary.outputs);
  if (outputs.length === 0)
    throw new SallyportError('dataset.invalid', `${task.folder} holds no output_*.pb to compare with.`);
  let fitted: FittedModel;
  try {
    checkKinds(summary, outputs);
    fitted = fitValues(model, inputs, outputs);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return {
      status: 'not-supported',
      reason: `not supported by the runtime's Node binding: ${error.message}`,
      outputs: [],
    };
  }
  try {
    return await runFitted(fitted, task.tolerance);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'model.unsupported') throw error;
    return { status: 'error', reason: error.message, outputs: [] };
  }
}

async function runFitted(fitted: FittedModel, tolerance: Tolerance): Promise<TestSetVerdict> {
  const session = await openSession(fitted.bytes, { intraOpThreads: 1 });
  try {
    const feeds: Record<string, PlainTensor> = {};
    for (const fed of fitted.feeds) feeds[fed.name] = plainTensor(fed);
    const wanted = fitted.reads.map(({ name }) => name);
    const answers = await session.run(feeds, wanted);
    const outputs = fitted.reads.map(({ name, label, expected, as }): ComparedOutput => {
      const answer = answers[name];
      if (answer === undefined)
        throw new SallyportError('model.unsupported', `The model gave nothing for "${label}".`);
      const own = as === expected.elementType ? null : expected.elementType;
      return compareTensors(label, expected, actualTensor(answer, own), tolerance);
    });
    const bad = outputs.find(({ passed }) => !passed);
    return bad === undefined
      ? { status: 'passed', reason: '', outputs }
      : { status: 'failed', reason: `"${bad.name}": ${bad.reason}`, outputs };
  } finally {
    await session.release();
  }
}

/** The other outputs, which nothing is compared with, may hold what the binding cannot give; they are not asked for. */
function checkKinds(summary: OnnxSummary, outputs: readonly NamedValue[]): void {
  if (outputs.length > summary.outputs.length) throw new Unfit('there are more outputs than the model has');
}

/** `<kind>_<n>.pb` by n. A value goes by its own name where the model has one of it, else by its place. */
function readValues(folder: string, kind: 'input' | 'output', values: readonly OnnxValue[]): NamedValue[] {
  const found: { readonly place: number; readonly path: string }[] = [];
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (cause) {
    throw new SallyportError('not-found', `There is no folder ${folder}.`, { cause });
  }
  for (const entry of entries) {
    const place = new RegExp(`^${kind}_(\\d{1,6})\\.pb$`).exec(entry)?.[1];
    if (place !== undefined) found.push({ place: Number(place), path: join(folder, entry) });
  }
  found.sort((a, b) => a.place - b.place);
  return found.map(({ place, path }) => {
    const value = values[place];
    if (value === undefined)
      throw new SallyportError(
        'dataset.invalid',
        `There is ${kind}_${place}.pb, and the model has ${values.length} ${kind}s.`,
        { hint: 'The test data is another model’s.' },
      );
    if (statSync(path).size > MAX_TENSOR_BYTES)
      throw new SallyportError('dataset.invalid', `${path} is larger than ${MAX_TENSOR_BYTES} bytes.`);
    return { name: value.name, value: readTestValue(readFileSync(path), value.kind) };
  });
}
