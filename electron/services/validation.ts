/** Validation: a version measured over data, judged by a policy, and the report kept. */
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type DataSelection, dataSelectionSchema } from '../../shared/domain/evidence/dataset.ts';
import type { ValidationReport } from '../../shared/domain/metrics/report.ts';
import { stateRefusal } from '../../shared/domain/model/actions.ts';
import {
  formatRef,
  type ModelVersion,
  type VersionRef,
  versionRefSchema,
} from '../../shared/domain/model/version.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import { verdictOf } from '../../shared/domain/policy/evaluate.ts';
import { type ChampionReports, judgeReport } from '../../shared/domain/policy/judge.ts';
import { type Environment, type Policy, policySchema } from '../../shared/domain/policy/policy.ts';
import type { Evaluation } from '../ports/engine.ts';
import type { StoredRun } from '../ports/evidence-store.ts';
import type { StoreReader } from '../ports/stores.ts';
import type { JobContext } from '../ports/system.ts';
import { type MeasureDeps, measure, requireUnchanged, UNWATCHED } from './evidence/measure.ts';
import { keepData, referenceOf, resolveColumns } from './evidence/measured-data.ts';
import { parseInput } from './input.ts';
import { measurableVersion } from './validation-model.ts';

export type ValidationDeps = MeasureDeps;

export interface ValidationInput extends VersionRef {
  readonly data: DataSelection;
  /** Judge by this environment's policy; passing it makes the version `validated`. */
  readonly environmentId: string | null;
  /** What-if: judge by this policy; changes no state. */
  readonly policy: Policy | null;
  /** Small damage to the input is tried out; also where the policy has a gate about it. */
  readonly robustness?: boolean;
  /** Whose stored profile the data is held against; left out, the champion's where the policy has a gate about drift. */
  readonly driftAgainst?: VersionRef | null;
}

export interface ValidationService {
  /**
   * Measures and judges. The report is kept whether it passes or not; only passing an environment's own policy makes a
   * draft `validated`. Without a policy nothing is judged: no gates, and `passed` says only that none failed.
   */
  run(actor: Actor, input: ValidationInput, job?: JobContext): Promise<ValidationReport>;
  /** Goes on with an interrupted run; judged by the environment's policy as it is now. */
  resume(actor: Actor, run: StoredRun, job?: JobContext): Promise<ValidationReport>;
  list(actor: Actor, input: { readonly ref: VersionRef | null }): ValidationReport[];
  get(actor: Actor, input: { readonly id: string }): ValidationReport;
}

const inputSchema = versionRefSchema.extend({
  data: dataSelectionSchema,
  environmentId: z.string().nullable(),
  policy: policySchema.nullable(),
  robustness: z.boolean().default(false),
  driftAgainst: versionRefSchema.nullable().default(null),
});
type Input = z.output<typeof inputSchema>;

