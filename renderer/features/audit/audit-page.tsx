import { Button, Menu, Modal } from '@mantine/core';
import {
  IconChevronDown,
  IconDownload,
  IconFileCertificate,
  IconFileSearch,
  IconHistory,
  IconShieldCheck,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import type { AuditEntry } from '../../../shared/domain/audit/entry.ts';
import { call } from '../../api/bridge.ts';
import { notifyDone, notifyProblem, useAction } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { queryKey } from '../../api/topics.ts';
import { subjectOf } from '../../ui/audit-words.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatInstant, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Bars } from '../../ui/loaded.tsx';
import { Empty, Page } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { QueryInput } from '../../ui/query-field.tsx';
import { Digest, Truncated } from '../../ui/text.tsx';
import { useSearch } from '../../ui/use-search.ts';
import { ACTIONS, EXAMPLES, FIELDS, searchProblemOf } from './audit-search.ts';
import { EntryDrawer } from './entry-drawer.tsx';
import { SweepDialog } from './sweep-dialog.tsx';
import { VerdictCard } from './verdict-card.tsx';
import { VerifyFile } from './verify-file.tsx';

const PAGE = 200;

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    id: 'seq',
    header: '#',
    width: '52px',
    align: 'right',
    cell: (entry) => <span className="dim">{formatCount(entry.seq)}</span>,
  },
  {
    id: 'at',
    header: 'When',
    width: '154px',
    cell: (entry) => <span className="num">{formatInstant(entry.at)}</span>,
  },
  {
    id: 'actor',
    header: 'Who',
    width: 'minmax(70px, 0.6fr)',
    cell: (entry) => <Truncated>{entry.actor}</Truncated>,
  },
  {
    id: 'action',
    header: 'Action',
    width: '164px',
    cell: (entry) => <span className="mono">{entry.action}</span>,
  },
  {
    id: 'subject',
    header: 'Subject',
    width: 'minmax(200px, 2.4fr)',
    cell: (entry) => <Truncated title={entry.subject}>{subjectOf(entry)}</Truncated>,
  },
  {
    id: 'details',
    header: 'Details',
    width: 'minmax(96px, 1.4fr)',
    cell: (entry) => (
      <span className="dim">
        <Truncated mono>
          {Object.keys(entry.details).length === 0 ? '' : JSON.stringify(entry.details)}
        </Truncated>
      </span>
    ),
  },
  {
    id: 'hash',
    header: 'Hash',
    width: '104px',
    cell: (entry) => <Digest value={entry.hash} what="entry hash" brief />,
  },
];

export function AuditPage(): ReactNode {
  const { operator } = useSession();
  const location = useLocation();
  const { text, setText, asked, problem } = useSearch(searchProblemOf);
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const verify = useAction('audit.verify');
  const [dialog, setDialog] = useState<'file' | 'sweep' | null>(null);
  const exportRefusal = roleRefusal(operator.roles, 'audit.export');
  const query = useInfiniteQuery({
    queryKey: [...queryKey('audit.list', { text: asked }), 'pages'],
    queryFn: ({ pageParam }) => call('audit.list', { before: pageParam, limit: PAGE, text: asked }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.entries.length < PAGE ? undefined : last.entries.at(-1)?.seq),
    placeholderData: (former) => former,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const entries = useMemo(() => query.data?.pages.flatMap((page) => page.entries) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total ?? 0;
  const values = useMemo(
    () => ({ action: ACTIONS, actor: [...new Set(entries.map((entry) => entry.actor))].sort() }),
    [entries],
  );

  // The palette's "Verify the audit log" arrives with this wish; it is granted once.
  const wished = useRef(false);
  const wish = (location.state as { verify?: boolean } | null)?.verify === true;
  const { mutate } = verify;
  useEffect(() => {
    if (wish && !wished.current) {
      wished.current = true;
      mutate({});
    }
  }, [wish, mutate]);

  const runExport = async (): Promise<void> => {
    try {
      const { path } = await call('dialogs.save', { suggestedName: 'audit.jsonl' });
      if (path === null) return;
      const written = await call('audit.export', { path });
      notifyDone(`${plural(written.entries, 'entry', 'entries')} written to ${written.path}`);
    } catch (error) {
      notifyProblem(error);
    }
  };

  return (
    <Page
      fill
      title="Audit"
      note="Every change, hash-chained and signed."
      actions={
        <>
          <div style={{ width: 380 }}>
            <QueryInput
              label="Search the log"
              placeholder="Words, actor:ada, action:model.*, after:2026-06"
              value={text}
              onChange={setText}
              fields={FIELDS}
              examples={EXAMPLES}
              problem={problem}
              values={values}
            />
          </div>
          <Menu position="bottom-end" width={270} shadow="md" transitionProps={{ duration: 80 }}>
            <Menu.Target>
              <Button variant="default" rightSection={<IconChevronDown size={14} />}>
                More
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                leftSection={<IconDownload size={15} />}
                disabled={exportRefusal !== null}
                onClick={() => void runExport()}
              >
                Export the log…
                {exportRefusal === null ? null : (
                  <div style={{ fontSize: '0.71875rem', whiteSpace: 'normal' }}>{exportRefusal}</div>
                )}
              </Menu.Item>
              <Menu.Item leftSection={<IconFileCertificate size={15} />} onClick={() => setDialog('file')}>
                Verify an exported log…
              </Menu.Item>
              <Menu.Item leftSection={<IconFileSearch size={15} />} onClick={() => setDialog('sweep')}>
                Check every model file…
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <GuardedButton
            refusal={roleRefusal(operator.roles, 'audit.verify')}
            leftSection={<IconShieldCheck size={15} />}
            loading={verify.isPending}
            onClick={() => verify.mutate({})}
          >
            Verify now
          </GuardedButton>
        </>
      }
    >
      {verify.data === undefined ? null : (
        <VerdictCard
          verdict={verify.data}
          onClose={() => verify.reset()}
          onOpen={(seq) => setOpen(entries.find((entry) => entry.seq === seq) ?? null)}
        />
      )}
      {query.isError && query.data === undefined ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Bars rows={10} height={30} />
      ) : (
        <DataTable
          label="Audit log"
          columns={COLUMNS}
          rows={entries}
          rowKey={(entry) => String(entry.seq)}
          onOpen={setOpen}
          onEnd={() => {
            if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
          }}
          empty={
            <Empty
              icon={IconHistory}
              title={asked === '' ? 'The log is empty' : 'Nothing matches'}
              {...(asked === ''
                ? {}
                : {
                    action: (
                      <Button variant="default" onClick={() => setText('')}>
                        Clear the search
                      </Button>
                    ),
                  })}
            >
              {asked === ''
                ? 'Its first entry is the creation of the vault.'
                : `No entry matches “${asked}”. The question mark in the search box shows what can be searched for.`}
            </Empty>
          }
          foot={
            <span className="num">
              {entries.length < total
                ? `${formatCount(entries.length)} of ${plural(total, 'entry', 'entries')} loaded; scroll for more`
                : plural(total, 'entry', 'entries')}
            </span>
          }
        />
      )}
      <Modal
        opened={dialog === 'file'}
        onClose={() => setDialog(null)}
        title="Verify an exported log"
        size={680}
        closeOnClickOutside={false}
      >
        {dialog === 'file' ? <VerifyFile plain onBack={() => setDialog(null)} /> : null}
      </Modal>
      <SweepDialog opened={dialog === 'sweep'} onClose={() => setDialog(null)} />
      <EntryDrawer entry={open} onClose={() => setOpen(null)} />
    </Page>
  );
}
