/** Entry of the process that looks at data without running a model on it: one question, then it is ended. */
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import type { DatasetInspection } from '../../shared/domain/evidence/inspection.ts';
import { identifyDataset, inspectDataset } from '../adapters/datasets/inspect.ts';
import type { InspectRequest } from '../ports/datasets.ts';
import { parentPort } from './parent-port.ts';

export type DatasetQuestion =
  | { readonly kind: 'inspect'; readonly request: InspectRequest }
  | { readonly kind: 'identify'; readonly path: string };

export type DatasetReply =
  | { readonly kind: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly kind: 'inspected'; readonly inspection: DatasetInspection }
  | { readonly kind: 'identified'; readonly digest: string; readonly sizeBytes: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | null;
      readonly facts: Readonly<Record<string, string | number | boolean | null>>;
    };

const port = parentPort();
const told = (phase: string, done: number, total: number): void =>
  port.postMessage({ kind: 'progress', phase, done, total } satisfies DatasetReply);

async function answer(question: DatasetQuestion): Promise<DatasetReply> {
  if (question.kind === 'inspect')
    return { kind: 'inspected', inspection: await inspectDataset(question.request, told) };
  return { kind: 'identified', ...(await identifyDataset(question.path, told)) };
}

function failure(error: unknown): DatasetReply {
  if (error instanceof SallyportError) {
    const { code, message, hint, facts } = error;
    return { kind: 'failed', code, message, hint: hint ?? null, facts };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'failed',
    code: 'unexpected',
    message: `The data could not be looked at: ${message}`,
    hint: 'Nothing was changed.',
    facts: {},
  };
}

port.onMessage((message) => {
  void answer(message as DatasetQuestion).then(
    (reply) => port.postMessage(reply),
    (error: unknown) => port.postMessage(failure(error)),
  );
});
