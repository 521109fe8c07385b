import { SallyportError } from '../errors.ts';
import type { DriftReport, FeatureDrift } from '../evidence/drift.ts';
import { chiSquaredHomogeneity, type Homogeneity } from '../statistics/chi-squared.ts';
import { adjust, type Correction } from '../statistics/correction.ts';
import { DIGEST_RANK_ERROR } from '../statistics/digest.ts';
import { distributionArea, distributionDistance } from '../statistics/distribution.ts';
import { jensenShannon } from '../statistics/jensen-shannon.ts';
import { ksPValue } from '../statistics/kolmogorov.ts';
import { criticalPsi, occupiedBins, psi } from '../statistics/psi.ts';
import { chiSquaredSf } from '../statistics/special.ts';
import { distributionOf } from './numeric.ts';
import {
  type CategoricalProfile,
  type FeatureProfile,
  type NumericProfile,
  numbersOf,
  type ReferenceProfile,
  standardDeviationOf,
} from './profile.ts';

/** From which an index counts as moved, and as drift (the usual marks of credit scoring, Siddiqi 2006). */
export const PSI_WATCH = 0.1;
export const PSI_DRIFT = 0.25;
/** Chance, over all features together or as a share of alarms, of an alarm without drift. */
const ALPHA = 0.01;
/** Fewer rows in the window are never judged. */
const MINIMUM_ROWS = 50;
/**
 * Rows that are as noisy as counts read from a sketch: a bin of a tenth has variance 0.09/n from n rows and twice the
 * squared rank error from a sketch; Kolmogorov's distance has about 1/4n.
 */
const SKETCH_BIN_ROWS = 0.09 / (2 * DIGEST_RANK_ERROR ** 2);
const SKETCH_KS_ROWS = 0.25 / DIGEST_RANK_ERROR ** 2;

export interface DriftOptions {
  readonly alpha?: number;
  /** Benjamini-Hochberg unless told: of many features a known share of alarms may be false. */
  readonly correction?: Correction;
  readonly minimumRows?: number;
}

/** What one feature's test says before it is corrected for the others. */
interface Tested {
  readonly drift: Omit<FeatureDrift, 'adjustedP' | 'verdict'>;
  readonly pValue: number | null;
  readonly rows: number;
}

/**
 * How far `current` has moved from `reference`, feature by feature, each verdict from two questions: may chance explain
 * it (corrected over all features), and is it large enough to matter. So a verdict depends on the size of the sample
 * only where the sample is too small to tell. `current` must be built like `reference`.
 */
export function profileDrift(
  reference: ReferenceProfile,
  current: ReferenceProfile,
  options: DriftOptions = {},
): Pick<DriftReport, 'rows' | 'features' | 'score' | 'driftedShare'> {
  const others = new Map(current.features.map((one) => [one.feature, one]));
  const tested = reference.features.map((feature) => testFeature(feature, others.get(feature.feature)));
  const features = judge(tested, options);
  const score =
    reference.score !== null && current.score !== null
      ? judge([testNumeric(reference.score, current.score)], options)[0]
      : undefined;
  const drifted = features.filter(({ verdict }) => verdict === 'drift').length;
  return {
    rows: current.rows,
    features,
    score: score ?? null,
    driftedShare: features.length === 0 ? 0 : drifted / features.length,
  };
}

function judge(tested: readonly Tested[], options: DriftOptions): FeatureDrift[] {
  const { alpha = ALPHA, correction = 'benjamini-hochberg', minimumRows = MINIMUM_ROWS } = options;
  const testable = tested.filter(({ pValue }) => pValue !== null);
  const adjusted = adjust(
    testable.map(({ pValue }) => pValue ?? 1),
    correction,
  );
  const pValues = new Map(testable.map((one, at) => [one, adjusted[at] ?? 1]));
  return tested.map((one) => {
    const adjustedP = pValues.get(one) ?? null;
    return { ...one.drift, adjustedP, verdict: verdictOf(one, adjustedP, alpha, minimumRows) };
  });
}

function verdictOf(
  { drift, rows }: Tested,
  adjustedP: number | null,
  alpha: number,
  minimumRows: number,
): FeatureDrift['verdict'] {
  if (drift.psi === null || rows < minimumRows) return 'too-few';
  // A column of one value on both sides cannot move.
  if (adjustedP === null) return 'stable';
  const isReal = adjustedP <= alpha && drift.psi > (drift.psiThreshold ?? 0);
  if (isReal && drift.psi >= PSI_DRIFT) return 'drift';
  if (isReal && drift.psi >= PSI_WATCH) return 'watch';
  // Not told apart from chance, where chance alone reaches what would be drift.
  return !isReal && (drift.psiThreshold ?? 0) > PSI_DRIFT ? 'too-few' : 'stable';
}

