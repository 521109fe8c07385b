import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { SessionView } from '../../../shared/domain/view/views.ts';
import { asProblem } from '../../api/bridge.ts';
import { useAction } from '../../api/mutations.ts';
import { useAdoptSession } from '../../api/session.ts';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';
import { openingOf, type WayBack } from './recovery-words.ts';

/** Opens a locked vault by its keychain or its passphrase; a state of the keychain gets a screen with its way back. */
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
  const problem = unlock.isError ? asProblem(unlock.error) : null;
  const opening = problem === null ? null : openingOf(problem.code);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (byPassphrase && passphrase === '') return;
    unlock
      .mutateAsync({ passphrase: byPassphrase ? passphrase : null })
      .then((session) => adopt(session, true))
      .catch(() => setPassphrase(''));
  };
  const unlockButton = (primary: boolean): ReactNode => (
    <Button
      type="submit"
      size="sm"
      variant={primary ? 'filled' : 'default'}
      loading={unlock.isPending}
      disabled={byPassphrase && passphrase === ''}
      {...(byPassphrase || !primary ? {} : { autoFocus: true })}
    >
      {opening === null ? 'Unlock' : 'Try again'}
    </Button>
  );
  const way = (kind: WayBack, primary: boolean): ReactNode =>
    kind === 'retry' ? (
      unlockButton(primary)
    ) : (
      <Button size="sm" variant={primary ? 'filled' : 'default'} onClick={onRecover} autoFocus={primary}>
        Use the recovery key
      </Button>
    );
  const [first, second] = opening?.ways ?? [];
  return (
    <form onSubmit={submit}>
      <h1 className={styles.title}>{opening?.title ?? 'The vault is locked'}</h1>
      <p className={styles.lead}>
        {opening?.text ??
          (byPassphrase
            ? 'Its keys are wrapped under a passphrase.'
            : "Its keys are in this computer's keychain.")}
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
        {problem === null ? null : <Problem error={problem} />}
        {first === undefined ? (
          <>
            {unlockButton(true)}
            <div>
              <button type="button" className={styles.linkish} onClick={onRecover}>
                Use the recovery key instead
              </button>
            </div>
          </>
        ) : (
          <Group gap="xs" grow key={problem?.code}>
            {way(first, true)}
            {second === undefined ? null : way(second, false)}
          </Group>
        )}
      </Stack>
    </form>
  );
}
