import type { SearchCondition, SearchQuery, SearchTerm } from './grammar.ts';

/** Writes terms as a query that reads back as the same terms. */
export function printSearch(terms: SearchQuery['terms']): string {
  return terms.map(printTerm).join(' ');
}

export function printTerm({ negated, condition }: SearchTerm): string {
  return `${negated ? '-' : ''}${printCondition(condition)}`;
}

function printCondition(condition: SearchCondition): string {
  switch (condition.kind) {
    case 'words':
      return condition.whole ? quote(condition.text) : condition.text;
    case 'text':
      if (condition.match === 'equals') return `${condition.field}:=${value(condition.text)}`;
      return `${condition.field}:${condition.match === 'words' ? quote(condition.text) : condition.text}`;
    case 'exact':
      return `${condition.field}:${value(condition.text)}`;
    case 'digest':
      return `digest:${condition.start}`;
    case 'version':
      return `version:${condition.comparison === 'begins' ? '' : condition.comparison}${condition.version}`;
    case 'finding':
      return `finding:${sign(condition.comparison)}${condition.worst}`;
    case 'figure':
      return `${condition.of}.${name(condition.name)}${condition.comparison}${condition.value}`;
    case 'param-text':
      // Quoted, so that a text of digits stays one.
      return `param.${name(condition.name)}=${quote(condition.text)}`;
    case 'size':
      return `size:${sign(condition.comparison)}${condition.bytes}`;
    case 'added':
      return `added:${sign(condition.comparison)}${condition.period}`;
    case 'deployed':
      return `deployed:${value(condition.where)}`;
  }
}

/** Equality is what a colon alone says. */
const sign = (comparison: string): string => (comparison === '=' ? '' : comparison);
const quote = (text: string): string => `"${text.replace(/["\\]/g, (character) => `\\${character}`)}"`;
const value = (text: string): string => (/^[^\s"<>=][^\s]*$/.test(text) ? text : quote(text));
const name = (text: string): string => (/^[^\s:<>="]+$/.test(text) ? text : quote(text));
