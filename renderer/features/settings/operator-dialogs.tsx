import { Button, Checkbox, Group, Modal, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type Operator, type Role, roleSchema } from '../../../shared/domain/operator/operator.ts';
import { useAction } from '../../api/mutations.ts';
import { formatRoles, ROLE_NAMES } from '../../api/session.ts';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { ROLE_HELP } from './role-help.ts';

/** The roles of an operator as boxes, each with what it is for. */
export function RoleBoxes({
  value,
  onChange,
  error,
}: {
  readonly value: readonly string[];
  readonly onChange: (roles: string[]) => void;
  readonly error: string | null;
}): ReactNode {
  return (
    <Checkbox.Group label="Roles" value={[...value]} onChange={onChange} error={error}>
      <Stack gap={8} mt={4}>
        {roleSchema.options.map((role) => (
          <Checkbox key={role} value={role} label={ROLE_NAMES[role]} description={ROLE_HELP[role]} />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

export function RolesDialog({
  operator,
  onClose,
}: {
  readonly operator: Operator | null;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal
      opened={operator !== null}
      onClose={onClose}
      title={`Roles of ${operator?.name ?? ''}`}
      size={460}
      closeOnClickOutside={false}
    >
      {operator === null ? null : <Roles operator={operator} onClose={onClose} />}
    </Modal>
  );
}

function Roles({
  operator,
  onClose,
}: {
  readonly operator: Operator;
  readonly onClose: () => void;
}): ReactNode {
  const [roles, setRoles] = useState<readonly string[]>(operator.roles);
  const change = useAction('operators.setRoles', {
    done: (changed) => `${changed.name} is ${formatRoles(changed.roles)} now.`,
    notifyProblem: false,
  });
  const same = [...roles].sort().join() === [...operator.roles].sort().join();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (same || roles.length === 0) return;
    const chosen: Role[] = roleSchema.options.filter((role) => roles.includes(role));
    change.mutate({ id: operator.id, roles: chosen }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <RoleBoxes
          value={roles}
          onChange={setRoles}
          error={roles.length === 0 ? 'At least one role.' : null}
        />
        <Callout>
          It holds from the next call on, in every window and command. What was signed before stays signed.
        </Callout>
        {change.isError ? <Problem error={change.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={same || roles.length === 0} loading={change.isPending}>
            Change the roles
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function PassphraseDialog({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Change your passphrase"
      size={440}
      closeOnClickOutside={false}
    >
      {opened ? <Passphrase onClose={onClose} /> : null}
    </Modal>
  );
}

function Passphrase({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [present, setPresent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const change = useAction('operators.changePassphrase', {
    done: () => 'Your passphrase is changed. Your signing key is the same.',
    notifyProblem: false,
  });
  const issue = again !== '' && next !== again ? 'The two new passphrases differ.' : null;
  const ready = present !== '' && next !== '' && next === again;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) change.mutate({ passphrase: present, newPassphrase: next }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <PasswordInput
          label="Present passphrase"
          value={present}
          onChange={(event) => setPresent(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
        <PasswordInput
          label="New passphrase"
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          autoComplete="new-password"
        />
        <PasswordInput
          label="New passphrase again"
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={issue}
          autoComplete="new-password"
        />
        <span className="dim">
          Nobody can reset it. The signing key stays the same, so agents that pin it notice nothing; an old
          backup still opens with the old passphrase.
        </span>
        {change.isError ? <Problem error={change.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!ready} loading={change.isPending}>
            Change it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
