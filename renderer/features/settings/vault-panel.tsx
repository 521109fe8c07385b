import { Group, Stack } from '@mantine/core';
import { IconDatabaseExport, IconKey } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { VaultView } from '../../../shared/domain/view/views.ts';
import { call } from '../../api/bridge.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone, notifyProblem } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { formatBytes, formatCount, formatInstant, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Callout, Facts, Panel } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Ago, Digest, PathText } from '../../ui/text.tsx';
import { backupAdvice, backupName } from './backup-words.ts';
import { RekeyDialog } from './rekey-dialog.tsx';
import { VaultRules } from './vault-rules.tsx';

/** The open vault: what it is, its last backup and change of keys, and the rules an administrator sets. */
export function VaultTab(): ReactNode {
  const query = useCall('vault.about', {});
  const { refetch } = query;
  // Counts move with every entry of the log; asked for anew whenever somebody looks.
  useEffect(() => void refetch(), [refetch]);
  return (
    <Loaded query={query}>
      {(vault) => (
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'repeat(auto-fit, minmax(420px, 1fr))',
            gap: 14,
            alignItems: 'start',
            maxWidth: 1360,
          }}
        >
          <AboutVault vault={vault} />
          <Stack gap={14}>
            <BackupPanel vault={vault} />
            <KeysPanel vault={vault} />
            <VaultRules key={JSON.stringify(vault.settings)} settings={vault.settings} />
          </Stack>
        </div>
      )}
    </Loaded>
  );
}

function AboutVault({ vault }: { readonly vault: VaultView }): ReactNode {
  const { sample } = useSession();
  return (
    <Panel title="Vault">
      <Facts
        items={[
          ['Folder', <PathText key="p">{vault.path}</PathText>],
          ['Vault id', <Digest key="i" value={vault.id} what="vault id" />],
          ['Created', formatInstant(vault.createdAt)],
          [
            'Keys',
            vault.keys === 'keychain'
              ? 'in this computer’s keychain, and wrapped for the recovery key'
              : 'under a passphrase, and wrapped for the recovery key',
          ],
          ['Database', 'SQLCipher 4'],
          [
            'Artifacts',
            `age v1, one file each: ${plural(vault.versions, 'version')}, ${formatBytes(vault.artifactBytes)}`,
          ],
          ['Audit log', plural(vault.auditEntries, 'entry', 'entries')],
          ['Vault’s public key', <Digest key="r" value={vault.recipient} what="public key" />],
          [
            'Recovery key’s public half',
            <Digest key="rr" value={vault.recoveryRecipient} what="public key of the recovery key" />,
          ],
          ['Workspace', sample === null ? null : 'sample'],
        ]}
      />
    </Panel>
  );
}

function BackupPanel({ vault }: { readonly vault: VaultView }): ReactNode {
  const { operator } = useSession();
  const job = useJob('vault.backup');
  const backUp = async (): Promise<void> => {
    try {
      const { path } = await call('dialogs.save', { suggestedName: backupName(vault.id, Date.now()) });
      if (path === null) return;
      const written = await job.run({ path });
      if (written !== null)
        notifyDone(
          `${formatBytes(written.bytes)} written, read back and verified, up to entry ${formatCount(written.auditHead)}: ${written.path}`,
        );
    } catch (error) {
      notifyProblem(error);
    }
  };
  const advice = backupAdvice(vault, Date.now());
  return (
    <Panel
      title="Backup"
      actions={
        <GuardedButton
          size="compact-sm"
          refusal={roleRefusal(operator.roles, 'vault.backup')}
          leftSection={<IconDatabaseExport size={14} />}
          onClick={() => void backUp()}
          disabled={job.running}
        >
          Back up…
        </GuardedButton>
      }
    >
      <Stack gap="sm">
        <Facts
          items={[
            [
              'Last backup',
              vault.lastBackup === null ? (
                'never'
              ) : (
                <span key="b">
                  <Ago at={vault.lastBackup.at} />
                  {`, up to entry ${formatCount(vault.lastBackup.head)} of the log`}
                </span>
              ),
            ],
          ]}
        />
        {advice === null ? null : <Callout tone="warn">{advice}</Callout>}
        <span className="dim">
          One file with the database, every artifact and the wrapped keys; each part is encrypted by itself
          and read back after writing. The recovery key opens it with <span className="mono">tar</span> and{' '}
          <span className="mono">age</span> alone. Keep it on another machine.
        </span>
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Backing up" progress={job.progress} onCancel={job.cancel} unit="bytes" />
        ) : null}
      </Stack>
    </Panel>
  );
}

function KeysPanel({ vault }: { readonly vault: VaultView }): ReactNode {
  const { operator } = useSession();
  const [rekeying, setRekeying] = useState(false);
  return (
    <Panel
      title="Keys"
      actions={
        <Group gap={6}>
          <GuardedButton
            variant="default"
            size="compact-sm"
            refusal={roleRefusal(operator.roles, 'vault.rekey')}
            leftSection={<IconKey size={14} />}
            onClick={() => setRekeying(true)}
          >
            Rekey…
          </GuardedButton>
        </Group>
      }
    >
      <Facts
        items={[
          [
            'Last rekey',
            vault.lastRekey === null ? (
              'never: the keys are those of its creation'
            ) : (
              <Ago key="k" at={vault.lastRekey} />
            ),
          ],
        ]}
      />
      <RekeyDialog vault={vault} opened={rekeying} onClose={() => setRekeying(false)} />
    </Panel>
  );
}
