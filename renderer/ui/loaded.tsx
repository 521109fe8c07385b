import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Problem } from './problem.tsx';

/** Grey bars in the height of what is coming, so that nothing moves when it is there. */
export function Bars({
  rows = 5,
  height = 28,
}: {
  readonly rows?: number;
  readonly height?: number;
}): ReactNode {
  return (
    <div aria-busy="true" role="status" aria-label="Loading" style={{ display: 'grid', gap: 8, padding: 14 }}>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical bars
        <Skeleton key={index} height={height} radius={4} />
      ))}
    </div>
  );
}

interface LoadedProps<T> {
  readonly query: UseQueryResult<T, Error>;
  readonly skeleton?: ReactNode;
  readonly children: (data: T) => ReactNode;
}

/** A query as one of three things: grey bars, a problem with a way to try again, or the data. */
export function Loaded<T>({ query, skeleton, children }: LoadedProps<T>): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return skeleton ?? <Bars />;
}
