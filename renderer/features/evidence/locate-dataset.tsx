import { Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { call } from '../../api/bridge.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone, notifyProblem } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { fileName } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Problem } from '../../ui/problem.tsx';

/** The file of a dataset has moved: asks where it is. Its digest decides whether it is the one. */
export function LocateDataset({
  digest,
  onFound,
}: {
  readonly digest: string;
  readonly onFound: () => void;
}): ReactNode {
  const { operator } = useSession();
  const job = useJob('evidence.locate');
  const ask = async (): Promise<void> => {
    try {
      const { path } = await call('dialogs.open', { kind: 'dataset' });
      if (path === null) return;
      const record = await job.run({ digest, path });
      if (record === null) return;
      notifyDone(`${fileName(record.path)} is the same data; it is read from there now.`);
      onFound();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <div style={{ marginTop: 10 }}>
      {job.problem === null ? null : <Problem error={job.problem} />}
      {job.running ? (
        <JobProgressBar
          label="Checking the file"
          progress={job.progress}
          onCancel={job.cancel}
          unit="bytes"
        />
      ) : (
        <Group justify="flex-end" mt={8}>
          <GuardedButton
            refusal={roleRefusal(operator.roles, 'dataset.register')}
            variant="default"
            onClick={() => void ask()}
          >
            Locate the file…
          </GuardedButton>
        </Group>
      )}
    </div>
  );
}
