import type { Dossier } from '../../../shared/domain/approval/request.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef, type ModelVersion } from '../../../shared/domain/model/version.ts';
import { evaluateEvidence, evaluateGates } from '../../../shared/domain/policy/evaluate.ts';
import type { Environment } from '../../../shared/domain/policy/policy.ts';
import type { StoreReader } from '../../ports/stores.ts';

/**
 * Gathers what an approver signs, and judges it by the environment's policy as it is now. Refuses (`refused.gate`,
 * `refused.scan`, `refused.state`) what does not hold, naming every reason.
 */
export function gatherDossier(read: StoreReader, model: ModelVersion, environment: Environment): Dossier {
  const ref = { name: model.name, version: model.version };
  if (model.state === 'archived' || model.state === 'revoked') {
    throw new SallyportError('refused.state', `${formatRef(ref)} is ${model.state}.`, {
      hint: 'Submit another version.',
    });
  }
  if (model.mapping === null) {
    throw new SallyportError('model.unmappable', `The outputs of ${formatRef(ref)} are not mapped.`, {
      hint: 'Map them on the version’s page, then validate it.',
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
  const champion = read.aliasedVersion(model.name, 'champion');
  const other = champion !== null && champion.version !== model.version ? champion : null;
  const comparison =
    other === null
      ? null
      : (read
          .comparisons(ref)
          .find(
            (report) => report.challengerDigest === model.digest && report.championDigest === other.digest,
          ) ?? null);
  const gates = evaluateGates(environment.policy, {
    metrics: validation.metrics,
    latency: validation.latency,
    champion: other === null ? null : championBaseline(read, other, validation.dataset.digest, comparison),
  });
  const evidence = evaluateEvidence(environment.policy, {
    rows: validation.dataset.rows,
    datasetDigest: validation.dataset.digest,
    findings: model.findings,
    rulesRun: model.rulesRun,
  });
  const broken = [
    ...gates.filter((gate) => !gate.passed).map((gate) => `${gate.metric}: ${gate.reason}.`),
    ...evidence.reasons,
  ];
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
  };
}

/** The champion's figures on the same rows: from the comparison, else from its own validation on the same dataset. */
function championBaseline(
  read: StoreReader,
  champion: ModelVersion,
  datasetDigest: string,
  comparison: ReturnType<StoreReader['comparison']>,
) {
  if (comparison !== null && comparison.dataset.digest === datasetDigest) {
    return { metrics: comparison.championMetrics, latency: comparison.championLatency };
  }
  const report = read
    .validations({ name: champion.name, version: champion.version })
    .find((r) => r.dataset.digest === datasetDigest && r.digest === champion.digest);
  return report === undefined
    ? ('not-compared' as const)
    : { metrics: report.metrics, latency: report.latency };
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
