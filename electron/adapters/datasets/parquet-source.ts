import type { DuckDBConnection } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { NOTHING_COMPUTED } from './bad-cells.ts';
import { identifier, literal } from './locked-database.ts';
import { columnType, type ReadPlan, type TableSource } from './source.ts';

/** Types, names and the number of rows come from the file's own metadata. */
export async function parquetSource(path: string, connection: DuckDBConnection): Promise<TableSource> {
  const file = `read_parquet(${literal(path)}, hive_partitioning = false, union_by_name = false)`;
  let described: { readonly name: string; readonly sqlType: string }[];
  let rows: number;
  try {
    const columns = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`);
    described = columns.getRowsJS().map(([name, type]) => ({ name: String(name), sqlType: String(type) }));
    const count = await connection.runAndReadAll(
      `SELECT num_rows FROM parquet_file_metadata(${literal(path)})`,
    );
    rows = Number(count.getRowsJS()[0]?.[0] ?? 0);
  } catch (cause) {
    throw parseError(cause);
  }
  // DuckDB's own pseudo-column with that name is hidden by one of the file.
  const ownNumber = described.some(({ name }) => name.toLowerCase() === 'file_row_number');
  const number = ownNumber ? 'row_number() OVER ()' : 'file_row_number + 1';
  const columns = described.map(({ name }, index) => `${identifier(name)} AS c${index}`).join(', ');
  return {
    format: 'parquet',
    columns: described.map(({ name, sqlType }) => ({ name, type: columnType(sqlType) })),
    named: true,
    exactRows: rows,
    estimatedRows: rows,
    table: (plan: ReadPlan) => `SELECT ${plan.numbered ? `${number} AS row, ` : ''}${columns} FROM ${file}`,
    sqlType: (index) => described[index]?.sqlType ?? 'VARCHAR',
    parseError,
  };
}

function parseError(cause: unknown): SallyportError {
  return new SallyportError(
    'dataset.invalid',
    'The file cannot be read as Parquet: it is damaged or cut off.',
    {
      hint: `${NOTHING_COMPUTED} Write or copy it again.`,
      cause,
    },
  );
}
