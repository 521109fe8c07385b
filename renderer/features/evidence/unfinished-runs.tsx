import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import type { UnfinishedRun } from '../../../shared/domain/evidence/unfinished.ts';
import { useJob } from '../../api/jobs.ts';
import { useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { formatCount, formatShare } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Ago } from '../../ui/text.tsx';
import styles from './data.module.css';

/** Runs that the end of the program interrupted: each can go on where it was, or be given up. */
export function UnfinishedRuns({ kind }: { readonly kind: UnfinishedRun['kind'] }): ReactNode {
  const query = useCall('evidence.unfinished', {});
  const runs = (query.data ?? []).filter((run) => run.kind === kind);
  if (runs.length === 0) return null;
  return (
    <section className={styles.runs} aria-label="Unfinished runs" style={{ marginBottom: 14 }}>
      {runs.map((run) => (
        <Run key={run.id} run={run} />
      ))}
    </section>
  );
}

function Run({ run }: { readonly run: UnfinishedRun }): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const job = useJob('evidence.resume');
  const discard = useAction('evidence.discard', { done: () => `${run.title} was given up.` });
  const [asking, setAsking] = useState(false);
  const refusal = roleRefusal(operator.roles, 'validation.run');
  const { rowsDone, rowsTotal } = run;
  const resume = async (): Promise<void> => {
    const made = await job.run({ id: run.id });
    if (made !== null) await navigate(`/${made.kind === 'validation' ? 'validate' : 'compare'}/${made.id}`);
  };
  return (
    <Callout tone="accent">
      {job.running ? (
        <JobProgressBar label={run.title} progress={job.progress} onCancel={job.cancel} unit="rows" />
      ) : (
        <div className={styles.run}>
          <span style={{ flex: 1, minWidth: 240 }}>
            <strong style={{ fontWeight: 500 }}>{run.title}</strong>{' '}
            {`was interrupted after ${formatCount(rowsDone)}${
              rowsTotal === null
                ? ' rows'
                : ` of ${formatCount(rowsTotal)} rows (${formatShare(rowsDone / Math.max(1, rowsTotal), 0)})`
            }`}
            <span className="dim">
              {' '}
              · started by {run.startedBy} <Ago at={run.startedAt} />
            </span>
          </span>
          <GuardedButton refusal={refusal} onClick={() => void resume()}>
            Go on with it
          </GuardedButton>
          <Button variant="default" onClick={() => setAsking(true)} disabled={refusal !== null}>
            Give it up
          </Button>
        </div>
      )}
      {job.problem === null ? null : <Problem error={job.problem} />}
      <Ask
        opened={asking}
        onClose={() => setAsking(false)}
        title="Give the run up?"
        confirm="Give it up"
        danger
        pending={discard.isPending}
        onConfirm={() => discard.mutate({ id: run.id }, { onSuccess: () => setAsking(false) })}
      >
        What it has measured so far is removed. The data and the model stay, and it can be run anew.
      </Ask>
    </Callout>
  );
}
