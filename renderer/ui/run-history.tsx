import type { ReactNode } from 'react';
import { type Column, DataTable } from './data-table.tsx';
import { Ago } from './text.tsx';

interface Run {
  readonly id: string;
  readonly runBy: string;
  readonly createdAt: string;
}

interface RunHistoryProps<R extends Run> {
  readonly label: string;
  /** What tells runs of this kind apart; who ran it and when is added. */
  readonly columns: readonly Column<R>[];
  readonly runs: readonly R[];
  readonly onOpen: (run: R) => void;
  readonly empty: ReactNode;
}

/** Earlier runs, newest first, as tall as they need up to a screen. */
export function RunHistory<R extends Run>({
  label,
  columns,
  runs,
  onOpen,
  empty,
}: RunHistoryProps<R>): ReactNode {
  return (
    <DataTable
      label={label}
      columns={[
        ...columns,
        { id: 'by', header: 'By', width: '90px', sortBy: (run) => run.runBy, cell: (run) => run.runBy },
        {
          id: 'when',
          header: 'When',
          width: '84px',
          align: 'right',
          sortBy: (run) => Date.parse(run.createdAt),
          cell: (run) => <Ago at={run.createdAt} />,
        },
      ]}
      rows={runs}
      rowKey={(run) => run.id}
      onOpen={onOpen}
      height={Math.max(220, Math.min(640, 44 + runs.length * 36))}
      empty={empty}
    />
  );
}
