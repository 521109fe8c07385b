import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import type { Distribution } from './distribution.ts';

/** Centroids a digest holds at most, about; the middle one of a million rows then stands for about one in a hundred. */
const COMPRESSION = 200;
const BUFFER = 2048;
/** A value that this share of the rows has keeps a centroid of its own, or its neighbours would be smeared over it. */
const ATOM_SHARE = 1 / 400;
/** Standard deviation of a rank read from a digest of this compression, measured over many shapes and rounded up. */
export const DIGEST_RANK_ERROR = 0.001;

export const digestSchema = z.object({
  means: z.array(z.number()).max(4 * COMPRESSION),
  weights: z.array(z.number().positive()).max(4 * COMPRESSION),
  /** Places of centroids that are one value, seen more than once. */
  atoms: z.array(z.number().int().min(0)).max(4 * COMPRESSION),
  min: z.number(),
  max: z.number(),
});
export type DigestState = z.infer<typeof digestSchema>;

/**
 * A quantile sketch: merging t-digest (Dunning and Ertl 2019) with their scale k₁ and no randomness, so that the same
 * rows in the same order always give the same sketch. Space is constant; ranks are within about half a percent in the
 * middle and much closer at the ends. Holds means of neighbouring values, and the two extremes.
 */
export class Digest {
  #means = new Float64Array(0);
  #weights = new Float64Array(0);
  /** 1 where a centroid is one value. */
  #pure = new Uint8Array(0);
  #total = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  readonly #buffer = new Float64Array(BUFFER);
  #buffered = 0;

  /** Values so far. */
  get count(): number {
    return this.#total + this.#buffered;
  }

  /** Adds a finite value; others are refused. */
  add(value: number): void {
    if (!Number.isFinite(value))
      throw new SallyportError('input.invalid', `A quantile sketch holds finite values, not ${value}.`);
    this.#buffer[this.#buffered] = value;
    this.#buffered += 1;
    if (this.#buffered === BUFFER) this.#flush();
  }

  /** Adds values seen so many times each; `isPure` false where one is a mean of several. */
  addWeighted(
    values: ArrayLike<number>,
    weights: ArrayLike<number>,
    isPure = (_place: number) => true,
  ): void {
    this.#flush();
    const order = Array.from(values, (_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
    const means = Float64Array.from(order, (i) => values[i] ?? 0);
    if (means.length === 0) return;
    this.#extend(means[0] ?? 0, means[means.length - 1] ?? 0);
    this.#compress(
      means,
      Float64Array.from(order, (i) => weights[i] ?? 0),
      Uint8Array.from(order, (i) => (isPure(i) ? 1 : 0)),
    );
  }

  merge(other: DigestState): void {
    const atoms = new Set(other.atoms);
    this.addWeighted(other.means, other.weights, (at) => atoms.has(at) || other.weights[at] === 1);
    if (other.means.length > 0) this.#extend(other.min, other.max);
  }

  state(): DigestState {
    this.#flush();
    return {
      means: Array.from(this.#means),
      weights: Array.from(this.#weights),
      atoms: Array.from(this.#weights.keys()).filter(
        (at) => this.#pure[at] === 1 && (this.#weights[at] ?? 0) > 1,
      ),
      min: this.#total === 0 ? 0 : this.#min,
      max: this.#total === 0 ? 0 : this.#max,
    };
  }

  #extend(min: number, max: number): void {
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    const values = this.#buffer.subarray(0, this.#buffered).sort();
    this.#extend(values[0] ?? 0, values[values.length - 1] ?? 0);
    this.#buffered = 0;
    // Equal values come as one.
    const means = new Float64Array(values.length);
    const weights = new Float64Array(values.length);
    let runs = 0;
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at] ?? 0;
      if (at === 0 || value !== means[runs - 1]) {
        means[runs] = value;
        runs += 1;
      }
      weights[runs - 1] = (weights[runs - 1] ?? 0) + 1;
    }
    this.#compress(means.subarray(0, runs), weights.subarray(0, runs), null);
  }

  /** Merges ascending values (all pure where `pure` is null) with the centroids, and joins neighbours. */
  #compress(values: Float64Array, added: Float64Array, pure: Uint8Array | null): void {
    const oldMeans = this.#means;
    const oldWeights = this.#weights;
    const oldPure = this.#pure;
    let total = this.#total;
    for (const weight of added) total += weight;
    const atom = Math.max(2, total * ATOM_SHARE);
    const means: number[] = [];
    const sizes: number[] = [];
    const purity: number[] = [];
    let i = 0;
    let j = 0;
    let before = 0;
    let mean = 0;
    let size = 0;
    let isPure = true;
    let limit = 0;
    const close = (): void => {
      means.push(mean);
      sizes.push(size);
      purity.push(isPure ? 1 : 0);
      before += size;
    };
    while (i < oldMeans.length || j < values.length) {
      const takesOld = j >= values.length || (i < oldMeans.length && (oldMeans[i] ?? 0) <= (values[j] ?? 0));
      const x = (takesOld ? oldMeans[i] : values[j]) ?? 0;
      const w = (takesOld ? oldWeights[i] : added[j]) ?? 0;
      const comesPure = takesOld ? oldPure[i] === 1 : pure === null || pure[j] === 1;
      if (takesOld) i += 1;
      else j += 1;
      const isSame = size > 0 && isPure && comesPure && x === mean;
      const fits = before + size + w <= limit && !(isPure && size >= atom) && !(comesPure && w >= atom);
      if (isSame) size += w;
      else if (size > 0 && fits) {
        size += w;
        mean += ((x - mean) * w) / size;
        isPure = false;
      } else {
        if (size > 0) close();
        mean = x;
        size = w;
        isPure = comesPure;
        limit = total * nextShare(before / total);
      }
    }
    if (size > 0) close();
    this.#means = Float64Array.from(means);
    this.#weights = Float64Array.from(sizes);
    this.#pure = Uint8Array.from(purity);
    this.#total = total;
  }
}

/** One step of the scale k₁(q) = δ/2π · asin(2q − 1) further. */
function nextShare(share: number): number {
  const angle = Math.asin(2 * share - 1) + (2 * Math.PI) / COMPRESSION;
  return angle >= Math.PI / 2 ? 1 : (Math.sin(angle) + 1) / 2;
}

/**
 * The distribution a digest stands for. A centroid that is one value is a step; any other is passed at half of its weight.
 */
export function digestDistribution({ means, weights, atoms, min, max }: DigestState): Distribution {
  const xs: number[] = [];
  const below: number[] = [];
  const upTo: number[] = [];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const steps = new Set(atoms);
  const put = (x: number, low: number, high: number): void => {
    if (xs.at(-1) === x) upTo[upTo.length - 1] = high / total;
    else {
      xs.push(x);
      below.push(low / total);
      upTo.push(high / total);
    }
  };
  if (total === 0) return { xs: new Float64Array(0), below: new Float64Array(0), upTo: new Float64Array(0) };
  let before = 0;
  if ((means[0] ?? min) > min) put(min, 0, 0);
  for (const [at, mean] of means.entries()) {
    const weight = weights[at] ?? 0;
    if (weight === 1 || steps.has(at)) put(mean, before, before + weight);
    else put(mean, before + weight / 2, before + weight / 2);
    before += weight;
  }
  if ((means.at(-1) ?? max) < max) put(max, total, total);
  // The last point is the largest value: nothing is above it.
  upTo[upTo.length - 1] = 1;
  return { xs: Float64Array.from(xs), below: Float64Array.from(below), upTo: Float64Array.from(upTo) };
}
