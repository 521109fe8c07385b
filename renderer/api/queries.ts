import { QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { ChannelInput, ChannelName, ChannelOutput } from '../../shared/contract/channels.ts';
import { call } from './bridge.ts';
import { queryKey } from './topics.ts';

/** Cached until the main process says a topic changed: nothing goes stale by itself and nothing is retried blindly. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 10 * 60_000,
        retry: false,
        refetchOnWindowFocus: false,
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

interface CallOptions {
  readonly enabled?: boolean;
  /** Show the former answer while another input's answer is on its way: no jump while typing a search. */
  readonly keepFormer?: boolean;
}

/** A reading channel as a cached query, keyed by topic and input. */
export function useCall<C extends ChannelName>(
  channel: C,
  input: ChannelInput<C>,
  options: CallOptions = {},
): UseQueryResult<ChannelOutput<C>, Error> {
  return useQuery<ChannelOutput<C>, Error>({
    queryKey: queryKey(channel, input),
    queryFn: () => call(channel, input),
    enabled: options.enabled ?? true,
    ...(options.keepFormer === true ? { placeholderData: ((former: unknown) => former) as never } : {}),
  });
}
