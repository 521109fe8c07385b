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
  let settled: Binned | Listed | null = edges === undefined ? null : new Binned(edges, cells);

  const settle = (): Binned | Listed => {
    const rows = sample.values.subarray(0, sample.rows);
    const seen = rows.filter((value) => !Number.isNaN(value)).sort();
    const counts =
      new Set(seen).size <= FEW_VALUES ? new Listed(cells) : new Binned(quantileEdges(seen), cells);
    counts.add(rows, sample.codes, 0, sample.rows);
    sample.rows = 0;
    return counts;
  };

  return {
    column,
    add(values, codes) {
      for (let row = 0; row < codes.length; row += 1) checkCode(codes[row] ?? 0, cells);
      let from = 0;
      for (; settled === null && from < codes.length; from += 1) {
        sample.values[sample.rows] = Number(values[from]);
        sample.codes[sample.rows] = codes[from] ?? 0;
        sample.rows += 1;
        if (sample.rows === SAMPLE_ROWS) settled = settle();
      }
      if (settled !== null && from < codes.length) settled.add(numbersOf(values), codes, from, codes.length);
    },
    result() {
      settled ??= settle();
      return settled.byRows();
    },
  };
}

function numbersOf(values: ArrayLike<string> | ArrayLike<number>): ArrayLike<number> {
  return typeof values[0] === 'string' ? Float64Array.from(values, Number) : (values as ArrayLike<number>);
}

/** Bounds with six digits, so that a slice's name says exactly what is in it. */
function quantileEdges(sorted: Float64Array): Float64Array {
  const edges = new Set<number>();
  for (let bin = 1; bin < BINS; bin += 1) edges.add(Number(quantileOf(sorted, bin / BINS).toPrecision(6)));
  // An edge at or below the smallest value would leave an empty bin below it.
  const lowest = sorted[0] ?? 0;
  return Float64Array.from([...edges].filter((edge) => edge > lowest)).sort();
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
    checkCode(code, this.#cells);
    const counts = this.of(value);
    counts[code] = (counts[code] ?? 0) + 1;
  }

  /** The counts of a value, to be added to. */
  of(value: string): Float64Array {
    let counts = this.#slices.get(value);
    if (counts === undefined) {
      counts = new Float64Array(this.#cells);
      if (this.#slices.size < TRACKED_VALUES) this.#slices.set(value, counts);
      else {
        this.#other ??= counts;
        counts = this.#other;
      }
    }
    return counts;
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

/** Values of a number column that are looked up by comparing; later ones are found by their name. */
const LOOKED_UP = 16;

/** Counts by number, for columns of few values. */
class Listed {
  readonly #cells: number;
  readonly #values: number[] = [];
  readonly #counts: Float64Array;
  readonly #others: Counter;

  constructor(cells: number) {
    this.#cells = cells;
    this.#counts = new Float64Array(LOOKED_UP * cells);
    this.#others = new Counter(cells);
  }

  add(values: ArrayLike<number>, codes: Uint8Array, from: number, to: number): void {
    const known = this.#values;
    for (let row = from; row < to; row += 1) {
      // Minus zero is zero.
      const value = (values[row] ?? 0) + 0;
      const code = codes[row] ?? 0;
      let at = 0;
      while (at < known.length && known[at] !== value) at += 1;
      if (at === known.length) {
        if (Number.isNaN(value) || at === LOOKED_UP) {
          this.#others.add(Number.isNaN(value) ? MISSING_VALUE : nameOf(value), code);
          continue;
        }
        known.push(value);
      }
      const cell = at * this.#cells + code;
      this.#counts[cell] = (this.#counts[cell] ?? 0) + 1;
    }
  }

  byRows(): SliceCounts[] {
    for (const [at, value] of this.#values.entries()) {
      const counts = this.#others.of(nameOf(value));
      for (let code = 0; code < this.#cells; code += 1) {
        const cell = at * this.#cells + code;
        counts[code] = (counts[code] ?? 0) + (this.#counts[cell] ?? 0);
        this.#counts[cell] = 0;
      }
    }
    return this.#others.byRows();
  }
}

/** As short as tells it from every other number of its precision: 0.1 read in single precision is 0.1. */
function nameOf(value: number): string {
  if (Math.fround(value) !== value) return String(value);
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

/** Edges that are searched by halving, with infinity where there are fewer. */
const SEARCHED = 15;

/** Counts by range; ranges are closed below and open above. */
class Binned {
  readonly #edges: Float64Array;
  readonly #searched: Float64Array | null;
  readonly #counts: Float64Array;
  readonly #cells: number;

  constructor(edges: Float64Array, cells: number) {
    this.#edges = edges;
    this.#cells = cells;
    this.#counts = new Float64Array((edges.length + 2) * cells);
    if (edges.length > SEARCHED) this.#searched = null;
    else {
      this.#searched = new Float64Array(SEARCHED).fill(Number.POSITIVE_INFINITY);
      this.#searched.set(edges);
    }
  }

  add(values: ArrayLike<number>, codes: Uint8Array, from: number, to: number): void {
    const counts = this.#counts;
    const cells = this.#cells;
    const edges = this.#searched;
    for (let row = from; row < to; row += 1) {
      const value = values[row] as number;
      let bin = 0;
      // NaN and infinity have no place among the edges that are searched.
      if (value - value !== 0 || edges === null) bin = this.#binOf(value);
      else {
        if (value >= (edges[7] as number)) bin = 8;
        if (value >= (edges[bin + 3] as number)) bin += 4;
        if (value >= (edges[bin + 1] as number)) bin += 2;
        if (value >= (edges[bin] as number)) bin += 1;
      }
      const cell = bin * cells + (codes[row] as number);
      counts[cell] = (counts[cell] as number) + 1;
    }
  }

  #binOf(value: number): number {
    if (Number.isNaN(value)) return this.#edges.length + 1;
    let bin = 0;
    while (bin < this.#edges.length && (this.#edges[bin] ?? 0) <= value) bin += 1;
    return bin;
  }

  byRows(): SliceCounts[] {
    const edges = Array.from(this.#edges);
    const name = (bin: number): string => {
      const from = edges[bin - 1];
      const to = edges[bin];
      if (bin > edges.length) return MISSING_VALUE;
      if (from === undefined) return to === undefined ? 'any' : `< ${to}`;
      return to === undefined ? `≥ ${from}` : `[${from}, ${to})`;
    };
    return Array.from({ length: edges.length + 2 }, (_, bin) => ({
      value: name(bin),
      counts: this.#counts.slice(bin * this.#cells, (bin + 1) * this.#cells),
    })).filter(({ counts }) => rowsOf(counts) > 0);
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
