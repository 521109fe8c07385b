import {
  createAccuracyEstimator,
  createProfileBuilder,
  estimatedAccuracyOf,
  profileDrift,
  type ReferenceProfile,
} from '../../../shared/domain/drift/index.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import type { DriftReport } from '../../../shared/domain/evidence/drift.ts';
import { createRandom, type Isotonic } from '../../../shared/domain/statistics/index.ts';
import type { EvaluationOptions } from '../../ports/engine.ts';
import type { RowSample } from './row-sample.ts';
import type { Runner } from './runner.ts';

/** The profile of the sample as the first model saw and answered it, to hold later data against. */
export function profileOf(runner: Runner, sample: RowSample, calibration: Isotonic | null): ReferenceProfile {
  return build(runner, sample, runner.names, null).profile(calibration);
}

/** How far the sample has moved from the reference. Rows the model did not answer are left out. */
export function driftOf(
  runner: Runner,
  sample: RowSample,
  reference: NonNullable<EvaluationOptions['reference']>,
  seed: number,
): DriftReport {
  const { profile, ref, datasetDigest } = reference;
  const known = profile.features.map(({ feature }) => feature);
  // A model that names no features takes them by position, whatever a file calls them.
  const names =
    runner.model.featureNames === null && known.length === runner.names.length ? known : runner.names;
  if (known.some((name) => !names.includes(name)))
    throw new SallyportError(
      'input.invalid',
      'The reference profile is of other features than this model takes.',
      { hint: 'Nothing was stored. Hold the data against a version with the same features.' },
    );
  const current = build(runner, sample, names, profile).profile();
  let estimatedAccuracy: DriftReport['estimatedAccuracy'] = null;
  if (profile.calibration !== null && runner.loaded.info.hasScores) {
    const { lowerIsPositive } = runner.model.mapping;
    const estimator = createAccuracyEstimator(profile.calibration, { lowerIsPositive });
    const { scores, predicted } = answersOf(sample);
    estimator.add(scores, predicted);
    estimatedAccuracy = estimatedAccuracyOf(estimator.result(createRandom(seed)));
  }
  return {
    reference: { ref, datasetDigest, rows: profile.rows },
    ...profileDrift(profile, current),
    estimatedAccuracy,
  };
}

function build(runner: Runner, sample: RowSample, names: readonly string[], like: ReferenceProfile | null) {
  const { rows, scores, predicted } = answersOf(sample);
  const builder = createProfileBuilder({
    features: names.map((name, feature) => ({
      name,
      kind: (runner.places[feature] as number) < 0 ? ('categorical' as const) : ('numeric' as const),
    })),
    ...(like === null ? {} : { like }),
  });
  const { features, width } = sample;
  builder.add({
    rows: rows.length,
    features: runner.places.map((place) =>
      place < 0
        ? rows.map((row) => sample.texts.get(-1 - place)?.[row] ?? '')
        : Float32Array.from(rows, (row) => features[row * width + place] as number),
    ),
    scores: runner.loaded.info.hasScores ? scores : null,
    predicted: predicted.includes(NO_ANSWER) ? null : predicted,
  });
  return builder;
}

/** The first model's answers to the rows of the sample that have one; a number-answering model decides nothing. */
function answersOf(sample: RowSample) {
  const scores = sample.scores[0] as Float32Array;
  const predicted = sample.predicted[0] as Uint8Array;
  const rows: number[] = [];
  for (let row = 0; row < sample.rows; row++)
    if (predicted[row] !== NO_ANSWER || Number.isFinite(scores[row])) rows.push(row);
  return {
    rows,
    scores: Float32Array.from(rows, (row) => scores[row] as number),
    predicted: Uint8Array.from(rows, (row) => predicted[row] as number),
  };
}
