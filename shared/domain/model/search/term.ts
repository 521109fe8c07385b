import { SallyportError } from '../../errors.ts';
import type { Comparison, SearchSpan } from './grammar.ts';

/** What a term says before it is judged: `field` null = words. Positions are in the whole text. */
export interface RawTerm extends SearchSpan {
  readonly negated: boolean;
  readonly field: string | null;
  /** What follows the dot of `metric.` and `param.`; '' elsewhere. */
  readonly key: string;
  /** null: only a colon stood there, or nothing. */
  readonly comparison: Comparison | null;
  readonly value: string;
  readonly quoted: boolean;
  readonly valueStart: number;
}

/** Refuses a part of the query. */
export function searchProblem(span: SearchSpan, problem: string, hint: string): SallyportError {
  return new SallyportError(
    'input.invalid',
    `The search cannot be read at character ${span.start + 1}: ${problem}`,
    {
      hint,
      facts: { start: span.start, end: span.end },
    },
  );
}
