// Rows are positioned one by one, so real table elements would lose their layout; the roles carry the structure.
// The scroller is the one tab stop, arrow keys move within it.
// biome-ignore-all lint/a11y/useSemanticElements: a virtualised table is a grid of positioned boxes
// biome-ignore-all lint/a11y/useFocusableInteractive: the scroller takes the focus, see above
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
import { VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import styles from './data-table.module.css';

/** Height of a row in CSS pixels. Fixed, so that a hundred thousand rows need no measuring. */
const ROW_HEIGHT = 36;

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic, alphanumeric: sortFn_alphanumeric },
});

export interface Column<T> {
  readonly id: string;
  readonly header: string;
  /** A track of CSS grid: `minmax(160px, 2fr)`, `90px`. */
  readonly width: string;
  readonly align?: 'right';
  /** What the column sorts by; without it the column does not sort. Null sorts last. */
  readonly sortBy?: (row: T) => string | number | null;
  readonly cell: (row: T) => ReactNode;
}

/** Gap between columns and padding of a row, in CSS pixels; the stylesheet has the same. */
const GAP = 14;

/** Rows that are marked, by key: a box before each row, and the space bar on the active one. */
export interface Selection<T> {
  readonly keys: ReadonlySet<string>;
  readonly onToggle: (row: T) => void;
}
const BOX = 18;

/** The narrowest a table can be: each track's smallest width. All rows share it, so that columns stand in line. */
function minimumWidth<T>(columns: readonly Column<T>[]): number {
  const tracks = columns.reduce((sum, column) => sum + Number(/(\d+)px/.exec(column.width)?.[1] ?? 0), 0);
  return tracks + GAP * (columns.length + 1);
}

interface RowProps {
  readonly value: unknown;
  readonly columns: readonly Column<never>[];
  readonly tracks: string;
  readonly index: number;
  readonly start: number;
  readonly active: boolean;
  /** Undefined where rows cannot be marked. */
  readonly marked: boolean | undefined;
  readonly onMark: (index: number) => void;
  /** Stable, or every row is drawn anew with every scrolled pixel. */
  readonly onOpen: ((index: number) => void) | undefined;
}

/** One row. Scrolling moves no row and changes none, so only those that come into view are drawn. */
const Row = memo(function Row(props: RowProps): ReactNode {
  const { value, columns, tracks, index, start, active, marked, onMark, onOpen } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the scroller handles Enter, and the first cell is a link
    <div
      role="row"
      aria-rowindex={index + 2}
      className={styles.row}
      data-open={onOpen === undefined ? undefined : true}
      data-active={active || undefined}
      data-marked={marked || undefined}
      style={{ gridTemplateColumns: tracks, top: start }}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest('a,button,input') === null) onOpen?.(index);
      }}
    >
      {marked === undefined ? null : (
        <div role="cell" className={styles.cell}>
          <input
            type="checkbox"
            className={styles.box}
            checked={marked}
            tabIndex={-1}
            aria-label="Mark this row"
            onChange={() => onMark(index)}
          />
        </div>
      )}
      {columns.map((column) => (
        <div
          key={column.id}
          role="cell"
          className={column.align === 'right' ? `${styles.cell} ${styles.right}` : styles.cell}
        >
          {column.cell(value as never)}
        </div>
      ))}
    </div>
  );
});

interface DataTableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly onOpen?: (row: T) => void;
  readonly initialSort?: { readonly id: string; readonly desc: boolean };
  /** Shown in place of the rows when there are none. */
  readonly empty: ReactNode;
  readonly foot?: ReactNode;
  readonly height?: number;
  /** Without a border of its own (inside a panel). */
  readonly bare?: boolean;
  /** Called when the last rows come into view. */
  readonly onEnd?: () => void;
  readonly selection?: Selection<T>;
  /** Hears which row the keyboard or a click made the active one. */
  readonly onActive?: (row: T | null) => void;
  /** What single keys do to the active row; true moves on to the next. With them, J and K move as the arrows do. */
  readonly rowKeys?: Readonly<Record<string, (row: T) => boolean>>;
}

