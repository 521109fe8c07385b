import { SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';
import { unzipMaps } from '../../domain/onnx/zip-map.ts';
import { interfaceOf, type ModelInterface, type NamedTensor, namedTensor } from './named-tensor.ts';
import { type RowModel, rowModel } from './row-model.ts';
import { openSession, type RuntimeSession, type SessionOptions } from './runtime.ts';

/** A model in memory, asked by rows. Only ever made inside a worker process: `run` blocks its thread. */
export interface LoadedModel extends RowModel {
  release(): Promise<void>;
}

/**
 * Loads a model from its bytes. Errors: `model.unsupported` (the runtime or this program cannot run it),
 * `model.unmappable` (the mapping names an output it does not have).
 */
export async function loadModel(
  bytes: Uint8Array,
  mapping: OutputMapping,
  options: SessionOptions,
): Promise<LoadedModel> {
  // The mapped score may be a ZipMap's list of dictionaries: the graph that runs answers the tensor behind it.
  const unzipped = mapping.scoreOutput === null ? null : unzipMaps(bytes);
  const session = await openSession(unzipped?.bytes ?? bytes, options);
  return orRelease(session, () => ({ ...rowModel(session, mapping), release: () => session.release() }));
}

/** A model in memory, asked by tensors. */
export interface TensorModel {
  readonly interface: ModelInterface;
  /** Answers the outputs of these names, in this order. Blocks its thread; `model.unsupported` where the runtime stops. */
  run(inputs: readonly NamedTensor[], wanted: readonly string[]): Promise<readonly NamedTensor[]>;
  release(): Promise<void>;
}

/** Loads a model to be asked by tensors; of its dictionaries of probabilities (ZipMap) the tensors behind them. */
export async function openTensorModel(bytes: Uint8Array, options: SessionOptions): Promise<TensorModel> {
  const session = await openSession(unzipMaps(bytes)?.bytes ?? bytes, options);
  return orRelease(session, () => ({
    interface: interfaceOf(session.inputs, session.outputs),
    async run(inputs, wanted) {
      const results = await session.run(
        Object.fromEntries(inputs.map((input) => [input.name, input])),
        wanted,
      );
      return wanted.map((name) => {
        const result = results[name];
        if (!result)
          throw new SallyportError('model.unsupported', `The model answered no tensor for "${name}".`);
        return namedTensor(name, result);
      });
    },
    release: () => session.release(),
  }));
}

async function orRelease<T>(session: RuntimeSession, make: () => T): Promise<T> {
  try {
    return make();
  } catch (error) {
    await session.release();
    throw error;
  }
}
