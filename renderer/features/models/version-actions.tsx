import { Button, Menu, Select, TextInput } from '@mantine/core';
import {
  IconArchive,
  IconArrowBackUp,
  IconBan,
  IconChevronDown,
  IconDownload,
  IconLock,
  IconShieldCheck,
  IconTag,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionAction, VersionView } from '../../../shared/domain/view/views.ts';
import { call } from '../../api/bridge.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone, notifyProblem, useAction } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { formatBytes } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Callout } from '../../ui/page.tsx';
import { RollbackDialog } from '../rollouts/rollback-dialog.tsx';
import { useProtected } from './aliases-panel.tsx';
import { versionRefusal } from './version-refusal.ts';

interface EntryProps {
  readonly icon: ReactNode;
  readonly label: string;
  readonly refusal: string | null;
  readonly onClick: () => void;
  readonly danger?: boolean;
}

/** A menu entry; one that is off carries its reason as a second line. */
function Entry({ icon, label, refusal, onClick, danger = false }: EntryProps): ReactNode {
  return (
    <Menu.Item
      leftSection={icon}
      onClick={onClick}
      disabled={refusal !== null}
      {...(danger && refusal === null ? { c: 'var(--sp-bad)' } : {})}
    >
      {label}
      {refusal === null ? null : (
        <div style={{ fontSize: '0.71875rem', whiteSpace: 'normal' }}>{refusal}</div>
      )}
    </Menu.Item>
  );
}

/** What can be done with a version, in the order one does it. A button that is off says why. */
export function VersionActions({ view }: { readonly view: VersionView }): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<'alias' | 'archive' | 'revoke' | 'rollback' | null>(null);
  const close = (): void => setDialog(null);
  const ref = { name: view.version.name, version: view.version.version };
  const text = formatRef(ref);
  const refusal = (action: VersionAction): string | null => versionRefusal(view, action, operator.roles);

  const archive = useAction('models.archive', { done: () => `${text} is archived.` });
  const revoke = useAction('models.revoke', { done: () => `${text} is revoked.`, notifyProblem: false });
  const verify = useJob('models.verify');

  const runVerify = async (): Promise<void> => {
    const result = await verify.run({ ref });
    if (result === null) return;
    const bad = result.bad[0];
    if (bad === undefined)
      notifyDone(`${text}: ${formatBytes(result.bytes)} read back and hashed; the digest matches.`);
    else
      notifyProblem(
        new SallyportError('integrity.artifact', bad.problem, {
          hint: `${bad.ref} is not loaded until its bytes are restored. Nothing else is affected.`,
        }),
      );
  };
  const runExport = async (): Promise<void> => {
    try {
      const { path: directory } = await call('dialogs.open', { kind: 'directory' });
      if (directory === null) return;
      const written = await call('models.export', { ...ref, directory });
      notifyDone(`Written to ${written.path}`);
    } catch (error) {
      notifyProblem(error);
    }
  };
  const serving = view.deployedOn.filter((place) => place.role !== 'previous');
  const rollbackRefusal =
    serving.length === 0
      ? 'It serves nowhere, so there is nothing to roll back.'
      : roleRefusal(operator.roles, 'rollout.rollback');
  return (
    <>
      <GuardedButton
        variant="default"
        refusal={refusal('validate')}
        onClick={() => void navigate('/validate', { state: { ref } })}
      >
        Validate
      </GuardedButton>
      <GuardedButton
        refusal={refusal('submit')}
        onClick={() => void navigate('/releases/new', { state: { ref } })}
      >
        Submit for release
      </GuardedButton>
      <Menu position="bottom-end" width={260} shadow="md" transitionProps={{ duration: 80 }}>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={14} />} loading={verify.running}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Entry
            icon={<IconTag size={15} />}
            label="Set an alias…"
            refusal={refusal('alias')}
            onClick={() => setDialog('alias')}
          />
          <Entry
            icon={<IconShieldCheck size={15} />}
            label="Verify the artifact"
            refusal={refusal('verify')}
            onClick={() => void runVerify()}
          />
          <Entry
            icon={<IconDownload size={15} />}
            label="Export…"
            refusal={refusal('export')}
            onClick={() => void runExport()}
          />
          <Entry
            icon={<IconArrowBackUp size={15} />}
            label="Roll back where it serves…"
            refusal={rollbackRefusal}
            onClick={() => setDialog('rollback')}
          />
          <Menu.Divider />
          <Entry
            icon={<IconArchive size={15} />}
            label="Archive…"
            refusal={refusal('archive')}
            onClick={() => setDialog('archive')}
          />
          <Entry
            icon={<IconBan size={15} />}
            label="Revoke…"
            refusal={refusal('revoke')}
            onClick={() => setDialog('revoke')}
            danger
          />
        </Menu.Dropdown>
      </Menu>

      <AliasDialog view={view} opened={dialog === 'alias'} onClose={close} />
      <Ask
        opened={dialog === 'archive'}
        onClose={close}
        title={`Archive ${text}?`}
        confirm="Archive"
        pending={archive.isPending}
        error={archive.error}
        onConfirm={() => archive.mutate(ref, { onSuccess: close })}
      >
        It leaves the choices for validation and release. Its bytes, reports and history are kept, and where
        it serves it goes on serving.
      </Ask>
      <Ask
        opened={dialog === 'revoke'}
        onClose={close}
        title={`Revoke ${text}?`}
        confirm="Revoke"
        danger
        pending={revoke.isPending}
        error={revoke.error}
        ask={{ kind: 'reason', label: 'Reason, for the audit log' }}
        onConfirm={(reason) => revoke.mutate({ ...ref, reason }, { onSuccess: close })}
      >
        No request for it can be made or deployed from now on. This cannot be undone. The bytes and the
        history are kept.
      </Ask>
      <RollbackDialog
        opened={dialog === 'rollback'}
        onClose={close}
        name={ref.name}
        targets={serving.map((place) => place.endpoint)}
      />
    </>
  );
}

