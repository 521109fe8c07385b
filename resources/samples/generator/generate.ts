import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CSV_HEADER, csvLine, LABELLED_MIX, takeRows } from './dataset.ts';
import { largeModel } from './detectors.ts';
import { makeWorkspace } from './workspace.ts';

export const DATA_DIRECTORY = fileURLToPath(new URL('../data', import.meta.url));

/** Rows made anew before a benchmark's CSV starts to repeat itself. */
const DISTINCT_ROWS = 100_000;
/** Rows per write: about 1 MiB. */
const ROWS_PER_WRITE = 5_000;

/** Writes the sample workspace into `directory`; returns the paths written. */
export function writeWorkspace(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  return Array.from(makeWorkspace().files, ([name, content]) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  });
}

/** Writes a valid ONNX model of about `megabytes` MiB; returns its path. */
export function writeLargeModel(directory: string, megabytes: number): string {
  const bytes = largeModel(megabytes);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `large-${megabytes}mb.onnx`);
  writeFileSync(path, bytes);
  return path;
}

/** Streams a labelled CSV of `rows` rows to disk in bounded memory; returns its path. */
export function writeLargeCsv(directory: string, rows: number): string {
  if (!Number.isInteger(rows) || rows < 1)
    throw new RangeError(`Rows are a whole number from 1, not ${rows}.`);
  const lines = takeRows(LABELLED_MIX, 'benchmark', Math.min(rows, DISTINCT_ROWS)).map(csvLine);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `labelled-${rows}.csv`);
  const file = openSync(path, 'w');
  try {
    writeAll(file, CSV_HEADER);
    for (let written = 0; written < rows; ) {
      const start = written % lines.length;
      const chunk = lines.slice(start, Math.min(start + ROWS_PER_WRITE, start + rows - written));
      writeAll(file, chunk.join(''));
      written += chunk.length;
    }
  } finally {
    closeSync(file);
  }
  return path;
}

/** writeSync may write less than it was given (a nearly full disk, a signal): go on until all is out. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new RangeError(`${flag} takes a whole number from 1, not "${text}".`);
  return Number(text);
}

function main(): void {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, 'size-mb': { type: 'string' }, rows: { type: 'string' } },
  });
  const directory = values.out ?? DATA_DIRECTORY;
  const megabytes = values['size-mb'];
  const large = megabytes !== undefined || values.rows !== undefined;
  // The committed data must stay what the generator alone makes: benchmark files go elsewhere.
  if (large && values.out === undefined) throw new RangeError('--size-mb and --rows need --out DIR.');
  const written: string[] = [];
  if (megabytes !== undefined) written.push(writeLargeModel(directory, wholeNumber('--size-mb', megabytes)));
  if (values.rows !== undefined) written.push(writeLargeCsv(directory, wholeNumber('--rows', values.rows)));
  if (!large) written.push(...writeWorkspace(directory));
  for (const path of written) console.log(path);
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
