import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconStack2 } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type Environment, environmentSchema, type Policy } from '../../../shared/domain/policy/policy.ts';
import { useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { formatDuration, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty, Facts, Panel } from '../../ui/page.tsx';
import { PolicyForm } from '../../ui/policy-form.tsx';
import { STARTING_POLICY } from '../../ui/policy-text.ts';
import { Problem } from '../../ui/problem.tsx';
import { Ago, Digest } from '../../ui/text.tsx';
import { describeGate, policyChanges } from './gate-words.ts';
import { PolicyChanges } from './policy-changes.tsx';

export function EnvironmentsPanel(): ReactNode {
  const { operator } = useSession();
  const [editing, setEditing] = useState<Environment | 'new' | null>(null);
  const query = useCall('environments.list', {});
  const refusal = roleRefusal(operator.roles, 'environment.manage');
  const add = (
    <GuardedButton refusal={refusal} leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
      Add an environment
    </GuardedButton>
  );
  return (
    <Stack gap={14}>
      <Group justify="space-between">
        <span className="dim">
          A policy decides which evidence is enough. Only an administrator changes it; open requests keep the
          policy they were signed with.
        </span>
        {add}
      </Group>
      <Loaded query={query}>
        {(environments) =>
          environments.length === 0 ? (
            <Panel>
              <Empty icon={IconStack2} title="No environments yet" action={add}>
                An environment (staging, production, …) has a policy of its own and the endpoints that serve
                in it.
              </Empty>
            </Panel>
          ) : (
            <div
              style={{
                display: 'grid',
                gridTemplateColumns: 'repeat(auto-fit, minmax(420px, 1fr))',
                gap: 14,
              }}
            >
              {environments.map((environment) => (
                <Panel
                  key={environment.id}
                  title={environment.name}
                  actions={
                    <GuardedButton
                      variant="default"
                      size="compact-sm"
                      refusal={refusal}
                      onClick={() => setEditing(environment)}
                    >
                      Edit the policy
                    </GuardedButton>
                  }
                >
                  <Facts
                    items={[
                      ['Id', <Digest key="i" value={environment.id} what="environment id" />],
                      [
                        'Gates',
                        environment.policy.gates.length === 0 ? (
                          'none'
                        ) : (
                          <span key="g">
                            {environment.policy.gates.map((gate) => (
                              <span
                                key={`${gate.metric}-${JSON.stringify(gate)}`}
                                style={{ display: 'block' }}
                                className="num"
                              >
                                {describeGate(gate)}
                              </span>
                            ))}
                          </span>
                        ),
                      ],
                      ['Quorum', plural(environment.policy.quorum.approvals, 'person', 'people')],
                      ['Minimum rows', environment.policy.minimumRows.toLocaleString('en-US')],
                      [
                        'Datasets',
                        environment.policy.datasets.length === 0 ? (
                          'any'
                        ) : (
                          <span key="d">
                            {environment.policy.datasets.map((digest) => (
                              <Digest key={digest} value={digest} what="dataset digest" />
                            ))}
                          </span>
                        ),
                      ],
                      ['Worst finding', environment.policy.maximumSeverity],
                      ['Request valid', formatDuration(environment.policy.requestHours * 3_600_000)],
                      ['Since', <Ago key="s" at={environment.createdAt} />],
                    ]}
                  />
                </Panel>
              ))}
            </div>
          )
        }
      </Loaded>
      <Modal
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title={editing === 'new' ? 'Add an environment' : `Policy of ${editing?.name ?? ''}`}
        size={760}
        closeOnClickOutside={false}
      >
        {editing === null ? null : (
          <EditEnvironment
            environment={editing === 'new' ? null : editing}
            onClose={() => setEditing(null)}
          />
        )}
      </Modal>
    </Stack>
  );
}

function EditEnvironment({
  environment,
  onClose,
}: {
  readonly environment: Environment | null;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState('');
  const [policy, setPolicy] = useState<Policy>(environment?.policy ?? STARTING_POLICY);
  const [valid, setValid] = useState(true);
  const [confirming, setConfirming] = useState(false);
  const changes = environment === null ? [] : policyChanges(environment.policy, policy);
  const add = useAction('environments.add', {
    done: (added) => `${added.name} is added.`,
    notifyProblem: false,
  });
  const change = useAction('environments.setPolicy', {
    done: (changed) => `The policy of ${changed.name} is changed.`,
    notifyProblem: false,
  });
  const nameIssue =
    environment !== null || environmentSchema.shape.name.safeParse(name).success
      ? null
      : 'Lower-case letters, digits and hyphens, beginning with a letter.';
  const error = add.error ?? change.error;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!valid || nameIssue !== null) return;
    if (environment !== null && !confirming) {
      setConfirming(true);
      return;
    }
    const done: Promise<unknown> =
      environment === null
        ? add.mutateAsync({ name, policy })
        : change.mutateAsync({ id: environment.id, policy });
    done.then(onClose).catch(() => undefined);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {environment === null ? (
          <TextInput
            label="Name"
            placeholder="production"
            w={280}
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
            error={name === '' ? null : nameIssue}
            data-autofocus
            spellCheck={false}
          />
        ) : null}
        {confirming && environment !== null ? (
          <PolicyChanges environment={environment.name} changes={changes} />
        ) : (
          <PolicyForm
            value={policy}
            onChange={(next) => {
              setValid(next !== null);
              if (next !== null) setPolicy(next);
            }}
          />
        )}
        {error === null ? null : <Problem error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={confirming ? () => setConfirming(false) : onClose}>
            {confirming ? 'Back' : 'Cancel'}
          </Button>
          <Button
            type="submit"
            disabled={!valid || nameIssue !== null || (environment !== null && changes.length === 0)}
            loading={add.isPending || change.isPending}
          >
            {environment === null
              ? 'Add the environment'
              : confirming
                ? 'Change the policy'
                : 'Review the change'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
