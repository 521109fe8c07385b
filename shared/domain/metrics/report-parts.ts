/** Measured results in the form reports carry them, so that every caller writes the same. */
import type { Interval } from '../evidence/interval.ts';
import type { BinaryResult } from './classification.ts';
import type { PairComparison } from './comparison.ts';
import { intervalsByName } from './detection.ts';
import type { RegressionFigures } from './regression.ts';
import type { ComparisonReport, RegressionMetrics, ValidationReport } from './report.ts';

/** What a validation report says of a detector. */
export function validationParts(
  result: BinaryResult,
): Pick<
  ValidationReport,
  | 'metrics'
  | 'roc'
  | 'precisionRecall'
  | 'scoreHistogram'
  | 'intervals'
  | 'reliability'
  | 'sweep'
  | 'scoreQuantiles'
> {
  const { calibration, scores, sweep } = result.figures;
  return {
    metrics: result.metrics,
    roc: result.roc,
    precisionRecall: result.precisionRecall,
    scoreHistogram: result.histogram,
    intervals: intervalsByName(result.figures),
    reliability: (calibration?.bins ?? []).map(({ low, high, rows, confidence, frequency }) => ({
      low,
      high,
      rows,
      confidence,
      frequency,
    })),
    sweep: sweep.map(({ threshold, recall, precision, false_positive_rate, decision }) => ({
      threshold,
      recall,
      precision,
      false_positive_rate,
      decision,
    })),
    scoreQuantiles: [...(scores?.quantiles ?? [])],
  };
}

/** What a validation report says of a model that answers a number, and the intervals of it by metric name. */
export function regressionParts(figures: RegressionFigures): {
  readonly regression: RegressionMetrics;
  readonly intervals: Record<string, Interval>;
} {
  const { mae, rmse, r2, maxError, medianAbsoluteError } = figures;
  return {
    regression: {
      rows: figures.rows,
      mae: mae.value,
      rmse: rmse.value,
      r2: r2.value,
      max_error: maxError.value,
      median_absolute_error: medianAbsoluteError.value,
    },
    intervals: Object.fromEntries(
      Object.entries({ mae, rmse, r2 }).flatMap(([name, { interval }]) =>
        interval === null ? [] : [[name, interval]],
      ),
    ),
  };
}

/** What a comparison report says of challenger against champion. Without labels nothing is right or wrong. */
export function comparisonParts(
  pair: PairComparison,
  labelled: boolean,
): Pick<
  ComparisonReport,
  | 'significance'
  | 'deltaIntervals'
  | 'disagreementMatrix'
  | 'scoreShift'
  | 'disagreements'
  | 'challengerFixes'
  | 'challengerBreaks'
> {
  const { agreement, auc, aucBootstrap } = pair;
  return {
    significance: {
      mcnemarP: labelled ? agreement.mcnemar.pValue : null,
      mcnemarMethod: agreement.mcnemar.method,
      aucDelta: auc?.delta ?? null,
      // DeLong's needs two rows of each class; resampling is what is left below.
      aucDeltaInterval: auc?.interval ?? aucBootstrap,
      aucP: auc?.pValue ?? null,
      kappa: agreement.kappa,
    },
    deltaIntervals: pair.deltaIntervals,
    disagreementMatrix: agreement.matrix.map((row) => [...row]),
    scoreShift: pair.scoreShift,
    disagreements: agreement.disagreements,
    challengerFixes: labelled ? agreement.fixed : 0,
    challengerBreaks: labelled ? agreement.broken : 0,
  };
}
