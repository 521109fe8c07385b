import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ChannelInput, ChannelName, ChannelOutput } from '../../shared/contract/channels.ts';
import type { SallyportError } from '../../shared/domain/errors.ts';
import type { JobProgress } from '../../shared/domain/view/views.ts';
import { asProblem, call, onEvent } from './bridge.ts';
import { areaOf } from './topics.ts';

/** Channels that take a job id: long operations with progress and cancel. */
export type JobChannel = {
  [C in ChannelName]: ChannelInput<C> extends { jobId: string } ? C : never;
}[ChannelName];
type JobInput<C extends JobChannel> = Omit<ChannelInput<C>, 'jobId'>;

export interface Job<C extends JobChannel> {
  readonly running: boolean;
  /** Newest progress report; null before the first. */
  readonly progress: JobProgress | null;
  readonly problem: SallyportError | null;
  /** The answer, or null when the job was cancelled or failed; `problem` then says why. */
  readonly run: (input: JobInput<C>) => Promise<ChannelOutput<C> | null>;
  readonly cancel: () => void;
  readonly clear: () => void;
}

/** One long operation at a time: its id, its progress events, its cancel, its outcome. */
export function useJob<C extends JobChannel>(channel: C): Job<C> {
  const client = useQueryClient();
  const current = useRef<string | null>(null);
  const [running, setRunning] = useState(false);
  const [progress, setProgress] = useState<JobProgress | null>(null);
  const [problem, setProblem] = useState<SallyportError | null>(null);

  useEffect(
    () =>
      onEvent('job.progress', (report) => {
        if (report.jobId === current.current) setProgress(report);
      }),
    [],
  );

  const run = useCallback(
    async (input: JobInput<C>): Promise<ChannelOutput<C> | null> => {
      const jobId = crypto.randomUUID();
      current.current = jobId;
      setRunning(true);
      setProgress(null);
      setProblem(null);
      try {
        const output = await call(channel, { ...input, jobId } as unknown as ChannelInput<C>);
        void client.invalidateQueries({ queryKey: [areaOf(channel)] });
        return output;
      } catch (error) {
        const found = asProblem(error);
        setProblem(found.code === 'cancelled' ? null : found);
        return null;
      } finally {
        current.current = null;
        setRunning(false);
      }
    },
    [channel, client],
  );

  const cancel = useCallback(() => {
    if (current.current !== null) void call('jobs.cancel', { jobId: current.current }).catch(() => undefined);
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { running, progress, problem, run, cancel, clear };
}