function testFeature(reference: FeatureProfile, current: FeatureProfile | undefined): Tested {
  if (reference.kind === 'numeric' && current?.kind === 'numeric') return testNumeric(reference, current);
  if (reference.kind === 'categorical' && current?.kind === 'categorical')
    return testCategorical(reference, current);
  throw new SallyportError(
    'input.invalid',
    `The data's profile has no ${reference.kind} feature "${reference.feature}".`,
    {
      hint: 'Nothing was judged. Build it with the features of the reference.',
    },
  );
}

function testNumeric(reference: NumericProfile, current: NumericProfile): Tested {
  const { cuts } = reference.bins;
  if (cuts.length !== current.bins.cuts.length || cuts.some((cut, at) => cut !== current.bins.cuts[at]))
    throw new SallyportError(
      'input.invalid',
      `"${reference.feature}" was not counted in the reference's bins.`,
      {
        hint: 'Nothing was judged. Build the profile like the reference.',
      },
    );
  // Missing values are a bin of their own: a sensor that falls silent is drift.
  const a = [...reference.bins.rows, reference.missing];
  const b = [...current.bins.rows, current.missing];
  const n = effective(reference.rows, reference.bins.exact, SKETCH_BIN_ROWS);
  const m = effective(current.rows, current.bins.exact, SKETCH_BIN_ROWS);
  const index = psi(a, b);
  const homogeneity = chiSquaredHomogeneity(a, b);
  const from = distributionOf(reference);
  const to = distributionOf(current);
  const ks = from && to ? distributionDistance(from, to) : null;
  const deviation = standardDeviationOf(reference);
  const area = from && to ? distributionArea(from, to) : null;
  const numbers = (one: NumericProfile): number =>
    Math.floor(effective(numbersOf(one), one.digest === null, SKETCH_KS_ROWS));
  return {
    rows: current.rows,
    pValue: homogeneity && homogeneityP(homogeneity, [reference.rows, current.rows], [n, m]),
    drift: {
      feature: reference.feature,
      kind: 'numeric',
      psi: index,
      psiThreshold: finite(criticalPsi(occupiedBins(a, b), n, m, 0.99)),
      ks,
      ksP: ks === null ? null : ksPValue(ks, numbers(reference), numbers(current)),
      jensenShannon: jensenShannon(a, b),
      // A reference that never varied gives no unit to measure in.
      wasserstein: area === 0 ? 0 : area !== null && deviation ? area / deviation : null,
      chiSquaredP: null,
    },
  };
}

function testCategorical(reference: CategoricalProfile, current: CategoricalProfile): Tested {
  const names = reference.categories.map(({ value }) => value);
  const seen = new Map(current.categories.map(({ value, rows }) => [value, rows]));
  const known = names.map((name) => seen.get(name) ?? 0);
  const knownRows = known.reduce((sum, rows) => sum + rows, 0);
  const a = [...reference.categories.map(({ rows }) => rows), reference.other, reference.missing];
  const b = [...known, current.rows - current.missing - knownRows, current.missing];
  const index = psi(a, b);
  const homogeneity = chiSquaredHomogeneity(a, b);
  return {
    rows: current.rows,
    pValue: homogeneity?.pValue ?? null,
    drift: {
      feature: reference.feature,
      kind: 'categorical',
      psi: index,
      psiThreshold: finite(criticalPsi(occupiedBins(a, b), reference.rows, current.rows, 0.99)),
      ks: null,
      ksP: null,
      jensenShannon: jensenShannon(a, b),
      wasserstein: null,
      chiSquaredP: homogeneity?.pValue ?? null,
    },
  };
}

/**
 * The test's p-value where counts came through a sketch: its statistic is worth no more than that of as many rows as are
 * as noisy. PSI's own law is not used for it, since on small windows an empty bin counts for too much there.
 */
function homogeneityP(
  { statistic, degrees }: Homogeneity,
  [n, m]: readonly [number, number],
  [effectiveN, effectiveM]: readonly [number, number],
): number {
  return chiSquaredSf((statistic * (1 / n + 1 / m)) / (1 / effectiveN + 1 / effectiveM), degrees);
}

/** Rows whose sampling noise is that of these, counted through a sketch where they were. */
function effective(rows: number, isExact: boolean, sketchRows: number): number {
  return isExact || rows === 0 ? rows : 1 / (1 / rows + 1 / sketchRows);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
