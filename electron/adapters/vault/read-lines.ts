import { open, readFile, stat } from 'node:fs/promises';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { systemCode } from '../../../shared/node/files/files.ts';

/** Bytes per read: some hundred lines, so that a pause between batches is a few milliseconds away. */
const BATCH = 256 * 1024;
/** Longest line that is read; no entry comes near it. A file without line feeds must not fill the memory. */
export const MAX_LINE = 16 * 1024 * 1024;
const LINE_FEED = 10;

export interface LineBatch {
  readonly lines: readonly string[];
  /** Bytes read, and the file's size. */
  readonly done: number;
  readonly total: number;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of the bytes as they are: what is not UTF-8 must not come out as the text that was there before somebody edited it. */
function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return `\ufffd${Buffer.from(bytes).toString('latin1')}`;
  }
}

/** Lines of complete bytes; read one by one only where something among them is not UTF-8. */
function splitLines(bytes: Buffer): string[] {
  try {
    return UTF8.decode(bytes).split('\n');
  } catch {
    const lines: string[] = [];
    for (let from = 0; from <= bytes.length; ) {
      const at = bytes.indexOf(LINE_FEED, from);
      const end = at < 0 ? bytes.length : at;
      lines.push(decode(bytes.subarray(from, end)));
      from = end + 1;
    }
    return lines;
  }
}

/** A text file's lines without their line feeds, as they are: a carriage return is part of its line. */
export async function* readLines(path: string): AsyncGenerator<LineBatch, void, undefined> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const { size } = await handle.stat();
    let rest: Buffer = Buffer.alloc(0);
    let done = 0;
    for (;;) {
      const { bytesRead, buffer } = await handle
        .read(Buffer.allocUnsafe(BATCH), 0, BATCH, null)
        .catch((cause: unknown) => {
          throw unreadable(path, cause);
        });
      if (bytesRead === 0) break;
      done += bytesRead;
      const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      rest = bytes.subarray(end);
      if (rest.length > MAX_LINE)
        throw new SallyportError('input.invalid', `${path} has a line of more than 16 MiB.`, {
          hint: 'It is not an export of an audit log.',
        });
      if (end > 0) yield { lines: splitLines(bytes.subarray(0, end - 1)), done, total: Math.max(size, done) };
    }
    if (rest.length > 0) yield { lines: [decode(rest)], done, total: Math.max(size, done) };
  } finally {
    await handle.close();
  }
}

/** A small text file whole; `input.invalid` where it has more bytes than `maximum`. */
export async function readSmallText(path: string, maximum: number): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= maximum) return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new SallyportError('input.invalid', `${path} is larger than it can be.`, {
    hint: 'Check the path: a head or checkpoint is a few lines.',
  });
}

function unreadable(path: string, cause: unknown): SallyportError {
  return systemCode(cause) === 'ENOENT'
    ? new SallyportError('not-found', `There is no file ${path}.`, { hint: 'Check the path.', cause })
    : new SallyportError('input.invalid', `The file ${path} cannot be read (${systemCode(cause)}).`, {
        hint: 'Check the path and its permissions.',
        cause,
      });
}
