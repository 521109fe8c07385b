/** A file of data as a person is shown it before a run. In the worker process. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type DatasetInspection, SAMPLE_ROWS } from '../../../shared/domain/evidence/inspection.ts';
import { guessLabelColumn } from '../../../shared/domain/model/feature-columns.ts';
import type { InspectRequest, WantedFeatures } from '../../ports/datasets.ts';
import { compileExpression } from './expression.ts';
import { fingerprintFile } from './fingerprint.ts';
import { type OpenTable, openTable } from './open-dataset.ts';
import { type ReadPlan, textOf } from './source.ts';
import { expressionSql, tryExpression, wordsOf } from './try-expression.ts';

/** Values of the label column that are named. */
const LABEL_VALUES = 20;
/** Larger files are not read to their end only to count rows. */
const COUNTED_BYTES = 512 * 2 ** 20;
/** Characters of a cell that are shown. */
const CELL_CHARACTERS = 500;
/** Most milliseconds that counting under a filter may take. */
const COUNT_MS = 10_000;
const PLAN: ReadPlan = { numbers: new Set(), numbered: false };

type Told = (phase: string, done: number, total: number) => void;

/** Errors: `not-found`, `dataset.invalid`. A filter that is none is part of the answer. */
export async function inspectDataset(request: InspectRequest, told: Told): Promise<DatasetInspection> {
  const table = await openTable(
    { path: request.path, format: null },
    { progress: (done, total) => told('hashing', done, total) },
  );
  const { source, database, file } = table;
  try {
    const names = source.columns.map(({ name }) => name);
    const labelColumn = source.named ? labelOf(names) : null;
    const { condition, problem } = await conditionOf(table, request.filter, names);
    return {
      format: source.format,
      sizeBytes: file.sizeBytes,
      rows: await countRows(table, condition),
      columns: source.columns.map(({ name, type }) => ({ name, type })),
      sample: await sampleOf(table, condition),
      labelColumn,
      labelValues: labelColumn === null ? [] : await labelValues(table, names.indexOf(labelColumn)),
      ...mappingOf(request.features, source.named, names),
      filterProblem: problem,
    };
  } finally {
    database.close();
  }
}

export async function identifyDataset(
  path: string,
  told: Told,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const { digest, sizeBytes } = fingerprintFile(path, (done, total) => told('hashing', done, total));
  return { digest, sizeBytes };
}

function labelOf(names: readonly string[]): string | null {
  try {
    return guessLabelColumn(names);
  } catch {
    return null;
  }
}

async function conditionOf(
  { source, database }: OpenTable,
  filter: string | null,
  names: readonly string[],
): Promise<{ condition: string | null; problem: string | null }> {
  if (filter === null || filter.trim() === '') return { condition: null, problem: null };
  try {
    const compiled = await compileExpression(database.connection, filter, names);
    await tryExpression(database.connection, source, compiled);
    return { condition: expressionSql(compiled, source, PLAN), problem: null };
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'input.invalid') throw error;
    return { condition: null, problem: `${error.message}${error.hint ? ` ${error.hint}` : ''}` };
  }
}

async function countRows({ source, database, file }: OpenTable, condition: string | null) {
  if (condition === null && source.exactRows !== null) return source.exactRows;
  if (file.sizeBytes > COUNTED_BYTES) return null;
  const where = condition === null ? '' : ` WHERE ${condition}`;
  const timer = setTimeout(() => database.connection.interrupt(), COUNT_MS);
  try {
    const counted = await database.connection.runAndReadAll(
      `SELECT count(*) FROM (${source.table(PLAN)})${where}`,
    );
    return Number(counted.getRowsJS()[0]?.[0] ?? 0);
  } catch {
    // A file with a bad row far down is judged when it is read for a run, with the row named.
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function sampleOf({ source, database }: OpenTable, condition: string | null): Promise<string[][]> {
  const fields = source.columns.map((_, index) => textOf(source, index, PLAN));
  const where = condition === null ? '' : ` WHERE ${condition}`;
  try {
    const read = await database.connection.runAndReadAll(
      `SELECT ${fields.join(', ')} FROM (${source.table(PLAN)})${where} LIMIT ${SAMPLE_ROWS}`,
    );
    return read.getRowsJS().map((row) => row.map((cell) => cellText(cell)));
  } catch (cause) {
    throw new SallyportError('dataset.invalid', `The first rows of ${shortened(source)} cannot be read.`, {
      hint: wordsOf(cause, source),
      cause,
    });
  }
}

const shortened = ({ format }: OpenTable['source']): string => `this ${format} file`;

function cellText(cell: unknown): string {
  const text = cell === null || cell === undefined ? '' : String(cell);
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…`.toWellFormed() : text;
}

async function labelValues({ source, database }: OpenTable, index: number): Promise<string[]> {
  try {
    const read = await database.connection.runAndReadAll(
      `SELECT DISTINCT value FROM (SELECT ${textOf(source, index, PLAN)} AS value FROM (${source.table(PLAN)}) LIMIT 100000)
         WHERE value IS NOT NULL ORDER BY value LIMIT ${LABEL_VALUES}`,
    );
    return read.getRowsJS().map(([value]) => cellText(value));
  } catch {
    return [];
  }
}

/** How the file's columns meet the features: remembered ones first, then equal names. */
function mappingOf(
  features: WantedFeatures | null,
  named: boolean,
  columns: readonly string[],
): Pick<DatasetInspection, 'mapping' | 'missing'> {
  if (features === null || features.names === null || !named) return { mapping: null, missing: [] };
  const present = new Set(columns);
  const mapping: Record<string, string> = {};
  const missing: string[] = [];
  for (const feature of features.names) {
    const remembered = features.remembered?.[feature];
    const column = remembered !== undefined && present.has(remembered) ? remembered : feature;
    if (present.has(column)) mapping[feature] = column;
    else missing.push(feature);
  }
  return { mapping, missing };
}
