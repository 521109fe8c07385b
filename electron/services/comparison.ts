/** Comparison: champion and challenger over the same rows, where they differ, and the report kept. */
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { ClassificationMetrics, ComparisonReport } from '../../shared/domain/metrics/report.ts';
import { formatRef, type VersionRef, versionRefSchema } from '../../shared/domain/model/version.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { ArtifactStore } from '../ports/artifacts.ts';
import type { InferenceEngine } from '../ports/engine.ts';
import type { JobContext, System } from '../ports/system.ts';
import { parseInput } from './input.ts';
import type { Ledger } from './ledger.ts';
import { UNWATCHED, wholeFile } from './validation.ts';
import { engineModel, measurableVersion } from './validation-model.ts';

export interface ComparisonDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly engine: InferenceEngine;
  readonly system: System;
}

export interface ComparisonInput {
  readonly champion: VersionRef;
  readonly challenger: VersionRef;
  readonly path: string;
  readonly labelColumn: string | null;
}

export interface ComparisonService {
  run(actor: Actor, input: ComparisonInput, job?: JobContext): Promise<ComparisonReport>;
  /** Without the disagreeing rows: they are read with `get`, which is audited. */
  list(actor: Actor, input: { readonly ref: VersionRef | null }): ComparisonReport[];
  /** With the disagreeing rows. They hold customer data, so that reading them leaves an entry in the log. */
  get(actor: Actor, input: { readonly id: string }): Promise<ComparisonReport>;
}

const inputSchema = z.object({
  champion: versionRefSchema,
  challenger: versionRefSchema,
  path: z.string().min(1).max(4096),
  labelColumn: z.string().max(1000).nullable(),
});

export function createComparisonService(deps: ComparisonDeps): ComparisonService {
  const { ledger, artifacts, engine, system } = deps;
  return {
    async run(actor, rawInput, job = UNWATCHED) {
      const input = parseInput(inputSchema, {
        champion: rawInput.champion,
        challenger: rawInput.challenger,
        path: rawInput.path,
        labelColumn: rawInput.labelColumn,
      });
      const subject = `${formatRef(input.challenger)} against ${formatRef(input.champion)}`;
      // Who may not is refused, and that is written down, whatever the versions are like.
      await ledger.require(actor, 'comparison.run', subject);
      const champion = measurableVersion(ledger.read, input.champion);
      const challenger = measurableVersion(ledger.read, input.challenger);
      if (champion.digest === challenger.digest) {
        throw new SallyportError(
          'input.invalid',
          `${formatRef(champion)} and ${formatRef(challenger)} are the same file.`,
          { hint: 'Nothing was compared. Choose two versions that differ.' },
        );
      }
      const startedAt = system.now().getTime();
      job.progress('decrypting', 0, 0);
      const models = [
        await engineModel(artifacts, champion),
        await engineModel(artifacts, challenger),
      ] as const;
      const measured = await engine.evaluate(
        models,
        wholeFile(input.path, input.labelColumn),
        { seed: 0, reference: null, robustness: false, deadlineMs: null, resume: null },
        job,
      );
      const [first, second] = measured.models;
      if (!first || !second || !measured.pair)
        throw new SallyportError('unexpected', 'The engine measured no pair.');
      const report: ComparisonReport = {
        id: system.newId(),
        champion: input.champion,
        challenger: input.challenger,
        championDigest: champion.digest,
        challengerDigest: challenger.digest,
        dataset: measured.dataset,
        championMetrics: first.metrics,
        challengerMetrics: second.metrics,
        championLatency: first.latency,
        challengerLatency: second.latency,
        intervals: { champion: first.intervals, challenger: second.intervals },
        outputFindings: { champion: first.outputFindings, challenger: second.outputFindings },
        ...measured.pair,
        others: [],
        rowsArtifact: null,
        runBy: actor.name,
        createdAt: system.now().toISOString(),
        durationMs: Math.max(0, system.now().getTime() - startedAt),
      };
      return ledger.commit(
        actor,
        { action: 'comparison.run', subject, details: auditDetails(report) },
        (tx) => {
          tx.insertComparison(report);
          return report;
        },
      );
    },
    list: (_actor, { ref }) =>
      ledger.read.comparisons(ref).map((report) => ({ ...report, disagreementRows: [] })),
    async get(actor, { id }) {
      const report = ledger.read.comparison(id);
      if (!report)
        throw new SallyportError('not-found', 'There is no such comparison report.', { facts: { id } });
      if (report.disagreementRows.length === 0) return report;
      const subject = `${formatRef(report.challenger)} against ${formatRef(report.champion)}`;
      const details = {
        comparison: id,
        rows: report.disagreementRows.length,
        dataset: report.dataset.digest,
      };
      return ledger.commit(actor, { action: 'rows.viewed', subject, details }, () => report);
    },
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
    championMetrics: figures(report.championMetrics),
    challengerMetrics: figures(report.challengerMetrics),
    disagreements: report.disagreements,
    challengerFixes: report.challengerFixes,
    challengerBreaks: report.challengerBreaks,
  };
}
