/** The registry's one search language, as the search box of the window needs it. */
import { SEARCH_EXAMPLES, SEARCH_FIELDS } from '../../../shared/domain/model/search/grammar.ts';
import { parseSearch } from '../../../shared/domain/model/search/parse.ts';
import { problemOf, type QueryProblem } from '../../ui/query-completion.ts';

export const FIELDS = SEARCH_FIELDS;
export const EXAMPLES = SEARCH_EXAMPLES;

/** Why the text is no query, and where; null where it is one. */
export function searchProblemOf(text: string): QueryProblem | null {
  return problemOf(parseSearch, text);
}

const STATE_TERMS = ['state:draft', 'state:validated', 'state:archived', 'state:revoked'] as const;

/** The switches over the table: what each puts into the query, and which of the others it replaces. */
export const FILTERS: readonly {
  readonly label: string;
  readonly term: string;
  readonly instead: readonly string[];
}[] = [
  { label: 'Draft', term: 'state:draft', instead: STATE_TERMS },
  { label: 'Validated', term: 'state:validated', instead: STATE_TERMS },
  { label: 'Archived', term: 'state:archived', instead: STATE_TERMS },
  { label: 'Revoked', term: 'state:revoked', instead: STATE_TERMS },
  { label: 'Champion', term: 'alias:champion', instead: [] },
  { label: 'Deployed', term: 'deployed:yes', instead: [] },
];
