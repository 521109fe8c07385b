import { Button, Group, Modal, PasswordInput, Stack, Textarea } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Problem } from './problem.tsx';

interface AskProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What will happen, in full sentences. */
  readonly children: ReactNode;
  readonly confirm: string;
  readonly danger?: boolean;
  /** A text the person has to give: a reason, or the passphrase of the signing key. */
  readonly ask?: {
    readonly kind: 'reason' | 'passphrase';
    readonly label: string;
    readonly optional?: boolean;
  };
  readonly pending: boolean;
  readonly error?: unknown;
  readonly onConfirm: (text: string) => void;
}

/** Asks before a consequential step: says what will happen, takes a reason or a passphrase, shows the problem inside. */
export function Ask({
  opened,
  onClose,
  title,
  children,
  confirm,
  danger = false,
  ask,
  pending,
  error,
  onConfirm,
}: AskProps): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={480} closeOnClickOutside={!pending}>
      <AskForm
        key={String(opened)}
        {...{ onClose, confirm, danger, pending, error, onConfirm, ...(ask === undefined ? {} : { ask }) }}
      >
        {children}
      </AskForm>
    </Modal>
  );
}

function AskForm({
  onClose,
  children,
  confirm,
  danger,
  ask,
  pending,
  error,
  onConfirm,
}: Omit<AskProps, 'opened' | 'title'>): ReactNode {
  const [text, setText] = useState('');
  const missing = ask !== undefined && ask.optional !== true && text.trim() === '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!missing && !pending) onConfirm(ask?.kind === 'reason' ? text.trim() : text);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <div>{children}</div>
        {ask?.kind === 'reason' ? (
          <Textarea
            label={ask.label}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autosize
            minRows={3}
            maxLength={2000}
            data-autofocus
          />
        ) : null}
        {ask?.kind === 'passphrase' ? (
          <PasswordInput
            label={ask.label}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            data-autofocus
            autoComplete="off"
          />
        ) : null}
        {error === undefined || error === null ? null : <Problem error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={pending}
            disabled={missing}
            {...(danger ? { color: 'red.8' } : {})}
            {...(ask === undefined ? { 'data-autofocus': true } : {})}
          >
            {confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
