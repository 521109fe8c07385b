/** What an inference process may say: everything else is the word of a program that is not ours any more. */
import type { WorkerReply } from '../../shared/node/onnx/worker-protocol.ts';

/** Of an error's parts, in characters: they are logged and answered. */
const MOST_TEXT = 10_000;

type Members = Readonly<Record<string, unknown>>;

/** Of `value` only that it is there: it is looked at by whoever asked for it. */
export function isReply(message: unknown): message is WorkerReply {
  if (!isMembers(message) || !isCount(message.id)) return false;
  switch (message.kind) {
    case 'begun':
      return true;
    case 'done':
      return 'value' in message && isNext(message.next);
    case 'failed':
      return isWireError(message.error) && isNext(message.next);
    case 'progress':
      return 'value' in message;
    case 'memory':
      return isCount(message.rssBytes);
    default:
      return false;
  }
}

function isWireError(error: unknown): boolean {
  if (!isMembers(error) || !isMembers(error.facts)) return false;
  const { code, message, hint, facts } = error;
  if (!isText(code) || !isText(message) || (hint !== null && !isText(hint))) return false;
  return Object.values(facts).every((fact) => fact === null || typeof fact !== 'object');
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MOST_TEXT;
}

function isNext(next: unknown): boolean {
  return next === null || isCount(next);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
