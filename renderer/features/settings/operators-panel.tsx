import { ActionIcon, Button, Group, Menu, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { IconBan, IconCircleCheck, IconDots, IconKey, IconPlus, IconUsers } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type Operator, operatorSchema, roleSchema } from '../../../shared/domain/operator/operator.ts';
import { useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { formatRoles, roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { formatInstant } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Panel, SimpleTable } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Status } from '../../ui/status.tsx';
import { Ago, Digest, Truncated } from '../../ui/text.tsx';
import { PassphraseDialog, RoleBoxes, RolesDialog } from './operator-dialogs.tsx';

export function OperatorsPanel(): ReactNode {
  const { operator } = useSession();
  const [adding, setAdding] = useState(false);
  const [rolesOf, setRolesOf] = useState<Operator | null>(null);
  const [disabling, setDisabling] = useState<Operator | null>(null);
  const [renewing, setRenewing] = useState(false);
  const refusal = roleRefusal(operator.roles, 'operator.manage');
  const disable = useAction('operators.setDisabled', {
    done: (changed) => `${changed.name} is ${changed.disabledAt == null ? 'active again' : 'disabled'}.`,
    notifyProblem: false,
  });
  const enabling = disabling !== null && disabling.disabledAt != null;
  const query = useCall('operators.list', {});
  return (
    <Panel
      title="Operators"
      note="each with a signing key of their own, protected by their own passphrase"
      flush
      actions={
        <GuardedButton
          size="compact-sm"
          refusal={refusal}
          leftSection={<IconPlus size={14} />}
          onClick={() => setAdding(true)}
        >
          Add an operator
        </GuardedButton>
      }
    >
      <Loaded query={query}>
        {(operators) => (
          <SimpleTable
            label="Operators"
            columns={['Name', 'Person', 'Roles', 'State', 'Key fingerprint', '>Since', '>Change']}
            rows={operators.map((item) => ({
              key: item.id,
              cells: [
                <span key="n" style={{ fontWeight: 500 }}>
                  {item.name === operator.name ? `${item.name} (you)` : item.name}
                </span>,
                <Truncated key="p" max={220}>
                  {item.person}
                </Truncated>,
                formatRoles(item.roles),
                item.disabledAt == null ? (
                  <Status key="s" tone="ok">
                    active
                  </Status>
                ) : (
                  <Status key="s" tone="idle" title={`since ${formatInstant(item.disabledAt)}`}>
                    disabled
                  </Status>
                ),
                <Digest key="k" value={item.keyFingerprint} what="key fingerprint" />,
                <Ago key="a" at={item.createdAt} />,
                <OperatorMenu
                  key="m"
                  of={item}
                  mine={item.name === operator.name}
                  refusal={refusal}
                  onRoles={() => setRolesOf(item)}
                  onDisable={() => setDisabling(item)}
                  onPassphrase={() => setRenewing(true)}
                />,
              ],
            }))}
          />
        )}
      </Loaded>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title="Add an operator"
        size={480}
        closeOnClickOutside={false}
      >
        {adding ? <AddOperator onClose={() => setAdding(false)} /> : null}
      </Modal>
      <RolesDialog operator={rolesOf} onClose={() => setRolesOf(null)} />
      <PassphraseDialog opened={renewing} onClose={() => setRenewing(false)} />
      <Ask
        opened={disabling !== null}
        onClose={() => {
          setDisabling(null);
          disable.reset();
        }}
        title={`${enabling ? 'Enable' : 'Disable'} ${disabling?.name ?? ''}?`}
        confirm={enabling ? 'Enable' : 'Disable'}
        danger={!enabling}
        pending={disable.isPending}
        error={disable.error}
        onConfirm={() => {
          if (disabling !== null)
            disable.mutate(
              { id: disabling.id, disabled: !enabling },
              { onSuccess: () => setDisabling(null) },
            );
        }}
      >
        {enabling
          ? 'They can sign in and sign again, with the passphrase and the key they had.'
          : 'They are signed out everywhere, sign in no more and approve nothing. What they signed stays valid, and the record and its public key stay for verification.'}
      </Ask>
    </Panel>
  );
}

/** What can be done with an operator's account; an entry that is off says why. */
function OperatorMenu({
  of: item,
  mine,
  refusal,
  onRoles,
  onDisable,
  onPassphrase,
}: {
  readonly of: Operator;
  readonly mine: boolean;
  readonly refusal: string | null;
  readonly onRoles: () => void;
  readonly onDisable: () => void;
  readonly onPassphrase: () => void;
}): ReactNode {
  const disabled = item.disabledAt != null;
  const reason =
    refusal === null ? null : <div style={{ fontSize: '0.71875rem', whiteSpace: 'normal' }}>{refusal}</div>;
  return (
    <Menu position="bottom-end" width={250} shadow="md" transitionProps={{ duration: 80 }}>
      <Menu.Target>
        <ActionIcon aria-label={`Change ${item.name}`}>
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mine ? (
          <Menu.Item leftSection={<IconKey size={15} />} onClick={onPassphrase}>
            Change your passphrase…
          </Menu.Item>
        ) : null}
        <Menu.Item leftSection={<IconUsers size={15} />} disabled={refusal !== null} onClick={onRoles}>
          Change the roles…
          {reason}
        </Menu.Item>
        <Menu.Item
          leftSection={disabled ? <IconCircleCheck size={15} /> : <IconBan size={15} />}
          disabled={refusal !== null}
          onClick={onDisable}
          {...(disabled || refusal !== null ? {} : { c: 'var(--sp-bad)' })}
        >
          {disabled ? 'Enable…' : 'Disable…'}
          {reason}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function AddOperator({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [person, setPerson] = useState('');
  const [roles, setRoles] = useState<string[]>(['analyst']);
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const add = useAction('operators.add', {
    done: (operator) => `${operator.name} can sign in now.`,
    notifyProblem: false,
  });
  const issues = {
    name: operatorSchema.shape.name.safeParse(name).error?.issues[0]?.message ?? null,
    person: person.trim() === '' ? 'Say who it is: a quorum counts people.' : null,
    roles: roles.length === 0 ? 'At least one role.' : null,
    passphrase:
      passphrase === ''
        ? 'The new operator chooses and types it.'
        : passphrase === again
          ? null
          : 'The two passphrases differ.',
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (Object.values(issues).some((issue) => issue !== null)) return;
    add
      .mutateAsync({
        name,
        person: person.trim(),
        roles: roles.map((role) => roleSchema.parse(role)),
        passphrase,
      })
      .then(onClose)
      .catch(() => undefined);
  };
  const show = (issue: string | null): string | null => (tried ? issue : null);
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <TextInput
            label="Sign-in name"
            placeholder="grace"
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
            error={show(issues.name)}
            data-autofocus
            spellCheck={false}
            autoComplete="off"
          />
          <TextInput
            label="Person"
            placeholder="Grace Hopper"
            value={person}
            onChange={(event) => setPerson(event.currentTarget.value)}
            error={show(issues.person)}
            autoComplete="off"
          />
        </div>
        <RoleBoxes value={roles} onChange={setRoles} error={show(issues.roles)} />
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <PasswordInput
            label="Passphrase"
            value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
            error={show(issues.passphrase)}
            autoComplete="new-password"
          />
          <PasswordInput
            label="Again"
            value={again}
            onChange={(event) => setAgain(event.currentTarget.value)}
            autoComplete="new-password"
          />
        </div>
        {add.isError ? <Problem error={add.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Add the operator
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
