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
import type { ModelAnswers } from './runner.ts';

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
  readonly isDeclared: boolean;
  /** Place among the features, or among the texts. */
  readonly feature: number | null;
  readonly text: number | null;
  /** One table a pair of models, the first against each other one; one table alone for one model. */
  readonly tables: readonly SliceTable[];
  /** Values seen; null once the column is sliced whatever it holds. */
  values: Set<string> | null;
  isOpen: boolean;
}

export interface Slicing {
  /** Rows with an answer of every model; labels are there. */
  add(
    batch: DatasetBatch,
    labels: Uint8Array,
    answers: readonly ModelAnswers[],
    keep: Uint32Array | null,
  ): void;
  slices(model: number): Slice[];
  /** Of the second model against the first. */
  flips(): SliceFlip[];
}

/**
 * Counts outcomes by column: those that were asked for, else every text column of few values and the features in bins.
 * With several models a table counts the first and another one together; each one's own counts are in it.
 */
export function createSlicing(
  columns: RunColumns,
  declared: readonly string[] | null,
  models: number,
): Slicing {
  const cells = models === 1 ? 4 : 8;
  const tablesOf = (make: typeof createTextSlices, name: string): SliceTable[] =>
    Array.from({ length: Math.max(1, models - 1) }, () => make(name, cells));
  const text = (name: string, at: number, isDeclared: boolean): Column => ({
    name,
    isDeclared,
    feature: null,
    text: at,
    tables: tablesOf(createTextSlices, name),
    values: isDeclared ? null : new Set(),
    isOpen: true,
  });
  const feature = (name: string, at: number, isDeclared: boolean): Column => ({
    name,
    isDeclared,
    feature: at,
    text: null,
    tables: tablesOf(createNumberSlices, name),
    values: null,
    isOpen: true,
  });
  const chosen: Column[] =
    declared === null
      ? [
          ...columns.texts.map((name, at) => text(name, at, false)),
          ...columns.union.slice(0, MAX_FEATURES).map((name, at) => feature(name, at, false)),
        ]
      : declared.flatMap((name) => {
          const at = columns.texts.indexOf(name);
          if (at >= 0) return [text(name, at, true)];
          const place = columns.union.indexOf(name);
          return place >= 0 ? [feature(name, place, true)] : [];
        });
  let codes = Array.from({ length: Math.max(1, models - 1) }, () => new Uint8Array(0));

  const ended = (): Column[] => chosen.filter(({ isOpen }) => isOpen);
  return {
    add(batch, labels, answers, keep) {
      const rows = keep?.length ?? batch.rows;
      if ((codes[0]?.length ?? 0) !== rows) codes = codes.map(() => new Uint8Array(rows));
      const first = answers[0]?.predicted ?? new Uint8Array(0);
      for (const [pair, into] of codes.entries()) {
        const second = answers[pair + 1]?.predicted ?? null;
        for (let index = 0; index < rows; index++) {
          const row = keep === null ? index : (keep[index] as number);
          const label = labels[row] as number;
          const answer = first[row] as number;
          into[index] =
            second === null ? 2 * label + answer : 4 * label + 2 * answer + (second[row] as number);
        }
      }
      for (const column of chosen) {
        if (!column.isOpen) continue;
        const values = valuesOf(column, batch, keep, rows);
        if (values === null) column.isOpen = false;
        else
          for (const [pair, table] of column.tables.entries()) table.add(values, codes[pair] as Uint8Array);
      }
    },
    slices(model) {
      const judged = (columns: readonly Column[]): Slice[] =>
        sliceQuality(
          columns.map(({ tables }) => {
            const table = tables[Math.max(0, model - 1)] as SliceTable;
            return models === 1 ? table : ownCounts(table, model === 0 ? 'first' : 'second');
          }),
          { alpha: ALPHA },
        );
      // Apart: bins of many features would crowd out the kinds of things that people tell apart.
      const open = ended();
      return [
        ...judged(open.filter((column) => !isPlainFeature(column))),
        ...shorten(judged(open.filter(isPlainFeature))),
      ];
    },
    flips() {
      const open = ended();
      const flips = models < 2 ? [] : sliceFlips(open.map(({ tables }) => tables[0] as SliceTable));
      const changed = new Set(
        flips.filter(({ adjustedP }) => adjustedP !== null && adjustedP <= 0.05).map(({ column }) => column),
      );
      const features = new Set(open.filter(isPlainFeature).map(({ name }) => name));
      const ofFeatures = flips.filter(({ column }) => features.has(column)).length;
      return ofFeatures <= MAX_FEATURE_SLICES
        ? flips
        : flips.filter(({ column }) => !features.has(column) || changed.has(column));
    },
  };
}

const isPlainFeature = ({ feature, isDeclared }: Column): boolean => feature !== null && !isDeclared;

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

/** One model's own four outcomes out of the eight of a pair (4 · label + 2 · first + second). */
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

/** Of very many features, the columns with a slice among the worst. */
function shorten(slices: Slice[]): Slice[] {
  if (slices.length <= MAX_FEATURE_SLICES) return slices;
  const worst = new Set(slices.filter(({ worst }) => worst).map(({ column }) => column));
  return slices.filter(({ column }) => worst.has(column));
}
