import { Button, Group, Modal, PasswordInput, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { endpointSchema } from '../../../shared/domain/endpoint/endpoint.ts';
import { notifyDone, useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { cleanFingerprint, urlProblem } from './endpoint-input.ts';

/** First contact with an agent: the fingerprint is compared by a person, once, and pinned. */
export function AddEndpoint({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title="Add an endpoint" size={560} closeOnClickOutside={false}>
      {opened ? <Form onClose={onClose} /> : null}
    </Modal>
  );
}

function Form({ onClose }: { readonly onClose: () => void }): ReactNode {
  const environments = useCall('environments.list', {});
  const [name, setName] = useState('');
  const [environmentId, setEnvironmentId] = useState<string | null>(null);
  const [adminUrl, setAdminUrl] = useState('');
  const [predictUrl, setPredictUrl] = useState('');
  const [token, setToken] = useState('');
  const [fingerprint, setFingerprint] = useState('');
  const [tried, setTried] = useState(false);
  const add = useAction('endpoints.add', { notifyProblem: false });

  const environment = environmentId ?? environments.data?.[0]?.id ?? null;
  const cleaned = cleanFingerprint(fingerprint);
  const issues = {
    name: endpointSchema.shape.name.safeParse(name).error?.issues[0]?.message ?? null,
    environment:
      environment === null ? 'There is no environment yet: an administrator adds one in Settings.' : null,
    adminUrl: urlProblem(adminUrl),
    predictUrl: urlProblem(predictUrl),
    token: token.trim() === '' ? 'The agent printed a token at its start.' : null,
    fingerprint: cleaned === null ? 'A fingerprint is 64 hexadecimal characters.' : null,
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (Object.values(issues).some((issue) => issue !== null) || environment === null || cleaned === null)
      return;
    add
      .mutateAsync({
        name,
        environmentId: environment,
        adminUrl,
        predictUrl,
        token: token.trim(),
        fingerprint: cleaned,
      })
      .then(() => {
        notifyDone(`${name} is added; its key is pinned.`);
        onClose();
      })
      .catch(() => undefined);
  };
  const show = (issue: string | null): string | null => (tried ? issue : null);
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <TextInput
            label="Name"
            placeholder="mail-gateway-1"
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
            error={show(issues.name)}
            data-autofocus
            spellCheck={false}
          />
          <Select
            label="Environment"
            data={(environments.data ?? []).map((item) => ({ value: item.id, label: item.name }))}
            value={environment}
            onChange={setEnvironmentId}
            error={show(issues.environment)}
            allowDeselect={false}
          />
          <TextInput
            label="Admin address"
            placeholder="https://10.0.4.7:8443"
            value={adminUrl}
            onChange={(event) => setAdminUrl(event.currentTarget.value)}
            error={show(issues.adminUrl)}
            spellCheck={false}
          />
          <TextInput
            label="Predict address"
            placeholder="https://10.0.4.7:8080"
            value={predictUrl}
            onChange={(event) => setPredictUrl(event.currentTarget.value)}
            error={show(issues.predictUrl)}
            spellCheck={false}
          />
        </div>
        <PasswordInput
          label="Token"
          description="Kept in the secret store, never in the database."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={show(issues.token)}
          autoComplete="off"
        />
        <TextInput
          label="Fingerprint"
          description="As printed by “agent init” on the agent’s own machine."
          placeholder="9f86 d081 884c 7d65 …"
          value={fingerprint}
          onChange={(event) => setFingerprint(event.currentTarget.value)}
          error={show(issues.fingerprint)}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        <Callout>
          The fingerprint is what makes first contact safe: it must come from the agent’s own screen, not over
          the network that is being tested. If the agent ever answers with another key, it is treated as an
          integrity error.
        </Callout>
        {add.isError ? <Problem error={add.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Add and check
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
