/**
 * One SQL expression of a person over the columns of a dataset. Its text never gets into a query: DuckDB's own parser
 * turns it into a tree, and SQL is written anew from those parts of the tree that are on a list. So comments, a second
 * statement, a subquery, a table function, a setting, a variable or a file have no way in, whatever they are spelled as.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { shown } from './csv-header.ts';
import { CAST_TYPES, COMPARISONS, FUNCTIONS, OPERATORS } from './expression-words.ts';
import { literal } from './locked-database.ts';

/** Longest text of an expression, characters. */
const MAX_LENGTH = 4000;
/** Parts nested in one another. */
const MAX_DEPTH = 100;

export interface CompiledExpression {
  /** Names of the columns it looks at, as the file spells them. */
  readonly columns: readonly string[];
  /** The expression with every column as `column(name)` gives it. */
  sql(column: (name: string) => string): string;
}

type Node = Readonly<Record<string, unknown>>;
type Render = (column: (name: string) => string) => string;

/**
 * Parses the text and refuses all but a scalar expression over `columns`. Names match exactly, else without regard to
 * case where that is unambiguous. Throws `input.invalid`.
 */
export async function compileExpression(
  connection: DuckDBConnection,
  text: string,
  columns: readonly string[],
): Promise<CompiledExpression> {
  if (text.trim() === '') throw refused('It is empty.');
  if (text.length > MAX_LENGTH)
    throw refused(`It has ${text.length} characters; at most ${MAX_LENGTH} are read.`);
  if (text.includes('\0') || !text.isWellFormed()) throw refused('It holds characters that are not text.');
  const used = new Set<string>();
  const render = renderer(await parse(connection, text), {
    resolve: (name) => {
      const found = resolveColumn(name, columns);
      used.add(found);
      return found;
    },
  });
  return { columns: [...used], sql: render };
}

/** The tree of the one expression. */
async function parse(connection: DuckDBConnection, text: string): Promise<Node> {
  // The line ends keep a comment at the end of the text from swallowing the rest.
  const root = await treeOf(connection, `SELECT (\n${text}\n) FROM dataset`);
  // A bracket of the text must not be closed by one of ours: `a) OR (b` is no expression.
  await treeOf(connection, `SELECT \n${text}\n FROM dataset`);
  const [statement, ...others] = listOf(root.statements);
  const select = nodeOf(nodeOf(statement).node);
  const [expression, ...more] = listOf(select.select_list);
  const table = nodeOf(select.from_table);
  const isPlain =
    others.length === 0 &&
    more.length === 0 &&
    expression !== undefined &&
    select.type === 'SELECT_NODE' &&
    table.type === 'BASE_TABLE' &&
    table.table_name === 'dataset' &&
    table.schema_name === '' &&
    (table.alias ?? '') === '' &&
    isEmpty(select.where_clause) &&
    isEmpty(select.having) &&
    isEmpty(select.qualify) &&
    isEmpty(select.sample) &&
    listOf(select.modifiers).length === 0 &&
    listOf(select.group_expressions).length === 0 &&
    listOf(nodeOf(select.cte_map).map).length === 0;
  if (!isPlain) throw refused('It is more than one expression.');
  return nodeOf(expression);
}

async function treeOf(connection: DuckDBConnection, sql: string): Promise<Node> {
  const result = await connection.runAndReadAll('SELECT json_serialize_sql(CAST($1 AS VARCHAR))', [sql]);
  let tree: unknown;
  try {
    tree = JSON.parse(String(result.getRowsJS()[0]?.[0]));
  } catch {
    // A number too large for JSON.
    throw refused('It holds a number that cannot be written.');
  }
  const root = nodeOf(tree);
  if (root.error !== false)
    throw refused(`It cannot be read: ${shown(String(root.error_message ?? 'no SQL'))}.`);
  return root;
}

interface Scope {
  resolve(name: string): string;
}

/** Turns an allowed tree into a function that writes it as SQL. */
function renderer(node: Node, scope: Scope, depth = 0): Render {
  if (depth > MAX_DEPTH) throw refused(`It nests more than ${MAX_DEPTH} parts.`);
  const part = (child: unknown): Render => renderer(nodeOf(child), scope, depth + 1);
  const parts = (children: unknown): readonly Render[] => listOf(children).map(part);
  switch (node.class) {
    case 'COLUMN_REF': {
      const names = listOf(node.column_names).map(String);
      if (names.length !== 1) throw refused(`"${shown(names.join('.'))}" is no column.`);
      const name = scope.resolve(names[0] as string);
      return (column) => column(name);
    }
    case 'CONSTANT': {
      const text = constant(nodeOf(node.value));
      return () => text;
    }
    case 'COMPARISON': {
      const operator = COMPARISONS[String(node.type)];
      if (operator === undefined) throw unknownPart(node);
      return joined([part(node.left), part(node.right)], operator);
    }
    case 'CONJUNCTION':
      if (node.type !== 'CONJUNCTION_AND' && node.type !== 'CONJUNCTION_OR') throw unknownPart(node);
      return joined(parts(node.children), node.type === 'CONJUNCTION_AND' ? 'AND' : 'OR');
    case 'BETWEEN': {
      const [input, lower, upper] = [part(node.input), part(node.lower), part(node.upper)];
      return (column) => `(${input(column)} BETWEEN ${lower(column)} AND ${upper(column)})`;
    }
    case 'CASE':
      return caseOf(node, part);
    case 'CAST': {
      const type = castType(nodeOf(node.cast_type));
      const child = part(node.child);
      const verb = node.try_cast === true ? 'TRY_CAST' : 'CAST';
      return (column) => `${verb}(${child(column)} AS ${type})`;
    }
    case 'OPERATOR':
      return operatorOf(node, parts(node.children));
    case 'FUNCTION':
      return functionOf(node, parts(node.children));
    default:
      throw unknownPart(node);
  }
}

