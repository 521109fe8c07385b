import { SallyportError } from '../../shared/domain/errors.ts';

/** Rows of features as the runtime takes them: `count` rows of `width` values, one after another. */
export interface FeatureRows {
  readonly rows: Float32Array;
  readonly count: number;
  readonly width: number;
}

export class TooManyRows extends Error {}

/**
 * `features` of a predict call: one row of numbers, or rows of one width. Anything that is not a finite number is
 * refused with its place: the runtime would answer NaN with a label. So is a number that 32 bits cannot hold.
 */
export function readFeatures(features: unknown, maxRows: number): FeatureRows {
  if (!Array.isArray(features) || features.length === 0)
    throw invalid('`features` is a row of numbers, or a list of rows.');
  const list: readonly unknown[] = Array.isArray(features[0]) ? features : [features];
  if (list.length > maxRows)
    throw new TooManyRows(`${list.length} rows; at most ${maxRows} are taken in one call.`);
  const [first] = list;
  const width = Array.isArray(first) ? first.length : 0;
  if (width === 0) throw invalid('Row 1 of `features` is empty.');
  const rows = new Float32Array(list.length * width);
  for (const [index, row] of list.entries()) {
    if (!Array.isArray(row)) throw invalid(`Row ${index + 1} of \`features\` is not a list.`);
    if (row.length !== width)
      throw invalid(`Row ${index + 1} of \`features\` has ${row.length} values, the first has ${width}.`);
    for (let column = 0; column < width; column++) {
      const value: unknown = row[column];
      const single = typeof value === 'number' ? Math.fround(value) : Number.NaN;
      if (!Number.isFinite(single)) {
        throw invalid(`Row ${index + 1}, value ${column + 1} of \`features\` is not a finite 32-bit number.`);
      }
      rows[index * width + column] = single;
    }
  }
  return { rows, count: list.length, width };
}

function invalid(message: string): SallyportError {
  return new SallyportError('input.invalid', message);
}
