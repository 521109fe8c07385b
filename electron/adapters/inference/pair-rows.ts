/** What is kept of single rows while two models answer them: disagreements, score pairs, a series over time. */
import { createRandom } from '../../../shared/domain/statistics/index.ts';
import type { ComparisonEvidence } from '../../ports/engine.ts';
import type { DatasetBatch } from '../datasets/dataset.ts';
import type { ModelAnswers } from './model-answers.ts';

/** Disagreeing rows kept with their other columns; all are counted. */
const KEPT_DISAGREEMENTS = 1000;
/** Score pairs for drawing; at most half of them are disagreements while there are others. */
const SCATTER = 2000;
const MAX_BUCKETS = 500;
const MAX_CONTEXT_CHARACTERS = 200;
/** Widths of a bucket, milliseconds, from one second up; beyond, doubled. */
const WIDTHS = [1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 604_800].map(
  (seconds) => seconds * 1000,
);

export type PairRows = Pick<ComparisonEvidence, 'disagreementRows' | 'scatter' | 'series'>;

type Point = ComparisonEvidence['scatter'][number];

/** `contexts`: names of the batch's texts. */
export function createPairRows(contexts: readonly string[], seed: number) {
  const disagreementRows: PairRows['disagreementRows'] = [];
  const apart = createReservoir(SCATTER, seed);
  const agreeing = createReservoir(SCATTER, seed + 1);
  const series = createSeries();
  return {
    /** Rows with an answer of both models. */
    add(batch: DatasetBatch, answers: readonly ModelAnswers[], keep: Uint32Array | null): void {
      const [first, second] = answers;
      if (!first || !second) return;
      const rows = keep?.length ?? batch.rows;
      for (let index = 0; index < rows; index++) {
        const row = keep === null ? index : (keep[index] as number);
        const differs = first.predicted[row] !== second.predicted[row];
        if (first.scores !== null && second.scores !== null) {
          const store = differs ? apart : agreeing;
          const slot = store.slot();
          if (slot >= 0)
            store.points[slot] = {
              row: batch.rowNumbers[row] as number,
              a: first.scores[row] as number,
              b: second.scores[row] as number,
              label: batch.labels === null ? null : (batch.labels[row] as number),
            };
        }
        if (differs && disagreementRows.length < KEPT_DISAGREEMENTS && batch.labels !== null)
          disagreementRows.push({
            row: batch.rowNumbers[row] as number,
            label: batch.labels[row] as number,
            championLabel: first.predicted[row] as number,
            challengerLabel: second.predicted[row] as number,
            championScore: first.scores?.[row] ?? null,
            challengerScore: second.scores?.[row] ?? null,
            context: Object.fromEntries(
              contexts.map((name, at) => [name, batch.text(at, row).slice(0, MAX_CONTEXT_CHARACTERS)]),
            ),
          });
        if (batch.times !== null) series.add(batch.times[row] as number, answers, row, differs);
      }
    },
    finish(): PairRows {
      const room = Math.max(SCATTER / 2, SCATTER - agreeing.points.length);
      const scatter = [...apart.points.slice(0, room), ...agreeing.points].slice(0, SCATTER);
      return { disagreementRows, scatter, series: series.finish() };
    },
  };
}

/** A fair sample of what passes, in no particular order once it is full. */
function createReservoir(capacity: number, seed: number) {
  const random = createRandom(seed);
  const points: Point[] = [];
  let seen = 0;
  return {
    points,
    /** Where the next one goes, or -1: it is not kept. */
    slot(): number {
      seen++;
      if (seen <= capacity) return seen - 1;
      const at = Math.floor(random.uniform() * seen);
      return at < capacity ? at : -1;
    },
  };
}

interface Bucket {
  rows: number;
  disagreements: number;
  /** By model. */
  readonly flagged: number[];
  readonly scores: number[];
}

function createSeries() {
  let buckets = new Map<number, Bucket>();
  let level = 0;
  let scored: boolean[] = [];
  const width = (): number => WIDTHS[level] ?? (WIDTHS.at(-1) as number) * 2 ** (level - WIDTHS.length + 1);

  const coarsen = (): void => {
    const before = width();
    level++;
    const coarser = new Map<number, Bucket>();
    for (const [at, bucket] of buckets) {
      const key = Math.floor((at * before) / width());
      const into = coarser.get(key);
      if (!into) coarser.set(key, bucket);
      else {
        into.rows += bucket.rows;
        into.disagreements += bucket.disagreements;
        for (let model = 0; model < bucket.flagged.length; model++) {
          into.flagged[model] = (into.flagged[model] as number) + (bucket.flagged[model] as number);
          into.scores[model] = (into.scores[model] as number) + (bucket.scores[model] as number);
        }
      }
    }
    buckets = coarser;
  };

  return {
    add(time: number, answers: readonly ModelAnswers[], row: number, differs: boolean): void {
      if (!Number.isFinite(time)) return;
      if (scored.length === 0) scored = answers.map(({ scores }) => scores !== null);
      let key = Math.floor(time / width());
      let bucket = buckets.get(key);
      if (!bucket) {
        bucket = { rows: 0, disagreements: 0, flagged: answers.map(() => 0), scores: answers.map(() => 0) };
        buckets.set(key, bucket);
        while (buckets.size > MAX_BUCKETS) coarsen();
        key = Math.floor(time / width());
        bucket = buckets.get(key) ?? bucket;
      }
      bucket.rows++;
      if (differs) bucket.disagreements++;
      for (const [model, { predicted, scores }] of answers.entries()) {
        if (predicted[row] === 1) bucket.flagged[model] = (bucket.flagged[model] as number) + 1;
        if (scores !== null)
          bucket.scores[model] = (bucket.scores[model] as number) + (scores[row] as number);
      }
    },
    finish(): PairRows['series'] {
      return [...buckets]
        .sort(([a], [b]) => a - b)
        .map(([key, { rows, disagreements, flagged, scores }]) => ({
          at: new Date(key * width()).toISOString(),
          rows,
          disagreements,
          positiveRates: flagged.map((count) => count / rows),
          meanScores: scores.map((sum, model) => (scored[model] ? sum / rows : null)),
        }));
    },
  };
}
