// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
// biome-ignore-all lint/a11y/useSemanticElements: figures, no form fields
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Panel, SimpleTable } from '../ui/page.tsx';

interface ChartPanelProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly height: number;
  /** The same figures in words, for those who cannot see the chart or want to copy them. */
  readonly table: {
    /** A leading `>` aligns the column right. */
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
  } | null;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A chart in its panel, and the same as a table at the press of a button; both have the same height. */
export function ChartPanel({ title, note, height, table, actions, children }: ChartPanelProps): ReactNode {
  const [asTable, setAsTable] = useState(false);
  const shown = asTable && table !== null;
  return (
    <Panel
      title={title}
      {...(note === undefined ? {} : { note })}
      flush={shown}
      actions={
        <>
          {actions}
          {table === null ? null : (
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              aria-pressed={asTable}
              aria-label={`${title} as a ${asTable ? 'chart' : 'table'}`}
              onClick={() => setAsTable((was) => !was)}
            >
              {asTable ? 'Chart' : 'Table'}
            </Button>
          )}
        </>
      }
    >
      {shown ? (
        <div
          style={{ height: height + 28, overflow: 'auto' }}
          tabIndex={0}
          role="group"
          aria-label={`${title}: figures`}
        >
          <SimpleTable
            label={`${title}: figures`}
            columns={table.columns}
            rows={table.rows.map((cells, index) => ({ key: `${index}`, cells }))}
          />
        </div>
      ) : (
        children
      )}
    </Panel>
  );
}
