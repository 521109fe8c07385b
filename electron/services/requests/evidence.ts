import type { Dossier } from '../../../shared/domain/approval/request.ts';
import { type HashFunction, toHex, utf8 } from '../../../shared/domain/audit/bytes.ts';
import { canonicalJson } from '../../../shared/domain/audit/canonical-json.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef, type ModelVersion } from '../../../shared/domain/model/version.ts';
import { verdictOf } from '../../../shared/domain/policy/evaluate.ts';
import { isSameRows, judgeReport } from '../../../shared/domain/policy/judge.ts';
import type { Environment } from '../../../shared/domain/policy/policy.ts';
import type { StoreReader } from '../../ports/stores.ts';
import { championReports } from '../validation.ts';

/**
 * Gathers what an approver signs, and judges it by the environment's policy as it is now. Refuses (`refused.gate`,
 * `refused.scan`, `refused.state`) what does not hold, naming every reason.
 */
export function gatherDossier(
  read: StoreReader,
  model: ModelVersion,
  environment: Environment,
  hash: HashFunction,
): Dossier {
  const ref = { name: model.name, version: model.version };
  if (model.state === 'archived' || model.state === 'revoked') {
    throw new SallyportError('refused.state', `${formatRef(ref)} is ${model.state}.`, {
      hint: 'Submit another version.',
    });
  }
  if (model.mapping === null) {
    throw new SallyportError('model.unmappable', `The outputs of ${formatRef(ref)} are not mapped.`, {
      hint: 'Map them on the version’s page or by `model map`, then validate it.',
    });
  }
  const validation = read
    .validations(ref)
    .find((report) => report.environmentId === environment.id && report.digest === model.digest);
  if (validation === undefined) {
    throw new SallyportError('refused.gate', `${formatRef(ref)} has no validation for ${environment.name}.`, {
      hint: `Run: sallyport validate ${formatRef(ref)} --data FILE --for ${environment.name}`,
    });
  }
  const champion = championReports(read, model);
  // The one on the very rows of the validation before any other.
  const comparisons = (champion?.comparisons ?? []).filter(
    (report) => report.challengerDigest === model.digest && report.championDigest === champion?.digest,
  );
  const comparison =
    comparisons.find((report) => isSameRows(report.dataset, validation.dataset)) ?? comparisons[0] ?? null;
  // By the policy as it is now, which may ask for more than the one it was validated by.
  const { gates } = judgeReport(environment.policy, validation, model, champion);
  const broken = gates
    .filter((gate) => verdictOf(gate) !== 'pass')
    .map((gate) => `${gate.metric}: ${gate.reason}.`.replace(/\.\.$/, '.'));
  if (broken.length > 0) {
    throw new SallyportError(
      'refused.gate',
      `${formatRef(ref)} does not meet the policy of ${environment.name}: ${broken.join(' ')}`,
      {
        hint: 'Nothing was submitted. Validate on data the policy accepts, or release a better version.',
        facts: { broken: broken.length },
      },
    );
  }
  return {
    onnx: model.onnx,
    scan: { rulesRun: model.rulesRun, findings: model.findings },
    validation,
    comparison: comparison === null ? null : withoutRows(comparison),
    gates,
    lineage: {
      parent: model.parent,
      datasetDigest: model.metadata.datasetDigest ?? null,
      codeReference: model.metadata.codeReference ?? null,
    },
    mapping: model.mapping,
    profile: profileOf(read, model, hash),
  };
}

/** Names the version's reference profile, so that drift on either side is held against the very same one. */
function profileOf(read: StoreReader, model: ModelVersion, hash: HashFunction): Dossier['profile'] {
  const stored = read.profile(model);
  if (stored === null) return null;
  const digest = toHex(hash(utf8(canonicalJson(stored.profile))));
  return { digest, datasetDigest: stored.datasetDigest, rows: stored.profile.rows };
}

function withoutRows<T extends { disagreementRows: unknown }>(report: T): Omit<T, 'disagreementRows'> {
  const { disagreementRows: _, ...rest } = report;
  return rest;
}

/** Throws `refused.state` where the version was archived, revoked or collected while its release was put together. */
export function requireStillThere(read: StoreReader, model: ModelVersion): void {
  const current = read.version(model);
  const open = current?.state === 'draft' || current?.state === 'validated';
  if (open && current.artifactId === model.artifactId) return;
  throw new SallyportError('refused.state', `${formatRef(model)} was taken out of use meanwhile.`, {
    hint: 'Nothing was submitted. Look at the version, and submit another one.',
  });
}
