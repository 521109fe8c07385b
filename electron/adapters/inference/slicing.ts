import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import type { Slice, SliceFlip } from '../../../shared/domain/evidence/slices.ts';
import {
  createNumberSlices,
  createTextSlices,
  type SliceCounts,
  type SliceTable,
  sliceFlips,
  sliceQuality,
} from '../../../shared/domain/metrics/index.ts';
import type { DatasetBatch } from '../datasets/dataset.ts';
import type { RunColumns } from './columns.ts';
import type { ModelAnswers } from './model-answers.ts';
import type { RowSample } from './row-sample.ts';

/** A text column with more values than this is no slicing of the data, unless it was asked for. */
const MAX_VALUES = 50;
/** Numeric features that are binned by themselves. */
const MAX_FEATURES = 200;
/** Slices of features in a report; of more, only columns with one of the worst are kept. */
const MAX_FEATURE_SLICES = 300;
/** Chance of calling a slice bad that is not, over all slices of columns that are no features, and of features: 5 % together. */
const ALPHA = 0.025;

interface Column {
  readonly name: string;
  /** Place among the features, or among the texts. */
  readonly feature: number | null;
  readonly text: number | null;
  /** The first model against each other one; one table alone for one model. */
  readonly tables: readonly SliceTable[];
  /** Values seen; null where the column is sliced whatever it holds. */
  readonly values: Set<string> | null;
  isOpen: boolean;
}

/** Labels and decisions of rows that lie side by side. */
interface Outcomes {
  readonly labels: Uint8Array;
  readonly predicted: readonly Uint8Array[];
}

export interface Slicing {
  /** Rows with an answer of every model (`keep` by index, null = all), and their labels. */
  add(
    batch: DatasetBatch,
    labels: Uint8Array,
    answers: readonly ModelAnswers[],
    keep: Uint32Array | null,
  ): void;
  slices(model: number): Slice[];
  /** Of a model, the second or a later one, against the first. */
  flips(model: number): SliceFlip[];
}

/**
 * Counts outcomes by column: those that were asked for, else every text column of few values on every row, and the
 * features in bins on the sample (which is every row of data that is not large). With several models a table counts the
 * first and another one together; each one's own counts are in it.
 */
export function createSlicing(
  columns: RunColumns,
  declared: readonly string[] | null,
  models: number,
  sample: RowSample,
): Slicing {
  const pairs = Math.max(1, models - 1);
  const cells = models === 1 ? 4 : 8;
  const tablesOf = (make: typeof createTextSlices, name: string): SliceTable[] =>
    Array.from({ length: pairs }, () => make(name, cells));
  const text = (name: string, at: number): Column => ({
    name,
    feature: null,
    text: at,
    tables: tablesOf(createTextSlices, name),
    values: declared === null ? new Set() : null,
    isOpen: true,
  });
  const feature = (name: string, at: number): Column => ({
    name,
    feature: at,
    text: null,
    tables: tablesOf(createNumberSlices, name),
    values: null,
    isOpen: true,
  });
  const streamed: Column[] =
    declared === null
      ? columns.texts.map(text)
      : declared.flatMap((name) => {
          const at = columns.texts.indexOf(name);
          const place = columns.union.indexOf(name);
          return at >= 0 ? [text(name, at)] : place >= 0 ? [feature(name, place)] : [];
        });
  let sampled: Column[] | null = null;
  const ofSample = (): Column[] => {
    if (sampled === null) {
      sampled = declared === null ? columns.union.slice(0, MAX_FEATURES).map(feature) : [];
      addSample(sampled, sample, models);
    }
    return sampled;
  };

  return {
    add(batch, labels, answers, keep) {
      if (!streamed.some(({ isOpen }) => isOpen)) return;
      const rows = keep?.length ?? batch.rows;
      const codes = codesOf({ labels, predicted: answers.map(({ predicted }) => predicted) }, keep, rows);
      for (const column of streamed) {
        if (!column.isOpen) continue;
        const values = valuesOf(column, batch, keep, rows);
        if (values === null) column.isOpen = false;
        else
          for (const [pair, table] of column.tables.entries()) table.add(values, codes[pair] as Uint8Array);
      }
    },
    slices(model) {
      const judged = (some: readonly Column[]): Slice[] =>
        sliceQuality(
          some.map(({ tables }) => {
            const table = tables[Math.max(0, model - 1)] as SliceTable;
            return models === 1 ? table : ownCounts(table, model === 0 ? 'first' : 'second');
          }),
          { alpha: ALPHA },
        );
      // Apart: bins of many features would crowd out the kinds of things that people tell apart.
      const ofFeatures = judged(ofSample());
      const worst = new Set(ofFeatures.filter((slice) => slice.worst).map(({ column }) => column));
      return [...judged(streamed.filter(({ isOpen }) => isOpen)), ...shorten(ofFeatures, worst)];
    },
    flips(model) {
      if (model < 1 || model >= models) return [];
      const flipsOf = (some: readonly Column[]): SliceFlip[] =>
        sliceFlips(some.map(({ tables }) => tables[model - 1] as SliceTable));
      const ofFeatures = flipsOf(ofSample());
      const changed = new Set(
        ofFeatures
          .filter(({ adjustedP }) => adjustedP !== null && adjustedP <= ALPHA)
          .map(({ column }) => column),
      );
      return [...flipsOf(streamed.filter(({ isOpen }) => isOpen)), ...shorten(ofFeatures, changed)];
    },
  };
}

