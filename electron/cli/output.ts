import { toWireError } from '../../shared/contract/result.ts';
import { ERROR_CODES } from '../../shared/domain/errors.ts';
import { isControl } from '../../shared/domain/onnx/reading.ts';

/** Where a command writes: `--json` prints one document (or JSON lines) on stdout; messages always go to stderr. */
export interface Output {
  readonly json: boolean;
  /** The command's result: the document with `--json`, else the text. */
  result(document: unknown, text: string): void;
  /** One event of a watching command: a JSON line, or a line of text. */
  event(document: unknown, text: string): void;
  /** With `--json`: the error, unless the result was printed; a line where events were. Else nothing: `note` tells it. */
  error(document: unknown): void;
  note(text: string): void;
  /** Progress on a terminal only; never in a log. */
  progress(text: string): void;
}

/** Names inside a model or a data set are somebody else's words: none of them may move the cursor or hide a line. */
export function printable(text: string): string {
  return Array.from(text, (character) =>
    character !== '\n' && character !== '\t' && isControl(character) ? '\uFFFD' : character,
  ).join('');
}

export function createOutput(json: boolean): Output {
  const tty = process.stderr.isTTY === true;
  let open = false;
  let wrote: 'nothing' | 'result' | 'events' = 'nothing';
  const clear = () => {
    if (open) process.stderr.write('\r\u001b[K');
    open = false;
  };
  const write = (text: string) => {
    clear();
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  return {
    json,
    result: (document, text) => {
      wrote = 'result';
      write(json ? JSON.stringify(document, null, 2) : printable(text));
    },
    event: (document, text) => {
      wrote = 'events';
      write(json ? JSON.stringify(document) : printable(text));
    },
    error: (document) => {
      // A command that fails on what it found (a broken gate, a bad artifact) has printed its one document already.
      if (!json || wrote === 'result') return;
      write(JSON.stringify(document, null, wrote === 'events' ? undefined : 2));
    },
    note: (text) => {
      clear();
      process.stderr.write(`${printable(text)}\n`);
    },
    progress: (text) => {
      if (!tty) return;
      process.stderr.write(`\r\u001b[K${text}`);
      open = true;
    },
  };
}

/** Prints an error the way the command line does and answers the exit code. Nothing but code, message and hint leaves. */
export function reportError(error: unknown, output: Output): number {
  const wire = toWireError(error);
  output.error({ error: wire });
  output.note(`error: ${wire.message}${wire.hint === '' ? '' : `\n  ${wire.hint}`}\n  (${wire.code})`);
  if (wire.code === 'unexpected' && process.env.SALLYPORT_DEBUG === '1')
    output.note(String((error as Error)?.stack ?? error));
  return ERROR_CODES[wire.code];
}

/** Columns padded to their widest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function number(value: number | null, digits = 4): string {
  return value === null ? '–' : value.toFixed(digits);
}

export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
