import { Button, Kbd, Popover, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
import { IconCpu, IconHelpCircle, IconPlus, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import type { VersionRow } from '../../../shared/domain/view/views.ts';
import { call } from '../../api/bridge.ts';
import { notifyProblem } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { queryKey } from '../../api/topics.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatBytes, formatMetric, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Bars } from '../../ui/loaded.tsx';
import { Empty, Page } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { SeverityStatus, Tag, VersionStatus } from '../../ui/status.tsx';
import { Ago, Digest, VersionLink, versionPath } from '../../ui/text.tsx';
import { AddModel } from './add-model.tsx';
import { GRAMMAR } from './search-grammar.ts';

/** Rows asked for at once; all pages are fetched one after another, so that sorting sees every row. */
const PAGE = 1000;
const SEVERITIES = ['none', 'info', 'low', 'medium', 'high', 'critical'];

/** Aliases and tags that fit, and how many more there are. */
function Names({ names }: { readonly names: readonly string[] }): ReactNode {
  const shown = names.slice(0, 2);
  return (
    <span style={{ display: 'flex', gap: 5 }} title={names.join(', ')}>
      {shown.map((name) => (
        <Tag key={name}>{name}</Tag>
      ))}
      {names.length > shown.length ? (
        <span className="dim num">{`+${names.length - shown.length}`}</span>
      ) : null}
    </span>
  );
}

const COLUMNS: readonly Column<VersionRow>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(160px, 2.2fr)',
    sortBy: (row) => `${row.name}@${row.version}`,
    cell: (row) => <VersionLink of={row} />,
  },
  {
    id: 'aliases',
    header: 'Aliases and tags',
    width: 'minmax(150px, 1.5fr)',
    cell: (row) => <Names names={[...row.aliases, ...row.tags]} />,
  },
  {
    id: 'state',
    header: 'State',
    width: '94px',
    sortBy: (row) => row.state,
    cell: (row) => <VersionStatus state={row.state} />,
  },
  {
    id: 'scan',
    header: 'Scan',
    width: '82px',
    sortBy: (row) => SEVERITIES.indexOf(row.worstFinding),
    cell: (row) => <SeverityStatus severity={row.worstFinding} />,
  },
  {
    id: 'auc',
    header: 'ROC AUC',
    width: '64px',
    align: 'right',
    sortBy: (row) => row.rocAuc,
    cell: (row) => formatMetric(row.rocAuc),
  },
  {
    id: 'f1',
    header: 'F1',
    width: '54px',
    align: 'right',
    sortBy: (row) => row.f1,
    cell: (row) => formatMetric(row.f1),
  },
  {
    id: 'size',
    header: 'Size',
    width: '68px',
    align: 'right',
    sortBy: (row) => row.sizeBytes,
    cell: (row) => formatBytes(row.sizeBytes),
  },
  { id: 'digest', header: 'Digest', width: '100px', cell: (row) => <Digest value={row.digest} brief /> },
  {
    id: 'owner',
    header: 'Owner',
    width: 'minmax(80px, 1fr)',
    sortBy: (row) => row.owner,
    cell: (row) => <span title={row.owner}>{row.owner === '' ? '–' : row.owner}</span>,
  },
  {
    id: 'added',
    header: 'Added',
    width: '80px',
    align: 'right',
    sortBy: (row) => Date.parse(row.addedAt),
    cell: (row) => <Ago at={row.addedAt} />,
  },
];

const NARROW_COLUMNS = COLUMNS.filter((column) => column.id !== 'owner');

function SearchHelp({ onPick }: { readonly onPick: (text: string) => void }): ReactNode {
  return (
    <Popover position="bottom-end" shadow="md" width={430} trapFocus>
      <Popover.Target>
        <UnstyledButton
          aria-label="How to search"
          style={{ display: 'flex', color: 'var(--sp-dim)', borderRadius: 4 }}
        >
          <IconHelpCircle size={16} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        {GRAMMAR.map(([example, meaning]) => (
          <UnstyledButton
            key={example}
            onClick={() => onPick(example)}
            style={{
              display: 'grid',
              gridTemplateColumns: '140px 1fr',
              gap: 12,
              padding: '4px 6px',
              width: '100%',
              borderRadius: 4,
              fontSize: '0.78125rem',
            }}
          >
            <span className="mono">{example}</span>
            <span className="dim">{meaning}</span>
          </UnstyledButton>
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}

export function ModelsPage(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const location = useLocation();
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim(), 150);
  const inspect = (location.state as { inspect?: string } | null)?.inspect ?? null;

  const query = useInfiniteQuery({
    queryKey: [...queryKey('models.list', { text: asked }), 'pages'],
    queryFn: ({ pageParam }) => call('models.list', { text: asked, limit: PAGE, offset: pageParam }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.rows.length, 0);
      return last.rows.length === 0 || loaded >= last.total ? null : loaded;
    },
    placeholderData: (former) => former,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  // A wide window has room for whose model it is.
  const wide = useMediaQuery('(min-width: 1500px)');
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total ?? 0;

  const refusal = roleRefusal(operator.roles, 'model.add');
  const browse = async (): Promise<void> => {
    try {
      const { path } = await call('dialogs.open', { kind: 'model' });
      if (path !== null) await navigate('/models', { state: { inspect: path } });
    } catch (error) {
      notifyProblem(error);
    }
  };

  const empty =
    asked === '' ? (
      <Empty
        icon={IconCpu}
        title="No models yet"
        action={
          <GuardedButton refusal={refusal} leftSection={<IconPlus size={15} />} onClick={() => void browse()}>
            Add a model
          </GuardedButton>
        }
      >
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
        No version matches “{asked}”. The question mark beside the search box shows what can be searched for.
      </Empty>
    );

  return (
    <Page
      fill
      title="Models"
      actions={
        <>
          <TextInput
            w={340}
            aria-label="Search versions"
            placeholder="Search: words, state:validated, tag:…"
            data-page-search
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            leftSection={<IconSearch size={14} />}
            rightSection={<SearchHelp onPick={setText} />}
            spellCheck={false}
            onKeyDown={(event) => {
              if (event.key === 'Escape') setText('');
            }}
          />
          <GuardedButton refusal={refusal} leftSection={<IconPlus size={15} />} onClick={() => void browse()}>
            Add a model
          </GuardedButton>
        </>
      }
    >
      {query.isError ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Bars rows={9} height={30} />
      ) : (
        <DataTable
          label="Model versions"
          columns={wide === true ? COLUMNS : NARROW_COLUMNS}
          rows={rows}
          rowKey={(row) => `${row.name}@${row.version}`}
          onOpen={(row) => void navigate(versionPath(row))}
          empty={empty}
          foot={
            <>
              <span className="num">
                {rows.length < total
                  ? `${rows.length} of ${plural(total, 'version')}…`
                  : plural(total, 'version')}
              </span>
              <span>
                Drop an .onnx file anywhere, or press <Kbd size="xs">/</Kbd> to search
              </span>
            </>
          }
        />
      )}
      <AddModel path={inspect} onClose={() => void navigate('/models', { replace: true, state: null })} />
    </Page>
  );
}
