/** Validation: a version measured over labelled data, judged by a policy, and the report kept. */
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import type { DatasetInfo, GateResult, ValidationReport } from '../../shared/domain/metrics/report.ts';
import { stateRefusal } from '../../shared/domain/model/actions.ts';
import {
  formatRef,
  type ModelVersion,
  type VersionRef,
  versionRefSchema,
} from '../../shared/domain/model/version.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import {
  type ChampionEvidence,
  evaluateEvidence,
  evaluateGates,
} from '../../shared/domain/policy/evaluate.ts';
import { type Environment, type Policy, policySchema } from '../../shared/domain/policy/policy.ts';
import type { ArtifactStore } from '../ports/artifacts.ts';
import type { Evaluation, InferenceEngine, ModelEvidence } from '../ports/engine.ts';
import type { StoreReader } from '../ports/stores.ts';
import type { JobContext, System } from '../ports/system.ts';
import { parseInput } from './input.ts';
import type { Ledger } from './ledger.ts';
import { engineModel, measurableVersion } from './validation-model.ts';

export interface ValidationDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly engine: InferenceEngine;
  readonly system: System;
}

export interface ValidationInput extends VersionRef {
  /** Labelled CSV file. */
  readonly path: string;
  readonly labelColumn: string | null;
  /** Judge by this environment's policy; passing it makes the version `validated`. */
  readonly environmentId: string | null;
  /** What-if: judge by this policy; changes no state. */
  readonly policy: Policy | null;
}

export interface ValidationService {
  /**
   * Measures and judges. The report is kept whether it passes or not; only passing an environment's own policy makes a
   * draft `validated`. Without a policy nothing is judged: no gates, and `passed` says only that none failed.
   */
  run(actor: Actor, input: ValidationInput, job?: JobContext): Promise<ValidationReport>;
  list(actor: Actor, input: { readonly ref: VersionRef | null }): ValidationReport[];
  get(actor: Actor, input: { readonly id: string }): ValidationReport;
}

const inputSchema = versionRefSchema.extend({
  path: z.string().min(1).max(4096),
  labelColumn: z.string().max(1000).nullable(),
  environmentId: z.string().nullable(),
  policy: policySchema.nullable(),
});

/** A job nobody watches or cancels. */
export const UNWATCHED: JobContext = { signal: new AbortController().signal, progress: () => {} };

export function createValidationService(deps: ValidationDeps): ValidationService {
  const { ledger, artifacts, engine, system } = deps;
  return {
    async run(actor, rawInput, job = UNWATCHED) {
      const input = parseInput(inputSchema, {
        name: rawInput.name,
        version: rawInput.version,
        path: rawInput.path,
        labelColumn: rawInput.labelColumn,
        environmentId: rawInput.environmentId,
        policy: rawInput.policy,
      });
      // Who may not is refused, and that is written down, whatever the version is like.
      await ledger.require(actor, 'validation.run', formatRef(input));
      const version = measurableVersion(ledger.read, input);
      const ref = { name: version.name, version: version.version };
      checkState(version);
      const judge = judgeOf(ledger.read, input);
      const startedAt = system.now().getTime();
      job.progress('decrypting', 0, 0);
      const model = await engineModel(artifacts, version);
      const measured = measurementOf(
        await engine.evaluate(
          [model],
          wholeFile(input.path, input.labelColumn),
          { seed: 0, reference: null, robustness: false, deadlineMs: null, resume: null },
          job,
        ),
      );
      const report: ValidationReport = {
        id: system.newId(),
        ref,
        digest: version.digest,
        mapping: version.mapping,
        ...reportFigures(measured),
        rowsArtifact: null,
        environmentId: judge.environment?.id ?? null,
        environmentName: judge.environment?.name ?? null,
        ...verdictOf(ledger.read, version, judge.policy, measured),
        runBy: actor.name,
        createdAt: system.now().toISOString(),
        durationMs: Math.max(0, system.now().getTime() - startedAt),
      };
      return ledger.commit(
        actor,
        {
          action: 'validation.run',
          subject: formatRef(ref),
          details: auditDetails(report, judge.policy !== null && judge.environment === null),
        },
        (tx) => {
          const current = tx.version(ref);
          // Measured while others worked: a verdict holds only for the version as it was read.
          if (!current || JSON.stringify(current.mapping) !== JSON.stringify(version.mapping)) {
            throw new SallyportError(
              'conflict',
              `${formatRef(ref)} was mapped anew while it was validated.`,
              { hint: 'No report was kept. Validate it again.' },
            );
          }
          checkState(current);
          tx.insertValidation(report);
          if (judge.environment && report.passed && current.state === 'draft') tx.setState(ref, 'validated');
          return report;
        },
      );
    },
    list: (_actor, { ref }) => ledger.read.validations(ref),
    get: (_actor, { id }) => {
      const report = ledger.read.validation(id);
      if (!report)
        throw new SallyportError('not-found', 'There is no such validation report.', { facts: { id } });
      return report;
    },
  };
}

function checkState(version: ModelVersion): void {
  const refusal = stateRefusal('validate', version, { aliases: [], deployedOn: [] });
  if (refusal !== null)
    throw new SallyportError('refused.state', refusal, {
      hint: 'Nothing was changed.',
      facts: { ref: formatRef(version) },
    });
}

