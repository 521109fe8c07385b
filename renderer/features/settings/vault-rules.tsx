import { Group, NumberInput, Stack, TagsInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type VaultSettings, vaultSettingsSchema } from '../../../shared/domain/vault/settings.ts';
import { useAction } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Callout, Panel } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';

/** Rules of this vault; each change is an entry of the log with before and after. */
export function VaultRules({ settings }: { readonly settings: VaultSettings }): ReactNode {
  const { operator } = useSession();
  const [draft, setDraft] = useState<VaultSettings>(settings);
  const keep = useAction('vault.setSettings', {
    done: () => 'The rules of the vault are changed.',
    notifyProblem: false,
  });
  const parsed = vaultSettingsSchema.safeParse(draft);
  const changed = JSON.stringify(draft) !== JSON.stringify(settings);
  const role = roleRefusal(operator.roles, 'vault.settings');
  const refusal =
    role ?? (!parsed.success ? 'One of the values cannot be kept.' : changed ? null : 'Nothing is changed.');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (refusal === null && parsed.success) keep.mutate({ settings: parsed.data });
  };
  const badAlias = draft.protectedAliases.find(
    (alias) => !vaultSettingsSchema.shape.protectedAliases.safeParse([alias]).success,
  );
  return (
    <Panel title="Rules">
      <form onSubmit={submit}>
        <fieldset disabled={role !== null} style={{ border: 0, margin: 0, padding: 0 }}>
          <Stack gap="sm">
            <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12, alignItems: 'start' }}>
              <NumberInput
                label="Sign out after"
                description="minutes without input; 0 never does"
                value={draft.autoLockMinutes}
                min={0}
                max={1440}
                allowDecimal={false}
                onChange={(value) => setDraft({ ...draft, autoLockMinutes: Number(value) })}
              />
              <NumberInput
                label="Keep the newest"
                description="versions of each model; empty keeps all"
                value={draft.keepLast ?? ''}
                min={1}
                max={10_000}
                allowDecimal={false}
                onChange={(value) => setDraft({ ...draft, keepLast: value === '' ? null : Number(value) })}
              />
            </div>
            <TagsInput
              label="Protected aliases"
              description="moved by a release manager only"
              value={[...draft.protectedAliases]}
              onChange={(aliases) =>
                setDraft({ ...draft, protectedAliases: aliases.map((alias) => alias.toLowerCase()) })
              }
              error={
                badAlias === undefined
                  ? null
                  : `“${badAlias}” is no alias: lower-case letters, digits and hyphens.`
              }
            />
            {draft.autoLockMinutes === 0 ? (
              <Callout tone="warn">Whoever finds this window open acts as whoever left it.</Callout>
            ) : null}
            {keep.isError ? <Problem error={keep.error} /> : null}
            <Group justify="flex-end">
              <GuardedButton
                type="submit"
                refusal={refusal}
                loading={keep.isPending}
                onClick={() => undefined}
              >
                Change the rules
              </GuardedButton>
            </Group>
          </Stack>
        </fieldset>
      </form>
    </Panel>
  );
}
