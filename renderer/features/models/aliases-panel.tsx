import { ActionIcon, Tooltip } from '@mantine/core';
import { IconLock, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { Panel } from '../../ui/page.tsx';
import { Tag } from '../../ui/status.tsx';

/** Whether an alias is one of the vault's protected ones, which takes a role of its own to move. */
export function useProtected(): (alias: string) => boolean {
  const about = useCall('vault.about', {});
  return (alias) => about.data?.settings.protectedAliases.includes(alias) ?? false;
}

/** The moving names of a version: protected ones with a lock, each with the way to take it off. */
export function AliasesPanel({ view }: { readonly view: VersionView }): ReactNode {
  const { operator } = useSession();
  const isProtected = useProtected();
  const [removing, setRemoving] = useState<string | null>(null);
  const unalias = useAction('models.unalias', {
    done: (_, input) => `“${input.alias}” points to no version of ${input.name} now.`,
    notifyProblem: false,
  });
  const ref = formatRef(view.version);
  return (
    <Panel title="Aliases">
      {view.aliases.length === 0 ? (
        <span className="dim">None. Set one under More.</span>
      ) : (
        <ul style={{ listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: 6 }}>
          {view.aliases.map((alias) => {
            const locked = isProtected(alias);
            const refusal = roleRefusal(operator.roles, locked ? 'model.alias-protected' : 'model.alias');
            return (
              <li key={alias} style={{ display: 'flex', alignItems: 'center', gap: 8, minHeight: 26 }}>
                <Tag>{alias}</Tag>
                {locked ? (
                  <span className="dim" style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}>
                    <IconLock size={13} aria-hidden /> protected
                  </span>
                ) : null}
                <span style={{ flex: 1 }} />
                <Tooltip label={refusal ?? `Take “${alias}” off this version`}>
                  <ActionIcon
                    aria-label={`Take “${alias}” off ${ref}`}
                    {...(refusal === null ? {} : { 'aria-disabled': true, 'data-disabled': true })}
                    onClick={() => {
                      if (refusal === null) setRemoving(alias);
                    }}
                  >
                    <IconX size={14} />
                  </ActionIcon>
                </Tooltip>
              </li>
            );
          })}
        </ul>
      )}
      <Ask
        opened={removing !== null}
        onClose={() => setRemoving(null)}
        title={`Take “${removing ?? ''}” off ${ref}?`}
        confirm="Take it off"
        pending={unalias.isPending}
        error={unalias.error}
        onConfirm={() => {
          if (removing !== null)
            unalias.mutate(
              { name: view.version.name, alias: removing },
              { onSuccess: () => setRemoving(null) },
            );
        }}
      >
        {removing === 'champion'
          ? 'The model has no champion then: comparisons and regression gates have nothing to be held against. '
          : ''}
        No other version gets it by itself, and where it serves it goes on serving.
      </Ask>
    </Panel>
  );
}