function judgeOf(
  read: StoreReader,
  input: { readonly environmentId: string | null; readonly policy: Policy | null },
): { policy: Policy | null; environment: Environment | null } {
  if (input.environmentId === null) return { policy: input.policy, environment: null };
  if (input.policy !== null) {
    throw new SallyportError(
      'input.invalid',
      'A validation is judged by an environment’s policy or by a given one, not by both.',
      { hint: 'Nothing was changed.' },
    );
  }
  const environment = read.environment(input.environmentId);
  if (!environment)
    throw new SallyportError('not-found', 'There is no such environment.', {
      hint: 'Nothing was changed.',
      facts: { id: input.environmentId },
    });
  return { policy: environment.policy, environment };
}

type Measurement = Pick<Evaluation, 'dataset' | 'rowsPerSecond' | 'execution'> & {
  readonly evaluation: ModelEvidence;
};

function measurementOf({ dataset, models, rowsPerSecond, execution }: Evaluation): Measurement {
  const [evaluation] = models;
  if (!evaluation) throw new SallyportError('unexpected', 'The engine measured no model.');
  return { dataset, evaluation, rowsPerSecond, execution };
}

function reportFigures({ dataset, evaluation, rowsPerSecond, execution }: Measurement) {
  const { digest: _digest, latencySamples: _samples, ...figures } = evaluation;
  return { dataset, ...figures, rowsPerSecond, execution };
}

/** Every row of a labelled file, columns by the names they have. */
export function wholeFile(path: string, labelColumn: string | null): DataSelection {
  return {
    path,
    format: null,
    labelled: true,
    labelColumn,
    positiveValue: null,
    filter: null,
    columns: null,
    sliceColumns: null,
    timeColumn: null,
  };
}

function verdictOf(
  read: StoreReader,
  version: ModelVersion,
  policy: Policy | null,
  { dataset, evaluation }: Measurement,
): { gates: GateResult[]; passed: boolean } {
  if (policy === null) return { gates: [], passed: true };
  const { metrics, latency } = evaluation;
  const gates = [
    ...evaluateGates(policy, { metrics, latency, champion: championEvidence(read, version, dataset.digest) }),
    ...evidenceGates(policy, version, dataset),
  ];
  return { gates, passed: gates.every(({ passed }) => passed) };
}

/** What the gates stand on, as gates of their own: a report that lacks rows must say so where the verdict is read. */
function evidenceGates(policy: Policy, version: ModelVersion, dataset: DatasetInfo): GateResult[] {
  const judged = (rows: number) =>
    evaluateEvidence(policy, {
      rows,
      datasetDigest: dataset.digest,
      findings: version.findings,
      rulesRun: version.rulesRun,
    });
  const enough = dataset.rows >= policy.minimumRows;
  const rows: GateResult = {
    gate: `at least ${policy.minimumRows} labelled rows`,
    metric: 'rows',
    bound: 'min',
    limit: policy.minimumRows,
    measured: dataset.rows,
    baseline: null,
    passed: enough,
    reason: `${dataset.rows} is ${enough ? 'at least' : 'below'} ${policy.minimumRows}`,
  };
  const { reasons } = judged(Math.max(dataset.rows, policy.minimumRows));
  const problems: GateResult = {
    gate: 'accepted dataset and complete scan',
    metric: 'evidence_problems',
    bound: 'max',
    limit: 0,
    measured: reasons.length,
    baseline: null,
    passed: reasons.length === 0,
    reason:
      reasons.length === 0
        ? 'the dataset counts, every scan rule ran, no finding is too severe'
        : reasons.join(' '),
  };
  return [rows, problems];
}

/** The champion on the same rows: its newest validation on this dataset, else a comparison of the two on it. */
function championEvidence(read: StoreReader, version: ModelVersion, datasetDigest: string): ChampionEvidence {
  const champion = read.aliasedVersion(version.name, 'champion');
  if (!champion || champion.version === version.version) return null;
  const validation = read
    .validations({ name: champion.name, version: champion.version })
    .find((report) => report.dataset.digest === datasetDigest && report.digest === champion.digest);
  if (validation) return { metrics: validation.metrics, latency: validation.latency };
  const comparison = read
    .comparisons({ name: version.name, version: version.version })
    .find(
      (report) =>
        report.dataset.digest === datasetDigest &&
        report.championDigest === champion.digest &&
        report.challengerDigest === version.digest,
    );
  return comparison
    ? { metrics: comparison.championMetrics, latency: comparison.championLatency }
    : 'not-compared';
}

function auditDetails(report: ValidationReport, whatIf: boolean) {
  const { metrics, dataset, latency } = report;
  return {
    report: report.id,
    digest: report.digest,
    dataset: dataset.digest,
    file: dataset.fileName,
    rows: dataset.rows,
    label: dataset.labelColumn,
    confusion: metrics.confusion,
    accuracy: metrics.accuracy,
    precision: metrics.precision,
    recall: metrics.recall,
    f1: metrics.f1,
    mcc: metrics.mcc,
    rocAuc: metrics.roc_auc,
    falsePositiveRate: metrics.false_positive_rate,
    latencyP95Ms: latency.p95,
    environment: report.environmentId,
    whatIf,
    passed: report.gates.length === 0 ? null : report.passed,
    failed: report.gates
      .filter(({ passed }) => !passed)
      .map(({ gate, reason }) => `${gate}: ${reason}`.slice(0, 500).toWellFormed()),
  };
}
