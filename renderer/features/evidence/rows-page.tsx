import { ActionIcon, Button, Select, TextInput } from '@mantine/core';
import { IconFilter, IconTableOff, IconX } from '@tabler/icons-react';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { useParams, useSearchParams } from 'react-router';
import type { EvidenceRef, EvidenceRow, RowQuery } from '../../../shared/domain/evidence/rows.ts';
import type {
  ComparisonReport,
  DatasetInfo,
  ValidationReport,
} from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { asProblem } from '../../api/bridge.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Chips } from '../../ui/chips.tsx';
import { DataTable } from '../../ui/data-table.tsx';
import { formatCount, plural } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Empty, Page } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { LocateDataset } from './locate-dataset.tsx';
import { firstColumns, type RowContext, rowColumns } from './row-columns.tsx';
import { RowSide, VERDICT_KEYS } from './row-side.tsx';
import { ColumnsMenu, ExportRows } from './row-tools.tsx';
import styles from './rows.module.css';
import { PRESET_NAMES, presetsOf, type RowsChoice, readChoice, writeChoice } from './rows-choice.ts';
import { useLabelling, useRows } from './rows-data.ts';

/** What of a report its rows need, whichever of the two it is. */
interface Behind {
  readonly evidence: EvidenceRef;
  readonly title: string;
  readonly parent: { readonly to: string; readonly label: string };
  readonly dataset: DatasetInfo;
  readonly kept: boolean;
  readonly context: RowContext;
}

function ofValidation(report: ValidationReport): Behind {
  return {
    evidence: { kind: 'validation', id: report.id },
    title: `Rows of ${formatRef(report.ref)}`,
    parent: { to: `/validate/${report.id}`, label: 'Report' },
    dataset: report.dataset,
    kept: report.rowsArtifact !== null,
    context: { models: ['Answer'], regression: report.regression !== null },
  };
}

function ofComparison(report: ComparisonReport): Behind {
  return {
    evidence: { kind: 'comparison', id: report.id },
    title: `Rows of ${formatRef(report.challenger)} against ${formatRef(report.champion)}`,
    parent: { to: `/compare/${report.id}`, label: 'Comparison' },
    dataset: report.dataset,
    kept: report.rowsArtifact !== null,
    context: {
      models: ['Champion', 'Challenger', ...report.others.map(({ ref }) => formatRef(ref))],
      regression: false,
    },
  };
}

export function ValidationRowsPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('validation.get', { id });
  return query.data === undefined ? <Waiting query={query} /> : <RowsOf behind={ofValidation(query.data)} />;
}

export function ComparisonRowsPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('comparison.get', { id });
  return query.data === undefined ? <Waiting query={query} /> : <RowsOf behind={ofComparison(query.data)} />;
}

function Waiting({ query }: { readonly query: Parameters<typeof Loaded>[0]['query'] }): ReactNode {
  return (
    <Page title="Rows">
      <Loaded query={query} skeleton={<Bars rows={8} />}>
        {() => null}
      </Loaded>
    </Page>
  );
}

function RowsOf({ behind }: { readonly behind: Behind }): ReactNode {
  const { evidence, title, parent, dataset, kept } = behind;
  const [search, setSearch] = useSearchParams();
  const choice = useMemo(() => readChoice(search), [search]);
  const choose = (change: Partial<RowsChoice>): void =>
    setSearch(writeChoice({ ...choice, ...change }), { replace: true });
  return (
    <Page
      fill
      title={title}
      parent={parent}
      note={
        <>
          <span>{`${dataset.fileName}, ${plural(dataset.rows, 'row')}`}</span>
          <span>Looking at rows is written to the audit log.</span>
        </>
      }
    >
      {kept ? (
        <Rows key={evidence.id} behind={behind} choice={choice} onChoose={choose} />
      ) : (
        <Callout>
          The answers to the single rows were not kept with this report. Run it again to look at its rows.
        </Callout>
      )}
    </Page>
  );
}

const ORDERS: readonly { readonly value: RowQuery['order']; readonly label: string }[] = [
  { value: 'row', label: 'in the order of the file' },
  { value: 'score-ascending', label: 'lowest score first' },
  { value: 'score-descending', label: 'highest score first' },
  { value: 'difference', label: 'largest difference first' },
];

interface RowsProps {
  readonly behind: Behind;
  readonly choice: RowsChoice;
  readonly onChoose: (change: Partial<RowsChoice>) => void;
}

