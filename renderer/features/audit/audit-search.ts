/** The log's one search language, as the search box of the window needs it. */
import { auditActionSchema } from '../../../shared/domain/audit/entry.ts';
import { AUDIT_FIELDS, parseAuditQuery } from '../../../shared/domain/audit/query.ts';
import { problemOf, type QueryProblem } from '../../ui/query-completion.ts';

export const FIELDS = AUDIT_FIELDS;
export const EXAMPLES: readonly (readonly [string, string])[] = [
  ['phish url', 'both words, in anything an entry says'],
  ['-actor:system', 'not what the program did by itself'],
];
export const ACTIONS: readonly string[] = auditActionSchema.options;

/** Why the text is no query, and where; null where it is one. */
export function searchProblemOf(text: string): QueryProblem | null {
  return problemOf(parseAuditQuery, text);
}
