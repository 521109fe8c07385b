/**
 * The answers of one or more models to every row of a dataset, as one NPY file (NumPy's format, version 1.0) of a
 * packed structured type that `numpy.load` opens:
 *
 *   row <u4 (1-based, header not counted) · label u1 (1 malicious, 0 benign, 255 no truth)
 *   · per model: predicted u1 (1, 0, 255 none) · score <f4 (NaN none)
 */
import { SallyportError } from '../errors.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
/** NumPy pads the header so that the data starts at a multiple of this, after leaving room for a longer row count. */
const ALIGNMENT = 64;
const COUNT_CHARACTERS = 21;
const ROW_BYTES = 5;
const MODEL_BYTES = 5;
export const MAX_ANSWER_MODELS = 8;
/** Stands for "no label" and "no prediction". */
export const NO_ANSWER = 255;

/** What a batch of rows adds: `rowNumbers.length` rows. */
export interface AnswerBatch {
  readonly rowNumbers: Uint32Array;
  readonly labels: Uint8Array | null;
  readonly models: readonly { readonly predicted: Uint8Array | null; readonly scores: Float32Array | null }[];
}

/** A read answers file; columns are copied out once, side by side. */
export interface Answers {
  readonly rows: number;
  readonly rowNumbers: Uint32Array;
  /** `NO_ANSWER` where there is no truth. */
  readonly labels: Uint8Array;
  readonly models: readonly { readonly predicted: Uint8Array; readonly scores: Float32Array }[];
}

function headerOf(rows: number, models: number): Uint8Array {
  const fields = ["('row', '<u4')", "('label', '|u1')"];
  for (let model = 0; model < models; model++)
    fields.push(`('predicted_${model}', '|u1')`, `('score_${model}', '<f4')`);
  const text = `{'descr': [${fields.join(', ')}], 'fortran_order': False, 'shape': (${rows},), }`;
  const unpadded = MAGIC.length + 2 + text.length + (COUNT_CHARACTERS - String(rows).length) + 1;
  const length = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(length).fill(0x20);
  header.set(MAGIC);
  const size = length - MAGIC.length - 2;
  header[8] = size & 0xff;
  header[9] = size >> 8;
  for (let at = 0; at < text.length; at++) header[10 + at] = text.charCodeAt(at);
  header[length - 1] = 0x0a;
  return header;
}

/** Collects answers batch by batch; memory is that of the file, doubled while it grows. */
export class AnswersWriter {
  readonly #models: number;
  readonly #stride: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #rows = 0;

  /** `models` 1 to 8; `expectedRows` only saves copies. Throws `usage`. */
  constructor(models: number, expectedRows = 0) {
    if (!Number.isInteger(models) || models < 1 || models > MAX_ANSWER_MODELS)
      throw new SallyportError('usage', `Answers of 1 to ${MAX_ANSWER_MODELS} models are kept together.`);
    this.#models = models;
    this.#stride = ROW_BYTES + models * MODEL_BYTES;
    this.#bytes = new Uint8Array(this.#stride * Math.max(1024, expectedRows));
  }

  get rows(): number {
    return this.#rows;
  }

