import { useDebouncedValue } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { QueryProblem } from './query-completion.ts';

/** A query is asked so long after the last key, and called wrong so long after it, in milliseconds. */
const ASK_MS = 150;
const JUDGE_MS = 500;

export interface Search {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** The newest text that is a query: what the table shows while the box holds one that cannot be read. */
  readonly asked: string;
  /** What is wrong with the text, once nobody types any more. */
  readonly problem: QueryProblem | null;
}

/** What a search box holds, what is asked, and what is wrong with it. */
export function useSearch(problemOf: (text: string) => QueryProblem | null): Search {
  const [text, setText] = useState('');
  const [typed] = useDebouncedValue(text.trim(), ASK_MS);
  const [judged] = useDebouncedValue(text, JUDGE_MS);
  const readable = useRef('');
  if (problemOf(typed) === null) readable.current = typed;
  const problem = judged === text ? problemOf(text) : null;
  return { text, setText, asked: readable.current, problem };
}
