import { Button, Kbd } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowsDiff, IconCpu, IconPlus, IconRecycle, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionRow } from '../../../shared/domain/view/views.ts';
import { call } from '../../api/bridge.ts';
import { notifyProblem } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { queryKey } from '../../api/topics.ts';
import { Chips } from '../../ui/chips.tsx';
import { DataTable } from '../../ui/data-table.tsx';
import { plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Bars } from '../../ui/loaded.tsx';
import { Empty, Page } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { hasTerm, toggleTerm } from '../../ui/query-completion.ts';
import { QueryInput } from '../../ui/query-field.tsx';
import { versionPath } from '../../ui/text.tsx';
import { useSearch } from '../../ui/use-search.ts';
import { AddModel } from './add-model.tsx';
import { CollectDialog } from './collect-dialog.tsx';
import { diffPath } from './diff-path.ts';
import { COLUMNS, NARROW_COLUMNS } from './model-columns.tsx';
import { EXAMPLES, FIELDS, FILTERS, searchProblemOf } from './search-grammar.ts';

/** Rows asked for at once; all pages are fetched one after another, so that sorting sees every row. */
const PAGE = 1000;

/**
 * How many of the fetched pages the table takes in. Each time it lays out every row, so it takes them by doubling
 * until all are there: twice the work of one go, whatever their number.
 */
function shownPages(fetched: number, more: boolean): number {
  return more ? 2 ** Math.floor(Math.log2(Math.max(1, fetched))) : fetched;
}

/** The rows of these pages; the same array for as long as the pages are the same, so that the table stays as it is. */
function useRows(pages: readonly { readonly rows: readonly VersionRow[] }[]): readonly VersionRow[] {
  const kept = useRef<{ pages: typeof pages; rows: readonly VersionRow[] }>({ pages: [], rows: [] });
  const { current } = kept;
  if (pages.length !== current.pages.length || pages.some((page, at) => page !== current.pages[at]))
    kept.current = { pages, rows: pages.flatMap((page) => page.rows) };
  return kept.current.rows;
}

const rowKey = (row: VersionRow): string => formatRef(row);

export function ModelsPage(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const location = useLocation();
  const { text, setText, asked, problem } = useSearch(searchProblemOf);
  const [marked, setMarked] = useState<readonly string[]>([]);
  const state = location.state as { inspect?: string; collect?: boolean } | null;
  const inspect = state?.inspect ?? null;

  const query = useInfiniteQuery({
    queryKey: [...queryKey('models.list', { text: asked }), 'pages'],
    queryFn: ({ pageParam }) => call('models.list', { text: asked, limit: PAGE, offset: pageParam }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.rows.length, 0);
      return last.rows.length === 0 || loaded >= last.total ? null : loaded;
    },
    placeholderData: (former) => former,
    // With every page it would compare all rows of all pages before it, field by field.
    structuralSharing: false,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (!hasNextPage || isFetchingNextPage) return;
    // A page takes some milliseconds to read: between two frames of somebody who scrolls, not in one.
    const waiting = requestIdleCallback(() => void fetchNextPage(), { timeout: 250 });
    return () => cancelIdleCallback(waiting);
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const wide = useMediaQuery('(min-width: 1500px)');
  const pages = query.data?.pages;
  const shown = pages === undefined ? 0 : shownPages(pages.length, hasNextPage);
  const rows = useRows(pages?.slice(0, shown) ?? []);
  const total = query.data?.pages[0]?.total ?? 0;
  const keys = useMemo(() => new Set(marked), [marked]);

  const refusal = roleRefusal(operator.roles, 'model.add');
  const browse = async (): Promise<void> => {
    try {
      const { path } = await call('dialogs.open', { kind: 'model' });
      if (path !== null) await navigate('/models', { state: { inspect: path } });
    } catch (error) {
      notifyProblem(error);
    }
  };
  const clear = (): void => void navigate('/models', { replace: true, state: null });
  const add = (
    <GuardedButton refusal={refusal} leftSection={<IconPlus size={15} />} onClick={() => void browse()}>
      Add a model
    </GuardedButton>
  );

  const empty =
    asked === '' ? (
      <Empty icon={IconCpu} title="No models yet" action={add}>
        Drag an ONNX file into this window, or choose one. It is read by a bounded parser and scanned before
        anything is stored or run.
      </Empty>
    ) : (
      <Empty
        icon={IconSearch}
        title="Nothing matches"
        action={
          <Button variant="default" onClick={() => setText('')}>
            Clear the search
          </Button>
        }
      >
        No version matches “{asked}”. The question mark in the search box shows what can be searched for.
      </Empty>
    );
  const [first, second] = marked;

  return (
    <Page
      fill
      title="Models"
      actions={
        <>
          <div style={{ width: wide === true ? 520 : 400 }}>
            <QueryInput
              label="Search versions"
              placeholder="Words, state:validated, metric.roc_auc>0.98, …"
              value={text}
              onChange={setText}
              fields={FIELDS}
              examples={EXAMPLES}
              problem={problem}
            />
          </div>
          {add}
        </>
      }
    >
      <div style={{ display: 'flex', alignItems: 'center', gap: 12, marginBottom: 10 }}>
        <div style={{ flex: 1, minWidth: 0 }}>
          <Chips
            label="Filters"
            items={FILTERS.map(({ label, term, instead }) => ({
              key: term,
              label,
              on: hasTerm(text, term),
              onToggle: () => setText(toggleTerm(text, term, instead)),
            }))}
          />
        </div>
        {first !== undefined ? (
          <>
            <span className="dim num">{`${marked.length} marked`}</span>
            <Button variant="subtle" size="compact-sm" onClick={() => setMarked([])}>
              Unmark
            </Button>
            <GuardedButton
              variant="default"
              refusal={second === undefined ? 'Mark a second version to compare it with.' : null}
              leftSection={<IconArrowsDiff size={15} />}
              onClick={() => {
                if (second !== undefined) void navigate(diffPath(first, second));
              }}
            >
              Compare the two
            </GuardedButton>
          </>
        ) : (
          <GuardedButton
            variant="default"
            refusal={roleRefusal(operator.roles, 'model.collect')}
            leftSection={<IconRecycle size={15} />}
            onClick={() => void navigate('/models', { state: { collect: true } })}
          >
            Free space…
          </GuardedButton>
        )}
      </div>
      {query.isError && query.data === undefined ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Bars rows={9} height={30} />
      ) : (
        <DataTable
          label="Model versions"
          columns={wide === true ? COLUMNS : NARROW_COLUMNS}
          rows={rows}
          rowKey={rowKey}
          onOpen={(row) => void navigate(versionPath(row))}
          selection={{
            keys,
            // Two can be compared: a third takes the place of the one marked before.
            onToggle: (row) =>
              setMarked((former) =>
                former.includes(rowKey(row))
                  ? former.filter((key) => key !== rowKey(row))
                  : [...former.slice(-1), rowKey(row)],
              ),
          }}
          empty={empty}
          foot={
            <>
              <span className="num">
                {rows.length < total
                  ? `${rows.length} of ${plural(total, 'version')}…`
                  : plural(total, 'version')}
              </span>
              <span>
                <Kbd size="xs">/</Kbd> searches, <Kbd size="xs">Space</Kbd> marks two to compare
              </span>
            </>
          }
        />
      )}
      <AddModel path={inspect} onClose={clear} />
      <CollectDialog opened={state?.collect === true} onClose={clear} />
    </Page>
  );
}