function Rows({ behind, choice, onChoose }: RowsProps): ReactNode {
  const { context, dataset } = behind;
  const { kind, id } = behind.evidence;
  const evidence = useMemo<EvidenceRef>(() => ({ kind, id }), [kind, id]);
  const { operator } = useSession();
  const query = useRows({ evidence, ...choice });
  const label = useLabelling(evidence);
  const [picked, setPicked] = useState<readonly string[] | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const refusal = roleRefusal(operator.roles, 'rows.label');

  const pages = query.data?.pages;
  const rows = useMemo(() => pages?.flatMap((page) => page.rows) ?? [], [pages]);
  const columns = useMemo(() => pages?.[0]?.columns ?? [], [pages]);
  const total = pages?.[0]?.total ?? 0;
  const sliceColumn = choice.slice?.column ?? null;
  const shown = useMemo(
    () => picked ?? firstColumns(columns, dataset.ignoredColumns, sliceColumn),
    [picked, columns, dataset.ignoredColumns, sliceColumn],
  );
  const table = useMemo(() => rowColumns(columns, shown, context), [columns, shown, context]);
  const row = rows.find((one) => one.row === active) ?? null;
  const onActive = useCallback((next: EvidenceRow | null) => setActive(next?.row ?? null), []);
  const rowKeys = useMemo(
    () =>
      refusal !== null
        ? {}
        : Object.fromEntries(
            Object.entries(VERDICT_KEYS).map(([key, verdict]) => [
              key,
              (one: EvidenceRow) => {
                void label(one.row, verdict, one.verdict?.note ?? '');
                return true;
              },
            ]),
          ),
    [label, refusal],
  );
  const presets = presetsOf(kind, dataset.labelled);
  return (
    <>
      <div className={styles.bar}>
        <Chips
          label="Which rows"
          items={presets.map((preset) => ({
            key: preset,
            label: PRESET_NAMES[preset],
            on: choice.preset === preset,
            onToggle: () => onChoose({ preset }),
          }))}
        />
        {choice.slice === null ? null : (
          <span className={styles.slice}>
            <span
              title={`${choice.slice.column} = ${choice.slice.value}`}
            >{`${choice.slice.column} = ${choice.slice.value}`}</span>
            <ActionIcon
              size={18}
              color="gray"
              aria-label="Leave the slice"
              onClick={() => onChoose({ slice: null })}
            >
              <IconX size={12} />
            </ActionIcon>
          </span>
        )}
        <FilterField
          pair={kind === 'comparison'}
          value={choice.filter ?? ''}
          onApply={(filter) => onChoose({ filter: filter || null })}
        />
        <Select
          aria-label="Order of the rows"
          data={ORDERS.filter(
            ({ value }) => value !== 'difference' || kind === 'comparison' || context.regression,
          )}
          value={choice.order}
          onChange={(value) => onChoose({ order: (value ?? 'row') as RowQuery['order'] })}
          allowDeselect={false}
          w={190}
        />
        <ColumnsMenu columns={columns} shown={shown} onChange={setPicked} />
        <ExportRows
          query={{ evidence, ...choice }}
          total={total}
          refusal={roleRefusal(operator.roles, 'rows.export')}
        />
      </div>
      {query.isError ? (
        <div style={{ marginBottom: 10 }}>
          <Problem error={query.error} onRetry={() => void query.refetch()} />
          {asProblem(query.error).code === 'not-found' ? (
            <LocateDataset digest={dataset.digest} onFound={() => void query.refetch()} />
          ) : null}
        </div>
      ) : null}
      <div className={styles.split} hidden={query.isError && rows.length === 0}>
        <div className={styles.table} data-stale={query.isPlaceholderData || undefined}>
          {query.isPending ? (
            <Bars rows={10} />
          ) : (
            <DataTable
              key={JSON.stringify(choice)}
              label="Rows"
              columns={table}
              rows={rows}
              rowKey={(one) => String(one.row)}
              onOpen={onActive}
              onActive={onActive}
              rowKeys={rowKeys}
              onEnd={() => {
                if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
              }}
              empty={
                <Empty icon={IconTableOff} title="No such rows">
                  Nothing in the data matches this choice.
                </Empty>
              }
              foot={
                <span className="num" role="status">
                  {query.isPlaceholderData
                    ? 'Looking…'
                    : `${plural(total, 'row')}${rows.length < total ? `, ${formatCount(rows.length)} loaded` : ''}`}
                </span>
              }
            />
          )}
        </div>
        <RowSide row={row} columns={columns} context={context} refusal={refusal} onLabel={label} />
      </div>
    </>
  );
}

/** One SQL expression; it counts when it is entered, for each look at rows leaves an entry in the log. */
function FilterField({
  pair,
  value,
  onApply,
}: {
  /** Of a comparison: the answers of both have names of their own. */
  readonly pair: boolean;
  readonly value: string;
  readonly onApply: (text: string) => void;
}): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <form
      className={styles.filter}
      onSubmit={(event) => {
        event.preventDefault();
        onApply(text.trim());
      }}
    >
      <TextInput
        aria-label="Filter rows by an SQL expression"
        placeholder={
          pair ? 'SQL: score_b - score_a > 0.3 AND label = 0' : "SQL: score > 0.4 AND url LIKE '%login%'"
        }
        data-page-search
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        leftSection={<IconFilter size={14} />}
        rightSectionWidth={text === value ? 0 : 62}
        rightSection={
          text === value ? null : (
            <Button type="submit" size="compact-xs" variant="default">
              Apply
            </Button>
          )
        }
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        maxLength={4000}
        spellCheck={false}
        autoComplete="off"
      />
    </form>
  );
}