function AliasDialog({
  view,
  opened,
  onClose,
}: {
  readonly view: VersionView;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [kind, setKind] = useState<string>('champion');
  const [own, setOwn] = useState('');
  const { name, version } = view.version;
  const alias = useAction('models.alias', {
    done: (_, input) => `“${input.alias}” now points to ${name}@${version}.`,
    notifyProblem: false,
  });
  const chosen = kind === 'other' ? own.trim() : kind;
  const { operator } = useSession();
  const isProtected = useProtected();
  const protectedRefusal = roleRefusal(operator.roles, 'model.alias-protected');
  return (
    <Ask
      opened={opened}
      onClose={onClose}
      title={`Alias for ${name}@${version}`}
      confirm="Set the alias"
      pending={alias.isPending}
      error={alias.error}
      onConfirm={() => {
        if (chosen !== '') alias.mutate({ name, alias: chosen, version }, { onSuccess: onClose });
      }}
    >
      {isProtected(chosen) ? (
        <div style={{ marginBottom: 12 }}>
          <Callout tone={protectedRefusal === null ? 'plain' : 'warn'}>
            <IconLock size={13} aria-hidden style={{ verticalAlign: '-2px' }} /> “{chosen}” is a protected
            alias of this vault. {protectedRefusal ?? 'You may move it.'}
          </Callout>
        </div>
      ) : null}
      <p style={{ margin: '0 0 12px' }}>
        An alias moves: it leaves the version it pointed to. Comparisons and regression gates are held against
        the champion.
      </p>
      <Select
        label="Alias"
        data={[
          { value: 'champion', label: 'champion' },
          { value: 'challenger', label: 'challenger' },
          { value: 'other', label: 'another name…' },
        ]}
        value={kind}
        onChange={(value) => setKind(value ?? 'champion')}
        allowDeselect={false}
      />
      {kind === 'other' ? (
        <TextInput
          mt="sm"
          label="Name"
          value={own}
          onChange={(event) => setOwn(event.currentTarget.value.toLowerCase())}
          description="Lower-case letters, digits and hyphens."
        />
      ) : null}
    </Ask>
  );
}
