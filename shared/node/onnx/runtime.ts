/** The runtime behind one door: sessions over plain values. Nothing else imports it. */
import * as ort from 'onnxruntime-node';
import { SallyportError } from '../../domain/errors.ts';
import './no-telemetry.ts';
import { shorten } from './shorten.ts';

export interface TensorDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** Null where the value is no tensor: this runtime's binding neither takes nor answers it. */
export interface ValueDescription {
  readonly name: string;
  readonly tensor: TensorDescription | null;
}

export interface PlainTensor {
  /** The runtime's word: `float32`, `int64`, `string`, … */
  readonly type: string;
  readonly dims: readonly number[];
  /** A typed array of that type, or texts. float16: its bits in a Uint16Array on the way in. */
  readonly data: unknown;
}

export interface RuntimeSession {
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  /** Blocks its thread. Throws `model.unsupported` where the runtime stops. */
  run(
    feeds: Readonly<Record<string, PlainTensor>>,
    wanted: readonly string[],
  ): Promise<Readonly<Record<string, RuntimeTensor | undefined>>>;
  release(): Promise<void>;
}

/** An answer; named by shape, so that only this file knows the runtime. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly size: number;
  readonly data: unknown;
}

export interface SessionOptions {
  readonly intraOpThreads: number;
  /** In the order in which they are tried for each part of the graph; the CPU alone when left out. */
  readonly executionProviders?: readonly string[];
}

/** Names of the execution providers that this build of the runtime has. */
export function executionProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

/** Throws `model.unsupported` where the runtime refuses the model. */
export async function openSession(
  bytes: Uint8Array,
  { intraOpThreads, executionProviders: providers = ['cpu'] }: SessionOptions,
): Promise<RuntimeSession> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(bytes, {
      executionProviders: [...providers],
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      // Idle runtime threads would spin between calls and take the cores from whoever reads the data.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    throw new SallyportError(
      'model.unsupported',
      `The runtime cannot load this model: ${runtimeText(cause)}`,
      { hint: loadHint(cause) },
    );
  }
  return {
    inputs: session.inputMetadata.map(describe),
    outputs: session.outputMetadata.map(describe),
    async run(feeds, wanted) {
      const tensors: Record<string, ort.Tensor> = {};
      for (const [name, tensor] of Object.entries(feeds)) tensors[name] = tensorOf(tensor);
      try {
        return (await session.run(tensors, [...wanted])) as Record<string, RuntimeTensor | undefined>;
      } catch (cause) {
        throw new SallyportError(
          'model.unsupported',
          `The runtime stopped on this input: ${runtimeText(cause)}`,
        );
      }
    },
    release: () => session.release(),
  };
}

function tensorOf({ type, data, dims }: PlainTensor): ort.Tensor {
  const tensor = new ort.Tensor(type as 'float32', data as Float32Array, dims);
  // The binding reads 16-bit floats as 16-bit integers, and not the Float16Array that the constructor makes of them.
  if (type === 'float16') Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}

function describe(value: ort.InferenceSession.ValueMetadata): ValueDescription {
  const { name } = value;
  return { name, tensor: value.isTensor ? { name, type: value.type, shape: value.shape } : null };
}

/** Text operators of scikit-learn's exports name a locale; the runtime takes it from the system, which may not have it. */
function loadHint(cause: unknown): string {
  const locale = /construct locale with name:([^:\s]{1,60}):/.exec(String(cause))?.[1];
  return locale === undefined
    ? 'The file is kept as it is. Export it again with operators that ONNX Runtime knows, and without side files.'
    : `This system lacks the locale ${locale}: install it, or export the model’s text operators with the locale C.`;
}

function runtimeText(cause: unknown): string {
  return shorten(cause instanceof Error ? cause.message : String(cause), 400);
}