  add({ rowNumbers, labels, models }: AnswerBatch): void {
    const count = rowNumbers.length;
    if (models.length !== this.#models)
      throw new SallyportError('usage', `A batch of ${models.length} models for ${this.#models}.`);
    this.#reserve(count);
    const view = new DataView(this.#bytes.buffer);
    let at = this.#rows * this.#stride;
    for (let row = 0; row < count; row++, at += this.#stride) {
      view.setUint32(at, rowNumbers[row] as number, true);
      view.setUint8(at + 4, labels === null ? NO_ANSWER : (labels[row] as number));
      for (let model = 0, place = at + ROW_BYTES; model < models.length; model++, place += MODEL_BYTES) {
        const answer = models[model] as AnswerBatch['models'][number];
        view.setUint8(place, answer.predicted === null ? NO_ANSWER : (answer.predicted[row] as number));
        view.setFloat32(
          place + 1,
          answer.scores === null ? Number.NaN : (answer.scores[row] as number),
          true,
        );
      }
    }
    this.#rows += count;
  }

  #reserve(count: number): void {
    const needed = (this.#rows + count) * this.#stride;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#rows * this.#stride));
    this.#bytes = larger;
  }

  /** The whole file so far; more rows may be added afterwards. */
  file(): Uint8Array {
    const header = headerOf(this.#rows, this.#models);
    const file = new Uint8Array(header.length + this.#rows * this.#stride);
    file.set(header);
    file.set(this.#bytes.subarray(0, this.#rows * this.#stride), header.length);
    return file;
  }
}

const SHAPE = /^\{'descr': \[(.*)\], 'fortran_order': False, 'shape': \((\d{1,10}),\), \} *\n$/;

interface Shape {
  readonly rows: number;
  readonly models: number;
  readonly stride: number;
  /** Bytes before the first row. */
  readonly offset: number;
}

function shapeOf(file: Uint8Array): Shape {
  const damaged = (why: string): SallyportError =>
    new SallyportError('integrity.artifact', `The stored answers cannot be read: ${why}.`, {
      hint: 'Run the validation or comparison again.',
    });
  if (file.length < 10 || MAGIC.some((byte, index) => file[index] !== byte))
    throw damaged('they are no NPY file');
  const size = (file[8] as number) | ((file[9] as number) << 8);
  if (file.length < 10 + size) throw damaged('the header is cut off');
  let text = '';
  for (let at = 10; at < 10 + size; at++) text += String.fromCharCode(file[at] as number);
  const match = SHAPE.exec(text);
  if (!match) throw damaged('the header is not one of ours');
  const rows = Number(match[2]);
  const models = ((match[1] as string).split('), (').length - 2) / 2;
  const plausible = Number.isInteger(models) && models >= 1 && models <= MAX_ANSWER_MODELS;
  const header = plausible ? headerOf(rows, models) : null;
  if (header === null || header.length !== 10 + size || !header.every((byte, at) => file[at] === byte))
    throw damaged('the header is not one of ours');
  const stride = ROW_BYTES + models * MODEL_BYTES;
  if (file.length !== header.length + rows * stride) throw damaged('rows are missing');
  return { rows, models, stride, offset: header.length };
}

/** One file of the rows of several, in their order. Throws `integrity.artifact`, `usage` for different numbers of models. */
export function joinAnswers(models: number, files: readonly Uint8Array[]): Uint8Array {
  const shapes = files.map(shapeOf);
  if (shapes.some((shape) => shape.models !== models))
    throw new SallyportError('usage', 'Answers of different numbers of models are not joined.');
  const rows = shapes.reduce((sum, shape) => sum + shape.rows, 0);
  const header = headerOf(rows, models);
  const joined = new Uint8Array(header.length + rows * (ROW_BYTES + models * MODEL_BYTES));
  joined.set(header);
  let at = header.length;
  for (const [index, file] of files.entries()) {
    const part = file.subarray(shapes[index]?.offset ?? 0);
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Reads a file that `AnswersWriter` wrote. Throws `integrity.artifact` for any other. */
export function readAnswers(file: Uint8Array): Answers {
  const { rows, models, stride, offset } = shapeOf(file);
  const view = new DataView(file.buffer, file.byteOffset + offset, rows * stride);
  const answers = {
    rows,
    rowNumbers: new Uint32Array(rows),
    labels: new Uint8Array(rows),
    models: Array.from({ length: models }, () => ({
      predicted: new Uint8Array(rows),
      scores: new Float32Array(rows),
    })),
  };
  for (let row = 0, at = 0; row < rows; row++, at += stride) {
    answers.rowNumbers[row] = view.getUint32(at, true);
    answers.labels[row] = view.getUint8(at + 4);
    for (let model = 0, place = at + ROW_BYTES; model < models; model++, place += MODEL_BYTES) {
      const answer = answers.models[model] as (typeof answers.models)[number];
      answer.predicted[row] = view.getUint8(place);
      answer.scores[row] = view.getFloat32(place + 1, true);
    }
  }
  return answers;
}
