/** Holds a model's output against the one written down, by the rules of ONNX's backend tests. */
import { numbersOf, type OnnxTensor } from '../onnx/tensor.ts';
import type { ComparedOutput, Tolerance } from './test-data.ts';

/** Two units in the last place of a bfloat16: what ONNX's backend tests allow where both sides are such. */
const BFLOAT16_RELATIVE = 2 ** -6;

/** Numbers, or texts, of an answer beside its shape. */
export interface ActualTensor {
  readonly elementType: string;
  readonly dims: readonly number[];
  readonly values: ArrayLike<number> | readonly string[];
}

/** Element by element: texts and truth values exactly, numbers within the tolerance; NaN equals NaN. */
export function compareTensors(
  name: string,
  expected: OnnxTensor,
  actual: ActualTensor,
  tolerance: Tolerance,
): ComparedOutput {
  const report = {
    name,
    elementType: actual.elementType,
    dims: [...actual.dims],
    elements: actual.values.length,
    maxAbsolute: null,
    maxRelative: null,
    first: null,
  };
  const refuse = (reason: string): ComparedOutput => ({
    ...report,
    passed: false,
    reason,
    different: actual.values.length,
  });
  if (actual.elementType !== expected.elementType)
    return refuse(`it is ${actual.elementType}, and ${expected.elementType} was expected`);
  if (!sameShape(actual.dims, expected.dims))
    return refuse(`its shape is ${shown(actual.dims)}, and ${shown(expected.dims)} was expected`);
  return expected.elementType === 'string'
    ? { ...report, ...compareTexts(expected, actual) }
    : { ...report, ...compareNumbers(expected, actual.values as ArrayLike<number>, tolerance) };
}

type Verdict = Pick<
  ComparedOutput,
  'passed' | 'reason' | 'different' | 'maxAbsolute' | 'maxRelative' | 'first'
>;

function compareTexts(expected: OnnxTensor, { values }: ActualTensor): Verdict {
  const texts = expected.values as readonly string[];
  let different = 0;
  let first: ComparedOutput['first'] = null;
  for (const [at, text] of texts.entries()) {
    if (values[at] === text) continue;
    different++;
    first ??= {
      index: placeOf(at, expected.dims),
      expected: shorten(text),
      actual: shorten(String(values[at])),
    };
  }
  return { ...verdict(different, texts.length), maxAbsolute: null, maxRelative: null, first };
}

function compareNumbers(expected: OnnxTensor, actual: ArrayLike<number>, tolerance: Tolerance): Verdict {
  const wanted = numbersOf(expected) ?? new Float64Array(0);
  const exact = expected.elementType === 'bool';
  const relative =
    expected.elementType === 'bfloat16'
      ? Math.max(tolerance.relative, BFLOAT16_RELATIVE)
      : tolerance.relative;
  let different = 0;
  let maxAbsolute: number | null = null;
  let maxRelative: number | null = null;
  let first: ComparedOutput['first'] = null;
  for (let at = 0; at < wanted.length; at++) {
    const want = wanted[at] as number;
    const have = Number(actual[at]);
    // Infinities of one sign are equal, and their difference is no number.
    if (Object.is(want, have) || want === have) {
      if (Number.isFinite(want)) {
        maxAbsolute ??= 0;
        maxRelative ??= 0;
      }
      continue;
    }
    const absolute = Math.abs(have - want);
    if (Number.isFinite(absolute)) {
      maxAbsolute = Math.max(maxAbsolute ?? 0, absolute);
      if (want !== 0) maxRelative = Math.max(maxRelative ?? 0, absolute / Math.abs(want));
    }
    if (!exact && Number.isFinite(want) && absolute <= tolerance.absolute + relative * Math.abs(want))
      continue;
    different++;
    first ??= { index: placeOf(at, expected.dims), expected: String(want), actual: String(have) };
  }
  return { ...verdict(different, wanted.length), maxAbsolute, maxRelative, first };
}

function verdict(different: number, elements: number): Pick<Verdict, 'passed' | 'reason' | 'different'> {
  return {
    passed: different === 0,
    reason: different === 0 ? '' : `${different} of ${elements} values differ`,
    different,
  };
}

function sameShape(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((size, axis) => size === right[axis]);
}

/** Place of a flat index in rows of the given shape. */
function placeOf(at: number, dims: readonly number[]): number[] {
  const place: number[] = [];
  let rest = at;
  for (const size of dims.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

function shown(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
