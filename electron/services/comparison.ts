/** Comparison: champion and challenger over the same rows, where they differ, and the report kept. */
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type DataSelection, dataSelectionSchema } from '../../shared/domain/evidence/dataset.ts';
import type {
  AgainstChampion,
  ClassificationMetrics,
  ComparisonReport,
} from '../../shared/domain/metrics/report.ts';
import { formatRef, type VersionRef, versionRefSchema } from '../../shared/domain/model/version.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { Evaluation, FurtherEvidence } from '../ports/engine.ts';
import type { StoredRun } from '../ports/evidence-store.ts';
import type { JobContext } from '../ports/system.ts';
import { type MeasureDeps, measure, requireUnchanged, UNWATCHED } from './evidence/measure.ts';
import { keepData, resolveColumns } from './evidence/measured-data.ts';
import { parseInput } from './input.ts';
import { fileNameOf } from './validation.ts';
import { type MeasurableVersion, measurableVersion } from './validation-model.ts';

export type ComparisonDeps = MeasureDeps;

export interface ComparisonInput {
  /** Two to eight: the first is the champion, the second the challenger. */
  readonly versions: readonly VersionRef[];
  readonly data: DataSelection;
}

export interface ComparisonService {
  run(actor: Actor, input: ComparisonInput, job?: JobContext): Promise<ComparisonReport>;
  /** Goes on with an interrupted run. */
  resume(actor: Actor, run: StoredRun, job?: JobContext): Promise<ComparisonReport>;
  /** Without the disagreeing rows: they are read with `get`, which is audited. */
  list(actor: Actor, input: { readonly ref: VersionRef | null }): ComparisonReport[];
  /** With the disagreeing rows. They hold customer data, so that reading them leaves an entry in the log. */
  get(actor: Actor, input: { readonly id: string }): Promise<ComparisonReport>;
}

const inputSchema = z.object({
  versions: z.array(versionRefSchema).min(2).max(8),
  data: dataSelectionSchema,
});

export function createComparisonService(deps: ComparisonDeps): ComparisonService {
  const { ledger, system } = deps;

  async function compare(
    actor: Actor,
    input: z.output<typeof inputSchema>,
    continued: StoredRun | null,
    job: JobContext,
  ): Promise<ComparisonReport> {
    const [first, second, ...rest] = input.versions as [VersionRef, VersionRef, ...VersionRef[]];
    const subject = subjectOf(first, second);
    // Who may not is refused, and that is written down, whatever the versions are like.
    await ledger.require(actor, 'comparison.run', subject);
    const versions = input.versions.map((ref) => measurableVersion(ledger.read, ref));
    requireDifferent(versions);
    const [champion, challenger] = versions as [MeasurableVersion, MeasurableVersion];
    const data =
      continued === null
        ? await resolveColumns(ledger.read, deps.inspector, challenger.name, input.data, job)
        : input.data;
    const request = {
      actor,
      kind: 'comparison' as const,
      title: `${subject} on ${fileNameOf(data.path)}`,
      input: { versions: input.versions, data },
      versions,
      data,
      options: { reference: null, robustness: false },
      continued,
      job,
    };
    return measure(deps, request, ({ evaluation, answers, run }) => {
      const report: ComparisonReport = {
        id: run.id,
        champion: first,
        challenger: second,
        championDigest: champion.digest,
        challengerDigest: challenger.digest,
        ...reportFigures(evaluation),
        others: rest.map((ref, at) => ({
          ref,
          digest: versions[at + 2]?.digest ?? '',
          metrics: evidenceAt(evaluation, at + 2).metrics,
          against: againstChampion(evaluation.further[at]),
          outputFindings: evidenceAt(evaluation, at + 2).outputFindings,
        })),
        rowsArtifact: answers,
        runBy: actor.name,
        createdAt: system.now().toISOString(),
        durationMs: run.elapsedMs(),
      };
      return ledger.commit(
        actor,
        { action: 'comparison.run', subject, details: auditDetails(report) },
        (tx) => {
          for (const version of versions) requireUnchanged(tx, version);
          tx.insertComparison(report);
          tx.saveEvidenceData({ kind: 'comparison', id: report.id }, { selection: data, answers });
          keepData(tx, evaluation, { model: challenger.name, data, actor, at: report.createdAt });
          run.finish(tx);
          return report;
        },
      );
    });
  }

  return {
    run: async (actor, { versions, data }, job) =>
      compare(actor, parseInput(inputSchema, { versions, data }), null, job ?? UNWATCHED),
    resume: async (actor, run, job) =>
      compare(actor, parseInput(inputSchema, run.input), run, job ?? UNWATCHED),
    list: (_actor, { ref }) =>
      ledger.read.comparisons(ref).map((report) => ({ ...report, disagreementRows: [] })),
    async get(actor, { id }) {
      const report = ledger.read.comparison(id);
      if (!report)
        throw new SallyportError('not-found', 'There is no such comparison report.', { facts: { id } });
      if (report.disagreementRows.length === 0) return report;
      const subject = subjectOf(report.champion, report.challenger);
      const details = {
        comparison: id,
        rows: report.disagreementRows.length,
        dataset: report.dataset.digest,
      };
      return ledger.commit(actor, { action: 'rows.viewed', subject, details }, () => report);
    },
  };
}

