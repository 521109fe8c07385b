import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import type { RowSample } from './row-sample.ts';
import { answerRows, type Runner, sampleInput } from './runner.ts';

/** Rows whose single-row latency is measured. */
const LATENCY_ROWS = 1000;
/** Calls before the first measured one: the runtime's first calls allocate. */
const WARM_UP_CALLS = 20;
/** A slow model is measured on fewer rows, milliseconds. */
const LIMIT_MS = 5000;
const BINS = 30;

/** What a row's answer was in a batch, and what it is alone. */
export interface SingleRows {
  /** Milliseconds of each call, one after the other, as a client with one event at a time would see it. */
  readonly samples: Float64Array;
  /** Rows answered differently alone than in their batch. */
  readonly differing: { readonly labels: number[]; readonly scores: number[] };
}

/** A score may differ by rounding: sums are made in another order. */
const TOLERANCE = 1e-4;

/** Runs rows of the sample one by one. */
export async function runSingleRows(runner: Runner, model: number, sample: RowSample): Promise<SingleRows> {
  const count = Math.min(LATENCY_ROWS, sample.rows);
  const samples = new Float64Array(count);
  const differing = { labels: [] as number[], scores: [] as number[] };
  const ends = performance.now() + LIMIT_MS;
  let measured = 0;
  for (let call = 0; call < WARM_UP_CALLS && performance.now() < ends; call++)
    await answerRows(runner, sampleInput(runner, sample, [call % count])).catch(() => null);
  for (let index = 0; index < count; index++) {
    const input = sampleInput(runner, sample, [index]);
    const before = performance.now();
    const answer = await answerRows(runner, input).catch(() => null);
    // A request that the model refuses has no latency of its own.
    samples[measured++] = answer?.runMs ?? performance.now() - before;
    const number = sample.rowNumbers[index] as number;
    const score = sample.scores[model]?.[index] ?? Number.NaN;
    if (answer !== null && answer.failed.length === 0) {
      if (answer.predicted[0] !== sample.predicted[model]?.[index]) differing.labels.push(number);
      else if (
        Math.abs((answer.scores?.[0] ?? Number.NaN) - score) >
        TOLERANCE * Math.max(1, Math.abs(score))
      )
        differing.scores.push(number);
    }
    if (performance.now() > ends) break;
  }
  return { samples: samples.subarray(0, measured).slice(), differing };
}

/** Both models' latencies in common bins of equal ratio. */
export function latencyHistogram(
  champion: Float64Array,
  challenger: Float64Array,
): ComparisonReport['latencyHistogram'] {
  if (champion.length === 0 || challenger.length === 0) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const samples of [champion, challenger])
    for (const sample of samples) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
  low = Math.max(low, 1e-4);
  const ratio = Math.max(high, low * 1.001) / low;
  const edgesMs = Array.from({ length: BINS + 1 }, (_, bin) => low * ratio ** (bin / BINS));
  const counts = (samples: Float64Array): number[] => {
    const bins = new Array<number>(BINS).fill(0);
    for (const sample of samples) {
      const bin = Math.floor((Math.log(Math.max(sample, low) / low) / Math.log(ratio)) * BINS);
      const at = Math.min(BINS - 1, Math.max(0, bin));
      bins[at] = (bins[at] as number) + 1;
    }
    return bins;
  };
  return { edgesMs, champion: counts(champion), challenger: counts(challenger) };
}
