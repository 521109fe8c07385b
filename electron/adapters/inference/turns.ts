import type { LoadedModel } from '../../../shared/node/onnx/session.ts';
import type { Note } from './evaluate-task.ts';

/**
 * Says whose code runs while several calls wait for the one thread that takes them in their order: of those that have no
 * answer yet, the first. It is whom a crash is laid to.
 */
export function createTurns(note: Note) {
  const waiting: number[] = [];
  let said: number | null = null;
  const say = (): void => {
    const model = waiting[0] ?? null;
    if (model !== said) note({ kind: 'running', model });
    said = model;
  };
  return {
    /** The model of this index, each of whose calls takes a turn. */
    follow: (loaded: LoadedModel, model: number): LoadedModel => ({
      ...loaded,
      async runDetailed(input) {
        waiting.push(model);
        say();
        try {
          return await loaded.runDetailed(input);
        } finally {
          waiting.shift();
          say();
        }
      },
    }),
  };
}