/** A virtualised, sortable table. Arrow keys, Home, End and Page keys move the active row; Enter opens it. */
export function DataTable<T>(props: DataTableProps<T>): ReactNode {
  const { label, columns, rows, rowKey, onOpen, empty, foot, height, bare = false, onEnd } = props;
  const { selection, onActive, rowKeys } = props;
  const [sorting, setSorting] = useState<SortingState>(() =>
    props.initialSort === undefined ? [] : [{ ...props.initialSort }],
  );
  const [active, setActive] = useState<number | null>(null);
  const scroller = useRef<HTMLDivElement>(null);

  const defs = useMemo<ColumnDef<typeof features, { item: T }>[]>(
    () =>
      columns.map((column) => ({
        id: column.id,
        header: column.header,
        accessorFn: ({ item }: { item: T }) => column.sortBy?.(item) ?? undefined,
        enableSorting: column.sortBy !== undefined,
        sortFn: 'alphanumeric' as const,
        sortUndefined: 'last' as const,
      })),
    [columns],
  );
  const data = useMemo(() => rows.map((item) => ({ item })), [rows]);
  const table = useTable({ features, columns: defs, data, state: { sorting }, onSortingChange: setSorting });
  const sorted = table.getRowModel().rows;

  const virtualizer = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    // React draws in the frame it finds time in; the browser scrolls on meanwhile.
    useFlushSync: false,
    onChange: (instance) => {
      const last = instance.getVirtualItems().at(-1);
      if (last !== undefined && last.index >= sorted.length - 30) onEnd?.();
    },
  });
  const marks = selection !== undefined;
  const tracks = [...(marks ? [`${BOX}px`] : []), ...columns.map((column) => column.width)].join(' ');
  const minWidth = useMemo(() => minimumWidth(columns) + (marks ? BOX + GAP : 0), [columns, marks]);

  const latest = useRef({ sorted, onOpen, selection, onActive });
  latest.current = { sorted, onOpen, selection, onActive };
  useEffect(() => {
    const row = active === null ? undefined : latest.current.sorted[active];
    latest.current.onActive?.(row?.original.item ?? null);
  }, [active]);
  const markRow = useCallback((index: number): void => {
    const row = latest.current.sorted[index];
    if (row === undefined) return;
    setActive(index);
    latest.current.selection?.onToggle(row.original.item);
  }, []);
  const openRow = useCallback((index: number): void => {
    const row = latest.current.sorted[index];
    if (row === undefined) return;
    setActive(index);
    latest.current.onOpen?.(row.original.item);
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (sorted.length === 0) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const at = active ?? -1;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: sorted.length - 1,
      PageDown: at + page,
      PageUp: at - page,
      ...(rowKeys === undefined ? {} : { j: at + 1, k: at - 1 }),
    };
    if (event.key.length === 1 && (event.ctrlKey || event.metaKey || event.altKey)) return;
    const move = moves[event.key];
    const moveTo = (index: number): void => {
      const next = Math.max(0, Math.min(sorted.length - 1, index));
      setActive(next);
      virtualizer.scrollToIndex(next);
    };
    if (move !== undefined) {
      event.preventDefault();
      moveTo(move);
      return;
    }
    const run = rowKeys?.[event.key];
    const chosen = active === null ? undefined : sorted[active];
    if (run !== undefined && event.target === scroller.current && chosen !== undefined) {
      event.preventDefault();
      if (run(chosen.original.item)) moveTo(at + 1);
      return;
    }
    if (event.key === ' ' && event.target === scroller.current && active !== null && marks) {
      event.preventDefault();
      markRow(active);
      return;
    }
    const current = active === null ? undefined : sorted[active];
    if (event.key === 'Enter' && event.target === scroller.current && current !== undefined)
      onOpen?.(current.original.item);
  };

  return (
    <div
      className={`${styles.frame} ${bare ? styles.bare : ''}`}
      style={height === undefined ? undefined : { height, flex: 'none' }}
    >
      <div
        className={styles.scroller}
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={`${label}: arrow keys move, Enter opens${marks ? ', the space bar marks' : ''}`}
        onKeyDown={onKeyDown}
      >
        <div role="table" aria-label={label} aria-rowcount={sorted.length + 1} style={{ minWidth }}>
          <div role="rowgroup" className={styles.head}>
            <div
              role="row"
              aria-rowindex={1}
              className={styles.headRow}
              style={{ gridTemplateColumns: tracks }}
            >
              {marks ? (
                <div role="columnheader" className={styles.headCell}>
                  <VisuallyHidden>Marked</VisuallyHidden>
                </div>
              ) : null}
              {table.getHeaderGroups()[0]?.headers.map((header, index) => {
                const direction = header.column.getIsSorted();
                const alignment = columns[index]?.align === 'right' ? styles.right : '';
                return (
                  <div
                    key={header.id}
                    role="columnheader"
                    className={`${styles.headCell} ${alignment}`}
                    aria-sort={
                      direction === 'asc'
                        ? 'ascending'
                        : direction === 'desc'
                          ? 'descending'
                          : header.column.getCanSort()
                            ? 'none'
                            : undefined
                    }
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        className={styles.sort}
                        data-sorted={direction !== false || undefined}
                        onClick={header.column.getToggleSortingHandler()}
                      >
                        {columns[index]?.header}
                        {direction === 'asc' ? (
                          <IconArrowUp size={12} aria-hidden />
                        ) : direction === 'desc' ? (
                          <IconArrowDown size={12} aria-hidden />
                        ) : null}
                      </button>
                    ) : (
                      columns[index]?.header
                    )}
                  </div>
                );
              })}
            </div>
          </div>
          <div role="rowgroup" className={styles.body} style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map((item) => {
              const row = sorted[item.index];
              if (row === undefined) return null;
              const value = row.original.item;
              return (
                <Row
                  key={rowKey(value)}
                  value={value}
                  columns={columns}
                  tracks={tracks}
                  index={item.index}
                  start={item.start}
                  active={active === item.index}
                  marked={selection?.keys.has(rowKey(value))}
                  onMark={markRow}
                  onOpen={onOpen === undefined ? undefined : openRow}
                />
              );
            })}
          </div>
        </div>
        {rows.length === 0 ? empty : null}
      </div>
      {foot === undefined ? null : <div className={styles.foot}>{foot}</div>}
    </div>
  );
}
