import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { RolloutView } from '../../shared/domain/view/views.ts';
import { onEvent } from './bridge.ts';
import { queryKey, staleAreas } from './topics.ts';

/** Puts a pushed rollout into every cached answer that shows it, so that charts move without a call. */
export function applyRollout(client: QueryClient, view: RolloutView): void {
  client.setQueryData(queryKey('rollouts.get', { id: view.state.id }), view);
  client.setQueryData<RolloutView[]>(queryKey('rollouts.list', {}), (list) =>
    list?.map((item) => (item.state.id === view.state.id ? view : item)),
  );
}

/** Keeps the cache in step with the main process for as long as the window lives. */
export function useLiveCache(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stops = [
      onEvent('invalidated', ({ topics }) => {
        for (const area of staleAreas(topics)) void client.invalidateQueries({ queryKey: [area] });
      }),
      onEvent('rollout.updated', (view) => applyRollout(client, view)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client]);
}
