/** A release in its inference process, as everybody who asks it sees it. */
import type { ReleaseRef } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import type { OutputMapping } from '../shared/domain/model/version.ts';
import type { InferenceHost } from '../shared/node/onnx/inference-host.ts';
import {
  type ModelInterface,
  type NamedTensor,
  readableTensor,
  type TensorData,
  type TensorInfo,
  type TensorType,
} from '../shared/node/onnx/named-tensor.ts';
import { type RowModel, rowModel } from '../shared/node/onnx/row-model.ts';
import type { RuntimeTensor, ValueDescription } from '../shared/node/onnx/runtime.ts';
import type { Predictions } from '../shared/node/onnx/worker-protocol.ts';

/** The name of the one model of an inference process. */
export const MODEL_KEY = 'model';

export interface LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  /** Every input and output of the model. */
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  /** Values a row of `predict` has over all inputs; null where the model leaves it open, or knows no rows. */
  readonly featureCount: number | null;
  /** Calls under way in its process. */
  readonly inFlight: number;
  readonly busy: boolean;
  /** All inputs in; the named outputs out, in the given order, or all of them in the model's. Nothing is checked here. */
  run(inputs: readonly NamedTensor[], outputs?: readonly string[]): Promise<readonly NamedTensor[]>;
  /**
   * `count` rows of features, one after another, read as the mapping says. `model.unsupported` for a model whose inputs
   * cannot be filled from rows.
   */
  predict(rows: Float32Array, count: number): Promise<Predictions>;
  /** Ends its process once the calls under way are answered. */
  retire(): Promise<void>;
  /** Ends it now. */
  close(): Promise<void>;
}

export interface ReleaseParts {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  readonly host: InferenceHost;
}

export class Release implements LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInterface;
  readonly mapping: OutputMapping;
  readonly featureCount: number | null;
  readonly #host: InferenceHost;
  readonly #allOutputs: readonly string[];
  /** Or why it cannot be asked by rows. */
  readonly #rows: RowModel | SallyportError;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  /** Throws `model.unmappable` where the mapping names an output that the model does not have. */
  constructor({ name, ref, info, mapping, host }: ReleaseParts) {
    this.name = name;
    this.ref = ref;
    this.info = info;
    this.mapping = mapping;
    this.#host = host;
    this.#allOutputs = info.outputs.map((output) => output.name);
    this.#rows = this.#asRows();
    this.featureCount = this.#rows instanceof SallyportError ? null : this.#rows.info.featureCount;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  run(
    inputs: readonly NamedTensor[],
    outputs: readonly string[] = this.#allOutputs,
  ): Promise<readonly NamedTensor[]> {
    return this.#counted(() => this.#host.run(MODEL_KEY, inputs, outputs));
  }

  predict(rows: Float32Array, count: number): Promise<Predictions> {
    const model = this.#rows;
    if (model instanceof SallyportError) return Promise.reject(model);
    return this.#counted(() => model.run(rows, count));
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#inFlight++;
    try {
      return await work();
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) {
        const waiting = this.#idle;
        this.#idle = [];
        for (const wake of waiting) wake();
      }
    }
  }

  #asRows(): RowModel | SallyportError {
    try {
      return rowModel(
        {
          inputs: this.info.inputs.map(described),
          outputs: this.info.outputs.map(described),
          run: async (feeds, wanted) => {
            const inputs = Object.entries(feeds).map(([name, { type, dims, data }]) => ({
              name,
              type: type as TensorType,
              dims,
              data: data as TensorData,
            }));
            const answers = await this.#host.run(MODEL_KEY, inputs, wanted);
            return Object.fromEntries(
              answers.map((answer): [string, RuntimeTensor] => [answer.name, readableTensor(answer)]),
            );
          },
        },
        this.mapping,
      );
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'model.unsupported') throw error;
      return new SallyportError(
        'model.unsupported',
        `${this.name} cannot be asked by rows. ${error.message}`,
        {
          hint: `Send its inputs as tensors to /v2/models/${this.name}/infer.`,
        },
      );
    }
  }

  async retire(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#host.close();
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}

function described({ name, type, shape }: TensorInfo): ValueDescription {
  return { name, tensor: { name, type, shape: shape.map((size) => size ?? '') } };
}
