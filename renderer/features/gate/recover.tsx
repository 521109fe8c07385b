import { Button, Group, Stack, Textarea } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { normalizeRecoveryKey } from '../../../shared/domain/vault/recovery-kit.ts';
import { useAction } from '../../api/mutations.ts';
import { useAdoptSession } from '../../api/session.ts';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';
import { KeysFields, keysInput, keysProblem, NO_KEYS_CHOICE } from './keys-fields.tsx';

/** Opens a vault whose keychain or passphrase is lost, and keeps its keys anew. */
export function Recover({ onBack }: { readonly onBack: () => void }): ReactNode {
  const [recoveryKey, setRecoveryKey] = useState('');
  const [keys, setKeys] = useState(NO_KEYS_CHOICE);
  const adopt = useAdoptSession();
  const recover = useAction('vault.recover', { notifyProblem: false });
  const key = normalizeRecoveryKey(recoveryKey);
  const issue =
    key === '' || key.startsWith('AGE-SECRET-KEY-1') ? null : 'A recovery key begins with AGE-SECRET-KEY-1.';
  const ready = key !== '' && issue === null && keysProblem(keys) === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready)
      recover
        .mutateAsync({ recoveryKey: key, keys: keysInput(keys) })
        .then((session) => adopt(session, true))
        .catch(() => undefined);
  };
  return (
    <form onSubmit={submit}>
      <h1 className={styles.title}>Recover the vault</h1>
      <p className={styles.lead}>
        Nothing is deleted or replaced: the recovery key unwraps the vault's keys, and they are kept anew.
      </p>
      <Stack gap="sm">
        <Textarea
          label="Recovery key"
          placeholder="AGE-SECRET-KEY-1…"
          value={recoveryKey}
          onChange={(event) => setRecoveryKey(event.currentTarget.value)}
          error={issue}
          autosize
          minRows={2}
          autoFocus
          spellCheck={false}
          autoComplete="off"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        <KeysFields value={keys} onChange={setKeys} />
        {recover.isError ? <Problem error={recover.error} /> : null}
        <Group justify="space-between">
          <Button variant="default" size="sm" onClick={onBack}>
            Back
          </Button>
          <Button type="submit" size="sm" loading={recover.isPending} disabled={!ready}>
            Recover
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
