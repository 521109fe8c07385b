import { Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { operatorSchema } from '../../../shared/domain/operator/operator.ts';
import { useAction } from '../../api/mutations.ts';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';
import { KeysFields, keysInput, keysProblem, NO_KEYS_CHOICE } from './keys-fields.tsx';

interface CreateVaultProps {
  readonly onStart: () => void;
  readonly onFailed: () => void;
  readonly onCreated: (output: { readonly vaultId: string; readonly recoveryKey: string }) => void;
}

/** The first start: a vault, its keys, and the first operator. */
export function CreateVault({ onStart, onFailed, onCreated }: CreateVaultProps): ReactNode {
  const [operator, setOperator] = useState('');
  const [person, setPerson] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [keys, setKeys] = useState(NO_KEYS_CHOICE);
  const [tried, setTried] = useState(false);
  const create = useAction('vault.create', { notifyProblem: false });

  const nameIssue = operatorSchema.shape.name.safeParse(operator).error?.issues[0]?.message ?? null;
  const personIssue = person.trim() === '' ? 'Say who is behind this name: a quorum counts people.' : null;
  const passphraseIssue =
    passphrase === ''
      ? 'Give your signing key a passphrase.'
      : passphrase === again
        ? null
        : 'The two passphrases differ.';
  const keysIssue = keysProblem(keys);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (nameIssue !== null || personIssue !== null || passphraseIssue !== null || keysIssue !== null) return;
    onStart();
    // The promise, not the mutation's callbacks: those are dropped when this form leaves the screen, the key must not be.
    create
      .mutateAsync({ operator, person: person.trim(), operatorPassphrase: passphrase, keys: keysInput(keys) })
      .then(onCreated)
      .catch(onFailed);
  };

  return (
    <form onSubmit={submit} noValidate>
      <h1 className={styles.title}>Create a vault</h1>
      <p className={styles.lead}>
        Everything you register is encrypted in it. You become its first operator: administrator and analyst.
      </p>
      <Stack gap="sm">
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <TextInput
            label="Operator name"
            placeholder="ada"
            value={operator}
            onChange={(event) => setOperator(event.currentTarget.value.toLowerCase())}
            error={tried ? nameIssue : null}
            autoFocus
            autoComplete="off"
            spellCheck={false}
          />
          <TextInput
            label="Person"
            placeholder="Ada Lovelace"
            value={person}
            onChange={(event) => setPerson(event.currentTarget.value)}
            error={tried ? personIssue : null}
            autoComplete="off"
          />
          <PasswordInput
            label="Passphrase"
            value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
            error={tried ? passphraseIssue : null}
            autoComplete="new-password"
          />
          <PasswordInput
            label="Passphrase again"
            value={again}
            onChange={(event) => setAgain(event.currentTarget.value)}
            autoComplete="new-password"
          />
        </div>
        <Text size="xs" c="dimmed">
          The passphrase protects your signing key. Nobody can reset it, not even an administrator.
        </Text>
        <KeysFields value={keys} onChange={setKeys} />
        {tried && keysIssue !== null ? (
          <Text size="xs" c="var(--sp-bad)" role="alert">
            {keysIssue}
          </Text>
        ) : null}
        {create.isError ? <Problem error={create.error} /> : null}
        <Button type="submit" size="sm" loading={create.isPending} mt={4}>
          Create the vault
        </Button>
      </Stack>
    </form>
  );
}
