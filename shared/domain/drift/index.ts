/**
 * Drift: has the data moved away from what a version was judged on?
 *
 * 1. `createProfileBuilder({ features })` reads the reference once and gives a `ReferenceProfile`: frozen bins, counts,
 *    sketches, moments, missing values, categories, scores and (with labels) a calibration. No rows; it is stored with the
 *    version. Profiles merge (`mergeProfiles`).
 * 2. `createProfileBuilder({ features, like: reference })` reads later data into the same bins.
 * 3. `profileDrift(reference, current)` gives PSI with a threshold that knows the sample size, Kolmogorov and Smirnov,
 *    Jensen and Shannon, Wasserstein, chi-squared and a verdict a feature, corrected over all of them.
 * 4. `createAccuracyEstimator(calibration)` estimates accuracy without labels, and says that it is an estimate.
 */
export * from './accuracy-estimate.ts';
export * from './categorical.ts';
export * from './drift.ts';
export * from './numeric.ts';
export * from './profile.ts';
export * from './profile-builder.ts';
