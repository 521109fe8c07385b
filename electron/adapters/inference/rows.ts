import { SallyportError } from '../../../shared/domain/errors.ts';
import { NO_ANSWER, readAnswers } from '../../../shared/domain/evidence/answers.ts';
import type { EvidenceRow, EvidenceRows } from '../../../shared/domain/evidence/rows.ts';
import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';
import { shown } from '../datasets/csv-header.ts';
import { type OpenTable, openTable } from '../datasets/open-dataset.ts';
import { textOf } from '../datasets/source.ts';
import type { Note, RowsTask } from './evaluate-task.ts';
import { writeRows } from './row-export.ts';
import { matchingRows, ROWS_PLAN } from './row-filter.ts';
import { orderRows, rowsOfPreset } from './row-presets.ts';

const MAX_CELL_CHARACTERS = 2000;

/** Rows of stored evidence: a page of them, or all into a file. Runs in the worker process. */
export async function lookAtRows(
  task: RowsTask,
  context: TaskContext,
): Promise<EvidenceRows | { readonly rows: number }> {
  const { request, file } = task;
  const note: Note = (value) => context.progress(value);
  const table = await openTable(request.data, {
    digest: request.datasetDigest,
    progress: (done, total) => note({ kind: 'progress', phase: 'hashing', done, total }),
  });
  try {
    note({ kind: 'progress', phase: 'searching rows', done: 0, total: 0 });
    const answers = readAnswers(request.answers);
    const { query } = request;
    let chosen = rowsOfPreset(answers, query.preset, request);
    if (query.filter !== null || query.slice !== null)
      chosen = await matchingRows(table, answers, chosen, query);
    // A file is written in one walk through the data, so in its order.
    if (file !== null) return await writeRows(table, answers, chosen, file, note);
    const page = orderRows(answers, chosen, query.order).slice(query.offset, query.offset + query.limit);
    const cells = await cellsOf(
      table,
      Array.from(page, (at) => answers.rowNumbers[at] as number),
    );
    return {
      columns: table.source.columns.map(({ name }) => name),
      total: chosen.length,
      rows: Array.from(page, (at): EvidenceRow => {
        const row = answers.rowNumbers[at] as number;
        const label = answers.labels[at] as number;
        return {
          row,
          label: label === NO_ANSWER ? null : label,
          answers: answers.models.map(({ predicted, scores }) => {
            const score = scores[at] as number;
            return { predicted: predicted[at] as number, score: Number.isFinite(score) ? score : null };
          }),
          cells: cells.get(row) ?? [],
          verdict: null,
        };
      }),
    };
  } finally {
    table.database.close();
  }
}

/** The cells of these rows as text, in one walk through the file. */
async function cellsOf(
  { source, database }: OpenTable,
  rows: readonly number[],
): Promise<Map<number, string[]>> {
  const cells = new Map<number, string[]>();
  if (rows.length === 0) return cells;
  const columns = source.columns.map(
    (_, index) => `left(${textOf(source, index, ROWS_PLAN)}, ${MAX_CELL_CHARACTERS})`,
  );
  try {
    const result = await database.connection.runAndReadAll(
      `SELECT row::UINTEGER, ${columns.join(', ')} FROM (${source.table(ROWS_PLAN)}) WHERE row IN (${rows.join(', ')})`,
    );
    for (const [row, ...texts] of result.getRowsJS())
      cells.set(
        Number(row),
        texts.map((text) => (text === null || text === undefined ? '' : String(text))),
      );
  } catch (cause) {
    throw source.parseError(cause);
  }
  const missing = rows.find((row) => !cells.has(row));
  if (missing !== undefined)
    throw new SallyportError('dataset.invalid', `The file has no row ${missing}.`, {
      hint: `It is not the data this evidence was made on. Its columns: ${source.columns
        .slice(0, 8)
        .map(({ name }) => shown(name))
        .join(', ')}.`,
    });
  return cells;
}
