import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Callout, Panel, SimpleTable } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import type { PolicyChange } from './gate-words.ts';

/** A changed policy before it is kept: every field with before and after, and which of them demand less. */
export function PolicyChanges({
  environment,
  changes,
}: {
  readonly environment: string;
  readonly changes: readonly PolicyChange[];
}): ReactNode {
  const text = (value: string): ReactNode => (
    <span style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }} className="num">
      {value}
    </span>
  );
  return (
    <Stack gap="sm">
      <Panel title={`What changes for ${environment}`} flush>
        <SimpleTable
          label="Changes of the policy"
          columns={['Field', 'Before', 'After']}
          rows={changes.map((change) => ({
            key: change.field,
            cells: [
              <span key="f" style={{ display: 'inline-flex', gap: 8, alignItems: 'center', fontWeight: 500 }}>
                {change.field}
                {change.looser ? <Status tone="warn">looser</Status> : null}
              </span>,
              text(change.before),
              text(change.after),
            ],
          }))}
        />
      </Panel>
      <Callout tone={changes.some((change) => change.looser) ? 'warn' : 'plain'}>
        It holds for requests made from now on; open ones keep the policy they were signed with. The log keeps
        both.
      </Callout>
    </Stack>
  );
}
