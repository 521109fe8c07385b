import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { CsvHeader } from './csv-header.ts';

/** Memory the reader may take for its buffers; the file is streamed through. */
const MEMORY_LIMIT = '512MB';

/** A cell never equals this, so an empty cell of a numeric column is an error and not a silent NULL. */
const NO_NULL_TEXT = '\u0001no null\u0001';

/** Longest accepted line, bytes. */
const MAX_LINE_BYTES = 2 ** 21;

export interface CsvDatabase {
  readonly connection: DuckDBConnection;
  close(): void;
}

/**
 * A DuckDB that can read this one file and do nothing else: no other path, no network, no extension, no temporary
 * directory, and no way to change that.
 */
export async function openCsvDatabase(path: string, threads: number): Promise<CsvDatabase> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: MEMORY_LIMIT,
    temp_directory: '',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  await connection.run(`SET allowed_paths = [${literal(path)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * The file as a table expression with columns `c0`, `c1`, … in file order. Types are given: sniffing costs more than
 * reading. No text of the file or the user gets into SQL but the path, as a literal.
 */
export function csvTable(path: string, header: CsvHeader, numeric: ReadonlySet<number>): string {
  if (/[*?[\]{}]/.test(path)) {
    throw new SallyportError(
      'dataset.invalid',
      'The path of the file holds one of * ? [ ] { }, which stand for patterns.',
      {
        hint: 'Rename the file or its folder.',
      },
    );
  }
  const columns = header.columns
    .map((_, index) => `c${index}: '${numeric.has(index) ? 'FLOAT' : 'VARCHAR'}'`)
    .join(', ');
  return (
    `read_csv(${literal(path)}, auto_detect = false, header = true, delim = ${literal(header.delimiter)}, quote = '"', escape = '"', ` +
    `nullstr = ${literal(NO_NULL_TEXT)}, compression = 'none', strict_mode = true, max_line_size = ${MAX_LINE_BYTES}, columns = {${columns}})`
  );
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
