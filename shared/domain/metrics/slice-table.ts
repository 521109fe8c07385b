import { SallyportError } from '../errors.ts';
import { quantileOf } from '../statistics/interval.ts';

/** Values of a column that are counted each by itself; values first seen after that are counted together. */
const TRACKED_VALUES = 1000;
/** Values shown; rarer ones are put together. */
const SHOWN_VALUES = 50;
/** Rows a numeric column is held for until its bins are fixed. */
const SAMPLE_ROWS = 8192;
const BINS = 10;
/** A number column with no more distinct values than this in its sample has a slice a value. */
const FEW_VALUES = 12;

export const OTHER_VALUES = '(other)';
export const MISSING_VALUE = '(missing)';

/** Rows of one slice by outcome code. */
export interface SliceCounts {
  readonly value: string;
  readonly counts: Float64Array;
}

/**
 * Counts outcomes by the value of one column, streaming. An outcome is a code: 2 · label + decision for one model
 * (`cells` 4), 4 · label + 2 · first + second for two (`cells` 8).
 */
export interface SliceTable {
  readonly column: string;
  /** `values[i]` belongs to `codes[i]`; empty text and NaN are missing. */
  add(values: ArrayLike<string> | ArrayLike<number>, codes: Uint8Array): void;
  /** Slices by falling number of rows (ranges of numbers in their order), `(other)` and `(missing)` last. */
  result(): SliceCounts[];
}

/** A slice for each value of a text column: the 50 commonest of the first 1,000 seen, the rest together. */
export function createTextSlices(column: string, cells: 4 | 8): SliceTable {
  const counts = new Counter(cells);
  return {
    column,
    add(values, codes) {
      for (let row = 0; row < codes.length; row += 1)
        counts.add(values[row] === '' ? MISSING_VALUE : String(values[row]), codes[row] ?? 0);
    },
    result: () => counts.byRows(),
  };
}

/**
 * Slices of a number column. Bins are ten quantiles of its first 8,192 rows, or its values where they are few, and stay
 * as they are: data in an order gives bins of unequal size, and counts that are right all the same.
 */
export function createNumberSlices(column: string, cells: 4 | 8, edges?: Float64Array): SliceTable {
  const sample = { values: new Float64Array(SAMPLE_ROWS), codes: new Uint8Array(SAMPLE_ROWS), rows: 0 };
  let binned: Binned | null = edges === undefined ? null : new Binned(edges, cells);
  let listed: Counter | null = null;

  const count = (value: number, code: number): void => {
    if (binned !== null) binned.add(value, code);
    else listed?.add(Number.isNaN(value) ? MISSING_VALUE : String(value), code);
  };
  const settle = (): void => {
    const seen = sample.values
      .slice(0, sample.rows)
      .filter((value) => !Number.isNaN(value))
      .sort();
    if (new Set(seen).size <= FEW_VALUES) listed = new Counter(cells);
    else binned = new Binned(quantileEdges(seen), cells);
    for (let row = 0; row < sample.rows; row += 1) count(sample.values[row] ?? 0, sample.codes[row] ?? 0);
    sample.rows = 0;
  };

  return {
    column,
    add(values, codes) {
      for (let row = 0; row < codes.length; row += 1) {
        // Minus zero is zero.
        const value = Number(values[row]) + 0;
        if (binned !== null || listed !== null) count(value, codes[row] ?? 0);
        else {
          sample.values[sample.rows] = value;
          sample.codes[sample.rows] = codes[row] ?? 0;
          sample.rows += 1;
          if (sample.rows === SAMPLE_ROWS) settle();
        }
      }
    },
    result() {
      if (binned === null && listed === null) settle();
      return (binned ?? listed)?.byRows() ?? [];
    },
  };
}

function quantileEdges(sorted: Float64Array): Float64Array {
  const edges = new Set<number>();
  for (let bin = 1; bin < BINS; bin += 1) edges.add(quantileOf(sorted, bin / BINS));
  // An edge at the smallest value would leave an empty bin below it.
  edges.delete(sorted[0] ?? 0);
  return Float64Array.from(edges);
}

/** Counts by text value, with a bound on distinct values. */
class Counter {
  readonly #cells: number;
  readonly #slices = new Map<string, Float64Array>();
  #other: Float64Array | null = null;

  constructor(cells: number) {
    this.#cells = cells;
  }

  add(value: string, code: number): void {
    let counts = this.#slices.get(value);
    if (counts === undefined) {
      counts = new Float64Array(this.#cells);
      if (this.#slices.size < TRACKED_VALUES) this.#slices.set(value, counts);
      else {
        this.#other ??= counts;
        counts = this.#other;
      }
    }
    checkCode(code, this.#cells);
    counts[code] = (counts[code] ?? 0) + 1;
  }

  byRows(): SliceCounts[] {
    const all = [...this.#slices].map(([value, counts]) => ({ value, counts, rows: rowsOf(counts) }));
    const missing = all.filter(({ value }) => value === MISSING_VALUE);
    const named = all
      .filter(({ value }) => value !== MISSING_VALUE)
      .sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1));
    const folded = [
      ...named.slice(SHOWN_VALUES).map(({ counts }) => counts),
      ...(this.#other ? [this.#other] : []),
    ];
    const other = folded.reduce(
      (sum, counts) => sum.map((count, code) => count + (counts[code] ?? 0)),
      new Float64Array(this.#cells),
    );
    return [
      ...named.slice(0, SHOWN_VALUES),
      ...(folded.length > 0 ? [{ value: OTHER_VALUES, counts: other }] : []),
      ...missing,
    ].map(({ value, counts }) => ({ value, counts }));
  }
}

/** Counts by range; ranges are closed below and open above. */
class Binned {
  readonly #edges: Float64Array;
  readonly #counts: Float64Array[];
  readonly #cells: number;

  constructor(edges: Float64Array, cells: number) {
    this.#edges = edges;
    this.#cells = cells;
    this.#counts = Array.from({ length: edges.length + 2 }, () => new Float64Array(cells));
  }

  add(value: number, code: number): void {
    checkCode(code, this.#cells);
    let bin = this.#edges.length + 1;
    if (!Number.isNaN(value)) {
      bin = 0;
      while (bin < this.#edges.length && (this.#edges[bin] ?? 0) <= value) bin += 1;
    }
    const counts = this.#counts[bin];
    if (counts !== undefined) counts[code] = (counts[code] ?? 0) + 1;
  }

  byRows(): SliceCounts[] {
    const short = (edge: number): string => String(Number(edge.toPrecision(6)));
    const edges = Array.from(this.#edges);
    const name = (bin: number): string => {
      const from = edges[bin - 1];
      const to = edges[bin];
      if (bin > edges.length) return MISSING_VALUE;
      if (from === undefined) return to === undefined ? 'any' : `< ${short(to)}`;
      return to === undefined ? `≥ ${short(from)}` : `[${short(from)}, ${short(to)})`;
    };
    return this.#counts
      .map((counts, bin) => ({ value: name(bin), counts }))
      .filter(({ counts }) => rowsOf(counts) > 0);
  }
}

function checkCode(code: number, cells: number): void {
  if (code >= cells)
    throw new SallyportError('input.invalid', `An outcome code is below ${cells}, not ${code}.`);
}

/** Rows of a slice. */
export function rowsOf(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