const joined =
  (parts: readonly Render[], operator: string): Render =>
  (column) =>
    `(${parts.map((part) => part(column)).join(` ${operator} `)})`;

function caseOf(node: Node, part: (child: unknown) => Render): Render {
  const checks = listOf(node.case_checks).map((check) => ({
    when: part(nodeOf(check).when_expr),
    result: part(nodeOf(check).then_expr),
  }));
  const otherwise = part(node.else_expr);
  return (column) =>
    `(CASE ${checks.map(({ when, result }) => `WHEN ${when(column)} THEN ${result(column)}`).join(' ')} ELSE ${otherwise(column)} END)`;
}

function operatorOf(node: Node, parts: readonly Render[]): Render {
  const [first, ...rest] = parts;
  if (first === undefined) throw unknownPart(node);
  const list = (column: (name: string) => string, items: readonly Render[]): string =>
    items.map((item) => item(column)).join(', ');
  switch (node.type) {
    case 'OPERATOR_NOT':
      return (column) => `(NOT ${first(column)})`;
    case 'OPERATOR_IS_NULL':
      return (column) => `(${first(column)} IS NULL)`;
    case 'OPERATOR_IS_NOT_NULL':
      return (column) => `(${first(column)} IS NOT NULL)`;
    case 'OPERATOR_COALESCE':
      return (column) => `coalesce(${list(column, parts)})`;
    case 'COMPARE_IN':
      return (column) => `(${first(column)} IN (${list(column, rest)}))`;
    case 'COMPARE_NOT_IN':
      return (column) => `(${first(column)} NOT IN (${list(column, rest)}))`;
    default:
      throw unknownPart(node);
  }
}

function functionOf(node: Node, parts: readonly Render[]): Render {
  const name = String(node.function_name);
  const isPlain =
    isEmpty(node.filter) &&
    node.distinct === false &&
    node.export_state === false &&
    node.catalog === '' &&
    (node.schema === '' || node.schema === 'main') &&
    listOf(nodeOf(node.order_bys).orders).length === 0;
  if (!isPlain) throw refused(`The function "${shown(name)}" is used in a way that is not allowed.`);
  if (OPERATORS.has(name) && parts.length === 2) return joined(parts, name);
  const [only] = parts;
  if ((name === '-' || name === '+') && parts.length === 1 && only !== undefined)
    return (column) => `(${name} ${only(column)})`;
  if (!FUNCTIONS.has(name.toLowerCase())) throw refused(`The function "${shown(name)}" is not allowed.`);
  return (column) => `${name.toLowerCase()}(${parts.map((part) => part(column)).join(', ')})`;
}

function constant(value: Node): string {
  const type = nodeOf(value.type);
  if (value.is_null === true) return 'NULL';
  const content = value.value;
  switch (type.id) {
    case 'VARCHAR':
      return literal(String(content));
    case 'BOOLEAN':
      return content === true ? 'true' : 'false';
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
      if (Number.isSafeInteger(content)) return String(content);
      break;
    case 'DOUBLE':
      if (typeof content === 'number' && Number.isFinite(content)) return `CAST('${content}' AS DOUBLE)`;
      break;
    case 'DECIMAL':
      if (Number.isSafeInteger(content))
        return decimal(content as number, Number(nodeOf(type.type_info).scale));
      break;
    default:
  }
  throw refused('It holds a number with too many digits.');
}

/** The digits of an unscaled integer with its decimal point back in place. */
function decimal(unscaled: number, scale: number): string {
  const digits = String(Math.abs(unscaled)).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point) || '0'}`;
}

function castType(type: Node): string {
  const id = String(type.id);
  if (CAST_TYPES.has(id) && isEmpty(type.type_info)) return id;
  const { width, scale } = id === 'DECIMAL' && !isEmpty(type.type_info) ? nodeOf(type.type_info) : {};
  if (Number.isInteger(width) && Number.isInteger(scale)) return `DECIMAL(${width}, ${scale})`;
  throw refused(`A cast to ${shown(id)} is not allowed.`);
}

function resolveColumn(name: string, columns: readonly string[]): string {
  if (columns.includes(name)) return name;
  const lower = name.toLowerCase();
  const [found, ...others] = columns.filter((column) => column.toLowerCase() === lower);
  if (found !== undefined && others.length === 0) return found;
  throw refused(
    found === undefined
      ? `The data has no column "${shown(name)}".`
      : `"${shown(name)}" may be ${[found, ...others].map((column) => `"${shown(column)}"`).join(' or ')}.`,
  );
}

function nodeOf(value: unknown): Node {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Node;
  throw refused('It cannot be read.');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined;

const PARTS: Readonly<Record<string, string>> = {
  SUBQUERY: 'a query within the expression',
  WINDOW: 'a window function',
  STAR: 'all columns at once',
  PARAMETER: 'a parameter',
  POSITIONAL_REFERENCE: 'a column by its number',
  LAMBDA: 'a function of its own',
  COLLATE: 'a collation',
};

function unknownPart(node: Node): SallyportError {
  const name = PARTS[String(node.class)] ?? shown(String(node.type ?? node.class));
  return refused(`It holds ${name}, which is not allowed.`);
}

/** Every refusal of an expression. */
export function refused(why: string): SallyportError {
  return new SallyportError('input.invalid', `The filter cannot be used. ${why}`, {
    hint: "A filter is one SQL expression over the columns of the data, true for the rows that count: duration > 10 AND attack_type IN ('neptune', 'smurf').",
  });
}
