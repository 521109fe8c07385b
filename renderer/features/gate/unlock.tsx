import { Button, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { SessionView } from '../../../shared/domain/view/views.ts';
import { useAction } from '../../api/mutations.ts';
import { useAdoptSession } from '../../api/session.ts';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';

/** Opens a locked vault by its keychain or its passphrase. */
export function Unlock({
  keys,
  onRecover,
}: {
  readonly keys: SessionView['keys'];
  readonly onRecover: () => void;
}): ReactNode {
  const [passphrase, setPassphrase] = useState('');
  const adopt = useAdoptSession();
  const unlock = useAction('vault.unlock', { notifyProblem: false });
  const byPassphrase = keys === 'passphrase';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (byPassphrase && passphrase === '') return;
    unlock
      .mutateAsync({ passphrase: byPassphrase ? passphrase : null })
      .then(adopt)
      .catch(() => setPassphrase(''));
  };
  return (
    <form onSubmit={submit}>
      <h1 className={styles.title}>The vault is locked</h1>
      <p className={styles.lead}>
        {byPassphrase
          ? 'Its keys are wrapped under a passphrase.'
          : "Its keys are in this computer's keychain."}
      </p>
      <Stack gap="sm">
        {byPassphrase ? (
          <PasswordInput
            label="Vault passphrase"
            value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
            autoFocus
            autoComplete="off"
          />
        ) : null}
        {unlock.isError ? <Problem error={unlock.error} /> : null}
        <Button
          type="submit"
          size="sm"
          loading={unlock.isPending}
          disabled={byPassphrase && passphrase === ''}
          {...(byPassphrase ? {} : { autoFocus: true })}
        >
          Unlock
        </Button>
        <div>
          <button type="button" className={styles.linkish} onClick={onRecover}>
            Use the recovery key instead
          </button>
        </div>
      </Stack>
    </form>
  );
}