function againstChampion(found: FurtherEvidence | undefined): AgainstChampion | null {
  if (found === undefined) return null;
  const { challengerFixes: fixes, challengerBreaks: breaks, ...same } = found;
  return { ...same, fixes, breaks };
}

function subjectOf(champion: VersionRef, challenger: VersionRef): string {
  return `${formatRef(challenger)} against ${formatRef(champion)}`;
}

function requireDifferent(versions: readonly MeasurableVersion[]): void {
  const seen = new Map<string, MeasurableVersion>();
  for (const version of versions) {
    const same = seen.get(version.digest);
    if (same !== undefined)
      throw new SallyportError(
        'input.invalid',
        `${formatRef(same)} and ${formatRef(version)} are the same file.`,
        { hint: 'Nothing was compared. Choose versions that differ.' },
      );
    seen.set(version.digest, version);
  }
}

function evidenceAt({ models }: Evaluation, at: number): Evaluation['models'][number] {
  const evidence = models[at];
  if (!evidence) throw new SallyportError('unexpected', 'The engine left a model out.');
  return evidence;
}

function reportFigures(evaluation: Evaluation) {
  const champion = evidenceAt(evaluation, 0);
  const challenger = evidenceAt(evaluation, 1);
  if (!evaluation.pair) throw new SallyportError('unexpected', 'The engine compared nothing.');
  return {
    dataset: evaluation.dataset,
    championMetrics: champion.metrics,
    challengerMetrics: challenger.metrics,
    championLatency: champion.latency,
    challengerLatency: challenger.latency,
    intervals: { champion: champion.intervals, challenger: challenger.intervals },
    outputFindings: { champion: champion.outputFindings, challenger: challenger.outputFindings },
    ...evaluation.pair,
  };
}

function auditDetails(report: ComparisonReport) {
  const figures = (metrics: ClassificationMetrics) => ({
    accuracy: metrics.accuracy,
    recall: metrics.recall,
    f1: metrics.f1,
    rocAuc: metrics.roc_auc,
    falsePositiveRate: metrics.false_positive_rate,
  });
  return {
    report: report.id,
    champion: report.championDigest,
    challenger: report.challengerDigest,
    dataset: report.dataset.digest,
    file: report.dataset.fileName,
    rows: report.dataset.rows,
    filter: report.dataset.filter,
    others: report.others.map(({ ref }) => formatRef(ref)),
    championMetrics: figures(report.championMetrics),
    challengerMetrics: figures(report.challengerMetrics),
    disagreements: report.disagreements,
    challengerFixes: report.challengerFixes,
    challengerBreaks: report.challengerBreaks,
  };
}
