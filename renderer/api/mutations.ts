import { notifications } from '@mantine/notifications';
import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ChannelInput, ChannelName, ChannelOutput } from '../../shared/contract/channels.ts';
import { asProblem, call } from './bridge.ts';
import { areaOf } from './topics.ts';
import { windowHint } from './window-hint.ts';

interface ActionOptions<C extends ChannelName> {
  /** What to say when it is done; null or absent says nothing. */
  readonly done?: (output: ChannelOutput<C>, input: ChannelInput<C>) => string | null;
  /** False where the form itself shows the problem. */
  readonly notifyProblem?: boolean;
}

/** A red notification with message, hint and code. Stays until it is closed: an error must not slip by. */
export function notifyProblem(error: unknown): void {
  const problem = asProblem(error);
  if (problem.code === 'cancelled') return;
  notifications.show({
    color: 'red',
    title: problem.message,
    message: [windowHint(problem), problem.code]
      .filter((part) => part !== undefined && part !== '')
      .join(' · '),
    autoClose: false,
    withBorder: true,
  });
}

export function notifyDone(message: string): void {
  notifications.show({ color: 'green', message, autoClose: 4000, withBorder: true });
}

/** A changing channel as a mutation: says what was done, shows what went wrong, refetches its own area. */
export function useAction<C extends ChannelName>(
  channel: C,
  options: ActionOptions<C> = {},
): UseMutationResult<ChannelOutput<C>, Error, ChannelInput<C>> {
  const client = useQueryClient();
  return useMutation<ChannelOutput<C>, Error, ChannelInput<C>>({
    mutationKey: [channel],
    mutationFn: (input) => call(channel, input),
    onSuccess: (output, input) => {
      // The push event does this too; asking again here keeps the page right even when the event is late.
      void client.invalidateQueries({ queryKey: [areaOf(channel)] });
      const message = options.done?.(output, input) ?? null;
      if (message !== null) notifyDone(message);
    },
    onError: (error) => {
      if (options.notifyProblem !== false) notifyProblem(error);
    },
  });
}