export function createValidationService(deps: ValidationDeps): ValidationService {
  const { ledger, system } = deps;

  async function validate(
    actor: Actor,
    input: Input,
    continued: StoredRun | null,
    job: JobContext,
  ): Promise<ValidationReport> {
    // Who may not is refused, and that is written down, whatever the version is like.
    await ledger.require(actor, 'validation.run', formatRef(input));
    const version = measurableVersion(ledger.read, input);
    const ref = { name: version.name, version: version.version };
    checkState(version);
    const { policy, environment } = judgeOf(ledger.read, input);
    const options = optionsOf(ledger.read, version, input, policy);
    const data =
      continued === null
        ? await resolveColumns(ledger.read, deps.inspector, ref.name, input.data, job)
        : input.data;
    const request = {
      actor,
      kind: 'validation' as const,
      title: `${formatRef(ref)} on ${fileNameOf(data.path)}`,
      input: { ...input, data },
      versions: [version],
      data,
      options,
      continued,
      job,
    };
    return measure(deps, request, ({ evaluation, answers, run }) => {
      const measured = {
        ref,
        digest: version.digest,
        mapping: version.mapping,
        ...reportFigures(evaluation),
        rowsArtifact: answers,
        environmentId: environment?.id ?? null,
        environmentName: environment?.name ?? null,
        runBy: actor.name,
        createdAt: system.now().toISOString(),
        durationMs: run.elapsedMs(),
      };
      const judged =
        policy === null
          ? { gates: [], passed: true }
          : judgeReport(policy, measured, version, championReports(ledger.read, version));
      const report: ValidationReport = {
        id: run.id,
        ...measured,
        gates: judged.gates,
        passed: judged.passed,
      };
      return ledger.commit(
        actor,
        {
          action: 'validation.run',
          subject: formatRef(ref),
          details: auditDetails(report, policy !== null && environment === null),
        },
        (tx) => {
          requireUnchanged(tx, version);
          const current = tx.version(ref);
          if (current) checkState(current);
          tx.insertValidation(report);
          tx.saveEvidenceData({ kind: 'validation', id: report.id }, { selection: data, answers });
          keepData(tx, evaluation, { model: ref.name, data, actor, at: report.createdAt });
          // What later data is held against: the first whole labelled file, then those an environment judged by.
          const { labelled, filter, digest } = report.dataset;
          if (labelled && filter === null && (environment !== null || tx.profile(ref) === null))
            tx.saveProfile({
              ref,
              datasetDigest: digest,
              reportId: report.id,
              profile: evaluation.profile,
            });
          if (environment && report.passed && current?.state === 'draft') tx.setState(ref, 'validated');
          run.finish(tx);
          return report;
        },
      );
    });
  }

  return {
    run: async (actor, { name, version, data, environmentId, policy, robustness, driftAgainst }, job) =>
      validate(
        actor,
        parseInput(inputSchema, {
          name,
          version,
          data,
          environmentId,
          policy,
          robustness,
          driftAgainst,
        }),
        null,
        job ?? UNWATCHED,
      ),
    resume: async (actor, run, job) =>
      validate(actor, parseInput(inputSchema, run.input), run, job ?? UNWATCHED),
    list: (_actor, { ref }) => ledger.read.validations(ref),
    get: (_actor, { id }) => {
      const report = ledger.read.validation(id);
      if (!report)
        throw new SallyportError('not-found', 'There is no such validation report.', { facts: { id } });
      return report;
    },
  };
}

/** What a path ends in, as either system writes it. */
export function fileNameOf(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
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

/** What is measured besides the metrics: what was asked for, and what the policy judges. */
function optionsOf(read: StoreReader, version: ModelVersion, input: Input, policy: Policy | null) {
  const judges = (area: string): boolean =>
    policy?.gates.some(({ metric }) => metric.startsWith(area)) ?? false;
  const champion = judges('drift_') ? read.aliasedVersion(version.name, 'champion') : null;
  const implied = champion !== null && read.profile(champion) !== null ? champion : null;
  return {
    reference: referenceOf(read, input.driftAgainst ?? implied),
    robustness: input.robustness || judges('robustness_'),
  };
}

function reportFigures({ dataset, models, rowsPerSecond, execution }: Evaluation) {
  const [evidence] = models;
  if (!evidence) throw new SallyportError('unexpected', 'The engine measured no model.');
  const { digest: _digest, latencySamples: _samples, ...figures } = evidence;
  return { dataset, ...figures, rowsPerSecond, execution };
}

/** What the vault knows of the champion a version is judged against; null where there is none, or it is the version. */
export function championReports(read: StoreReader, version: ModelVersion): ChampionReports | null {
  const champion = read.aliasedVersion(version.name, 'champion');
  if (!champion || champion.version === version.version) return null;
  return {
    digest: champion.digest,
    sizeBytes: champion.sizeBytes,
    validations: read.validations({ name: champion.name, version: champion.version }),
    comparisons: read.comparisons({ name: version.name, version: version.version }),
  };
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
    filter: dataset.filter,
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
      .map((gate) =>
        `${gate.gate}: ${verdictOf(gate) === 'fail' ? '' : 'inconclusive, '}${gate.reason}`
          .slice(0, 500)
          .toWellFormed(),
      ),
  };
}
