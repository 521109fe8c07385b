import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  FLOAT,
  UINTEGER,
  UTINYINT,
} from '@duckdb/node-api';
import { type Answers, NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';

const CHUNK_ROWS = 2048;

/**
 * The answers to the chosen rows as a table `answers` in memory: `answer_row`, `answer_label`, and by model
 * `predicted_0`, `score_0`, …; NULL where there is none.
 */
export async function createAnswersTable(
  connection: DuckDBConnection,
  answers: Answers,
  chosen: Uint32Array,
): Promise<void> {
  const columns = ['answer_row UINTEGER', 'answer_label UTINYINT'];
  const types: DuckDBType[] = [UINTEGER, UTINYINT];
  for (const model of answers.models.keys()) {
    columns.push(`predicted_${model} UTINYINT`, `score_${model} FLOAT`);
    types.push(UTINYINT, FLOAT);
  }
  await connection.run(`CREATE TABLE answers (${columns.join(', ')})`);
  const appender = await connection.createAppender('answers');
  const code = (value: number | undefined): number | null =>
    value === undefined || value === NO_ANSWER ? null : value;
  for (let from = 0; from < chosen.length; from += CHUNK_ROWS) {
    const places = Array.from(chosen.subarray(from, from + CHUNK_ROWS));
    const chunk = DuckDBDataChunk.create(types, places.length);
    chunk.setColumns([
      places.map((at) => answers.rowNumbers[at] as number),
      places.map((at) => code(answers.labels[at])),
      ...answers.models.flatMap(({ predicted, scores }) => [
        places.map((at) => code(predicted[at])),
        places.map((at) => (Number.isFinite(scores[at]) ? (scores[at] as number) : null)),
      ]),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
