import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type Answers, NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import { diskError, systemCode } from '../../../shared/node/files/files.ts';
import type { RowsFile } from '../../ports/engine.ts';
import type { OpenTable } from '../datasets/open-dataset.ts';
import { textOf } from '../datasets/source.ts';
import type { Note } from './evaluate-task.ts';
import { ROWS_PLAN } from './row-filter.ts';

/** Characters gathered before they are written. */
const BLOCK = 2 ** 20;
const NOTE_ROWS = 50_000;
const LETTERS = 'abcdefgh';

/** One row of the file that is written, value by value in the order of the head. */
type Cells = readonly (string | number | null)[];

/** Writes the chosen rows (places in the answers, in file order) with their answers and verdicts. */
export async function writeRows(
  table: OpenTable,
  answers: Answers,
  chosen: Uint32Array,
  file: RowsFile,
  note: Note,
): Promise<{ readonly rows: number }> {
  const handle = createFile(file.path);
  try {
    const columns = table.source.columns.map(({ name }) => name);
    const line = file.format === 'csv' ? csvLine : jsonLine([...headOf(answers), ...columns]);
    let block = file.format === 'csv' ? csvLine([...headOf(answers), ...columns]) : '';
    let written = 0;
    for await (const [row, texts] of textRows(table)) {
      const at = chosen[written];
      if (at === undefined) break;
      if (answers.rowNumbers[at] !== row) continue;
      block += line([...answerCells(answers, at, file.verdicts[row]), ...texts]);
      written++;
      if (block.length >= BLOCK) {
        writeAll(handle, block);
        block = '';
      }
      if (written % NOTE_ROWS === 0)
        note({ kind: 'progress', phase: 'writing rows', done: written, total: chosen.length });
    }
    if (written < chosen.length)
      throw new SallyportError('dataset.invalid', 'The file ends before the last row of this evidence.', {
        hint: 'Nothing was exported. Give the data this evidence was made on.',
      });
    writeAll(handle, block);
    fsyncSync(handle);
    closeSync(handle);
    return { rows: written };
  } catch (error) {
    closeSync(handle);
    rmSync(file.path, { force: true });
    throw diskError(error);
  }
}

function createFile(path: string): number {
  try {
    // Rows may hold what customers said: for the caller alone.
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST')
      throw new SallyportError('conflict', `${path} exists already.`, {
        hint: 'Nothing was exported. Choose another name.',
      });
    if (systemCode(cause) === 'ENOENT')
      throw new SallyportError('not-found', `The folder of ${path} does not exist.`, {
        hint: 'Nothing was exported.',
      });
    throw diskError(cause);
  }
}

function writeAll(handle: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
}

/** Every row of the file with its number, as text. */
async function* textRows({ source, database }: OpenTable): AsyncGenerator<[row: number, texts: string[]]> {
  const columns = source.columns.map((_, index) => textOf(source, index, ROWS_PLAN));
  try {
    const result = await database.connection.stream(
      `SELECT row::UINTEGER, ${columns.join(', ')} FROM (${source.table(ROWS_PLAN)})`,
    );
    for (
      let chunk = await result.fetchChunk();
      chunk && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const vectors = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnVector(index));
      for (let row = 0; row < chunk.rowCount; row++) {
        const [number, ...texts] = vectors.map((vector) => vector.getItem(row));
        yield [Number(number), texts.map((text) => (text === null ? '' : String(text)))];
      }
    }
  } catch (cause) {
    throw cause instanceof SallyportError ? cause : source.parseError(cause);
  }
}

function headOf({ models }: Answers): string[] {
  const suffix = (model: number): string => (models.length === 1 ? '' : `_${LETTERS[model]}`);
  return [
    'evidence_row',
    'evidence_label',
    ...models.flatMap((_, model) => [`evidence_predicted${suffix(model)}`, `evidence_score${suffix(model)}`]),
    'evidence_verdict',
    'evidence_note',
  ];
}

function answerCells(answers: Answers, at: number, verdict: RowsFile['verdicts'][number] | undefined): Cells {
  const code = (value: number | undefined): number | null =>
    value === undefined || value === NO_ANSWER ? null : value;
  return [
    answers.rowNumbers[at] as number,
    code(answers.labels[at]),
    ...answers.models.flatMap(({ predicted, scores }) => [
      code(predicted[at]),
      Number.isFinite(scores[at]) ? (scores[at] as number) : null,
    ]),
    verdict?.verdict ?? null,
    verdict?.note ?? null,
  ];
}

/** RFC 4180. */
function csvLine(cells: Cells): string {
  const quoted = cells.map((cell) => {
    const text = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\r\n`;
}

function jsonLine(names: readonly string[]): (cells: Cells) => string {
  return (cells) =>
    `${JSON.stringify(Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null])))}\n`;
}
