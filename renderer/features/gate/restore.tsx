import { Button, Group, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useJob } from '../../api/jobs.ts';
import { useAdoptSession } from '../../api/session.ts';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { FilePicker } from '../../ui/pickers.tsx';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';

/** Puts a backup into the vault's empty place. Everything in it is checked before anything is there. */
export function Restore({
  onBack,
  onRestored,
}: {
  readonly onBack: () => void;
  readonly onRestored: (path: string) => void;
}): ReactNode {
  const [path, setPath] = useState<string | null>(null);
  const adopt = useAdoptSession();
  const job = useJob('vault.restore');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (path === null || job.running) return;
    const session = await job.run({ path });
    if (session === null) return;
    onRestored(path);
    adopt(session);
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h1 className={styles.title}>Restore from a backup</h1>
      <p className={styles.lead}>
        Every file of it is read, hashed and compared with its signed list first. An incomplete or altered
        backup is refused as a whole, and this place stays empty.
      </p>
      <Stack gap="sm">
        <FilePicker
          label="Backup"
          kind="backup"
          path={path}
          hint="A file made by Back up…"
          onPick={(next) => {
            setPath(next);
            job.clear();
          }}
        />
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Restoring" progress={job.progress} onCancel={job.cancel} unit="bytes" />
        ) : (
          <Group justify="space-between">
            <Button variant="default" size="sm" onClick={onBack}>
              Back
            </Button>
            <Button type="submit" size="sm" disabled={path === null}>
              Restore
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
