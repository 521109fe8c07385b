/**
 * Metrics: what a detector's answers are worth, pure and batch by batch.
 *
 * - One file a metric. `xOf(confusion)` is the plain number (null where undefined); `x(confusion)` a `Figure` with its
 *   interval, the rows it rests on and the reason where there is none. Nothing is ever NaN.
 * - `createBinaryAccumulator` measures one detector: confusion metrics, exact ranking metrics, calibration, detection at
 *   fixed false-alarm rates, threshold sweep, score summary. 4 bytes a row of single precision, at most twice that and 1.
 * - `createComparison` measures two or more on the same rows and each against the first: McNemar, DeLong, paired
 *   bootstrap, agreement, score shift. 8 bytes a row and model in single precision.
 * - `createMultiClass`, `createRegression`, `createScoreSummary` for other outputs.
 * - `validationParts`, `comparisonParts`, `regressionParts` put results into the form of reports.
 * - `createTextSlices`, `createNumberSlices` count outcomes by column; `sliceQuality` and `sliceFlips` judge them.
 *
 * Positive = malicious = 1. Intervals: Wilson for rates, DeLong on the logit scale for ROC AUC, normal for means of
 * losses, bootstrap (seeded, 1,000 replicates) for the rest.
 */
export * from './accuracy.ts';
export * from './average-precision.ts';
export * from './balanced-accuracy.ts';
export * from './bootstrap.ts';
export * from './brier.ts';
export * from './calibration.ts';
export * from './classification.ts';
export * from './compare.ts';
export * from './comparison.ts';
export * from './delong.ts';
export * from './detection.ts';
export * from './detection-rate.ts';
export * from './f1.ts';
export * from './false-positive-rate.ts';
export * from './figure.ts';
export * from './latency.ts';
export * from './log-loss.ts';
export * from './mcc.ts';
export * from './multi-class.ts';
export * from './pair-table.ts';
export * from './paired-bootstrap.ts';
export * from './positive-rate.ts';
export * from './precision.ts';
export * from './ranked-pair.ts';
export * from './ranking.ts';
export * from './recall.ts';
export * from './regression.ts';
export * from './report-parts.ts';
export * from './roc-auc.ts';
export * from './score-shift.ts';
export * from './score-summary.ts';
export * from './slice-table.ts';
export * from './slices.ts';
export * from './sorted-scores.ts';
export * from './threshold-sweep.ts';
