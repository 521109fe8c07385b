import { Button, Checkbox, Group, Modal, PasswordInput, Radio, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { ChannelOutput } from '../../../shared/contract/channels.ts';
import { REKEY_CHOICES } from '../../../shared/domain/vault/rekey-words.ts';
import type { VaultView } from '../../../shared/domain/view/views.ts';
import { useJob } from '../../api/jobs.ts';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { RecoveryKey } from '../gate/recovery-key.tsx';
import { rekeyDone } from './rekey-words.ts';

type Rekeyed = ChannelOutput<'vault.rekey'>;

interface RekeyDialogProps {
  readonly vault: VaultView;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** New keys for the vault, with what that does and what it cannot do. A new recovery key is confirmed before it goes. */
export function RekeyDialog({ vault, opened, onClose }: RekeyDialogProps): ReactNode {
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<Rekeyed | null>(null);
  const unread = done !== null && done.recoveryKey !== null;
  const close = (): void => {
    setDone(null);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      // Neither the work nor a key that is shown once is lost to a click beside it.
      onClose={() => (busy || unread ? undefined : close())}
      withCloseButton={!busy && !unread}
      closeOnEscape={!busy && !unread}
      closeOnClickOutside={false}
      title={unread ? 'Your new recovery key' : done === null ? 'Rekey the vault' : 'The vault has new keys'}
      size={620}
    >
      {!opened ? null : done === null ? (
        <Choose vault={vault} onBusy={setBusy} onDone={setDone} onClose={close} />
      ) : done.recoveryKey !== null ? (
        <Stack gap="sm">
          <div className="no-print">
            <Done done={done} />
          </div>
          <RecoveryKey
            value={done.recoveryKey}
            vaultId={vault.id}
            next="Done"
            onStored={() => setDone({ ...done, recoveryKey: null })}
          />
        </Stack>
      ) : (
        <Stack gap="md">
          <Done done={done} />
          <Group justify="flex-end">
            <Button onClick={close} data-autofocus>
              Close
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

function Done({ done }: { readonly done: Rekeyed }): ReactNode {
  return (
    <Callout tone="ok">
      {rekeyDone(done).map((sentence) => (
        <div key={sentence}>{sentence}</div>
      ))}
    </Callout>
  );
}

function Choose({
  vault,
  onBusy,
  onDone,
  onClose,
}: {
  readonly vault: VaultView;
  readonly onBusy: (busy: boolean) => void;
  readonly onDone: (done: Rekeyed) => void;
  readonly onClose: () => void;
}): ReactNode {
  const [full, setFull] = useState(false);
  const [newRecoveryKey, setNewRecoveryKey] = useState(false);
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const job = useJob('vault.rekey');
  const byPassphrase = vault.keys === 'passphrase';
  const issue = byPassphrase && passphrase !== again ? 'The two passphrases differ.' : null;
  const ready = !byPassphrase || (passphrase !== '' && issue === null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!ready || job.running) return;
    onBusy(true);
    const done = await job.run({ full, newRecoveryKey, passphrase: byPassphrase ? passphrase : null });
    onBusy(false);
    if (done !== null) onDone(done);
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="md">
        <Radio.Group
          label="How far"
          value={full ? 'full' : 'plain'}
          onChange={(value) => setFull(value === 'full')}
        >
          <Stack gap={10} mt={6}>
            <Radio
              size="xs"
              value="plain"
              disabled={job.running}
              label="New keys for the vault"
              description={REKEY_CHOICES.plain}
            />
            <Radio
              size="xs"
              value="full"
              disabled={job.running}
              label="… and every artifact encrypted again"
              description={`${REKEY_CHOICES.full} ${REKEY_CHOICES.always}`}
            />
          </Stack>
        </Radio.Group>
        <Checkbox
          size="xs"
          label="A new recovery key as well"
          description="The present one stops opening the vault as it will be. The new one is shown once, to be stored."
          checked={newRecoveryKey}
          disabled={job.running}
          onChange={(event) => setNewRecoveryKey(event.currentTarget.checked)}
        />
        {byPassphrase ? (
          <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
            <PasswordInput
              label="Vault passphrase from now on"
              description="the present one, or a new one"
              value={passphrase}
              onChange={(event) => setPassphrase(event.currentTarget.value)}
              disabled={job.running}
              autoComplete="new-password"
            />
            <PasswordInput
              label="Again"
              description="as typed before"
              value={again}
              onChange={(event) => setAgain(event.currentTarget.value)}
              error={again === '' ? null : issue}
              disabled={job.running}
              autoComplete="new-password"
            />
          </div>
        ) : null}
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Rekeying" progress={job.progress} onCancel={job.cancel} unit="bytes" />
        ) : (
          <>
            <span className="dim">
              Killed at any step, it is finished or undone at the next start. Other windows and commands on
              this vault have to be closed first.
            </span>
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" disabled={!ready}>
                Rekey now
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </form>
  );
}
