import type { BatchOptions, DatasetBatch } from './dataset.ts';
import type { TableChunk } from './table-reader.ts';

const CHUNK_ROWS = 2048;

/**
 * Puts chunks together to batches of equal size and keeps `readAhead` of them ready. Errors come where the rows they
 * are about would have come. Arrays are used again once the receiver has asked for the next batch.
 */
export async function* inBatches(
  chunks: AsyncGenerator<TableChunk>,
  { batchRows = CHUNK_ROWS, readAhead = 2 }: BatchOptions,
): AsyncGenerator<DatasetBatch> {
  const assembler = new Assembler(chunks, Math.max(1, batchRows), readAhead + 2);
  const pending: Promise<DatasetBatch | null>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const order = (): void => {
    const next = last.then(() => assembler.next());
    // Awaited only when its turn comes: without a handler, a failure meanwhile would count as unhandled.
    next.catch(() => {});
    last = next;
    pending.push(next);
  };
  try {
    for (let ahead = 0; ahead < Math.max(1, readAhead); ahead++) order();
    for (let batch = await pending.shift(); batch; batch = await pending.shift()) {
      order();
      yield batch;
    }
  } finally {
    // The connection must not be used by the next reader under a fetch that is still running.
    await last.catch(() => null);
    await chunks.return(undefined);
  }
}

/** A place within a chunk. */
interface Piece {
  readonly chunk: TableChunk;
  readonly from: number;
  /** First row of the batch that comes from this chunk. */
  readonly start: number;
}

/** One set of arrays, used for one batch after the other. */
interface Arrays {
  readonly rowNumbers: Uint32Array;
  readonly features: readonly Float32Array[];
  readonly labels: Uint8Array | null;
  readonly targets: Float64Array | null;
  readonly times: Float64Array | null;
}

class Assembler {
  readonly #chunks: AsyncGenerator<TableChunk>;
  readonly #batchRows: number;
  readonly #slots: Arrays[] = [];
  readonly #slotCount: number;
  #turn = 0;
  /** What is left of the chunk read last. */
  #left: { readonly chunk: TableChunk; readonly from: number } | null = null;
  /** Rows read before the chunk in `#left`, for numbering. */
  #rowsBefore = 0;

  constructor(chunks: AsyncGenerator<TableChunk>, batchRows: number, slotCount: number) {
    this.#chunks = chunks;
    this.#batchRows = batchRows;
    this.#slotCount = slotCount;
  }

  /** The next batch, null after the last one. */
  async next(): Promise<DatasetBatch | null> {
    const pieces: Piece[] = [];
    let arrays: Arrays | null = null;
    let rows = 0;
    while (rows < this.#batchRows) {
      const left = this.#left ?? (await this.#take());
      if (left === null) break;
      const { chunk, from } = left;
      const count = Math.min(chunk.rows - from, this.#batchRows - rows);
      arrays ??= this.#arrays(chunk);
      this.#copy(chunk, from, count, arrays, rows);
      pieces.push({ chunk, from, start: rows });
      rows += count;
      if (from + count < chunk.rows) this.#left = { chunk, from: from + count };
      else {
        this.#left = null;
        this.#rowsBefore += chunk.rows;
      }
    }
    return arrays === null ? null : batchOf(arrays, pieces, rows);
  }

  async #take(): Promise<{ readonly chunk: TableChunk; readonly from: number } | null> {
    const { value, done } = await this.#chunks.next();
    return done ? null : { chunk: value, from: 0 };
  }

  #arrays(like: TableChunk): Arrays {
    const turn = this.#turn++ % this.#slotCount;
    const size = this.#batchRows;
    this.#slots[turn] ??= {
      rowNumbers: new Uint32Array(size),
      features: like.features.map(() => new Float32Array(size)),
      labels: like.labels && new Uint8Array(size),
      targets: like.targets && new Float64Array(size),
      times: like.times && new Float64Array(size),
    };
    return this.#slots[turn] as Arrays;
  }

  #copy(chunk: TableChunk, from: number, count: number, to: Arrays, at: number): void {
    const end = from + count;
    if (chunk.rowNumbers !== null) to.rowNumbers.set(chunk.rowNumbers.subarray(from, end), at);
    else {
      const first = this.#rowsBefore + from + 1;
      for (let row = 0; row < count; row++) to.rowNumbers[at + row] = first + row;
    }
    for (const [index, values] of chunk.features.entries())
      (to.features[index] as Float32Array).set(values.subarray(from, end), at);
    if (chunk.labels !== null) to.labels?.set(chunk.labels.subarray(from, end), at);
    if (chunk.targets !== null) to.targets?.set(chunk.targets.subarray(from, end), at);
    if (chunk.times !== null) to.times?.set(chunk.times.subarray(from, end), at);
  }
}

function batchOf(arrays: Arrays, pieces: readonly Piece[], rows: number): DatasetBatch {
  const { rowNumbers, features, labels, targets, times } = arrays;
  const isFull = rows === rowNumbers.length;
  let at = 0;
  return {
    rows,
    rowNumbers: isFull ? rowNumbers : rowNumbers.subarray(0, rows),
    features: isFull ? features : features.map((values) => values.subarray(0, rows)),
    labels: isFull ? labels : (labels?.subarray(0, rows) ?? null),
    targets: isFull ? targets : (targets?.subarray(0, rows) ?? null),
    times: isFull ? times : (times?.subarray(0, rows) ?? null),
    text: (index, row) => {
      // Mostly asked row after row: the piece of the last answer is tried first.
      if ((pieces[at]?.start ?? 0) > row) at = 0;
      while (at + 1 < pieces.length && (pieces[at + 1] as Piece).start <= row) at++;
      const { chunk, from, start } = pieces[at] as Piece;
      return chunk.text(index, from + row - start);
    },
  };
}
