import { Select } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { notifyDone, useAction } from '../../api/mutations.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { formatDuration } from '../../ui/format.ts';

interface RollbackDialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly name: string;
  /** Endpoints or an environment; with one, nothing has to be chosen. */
  readonly targets: readonly string[];
  /** What serves now and what a rollback goes to, where it is known. */
  readonly from?: string | null;
  readonly to?: string | null;
}

/** One click and one confirmation: the endpoint serves the previous version, which it kept warm. */
export function RollbackDialog({ opened, onClose, name, targets, from, to }: RollbackDialogProps): ReactNode {
  const [chosen, setChosen] = useState<string | null>(null);
  const target = chosen !== null && targets.includes(chosen) ? chosen : (targets[0] ?? null);
  const rollback = useAction('rollouts.rollback', { notifyProblem: false });
  return (
    <Ask
      opened={opened}
      onClose={onClose}
      title={`Roll back ${name}`}
      confirm="Roll back now"
      danger
      pending={rollback.isPending}
      error={rollback.error}
      onConfirm={() => {
        if (target === null) return;
        rollback
          .mutateAsync({ name, target, to: null })
          .then((result) => {
            notifyDone(
              `${result.endpoints.join(', ')}: ${name}@${result.version} serves again, ${result.previous} is out. It took ${formatDuration(result.durationMs)}.`,
            );
            onClose();
          })
          .catch(() => undefined);
      }}
    >
      <p style={{ margin: '0 0 12px' }}>
        {from != null && to != null
          ? `${from} goes out and ${to} serves again.`
          : 'The previous version serves again.'}{' '}
        It was kept warm on the endpoint: no request fails, and a running rollout of this model there ends.
      </p>
      {targets.length > 1 ? (
        <Select label="Where" data={[...targets]} value={target} onChange={setChosen} allowDeselect={false} />
      ) : null}
    </Ask>
  );
}
