import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type Answers,
  AnswersWriter,
  joinAnswers,
  readAnswers,
} from '../../../shared/domain/evidence/answers.ts';
import type { EvaluationOptions } from '../../ports/engine.ts';
import type { DatasetBatch } from '../datasets/dataset.ts';
import type { EvaluateTask, Note, RunState } from './evaluate-task.ts';
import { isRegression } from './figures.ts';
import type { ModelAnswers } from './model-answers.ts';

/** Answers are handed on after so many rows, however fast they came. */
const CHECKPOINT_ROWS = 1_000_000;

/** Where an interrupted run stood, or null for a new one. Throws `conflict` where it was of other models. */
export function resumedFrom(
  task: Pick<EvaluateTask, 'models' | 'options'>,
  datasetDigest: string,
): { readonly answers: Answers; readonly state: RunState } | null {
  const { resume, seed } = task.options;
  if (resume === null || resume.answers.length === 0) return null;
  const state = JSON.parse(resume.state) as RunState;
  const digests = task.models.map(({ digest }) => digest);
  if (state.version !== 1 || state.seed !== seed || state.models.join() !== digests.join())
    throw new SallyportError('conflict', 'The interrupted run was of other models.', {
      hint: 'Its answers were kept. Discard it, or start a new run.',
    });
  if (state.datasetDigest !== datasetDigest) throw otherData();
  return { answers: readAnswers(joinAnswers(digests.length, resume.answers)), state };
}

function otherData(): SallyportError {
  return new SallyportError('dataset.invalid', 'The data is not that of the interrupted run.', {
    hint: 'Its answers were kept. Give the same file and choice of rows, or start a new run.',
  });
}

/** The answers of a resumed run to this batch; null where it had not come so far. Throws where the data differs. */
export function answeredBefore(
  resumed: Answers | null,
  batch: DatasetBatch,
  done: number,
  hasScores: readonly boolean[],
): ModelAnswers[] | null {
  const end = done + batch.rows;
  if (resumed === null || end > resumed.rows) return null;
  for (let row = 0; row < batch.rows; row++) {
    const known = resumed.rowNumbers[done + row] === batch.rowNumbers[row];
    if (!known || (batch.labels !== null && resumed.labels[done + row] !== batch.labels[row]))
      throw otherData();
  }
  return resumed.models.map(({ predicted, scores }, model) => ({
    predicted: predicted.subarray(done, end),
    scores: hasScores[model] ? scores.subarray(done, end) : null,
  }));
}

/** Collects answers and hands them on in pieces, so that they take no memory here. */
export function createAnswerLog(
  task: Pick<EvaluateTask, 'models' | 'checkpointMs'> & { readonly options: Pick<EvaluationOptions, 'seed'> },
  state: () => RunState,
  note: Note,
) {
  const decides = task.models.map(({ mapping }) => !isRegression(mapping));
  let writer = new AnswersWriter(task.models.length);
  let sentAt = performance.now();
  let rows = 0;
  const send = (expectedRows: number): void => {
    if (writer.rows === 0) return;
    note({ kind: 'answers', rows, expectedRows, answers: writer.file(), state: JSON.stringify(state()) });
    writer = new AnswersWriter(task.models.length);
    sentAt = performance.now();
  };
  return {
    /** `kept`: known to whoever resumed the run, and not sent again. */
    add(batch: DatasetBatch, answers: readonly ModelAnswers[], kept: boolean, expectedRows: number): void {
      rows += batch.rows;
      if (kept) return;
      writer.add({
        rowNumbers: batch.rowNumbers,
        labels: batch.labels,
        models: answers.map(({ predicted, scores }, model) => ({
          predicted: decides[model] ? predicted : null,
          scores,
        })),
      });
      if (writer.rows >= CHECKPOINT_ROWS || performance.now() - sentAt >= task.checkpointMs)
        send(expectedRows);
    },
    finish: () => send(rows),
  };
}
