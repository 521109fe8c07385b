import { Button, CopyButton, Group, Stack, TextInput } from '@mantine/core';
import { IconCheck, IconCopy, IconFileDownload, IconPrinter } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { recoveryKeyGroups } from '../../../shared/domain/vault/recovery-kit.ts';
import { call } from '../../api/bridge.ts';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { PathText } from '../../ui/text.tsx';
import styles from './entrance.module.css';
import { isLastGroup } from './recovery-words.ts';

interface RecoveryKeyProps {
  readonly value: string;
  readonly vaultId: string | null;
  /** Heading: none where a dialog has one already. */
  readonly title?: string;
  /** What the button that goes on says. */
  readonly next: string;
  readonly onStored: () => void;
}

/** The recovery key, shown this once: copied, saved as a kit, or printed. Going on takes its last group. */
export function RecoveryKey({ value, vaultId, title, next, onStored }: RecoveryKeyProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [saved, setSaved] = useState<string | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const shown = isLastGroup(value, typed);
  const wrong = typed.trim().length >= 4 && !shown;

  const save = async (): Promise<void> => {
    setProblem(null);
    try {
      const name = `sallyport-recovery-kit${vaultId === null ? '' : `-${vaultId.slice(0, 8)}`}.html`;
      const { path } = await call('dialogs.save', { suggestedName: name });
      if (path === null) return;
      setSaved((await call('vault.saveRecoveryKit', { path, recoveryKey: value })).path);
    } catch (error) {
      setProblem(error);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (shown) onStored();
  };
  return (
    <form onSubmit={submit} data-print-sheet>
      <Stack gap="md">
        <div>
          {title === undefined ? null : <h1 className={styles.title}>{title}</h1>}
          <p className={styles.lead} style={{ marginBottom: 0 }}>
            It opens this vault when the keychain or the passphrase is lost, and every artifact in it with any{' '}
            <span className="mono">age</span> program.
          </p>
        </div>
        <div className={`${styles.key} mono`} data-testid="recovery-key">
          {recoveryKeyGroups(value).map((group, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the groups of a key are their places
            <span key={at} className={styles.group}>
              {group}
            </span>
          ))}
        </div>
        <Group gap="xs" className="no-print">
          <Button
            variant="default"
            leftSection={<IconFileDownload size={15} />}
            onClick={() => void save()}
            data-autofocus
          >
            Save kit…
          </Button>
          <Button variant="default" leftSection={<IconPrinter size={15} />} onClick={() => window.print()}>
            Print kit
          </Button>
          <CopyButton value={value} timeout={2000}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
                onClick={copy}
              >
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
        {saved === null ? null : (
          <div className="no-print" role="status" style={{ display: 'flex', gap: 6, minWidth: 0 }}>
            <span style={{ whiteSpace: 'nowrap' }}>Kit saved to</span> <PathText>{saved}</PathText>
          </div>
        )}
        {problem === null ? null : <Problem error={problem} />}
        <PrintedSteps vaultId={vaultId} />
        <Callout tone="warn">
          It is shown only now and kept nowhere else. Whoever holds it can read the vault: put it on paper in
          a safe, not on this computer.
        </Callout>
        <TextInput
          className="no-print"
          label="Type the last group of the key"
          description="Read it from the copy you have put away: it shows that the copy can be read."
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value.toUpperCase())}
          error={wrong ? 'That is not how the key ends.' : null}
          maxLength={8}
          w={300}
          autoComplete="off"
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', letterSpacing: '0.08em' } }}
        />
        <Button className="no-print" type="submit" size="sm" disabled={!shown}>
          {next}
        </Button>
      </Stack>
    </form>
  );
}

/** What the paper has to say to somebody who finds it in ten years. */
function PrintedSteps({ vaultId }: { readonly vaultId: string | null }): ReactNode {
  return (
    <div className={styles.printed}>
      <h2>Sallyport recovery kit</h2>
      <p>
        Vault <span className="mono">{vaultId ?? ''}</span>
      </p>
      <ol>
        <li>
          With Sallyport: start it with the vault’s folder, choose “Use the recovery key” and type the key
          without its gaps; or <span className="mono">sallyport recover</span>.
        </li>
        <li>
          Without Sallyport: write the key into a file <span className="mono">key.txt</span>, then{' '}
          <span className="mono">age -d -i key.txt artifacts/…/….age &gt; model.onnx</span> opens any
          artifact.
        </li>
        <li>Keep this sheet where nobody passes by. Whoever reads it can read the vault.</li>
      </ol>
    </div>
  );
}
