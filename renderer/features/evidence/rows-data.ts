import {
  type InfiniteData,
  keepPreviousData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback } from 'react';
import type {
  EvidenceRef,
  EvidenceRows,
  RowLabel,
  RowQuery,
  RowVerdict,
} from '../../../shared/domain/evidence/rows.ts';
import { call } from '../../api/bridge.ts';
import { notifyProblem } from '../../api/mutations.ts';

/** Rows asked for at a time. */
const PAGE = 200;

/**
 * Its own head of the cache: looking at rows leaves an entry in the log each time, so a change elsewhere must not ask
 * for them again.
 */
const HEAD = 'rows';

export type Rows = UseInfiniteQueryResult<InfiniteData<EvidenceRows>, Error>;

/** Rows behind a report, a page at a time as they are scrolled to. An answer nobody waits for any more is cancelled. */
export function useRows(query: Omit<RowQuery, 'limit' | 'offset'>): Rows {
  return useInfiniteQuery({
    queryKey: [HEAD, query],
    queryFn: async ({ pageParam, signal }) => {
      const jobId = crypto.randomUUID();
      const stop = (): void => void call('jobs.cancel', { jobId }).catch(() => undefined);
      signal.addEventListener('abort', stop, { once: true });
      try {
        return await call('evidence.rows', { ...query, limit: PAGE, offset: pageParam, jobId });
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    initialPageParam: 0,
    getNextPageParam: (last: EvidenceRows, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.rows.length, 0);
      return last.rows.length > 0 && loaded < last.total ? loaded : undefined;
    },
    placeholderData: keepPreviousData,
  });
}

/** Puts a label into every cached page that shows the row: nothing is looked at again for it. */
export function withLabel(data: InfiniteData<EvidenceRows>, row: number, label: RowLabel | null) {
  return {
    ...data,
    pages: data.pages.map((page) =>
      page.rows.some((one) => one.row === row)
        ? { ...page, rows: page.rows.map((one) => (one.row === row ? { ...one, verdict: label } : one)) }
        : page,
    ),
  };
}

export type Labelling = (row: number, verdict: RowVerdict | null, note: string) => Promise<void>;

/** Says what a row really is, and shows it at once where the row stands. */
export function useLabelling(evidence: EvidenceRef): Labelling {
  const client = useQueryClient();
  return useCallback(
    async (row, verdict, note) => {
      try {
        const label = await call('evidence.labelRow', { evidence, row, verdict, note });
        client.setQueriesData<InfiniteData<EvidenceRows>>(
          {
            predicate: ({ queryKey }) =>
              queryKey[0] === HEAD && (queryKey[1] as RowQuery).evidence.id === evidence.id,
          },
          (data) => (data === undefined ? data : withLabel(data, row, label)),
        );
      } catch (error) {
        notifyProblem(error);
      }
    },
    [client, evidence],
  );
}
