import type { Slice, SliceFlip } from '../evidence/slices.ts';
import { adjust, type Correction } from '../statistics/correction.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import { mcnemar } from '../statistics/mcnemar.ts';
import { higherRateP } from '../statistics/two-proportions.ts';
import { accuracyOf } from './accuracy.ts';
import { falsePositiveRateOf } from './false-positive-rate.ts';
import { agreementOf, confusionOf } from './pair-table.ts';
import { precisionOf } from './precision.ts';
import { recallOf } from './recall.ts';
import type { Confusion } from './report.ts';
import { rowsOf, type SliceCounts, type SliceTable } from './slice-table.ts';

export interface SliceOptions {
  /** Fewer rows are shown and never judged. */
  readonly minimumRows?: number;
  /** Fewer rows of the class a rate is about, likewise. */
  readonly minimumClass?: number;
  /** Chance of calling a slice bad that is not, over all that were looked at. */
  readonly alpha?: number;
  /** Holm unless told: a slice named in a report should be a bad one. */
  readonly correction?: Correction;
  /** Most slices marked worst. */
  readonly worst?: number;
  readonly level?: number;
}

const DEFAULTS = { minimumRows: 50, minimumClass: 10, alpha: 0.05, correction: 'holm', worst: 10 } as const;

interface Judged {
  readonly column: string;
  readonly value: string;
  readonly confusion: Confusion;
  readonly rows: number;
}

/**
 * Quality in every slice of every table (of four-cell outcomes), and the worst of them: slices that miss more positives
 * or raise more false alarms than the rest of their column does, one-sided, corrected over every test made.
 */
export function sliceQuality(tables: readonly SliceTable[], options: SliceOptions = {}): Slice[] {
  const { minimumRows, minimumClass, alpha, correction, worst } = { ...DEFAULTS, ...options };
  const tests: { slice: number; pValue: number }[] = [];
  const slices: Judged[] = [];
  /** Errors beyond those the rest of the column would have made: what mending the slice would save. */
  const excess: number[] = [];
  for (const { column, counts } of listed(tables)) {
    const parts = counts.map(({ value, counts: cells }) => ({
      column,
      value,
      rows: rowsOf(cells),
      confusion: { tn: cells[0] ?? 0, fp: cells[1] ?? 0, fn: cells[2] ?? 0, tp: cells[3] ?? 0 },
    }));
    const all = parts.map(({ confusion }) => confusion).reduce(plus, { tn: 0, fp: 0, fn: 0, tp: 0 });
    for (const part of parts) {
      const { tn, fp, fn, tp } = part.confusion;
      const index = slices.push(part) - 1;
      excess.push(0);
      if (part.rows < minimumRows) continue;
      for (const [errors, of, allErrors, allOf] of [
        [fn, fn + tp, all.fn, all.fn + all.tp],
        [fp, fp + tn, all.fp, all.fp + all.tn],
      ] as const) {
        // A column of one value has no rest to be held against.
        if (of < minimumClass || allOf === of) continue;
        tests.push({ slice: index, pValue: higherRateP(errors, of, allErrors - errors, allOf - of) });
        excess[index] =
          (excess[index] ?? 0) + Math.max(0, errors - (of * (allErrors - errors)) / (allOf - of));
      }
    }
  }
  const adjusted = adjust(
    tests.map(({ pValue }) => pValue),
    correction,
  );
  const best = new Map<number, number>();
  for (const [at, { slice }] of tests.entries())
    best.set(slice, Math.min(best.get(slice) ?? 1, adjusted[at] ?? 1));
  const marked = new Set(
    [...best]
      .filter(([, pValue]) => pValue <= alpha)
      .map(([slice]) => slice)
      .sort((a, b) => (excess[b] ?? 0) - (excess[a] ?? 0) || a - b)
      .slice(0, worst),
  );
  return slices.map(({ column, value, rows, confusion }, at): Slice => {
    const { tn, fp, fn, tp } = confusion;
    return {
      column,
      value,
      rows,
      positives: tp + fn,
      accuracy: accuracyOf(confusion),
      recall: recallOf(confusion),
      precision: precisionOf(confusion),
      false_positive_rate: falsePositiveRateOf(confusion),
      recallInterval: wilsonInterval(tp, tp + fn, options.level),
      falsePositiveInterval: wilsonInterval(fp, fp + tn, options.level),
      tooFew: rows < minimumRows,
      worst: marked.has(at),
      adjustedP: best.get(at) ?? null,
    };
  });
}

/** The slices marked worst, the most excess errors first kept in the order given. */
export function worstSlices(slices: readonly Slice[]): Slice[] {
  return slices.filter(({ worst }) => worst);
}

/** What changed in every slice of every table (of eight-cell outcomes) from the first model to the second. */
export function sliceFlips(tables: readonly SliceTable[], options: SliceOptions = {}): SliceFlip[] {
  const { minimumRows, correction } = { ...DEFAULTS, ...options };
  const flips = listed(tables).flatMap(({ column, counts }) =>
    counts.map(({ value, counts: cells }) => {
      const before = confusionOf(cells, 'first');
      const after = confusionOf(cells, 'second');
      const { fixed, broken, rows } = agreementOf(cells);
      return {
        column,
        value,
        rows,
        fixed,
        broken,
        recallDelta: difference(recallOf(after), recallOf(before)),
        falsePositiveDelta: difference(falsePositiveRateOf(after), falsePositiveRateOf(before)),
      };
    }),
  );
  const judged = flips.filter(({ rows }) => rows >= minimumRows);
  const adjusted = adjust(
    judged.map(({ fixed, broken }) => mcnemar(broken, fixed).pValue),
    correction,
  );
  const pValues = new Map(judged.map((flip, at) => [flip, adjusted[at] ?? 1]));
  return flips.map((flip) => ({ ...flip, adjustedP: pValues.get(flip) ?? null }));
}

function listed(tables: readonly SliceTable[]): { column: string; counts: SliceCounts[] }[] {
  return tables.map((table) => ({ column: table.column, counts: table.result() }));
}

function plus(a: Confusion, b: Confusion): Confusion {
  return { tn: a.tn + b.tn, fp: a.fp + b.fp, fn: a.fn + b.fn, tp: a.tp + b.tp };
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
