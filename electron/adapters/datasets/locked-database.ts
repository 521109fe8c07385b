import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** Memory the reader may take for its buffers; the file is streamed through. */
const MEMORY_LIMIT = '512MB';

/** Rows that DuckDB's own threads read ahead while the receiver computes, in bytes of their vectors. */
const STREAM_BUFFER = '4MB';

export interface LockedDatabase {
  readonly connection: DuckDBConnection;
  close(): void;
}

/**
 * A DuckDB that can read these files and do nothing else: no other path, no network, no extension, no temporary
 * directory, and no way to change that. With two threads or more, one of its own reads ahead while the caller's
 * thread is busy.
 */
export async function openLockedDatabase(
  paths: readonly string[],
  threads: number,
  insertionOrder = true,
): Promise<LockedDatabase> {
  for (const path of paths) refusePattern(path);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: MEMORY_LIMIT,
    temp_directory: '',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: String(insertionOrder),
  });
  const connection = await instance.connect();
  await connection.run(`SET streaming_buffer_size = '${STREAM_BUFFER}'`);
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET allowed_paths = [${paths.map(literal).join(', ')}]`);
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

/** Refuses a path that DuckDB would read as a pattern over several files. */
function refusePattern(path: string): void {
  if (!/[*?[\]{}]/.test(path)) return;
  throw new SallyportError(
    'dataset.invalid',
    'The path of the file holds one of * ? [ ] { }, which stand for patterns.',
    { hint: 'Rename the file or its folder.' },
  );
}

/** Text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
