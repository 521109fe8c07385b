/** A release in its inference processes, as everybody who asks it sees it. */
import type { ReleaseRef } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import type { OutputMapping } from '../shared/domain/model/version.ts';
import { type ModelInterface, type NamedTensor, readableTensor } from '../shared/node/onnx/named-tensor.ts';
import { type AnswerReader, answerReader } from '../shared/node/onnx/row-model.ts';
import type { Predictions } from '../shared/node/onnx/worker-protocol.ts';
import type { Batcher } from './inference/batcher.ts';
import type { ModelProcesses } from './inference/processes.ts';
import { type RowReader, rowReader } from './inference/read-rows.ts';
import { cutRows, fillRows, joinRows } from './inference/tensor-rows.ts';

export interface LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  /** Every input and output of the model. */
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  /** Outputs that `read` needs. */
  readonly mapped: readonly string[];
  /** Values a row has over all inputs; null where the model leaves it open, or cannot be asked by rows. */
  readonly featureCount: number | null;
  /** Calls under way. */
  readonly inFlight: number;
  readonly busy: boolean;
  /** Memory of its processes, in bytes. */
  readonly bytes: number;
  /** `performance.now()` of the last call. */
  readonly lastUsedAt: number;
  /** Resolves when its processes were ended for good. */
  readonly ended: Promise<void>;
  /**
   * JSON rows of features as the model's inputs. `input.invalid`, `TooManyRows`; `model.unsupported` for a model whose
   * inputs cannot be filled from rows.
   */
  readRows(features: unknown, maxRows: number): readonly NamedTensor[];
  /** All inputs in; the named outputs out, in the given order, or all of them in the model's. Nothing is checked here. */
  run(inputs: readonly NamedTensor[], outputs?: readonly string[]): Promise<readonly NamedTensor[]>;
  /** The same in as many runs as it takes of a model that fixes how many rows it sees at once. */
  runRows(inputs: readonly NamedTensor[], outputs: readonly string[]): Promise<readonly NamedTensor[]>;
  /**
   * Labels and scores of the mapped outputs among these, one a row. `model.unmappable` where they are not one a row;
   * `model.unsupported` for an answer that is no finite number, unless it is `allowed`.
   */
  read(outputs: readonly NamedTensor[], count: number, allowed: boolean): Predictions;
  /** Ends its processes once the calls under way are answered. */
  retire(): Promise<void>;
  /** Ends them now. */
  close(): Promise<void>;
}

export interface ReleaseParts {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  readonly processes: ModelProcesses;
  readonly batcher: Batcher;
  readonly sizeBytes: number;
}

export class Release implements LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  readonly #processes: ModelProcesses;
  readonly #batcher: Batcher;
  readonly #allOutputs: readonly string[];
  readonly #answers: AnswerReader;
  /** Or why it cannot be asked by rows. */
  readonly #rows: RowReader | SallyportError;
  readonly #sizeBytes: number;
  readonly ended: Promise<void>;
  #end = (): void => {};
  #inFlight = 0;
  #lastUsedAt = performance.now();
  #idle: (() => void)[] = [];

  /** Throws `model.unmappable` where the mapping names an output that the model does not have. */
  constructor({ name, ref, info, mapping, processes, batcher, sizeBytes }: ReleaseParts) {
    this.#sizeBytes = sizeBytes;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.name = name;
    this.ref = ref;
    this.info = info;
    this.mapping = mapping;
    this.#processes = processes;
    this.#batcher = batcher;
    this.#allOutputs = info.outputs.map((output) => output.name);
    this.#answers = answerReader(
      info.outputs.map(({ name: output, type }) => ({
        name: output,
        tensor: { name: output, type, shape: [] },
      })),
      mapping,
    );
    this.#rows = rowsOf(name, info);
  }

  get mapped(): readonly string[] {
    return this.#answers.wanted;
  }

  get featureCount(): number | null {
    return this.#rows instanceof SallyportError ? null : this.#rows.featureCount;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  get bytes(): number {
    return Math.max(this.#processes.rssBytes, this.#sizeBytes);
  }

  get lastUsedAt(): number {
    return this.#lastUsedAt;
  }

  readRows(features: unknown, maxRows: number): readonly NamedTensor[] {
    if (this.#rows instanceof SallyportError) throw this.#rows;
    return this.#rows.read(features, maxRows);
  }

  run(
    inputs: readonly NamedTensor[],
    outputs: readonly string[] = this.#allOutputs,
  ): Promise<readonly NamedTensor[]> {
    this.#inFlight++;
    this.#lastUsedAt = performance.now();
    const asked = this.#batcher.run(inputs, outputs);
    asked.then(this.#left, this.#left);
    return asked;
  }

  readonly #left = (): void => {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const wake of waiting) wake();
  };

  runRows(inputs: readonly NamedTensor[], outputs: readonly string[]): Promise<readonly NamedTensor[]> {
    const { batch } = this.info;
    const count = inputs[0]?.dims[0] ?? 0;
    if (typeof batch !== 'number' || batch === count) return this.run(inputs, outputs);
    return this.#runParts(inputs, outputs, count, batch);
  }

  /** One call from its first run to its last: between two of them its version is not idle. */
  async #runParts(
    inputs: readonly NamedTensor[],
    outputs: readonly string[],
    count: number,
    batch: number,
  ): Promise<readonly NamedTensor[]> {
    this.#inFlight++;
    this.#lastUsedAt = performance.now();
    try {
      const parts: NamedTensor[][] = outputs.map(() => []);
      for (let start = 0; start < count; start += batch) {
        const take = Math.min(batch, count - start);
        const part = inputs.map((input) => fillRows(cutRows(input, start, take), batch));
        const answers = await this.#batcher.run(part, outputs);
        for (const [place, answer] of answers.entries()) parts[place]?.push(cutRows(answer, 0, take));
      }
      return parts.map(joinRows);
    } finally {
      this.#left();
    }
  }

  read(outputs: readonly NamedTensor[], count: number, allowed: boolean): Predictions {
    const predictions = this.#answers.read(
      Object.fromEntries(outputs.map((output) => [output.name, readableTensor(output)])),
      count,
    );
    if (!allowed) this.#answers.check(predictions);
    return predictions;
  }

  async retire(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.close();
  }

  async close(): Promise<void> {
    await this.#processes.close();
    this.#end();
  }
}

function rowsOf(name: string, info: ModelInterface): RowReader | SallyportError {
  try {
    return rowReader(info);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'model.unsupported') throw error;
    return new SallyportError('model.unsupported', `${name} cannot be asked by rows. ${error.message}`, {
      hint: `Send its inputs as tensors to /v2/models/${name}/infer.`,
    });
  }
}