/** By pair of models: 2 · label + decision for one model, 4 · label + 2 · first + second for two. */
function codesOf({ labels, predicted }: Outcomes, keep: Uint32Array | null, rows: number): Uint8Array[] {
  const first = predicted[0] ?? new Uint8Array(0);
  const others = predicted.length > 1 ? predicted.slice(1) : [null];
  return others.map((second) => {
    const codes = new Uint8Array(rows);
    for (let index = 0; index < rows; index++) {
      const row = keep === null ? index : (keep[index] as number);
      const own = 2 * (labels[row] as number) + (first[row] as number);
      codes[index] = second === null ? own : 2 * own + (second[row] as number);
    }
    return codes;
  });
}

function addSample(columns: readonly Column[], sample: RowSample, models: number): void {
  const { features, width } = sample;
  const predicted = sample.predicted.slice(0, models);
  const chosen: number[] = [];
  for (let row = 0; row < sample.rows; row++)
    if (predicted.every((answers) => answers[row] !== NO_ANSWER)) chosen.push(row);
  const keep = Uint32Array.from(chosen);
  const codes = codesOf({ labels: sample.labels, predicted }, keep, keep.length);
  const values = new Float32Array(keep.length);
  for (const { feature, tables } of columns) {
    for (let index = 0; index < keep.length; index++)
      values[index] = features[(keep[index] as number) * width + (feature ?? 0)] as number;
    for (const [pair, table] of tables.entries()) table.add(values, codes[pair] as Uint8Array);
  }
}

/** The column's values in the batch; null where it turns out to hold too many to be a slicing. */
function valuesOf(
  column: Column,
  batch: DatasetBatch,
  keep: Uint32Array | null,
  rows: number,
): ArrayLike<number> | string[] | null {
  const at = (index: number): number => (keep === null ? index : (keep[index] as number));
  if (column.feature !== null) {
    const values = batch.features[column.feature] as Float32Array;
    return keep === null
      ? values
      : Float32Array.from({ length: rows }, (_, index) => values[at(index)] as number);
  }
  const texts = new Array<string>(rows);
  for (let index = 0; index < rows; index++) {
    const value = batch.text(column.text ?? 0, at(index));
    if (column.values !== null) {
      column.values.add(value);
      if (column.values.size > MAX_VALUES) return null;
    }
    texts[index] = value;
  }
  return texts;
}

/** One model's own four outcomes out of the eight of a pair. */
function ownCounts(table: SliceTable, which: 'first' | 'second'): SliceTable {
  const fold = ({ value, counts }: SliceCounts): SliceCounts => {
    const own = new Float64Array(4);
    for (let cell = 0; cell < 8; cell++) {
      const answer = which === 'first' ? (cell >> 1) & 1 : cell & 1;
      const to = 2 * (cell >> 2) + answer;
      own[to] = (own[to] as number) + (counts[cell] as number);
    }
    return { value, counts: own };
  };
  return { column: table.column, add: table.add, result: () => table.result().map(fold) };
}

/** Of very many, the columns that are worth a look. */
function shorten<T extends { readonly column: string }>(all: T[], worth: ReadonlySet<string>): T[] {
  return all.length <= MAX_FEATURE_SLICES ? all : all.filter(({ column }) => worth.has(column));
}
