import { z } from 'zod';
import { percentileInterval, quantileOf } from '../statistics/interval.ts';
import { binOf } from '../statistics/isotonic.ts';
import type { Random } from '../statistics/random.ts';
import { Sum } from '../statistics/sum.ts';
import { REPLICATES } from './bootstrap.ts';
import { type Accumulator, figure, figureSchema } from './figure.ts';

/** Bins of a reliability curve (Guo et al. 2017). */
export const CALIBRATION_BINS = 15;

export const reliabilityBinSchema = z.object({
  low: z.number(),
  high: z.number(),
  rows: z.number().int(),
  positives: z.number().int(),
  /** Mean probability the model gave, and share that was positive. */
  confidence: z.number(),
  frequency: z.number(),
});
export const calibrationSchema = z.object({
  /** Expected calibration error: Σ share of rows · |frequency − confidence|. */
  ece: figureSchema,
  /** Largest gap of a bin that holds rows. */
  maximumError: z.number().nullable(),
  /** Those that hold rows. */
  bins: z.array(reliabilityBinSchema),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** Edges of bins of equal width from 0 to 1. */
export function equalWidthEdges(bins = CALIBRATION_BINS): Float64Array {
  return Float64Array.from({ length: bins + 1 }, (_, i) => i / bins);
}

/** Edges of bins of equal mass: quantiles of ascending probabilities, equal edges joined. */
export function equalMassEdges(sorted: ArrayLike<number>, bins = CALIBRATION_BINS): Float64Array {
  if (sorted.length === 0) return equalWidthEdges(bins);
  const edges = Array.from({ length: bins + 1 }, (_, i) => quantileOf(sorted, i / bins));
  return Float64Array.from(edges.filter((edge, i) => i === 0 || edge !== edges[i - 1]));
}

export interface CalibrationOptions {
  /** Ascending; a probability on an inner edge belongs to the bin below it, as in scikit-learn. */
  readonly edges?: Float64Array;
  /** For an interval: resampled rows of each bin and class, their mean probability held. */
  readonly random?: Random | undefined;
  readonly level?: number | undefined;
}

/** Reliability curve and ECE of probabilities of the positive class, streaming; 24 bytes a bin. */
export function createCalibration({
  edges = equalWidthEdges(),
  random,
  level,
}: CalibrationOptions = {}): Accumulator<
  [labels: Uint8Array, probabilities: ArrayLike<number>],
  Calibration
> {
  const inner = edges.slice(1, -1);
  const count = inner.length + 1;
  const rows = new Float64Array(count);
  const positives = new Float64Array(count);
  const sums = Array.from({ length: count }, () => new Sum());
  const eceOf = (all: ArrayLike<number>, hits: ArrayLike<number>): number => {
    let total = 0;
    let gaps = 0;
    for (let bin = 0; bin < count; bin += 1) {
      const here = all[bin] ?? 0;
      const seen = rows[bin] ?? 0;
      if (here === 0) continue;
      total += here;
      gaps += Math.abs((hits[bin] ?? 0) - (here * (sums[bin]?.value ?? 0)) / seen);
    }
    return total === 0 ? Number.NaN : gaps / total;
  };

  return {
    add(labels, probabilities) {
      for (let row = 0; row < labels.length; row += 1) {
        const probability = probabilities[row] ?? 0;
        const bin = binOf(inner, probability);
        rows[bin] = (rows[bin] ?? 0) + 1;
        positives[bin] = (positives[bin] ?? 0) + (labels[row] ?? 0);
        sums[bin]?.add(probability);
      }
    },
    result() {
      let total = 0;
      for (const here of rows) total += here;
      const value = total === 0 ? null : eceOf(rows, positives);
      let interval = null;
      if (value !== null && random !== undefined) {
        const replicates = new Float64Array(REPLICATES);
        const all = new Float64Array(count);
        const hits = new Float64Array(count);
        for (let at = 0; at < REPLICATES; at += 1) {
          for (let bin = 0; bin < count; bin += 1) {
            hits[bin] = random.poisson(positives[bin] ?? 0);
            all[bin] = (hits[bin] ?? 0) + random.poisson((rows[bin] ?? 0) - (positives[bin] ?? 0));
          }
          replicates[at] = eceOf(all, hits);
        }
        // Resampling adds noise, and noise adds error: the replicates are moved back onto the measured value.
        const shift = value - quantileOf(replicates.toSorted(), 0.5);
        const wide = percentileInterval(replicates, Number.isNaN(shift) ? 0 : shift, level);
        interval = wide && { ...wide, low: Math.max(0, wide.low), high: Math.min(1, wide.high) };
      }
      const bins: Calibration['bins'] = [];
      for (const [bin, here] of rows.entries()) {
        if (here === 0) continue;
        bins.push({
          low: edges[bin] ?? 0,
          high: edges[bin + 1] ?? edges[bin] ?? 1,
          rows: here,
          positives: positives[bin] ?? 0,
          confidence: (sums[bin]?.value ?? 0) / here,
          frequency: (positives[bin] ?? 0) / here,
        });
      }
      const gaps = bins.map(({ confidence, frequency }) => Math.abs(confidence - frequency));
      return {
        ece: figure(value, total, interval, 'there are no rows'),
        maximumError: total === 0 ? null : Math.max(...gaps),
        bins,
      };
    },
  };
}
