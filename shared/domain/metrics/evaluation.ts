import type { ClassificationMetrics, ValidationReport } from './report.ts';

/** Everything one pass of a model over labelled data measured. */
export interface BinaryEvaluation {
  readonly metrics: ClassificationMetrics;
  readonly latency: ValidationReport['latency'];
  readonly roc: ValidationReport['roc'];
  readonly precisionRecall: ValidationReport['precisionRecall'];
  readonly scoreHistogram: ValidationReport['scoreHistogram'];
}
