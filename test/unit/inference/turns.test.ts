import { expect, it } from 'vitest';
import type { EvaluateNote } from '../../../electron/adapters/inference/evaluate-task.ts';
import { createTurns } from '../../../electron/adapters/inference/turns.ts';
import type { DetailedPredictions } from '../../../shared/node/onnx/row-model.ts';
import type { LoadedModel } from '../../../shared/node/onnx/session.ts';

/** Models whose calls are answered when told so, in the order they came. */
function queue() {
  const waiting: ((how: 'answer' | 'refuse') => void)[] = [];
  const answers: DetailedPredictions = { labels: new Float64Array(), scores: null, scoreRows: null };
  const runDetailed: LoadedModel['runDetailed'] = () =>
    new Promise((resolve, reject) =>
      waiting.push((how) => (how === 'answer' ? resolve(answers) : reject(new Error('refused')))),
    );
  const next = async (how: 'answer' | 'refuse' = 'answer'): Promise<void> => {
    waiting.shift()?.(how);
    await new Promise(setImmediate);
  };
  return { loaded: { runDetailed } as LoadedModel, next };
}

it('given two models with calls ahead, the one whose call is first without an answer is named, also after a refusal', async () => {
  const { loaded, next } = queue();
  const named: (number | null)[] = [];
  const turns = createTurns((note: EvaluateNote) => {
    if (note.kind === 'running') named.push(note.model);
  });
  const [first, second] = [turns.follow(loaded, 0), turns.follow(loaded, 1)];
  const input = { rows: new Float32Array(1), count: 1 };
  const calls = [first, second, first, first].map((model) => model.runDetailed(input).catch(() => null));
  expect(named).toEqual([0]);
  await next();
  expect(named).toEqual([0, 1]);
  await next('refuse');
  expect(named).toEqual([0, 1, 0]);
  await next();
  expect(named).toEqual([0, 1, 0]);
  await next();
  expect(named).toEqual([0, 1, 0, null]);
  await Promise.all(calls);
});
