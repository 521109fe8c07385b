/** What the protocol's questions about models are answered from: what is loaded, and what was counted. */
import { tritonTypeOf } from '../../../shared/domain/open-inference/datatypes.ts';
import type {
  ModelConfig,
  ModelMetadata,
  ModelStats,
  RepositoryIndex,
} from '../../../shared/domain/open-inference/messages.ts';
import type { TensorInfo } from '../../../shared/node/onnx/named-tensor.ts';
import type { LiveModel } from '../../live-model.ts';
import type { Bins, VersionCounts } from '../../metrics/counts.ts';
import type { LoadedRelease } from '../../release.ts';
import { datatypeOfType } from './tensors.ts';

const PLATFORM = 'onnxruntime_onnx';

/** Every version that can be asked: the one with most traffic first. */
export function loadedVersions({ stable, canary, previous }: LiveModel): LoadedRelease[] {
  return [stable, canary, previous].filter((release) => release !== null);
}

export function metadataOf(live: LiveModel, release: LoadedRelease): ModelMetadata {
  return {
    name: live.routing.name,
    versions: loadedVersions(live).map(({ ref }) => ref.version),
    platform: PLATFORM,
    inputs: release.info.inputs.map(tensorMetadata),
    outputs: release.info.outputs.map(tensorMetadata),
  };
}

function tensorMetadata(tensor: TensorInfo): ModelMetadata['inputs'][number] {
  return { name: tensor.name, datatype: datatypeOfType(tensor.type), shape: sizes(tensor) };
}

/** A size that the model leaves open is -1, whatever it calls it. */
function sizes({ shape }: TensorInfo): number[] {
  return shape.map((size) => (typeof size === 'number' ? size : -1));
}

export function configOf(live: LiveModel, release: LoadedRelease): ModelConfig {
  const tensor = (info: TensorInfo): ModelConfig['input'][number] => ({
    name: info.name,
    data_type: tritonTypeOf(datatypeOfType(info.type)),
    dims: sizes(info),
  });
  return {
    name: live.routing.name,
    platform: PLATFORM,
    backend: 'onnxruntime',
    max_batch_size: 0,
    input: release.info.inputs.map(tensor),
    output: release.info.outputs.map(tensor),
  };
}

export function indexOf(models: readonly LiveModel[], readyOnly: boolean): RepositoryIndex {
  return models.flatMap((live) => {
    const { name, stable } = live.routing;
    const ready = loadedVersions(live).map(({ ref }) => ({
      name,
      version: ref.version,
      state: 'READY' as const,
      reason: '',
    }));
    if (readyOnly || stable === null || live.stable) return ready;
    const reason = 'The stored release is not what was signed.';
    return [...ready, { name, version: stable.version, state: 'UNAVAILABLE' as const, reason }];
  });
}

/** Of the versions of a model that were asked something and are loaded. */
export function statsOf(
  live: LiveModel,
  releases: readonly LoadedRelease[],
  counted: ReadonlyMap<string, VersionCounts>,
): ModelStats['model_stats'] {
  return releases.map(({ ref }) => {
    const counts = counted.get(ref.version);
    return {
      name: live.routing.name,
      version: ref.version,
      inference_count: counts?.rows ?? 0,
      execution_count: counts ? totalOf(counts.batches) : 0,
      inference_stats: {
        success: { count: counts?.succeeded ?? 0, ns: counts ? nanoseconds(counts.latency) : 0 },
        fail: { count: counts?.failed ?? 0 },
        queue: { count: counts ? totalOf(counts.waits) : 0, ns: counts ? nanoseconds(counts.waits) : 0 },
      },
    };
  });
}

function totalOf({ counts }: Bins): number {
  return counts.reduce((total, count) => total + count, 0);
}

function nanoseconds({ sum }: Bins): number {
  return Math.round(sum * 1e9);
}
