/**
 * Statistics: numeric pieces that metrics, comparison and drift share. Pure; randomness comes in as a seeded `Random`.
 *
 * - Distributions and tests: normal, chi-squared, binomial (`special`), McNemar, two proportions, chi-squared,
 *   Kolmogorov and Smirnov; corrections for many tests (`correction`).
 * - Intervals: Wilson for rates, Bonett and Price for paired rates, percentile for bootstrap replicates.
 * - Distances of distributions: `psi` with its law under no drift, `jensenShannon`, `wasserstein`, `ksDistance`.
 * - Sketches: `Digest` (t-digest), `Distribution` (what a sketch or exact counts say), `fitIsotonic` (calibration).
 *
 * Samples are ascending typed arrays of finite values; histograms are counts over the same bins. What is undefined is
 * null, never NaN.
 */
export * from './chi-squared.ts';
export * from './correction.ts';
export * from './digest.ts';
export * from './distribution.ts';
export * from './interval.ts';
export * from './isotonic.ts';
export * from './jensen-shannon.ts';
export * from './kolmogorov.ts';
export * from './mcnemar.ts';
export * from './psi.ts';
export * from './random.ts';
export * from './special.ts';
export * from './sum.ts';
export * from './two-proportions.ts';
export * from './wasserstein.ts';
