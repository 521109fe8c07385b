import { SallyportError } from '../../shared/domain/errors.ts';
import { fileRefusal, REMOVED_HINT } from '../../shared/domain/model/actions.ts';
import { featureNames, inputWidth } from '../../shared/domain/model/feature-columns.ts';
import {
  formatRef,
  type ModelVersion,
  type OutputMapping,
  type VersionRef,
  versionRefSchema,
} from '../../shared/domain/model/version.ts';
import type { ArtifactStore } from '../ports/artifacts.ts';
import type { EngineModel } from '../ports/engine.ts';
import type { StoreReader } from '../ports/stores.ts';
import { parseInput } from './input.ts';

/** A registered version whose outputs are mapped, so that it can be measured. */
export interface MeasurableVersion extends ModelVersion {
  readonly mapping: OutputMapping;
}

/** Throws `not-found`; `refused.state` for a revoked one and one whose file was removed. */
export function runnableVersion(read: StoreReader, input: VersionRef): ModelVersion {
  const ref = parseInput(versionRefSchema, { name: input.name, version: input.version });
  const version = read.version(ref);
  if (!version) {
    throw new SallyportError('not-found', `There is no version ${formatRef(ref)}.`, {
      hint: 'See `sallyport model list` for what is there.',
      facts: { ref: formatRef(ref) },
    });
  }
  if (version.state === 'revoked') {
    throw new SallyportError('refused.state', `${formatRef(ref)} is revoked and is not run.`, {
      hint: 'Nothing was changed.',
      facts: { ref: formatRef(ref) },
    });
  }
  const removed = fileRefusal(version);
  if (removed !== null)
    throw new SallyportError('refused.state', removed, {
      hint: REMOVED_HINT,
      facts: { ref: formatRef(ref) },
    });
  return version;
}

/** The same, and `model.unmappable` where nobody said how to read its outputs. */
export function measurableVersion(read: StoreReader, input: VersionRef): MeasurableVersion {
  const version = runnableVersion(read, input);
  const ref = { name: version.name, version: version.version };
  if (!version.mapping) {
    throw new SallyportError('model.unmappable', `The outputs of ${formatRef(ref)} are not mapped.`, {
      hint: 'Say which output is the label and which the score: on the version’s page, or by `model map`.',
      facts: { ref: formatRef(ref) },
    });
  }
  return { ...version, mapping: version.mapping };
}

/** The decrypted bytes, hashed in the buffer the engine gets. */
export async function engineModel(
  artifacts: ArtifactStore,
  version: MeasurableVersion,
): Promise<EngineModel> {
  return {
    bytes: await artifacts.readAll(version.artifactId, version.digest),
    digest: version.digest,
    mapping: version.mapping,
    featureNames: featureNames(version.onnx),
    featureCount: inputWidth(version.onnx, version.mapping.input),
  };
}
