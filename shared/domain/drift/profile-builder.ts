import { SallyportError } from '../errors.ts';
import type { Isotonic } from '../statistics/isotonic.ts';
import { CategoricalCounter, mergeCategorical } from './categorical.ts';
import { mergeNumeric, NumericCounter } from './numeric.ts';
import { type FeatureProfile, PROFILE_VERSION, type ReferenceProfile } from './profile.ts';

/** A batch of rows, columns side by side in the order of the builder's features. */
export interface ProfileBatch {
  readonly rows: number;
  readonly features: readonly (ArrayLike<number> | ArrayLike<string>)[];
  /** The model's scores in its own scale; null where it has none. */
  readonly scores: ArrayLike<number> | null;
  /** 1 where the model flagged the row; null where nobody counts. */
  readonly predicted: Uint8Array | null;
}

export interface ProfileBuilder {
  readonly rows: number;
  add(batch: ProfileBatch): void;
  /** May be asked more than once. */
  profile(calibration?: Isotonic | null): ReferenceProfile;
}

export interface ProfileOptions {
  readonly features: readonly { readonly name: string; readonly kind: 'numeric' | 'categorical' }[];
  /**
   * Counts into the frozen bins of this profile: what data to be held against it must be built with. Running a
   * reference's own rows again with it gives that reference with exact counts where they came from the sketch.
   */
  readonly like?: ReferenceProfile;
}

/** Builds a profile batch by batch; some 10 kB a feature, however many rows. */
export function createProfileBuilder({ features, like }: ProfileOptions): ProfileBuilder {
  const counters = features.map(({ name, kind }) =>
    kind === 'categorical' ? new CategoricalCounter(name) : new NumericCounter(name, cutsOf(like, name)),
  );
  let score: NumericCounter | null = null;
  let flagged: number | null = null;
  let rows = 0;

  return {
    get rows() {
      return rows;
    },

    add(batch) {
      const lengths = [...batch.features, batch.scores, batch.predicted].flatMap((one) =>
        one === null ? [] : [one.length],
      );
      if (batch.features.length !== counters.length || lengths.some((length) => length !== batch.rows))
        throw new SallyportError('input.invalid', 'A batch has other columns or rows than its profile.');
      if (rows > 0 && (score === null) !== (batch.scores === null))
        throw new SallyportError('input.invalid', 'Some batches have scores and others have none.');
      for (const [at, counter] of counters.entries()) addColumn(counter, batch.features[at] ?? []);
      if (batch.scores !== null) {
        score ??= new NumericCounter('score', like?.score?.bins.cuts ?? null);
        score.add(batch.scores);
      }
      if (batch.predicted !== null) {
        flagged ??= 0;
        for (const one of batch.predicted) flagged += one;
      }
      rows += batch.rows;
    },

    profile: (calibration = null) => ({
      version: PROFILE_VERSION,
      rows,
      features: counters.map((counter) => counter.profile()),
      score: score?.profile() ?? null,
      flagged,
      calibration,
    }),
  };
}

function addColumn(
  counter: NumericCounter | CategoricalCounter,
  values: ArrayLike<number> | ArrayLike<string>,
): void {
  if (counter instanceof CategoricalCounter) counter.add(values);
  // A number column may come as text; what is no number is missing.
  else
    counter.add(
      isNumbers(values) ? values : Array.from(values, (text) => (text === '' ? Number.NaN : Number(text))),
    );
}

function isNumbers(values: ArrayLike<number> | ArrayLike<string>): values is ArrayLike<number> {
  return values.length === 0 || typeof values[0] === 'number';
}

function cutsOf(like: ReferenceProfile | undefined, name: string): readonly number[] | null {
  const profile = like?.features.find(({ feature }) => feature === name);
  return profile?.kind === 'numeric' ? profile.bins.cuts : null;
}

/**
 * One profile of the rows of both. Counts and moments are those of all rows together; sketches are within their error.
 * A calibration cannot be merged and is dropped, unless both have the same.
 */
export function mergeProfiles(a: ReferenceProfile, b: ReferenceProfile): ReferenceProfile {
  if (a.features.length !== b.features.length)
    throw new SallyportError('input.invalid', 'Profiles of different features cannot be merged.');
  return {
    version: PROFILE_VERSION,
    rows: a.rows + b.rows,
    features: a.features.map((feature, at) => mergeFeature(feature, b.features[at])),
    score: a.score === null || b.score === null ? null : mergeNumeric(a.score, b.score),
    flagged: a.flagged === null || b.flagged === null ? null : a.flagged + b.flagged,
    calibration: JSON.stringify(a.calibration) === JSON.stringify(b.calibration) ? a.calibration : null,
  };
}

function mergeFeature(a: FeatureProfile, b: FeatureProfile | undefined): FeatureProfile {
  if (a.kind === 'numeric' && b?.kind === 'numeric') return mergeNumeric(a, b);
  if (a.kind === 'categorical' && b?.kind === 'categorical') return mergeCategorical(a, b);
  throw new SallyportError('input.invalid', `The profiles see "${a.feature}" in different ways.`);
}
