import { type Answers, NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import type { RowPreset, RowQuery } from '../../../shared/domain/evidence/rows.ts';
import type { RowsRequest } from '../../ports/engine.ts';

/**
 * Places of the preset's rows in the answers, in file order. Errors are those of the model that is judged: the only one,
 * or the challenger. Without truth, or of a model that answers a number, nothing is an error.
 */
export function rowsOfPreset(
  answers: Answers,
  preset: RowPreset,
  { regression, findingRows }: Pick<RowsRequest, 'regression' | 'findingRows'>,
): Uint32Array {
  const { labels, models, rowNumbers } = answers;
  const [first, second] = models;
  const judged = second ?? first;
  const predicted = judged?.predicted ?? new Uint8Array(0);
  const named = new Set(findingRows);
  const isKnown = (at: number): boolean => labels[at] !== NO_ANSWER && predicted[at] !== NO_ANSWER;
  const bothAnswered = (at: number): boolean =>
    first !== undefined &&
    second !== undefined &&
    first.predicted[at] !== NO_ANSWER &&
    second.predicted[at] !== NO_ANSWER;
  const differ = (at: number): boolean => bothAnswered(at) && first?.predicted[at] !== second?.predicted[at];
  const tests: Readonly<Record<RowPreset, (at: number) => boolean>> = {
    all: () => true,
    errors: (at) => isKnown(at) && predicted[at] !== labels[at],
    'false-negatives': (at) => isKnown(at) && labels[at] === 1 && predicted[at] === 0,
    'false-positives': (at) => isKnown(at) && labels[at] === 0 && predicted[at] === 1,
    disagreements: differ,
    fixed: (at) => differ(at) && labels[at] === second?.predicted[at],
    broken: (at) => differ(at) && labels[at] === first?.predicted[at],
    'output-findings': (at) => named.has(rowNumbers[at] as number),
  };
  const needsDecision = preset !== 'all' && preset !== 'output-findings';
  if (regression && needsDecision) return new Uint32Array(0);
  const test = tests[preset];
  const chosen = new Uint32Array(answers.rows);
  let count = 0;
  for (let at = 0; at < answers.rows; at++) if (test(at)) chosen[count++] = at;
  return chosen.slice(0, count);
}

/** In the order asked for; equal ones in file order, rows without a score last. */
export function orderRows(answers: Answers, chosen: Uint32Array, order: RowQuery['order']): Uint32Array {
  if (order === 'row') return chosen;
  const [first, second] = answers.models;
  const scores = (second ?? first)?.scores ?? new Float32Array(0);
  const keyOf = (at: number): number => {
    if (order !== 'difference') return scores[at] as number;
    return Math.abs((second?.scores[at] ?? Number.NaN) - (first?.scores[at] ?? Number.NaN));
  };
  const sign = order === 'score-ascending' ? 1 : -1;
  const keys = Float64Array.from(chosen, (at) => {
    const key = keyOf(at) * sign;
    return Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
  });
  const places = Uint32Array.from(chosen.keys());
  places.sort((a, b) => compare(keys[a] as number, keys[b] as number) || a - b);
  return places.map((place) => chosen[place] as number);
}

/** Infinity minus infinity is no order. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
