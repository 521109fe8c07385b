import { Button, Group, Modal, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { ChannelOutput } from '../../../shared/contract/channels.ts';
import { useJob } from '../../api/jobs.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { formatBytes, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Callout, Panel, SimpleTable } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';

type Swept = ChannelOutput<'models.verify'>;

/** Reads every model file of the vault, decrypts and hashes it, and compares it with its record. */
export function SweepDialog({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [busy, setBusy] = useState(false);
  return (
    <Modal
      opened={opened}
      onClose={() => (busy ? undefined : onClose())}
      withCloseButton={!busy}
      title="Check every model file"
      size={640}
      closeOnClickOutside={false}
    >
      {opened ? <Sweep onBusy={setBusy} onClose={onClose} /> : null}
    </Modal>
  );
}

function Sweep({
  onBusy,
  onClose,
}: {
  readonly onBusy: (busy: boolean) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { operator } = useSession();
  const [result, setResult] = useState<Swept | null>(null);
  const job = useJob('models.verify');
  const sweep = async (): Promise<void> => {
    setResult(null);
    onBusy(true);
    setResult(await job.run({ ref: null }));
    onBusy(false);
  };
  return (
    <Stack gap="md">
      <span className="dim">
        Every file is read, decrypted and hashed: a flipped byte, a cut, a swap, a missing or a foreign file
        is found. It runs beside other work and changes nothing.
      </span>
      {result === null ? null : result.bad.length === 0 ? (
        <Callout tone="ok">
          {`${plural(result.checked, 'file')}, ${formatBytes(result.bytes)}: every one is what its record says.`}
        </Callout>
      ) : (
        <>
          <Callout tone="bad">
            {`${plural(result.bad.length, 'problem')} in ${plural(result.checked, 'file')}. None of these is loaded or exported until its bytes are restored from a backup.`}
          </Callout>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
          <div tabIndex={0} style={{ maxHeight: '40vh', overflow: 'auto' }}>
            <Panel title="Found" flush>
              <SimpleTable
                label="Files with a problem"
                columns={['File', 'Problem']}
                rows={result.bad.map((item) => ({
                  key: `${item.ref} ${item.problem}`,
                  cells: [
                    <span key="r" style={{ fontWeight: 500, overflowWrap: 'anywhere' }}>
                      {item.ref}
                    </span>,
                    item.problem,
                  ],
                }))}
              />
            </Panel>
          </div>
        </>
      )}
      {job.problem === null ? null : <Problem error={job.problem} />}
      {job.running ? (
        <JobProgressBar label="Checking" progress={job.progress} onCancel={job.cancel} unit="bytes" />
      ) : (
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <GuardedButton refusal={roleRefusal(operator.roles, 'model.verify')} onClick={() => void sweep()}>
            {result === null ? 'Check all' : 'Check again'}
          </GuardedButton>
        </Group>
      )}
    </Stack>
  );
}
