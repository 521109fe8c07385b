import { type ValidationReport, validationReportSchema } from '../../shared/domain/metrics/report.ts';
import type { VersionRef } from '../../shared/domain/model/version.ts';
import { AT, HASH } from './store.ts';

/** A validation of a version with this ROC AUC. */
export function validationReport(id: string, ref: VersionRef, auc: number): ValidationReport {
  return validationReportSchema.parse({
    id,
    ref: { name: ref.name, version: ref.version },
    digest: HASH,
    dataset: {
      fileName: 'd.csv',
      digest: HASH,
      sizeBytes: 1,
      rows: 4,
      labelColumn: 'label',
      featureColumns: 1,
      ignoredColumns: [],
    },
    mapping: {
      kind: 'classifier',
      input: 'x',
      labelOutput: 'l',
      scoreOutput: null,
      scoreColumn: 0,
      positiveLabel: 1,
      threshold: 0.5,
      lowerIsPositive: false,
    },
    metrics: {
      rows: 4,
      positives: 2,
      confusion: { tn: 2, fp: 0, fn: 0, tp: 2 },
      accuracy: 1,
      balanced_accuracy: 1,
      precision: 1,
      recall: 1,
      f1: 1,
      mcc: null,
      roc_auc: auc,
      false_positive_rate: 0,
    },
    latency: { p50: 1, p95: 2, p99: 3, samples: 4 },
    rowsPerSecond: 1,
    roc: [],
    precisionRecall: [],
    scoreHistogram: null,
    environmentId: null,
    environmentName: null,
    gates: [],
    passed: true,
    runBy: 'ada',
    createdAt: AT,
    durationMs: 1,
  });
}
