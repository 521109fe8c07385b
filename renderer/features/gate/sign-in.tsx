import { Button, PasswordInput, Select, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { useAction } from '../../api/mutations.ts';
import { useAdoptSession } from '../../api/session.ts';
import { dropPrefill } from '../../app/prefill.ts';
import { Problem } from '../../ui/problem.tsx';
import styles from './entrance.module.css';

interface SignInProps {
  readonly operators: readonly string[];
  readonly prefill: { readonly name: string; readonly passphrase: string } | null;
  /** Whose page waits behind this form; null where none does. */
  readonly waiting: string | null;
}

/** Who is acting: an operator and the passphrase of that operator's key. */
export function SignIn({ operators, prefill, waiting }: SignInProps): ReactNode {
  const [operator, setOperator] = useState<string | null>(
    prefill?.name ?? waiting ?? (operators.length === 1 ? (operators[0] ?? null) : null),
  );
  const [passphrase, setPassphrase] = useState(prefill?.passphrase ?? '');
  const adopt = useAdoptSession();
  const navigate = useNavigate();
  const signIn = useAction('session.signIn', { notifyProblem: false });
  const ready = operator !== null && passphrase !== '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ready) return;
    // The promise, not the mutation's callbacks: the shell may replace this form before they would run.
    signIn
      .mutateAsync({ operator, passphrase })
      .then((session) => {
        dropPrefill();
        const back = waiting !== null && session.operator?.name === waiting;
        if (!back) void navigate('/overview', { replace: true });
        adopt(session, back);
      })
      .catch(() => setPassphrase(''));
  };
  return (
    <form onSubmit={submit}>
      <h1 className={styles.title}>Sign in</h1>
      <p className={styles.lead}>
        {waiting === null
          ? 'Every change is recorded under the operator who made it.'
          : `${waiting} was signed out. Work under way goes on, and the page is kept for ${waiting} as it was.`}
      </p>
      <Stack gap="sm">
        <Select
          label="Operator"
          placeholder="Choose"
          data={[...operators]}
          value={operator}
          onChange={setOperator}
          searchable
          nothingFoundMessage="No such operator"
          comboboxProps={{ withinPortal: false }}
          openOnFocus={false}
          size="sm"
          autoFocus={operator === null}
        />
        <PasswordInput
          label="Passphrase"
          value={passphrase}
          onChange={(event) => setPassphrase(event.currentTarget.value)}
          size="sm"
          autoComplete="off"
          autoFocus={operator !== null && prefill === null}
        />
        {signIn.isError ? <Problem error={signIn.error} /> : null}
        <Button
          type="submit"
          size="sm"
          loading={signIn.isPending}
          disabled={!ready}
          mt={4}
          autoFocus={prefill !== null}
        >
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
