import { Button, Checkbox, Group, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { operatorSchema, type Role, roleSchema } from '../../../shared/domain/operator/operator.ts';
import { useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { formatRoles, ROLE_NAMES, roleRefusal, useSession } from '../../api/session.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Panel, SimpleTable } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Ago, Digest, Truncated } from '../../ui/text.tsx';

const ROLE_HELP: Readonly<Record<Role, string>> = {
  analyst: 'adds, maps, validates, compares, submits',
  'release-manager': 'approves, deploys, controls rollouts, rolls back',
  auditor: 'exports and verifies the log, exports models',
  administrator: 'manages operators, environments, endpoints',
};

export function OperatorsPanel(): ReactNode {
  const { operator } = useSession();
  const [adding, setAdding] = useState(false);
  const query = useCall('operators.list', {});
  return (
    <Panel
      title="Operators"
      note="each with a signing key of their own, protected by their own passphrase"
      flush
      actions={
        <GuardedButton
          size="compact-sm"
          refusal={roleRefusal(operator.roles, 'operator.manage')}
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
            columns={['Name', 'Person', 'Roles', 'Key fingerprint', '>Since']}
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
                <Digest key="k" value={item.keyFingerprint} what="key fingerprint" />,
                <Ago key="a" at={item.createdAt} />,
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
    </Panel>
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
        <Checkbox.Group label="Roles" value={roles} onChange={setRoles} error={show(issues.roles)}>
          <Stack gap={8} mt={4}>
            {roleSchema.options.map((role) => (
              <Checkbox key={role} value={role} label={ROLE_NAMES[role]} description={ROLE_HELP[role]} />
            ))}
          </Stack>
        </Checkbox.Group>
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
