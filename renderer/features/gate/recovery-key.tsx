import { Button, Checkbox, CopyButton, Group, Stack } from '@mantine/core';
import { IconCheck, IconCopy, IconPrinter } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Callout } from '../../ui/page.tsx';
import styles from './entrance.module.css';

/** The key's fixed beginning, then groups of four, each with its place: for reading; copied, it is one word. */
function groupsOf(key: string): readonly (readonly [number, string])[] {
  const start = /^AGE-SECRET-KEY-(?:PQ-)?1/.exec(key)?.[0] ?? '';
  const groups = key.slice(start.length).match(/.{1,4}/g) ?? [];
  const parts = start === '' ? groups : [start, ...groups];
  return parts.map((group, place) => [place, group]);
}

/** The recovery key, shown this once. Going on takes an explicit confirmation. */
export function RecoveryKey({
  value,
  onStored,
}: {
  readonly value: string;
  readonly onStored: () => void;
}): ReactNode {
  const [stored, setStored] = useState(false);
  return (
    <Stack gap="md">
      <div>
        <h1 className={styles.title}>Your recovery key</h1>
        <p className={styles.lead} style={{ marginBottom: 0 }}>
          It opens this vault when the keychain or the passphrase is lost. It is an age identity:{' '}
          <span className="mono" style={{ whiteSpace: 'nowrap' }}>
            age -d -i key.txt
          </span>{' '}
          opens every artifact with it.
        </p>
      </div>
      <div className={`${styles.key} mono`} data-testid="recovery-key">
        {groupsOf(value).map(([at, group]) => (
          <span key={at} className={styles.group}>
            {group}
          </span>
        ))}
      </div>
      <Group gap="xs" className="no-print">
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
        <Button variant="default" leftSection={<IconPrinter size={15} />} onClick={() => window.print()}>
          Print
        </Button>
      </Group>
      <Callout tone="warn">
        It is shown only now and kept nowhere else. Whoever holds it can read the vault: put it on paper in a
        safe, not on this computer.
      </Callout>
      <Checkbox
        className="no-print"
        label="I have stored the recovery key outside this computer"
        checked={stored}
        onChange={(event) => setStored(event.currentTarget.checked)}
      />
      <Button className="no-print" size="sm" disabled={!stored} onClick={onStored}>
        Continue
      </Button>
    </Stack>
  );
}
