import { ActionIcon, Menu } from '@mantine/core';
import {
  IconArrowBackUp,
  IconDots,
  IconPlus,
  IconRefresh,
  IconServer2,
  IconTrash,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import type { ServedModel } from '../../../shared/domain/endpoint/endpoint.ts';
import type { EndpointView } from '../../../shared/domain/view/views.ts';
import { call } from '../../api/bridge.ts';
import { notifyDone, useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { formatMs } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Empty, Page } from '../../ui/page.tsx';
import { EndpointHealth } from '../../ui/status.tsx';
import { Ago, Digest, Truncated, VersionLink } from '../../ui/text.tsx';
import { RollbackDialog } from '../rollouts/rollback-dialog.tsx';
import { AddEndpoint } from './add-endpoint.tsx';
import styles from './endpoints.module.css';

export function EndpointsPage(): ReactNode {
  const { operator } = useSession();
  const [adding, setAdding] = useState(false);
  const query = useCall('endpoints.list', {});
  useFreshStatus(query.data);
  const add = (
    <GuardedButton
      refusal={roleRefusal(operator.roles, 'endpoint.manage')}
      leftSection={<IconPlus size={15} />}
      onClick={() => setAdding(true)}
    >
      Add an endpoint
    </GuardedButton>
  );
  return (
    <Page
      title="Endpoints"
      note="Serving agents this console can deploy to. Each verifies every signature itself, with the keys pinned in its own configuration."
      actions={add}
    >
      <Loaded query={query} skeleton={<Bars rows={3} height={120} />}>
        {(endpoints) =>
          endpoints.length === 0 ? (
            <div className={styles.card}>
              <Empty icon={IconServer2} title="No endpoints yet" action={add}>
                Start an agent where the model shall serve: <span className="mono">sallyport agent init</span>{' '}
                prints its fingerprint and its first token. Then add it here.
              </Empty>
            </div>
          ) : (
            <div className={styles.list}>
              {endpoints.map((view) => (
                <EndpointCard key={view.endpoint.id} view={view} />
              ))}
            </div>
          )
        }
      </Loaded>
      <AddEndpoint opened={adding} onClose={() => setAdding(false)} />
    </Page>
  );
}

/** Asks every endpoint what it serves when the page opens and whenever a rollout has moved on. */
function useFreshStatus(endpoints: readonly EndpointView[] | undefined): void {
  const client = useQueryClient();
  const rollouts = useCall('rollouts.list', {});
  const moved = (rollouts.data ?? []).map(({ state }) => `${state.id} ${state.phase} ${state.step}`).join();
  const ids = (endpoints ?? []).map(({ endpoint }) => endpoint.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a rollout that moved is the cause
  useEffect(() => {
    if (ids === '') return;
    // A check that fails says so in the endpoint's own status; nothing more is to be shown here.
    void Promise.allSettled(ids.split(',').map((id) => call('endpoints.check', { id }))).then(() =>
      client.invalidateQueries({ queryKey: ['endpoints'] }),
    );
  }, [ids, moved, client]);
}

function EndpointCard({ view }: { readonly view: EndpointView }): ReactNode {
  const { operator } = useSession();
  const { endpoint, status } = view;
  const [removing, setRemoving] = useState(false);
  const manage = roleRefusal(operator.roles, 'endpoint.manage');
  const check = useAction('endpoints.check', {
    done: (result) =>
      result.reachable && result.problem === null
        ? `${endpoint.name} answers in ${formatMs(result.latencyMs)}.`
        : null,
  });
  const remove = useAction('endpoints.remove', { notifyProblem: false });
  return (
    <section className={styles.card} aria-label={endpoint.name}>
      <header className={styles.head}>
        <div style={{ minWidth: 0, flex: 1 }}>
          <div className={styles.name}>
            <h2 className={styles.title} title={endpoint.name}>
              {endpoint.name}
            </h2>
            <EndpointHealth status={status} />
          </div>
          <div className={styles.facts}>
            <span>{view.environmentName}</span>
            <Truncated mono max={340}>
              {endpoint.predictUrl}
            </Truncated>
            {status === null ? null : (
              <span className="num">
                {status.latencyMs === null ? '' : `${formatMs(status.latencyMs)}, `}checked{' '}
                <Ago at={status.checkedAt} />
              </span>
            )}
            <span style={{ display: 'inline-flex', alignItems: 'center', gap: 6 }}>
              key <Digest value={endpoint.fingerprint} what="agent fingerprint" />
            </span>
          </div>
        </div>
        <GuardedButton
          variant="default"
          refusal={null}
          leftSection={<IconRefresh size={14} />}
          loading={check.isPending}
          onClick={() => check.mutate({ id: endpoint.id })}
        >
          Check
        </GuardedButton>
        <Menu position="bottom-end" shadow="md" transitionProps={{ duration: 80 }}>
          <Menu.Target>
            <ActionIcon aria-label={`More for ${endpoint.name}`} size={30}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconTrash size={15} />}
              disabled={manage !== null}
              {...(manage === null ? { c: 'var(--sp-bad)' } : {})}
              onClick={() => setRemoving(true)}
            >
              Remove…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </header>
      {status?.problem == null ? null : (
        <div style={{ padding: '0 14px 12px' }}>
          <Callout tone={status.reachable ? 'warn' : 'bad'}>
            <strong style={{ fontWeight: 600 }}>{status.problem.message}</strong> {status.problem.hint}{' '}
            <span className="mono dim">{status.problem.code}</span>
          </Callout>
        </div>
      )}
      {status === null || status.models.length === 0 ? (
        status?.problem == null ? (
          <div className={styles.none}>
            {status === null
              ? 'Not checked yet.'
              : 'It serves no model yet. Deploy an approved request to it.'}
          </div>
        ) : null
      ) : (
        <div className={styles.models}>
          {status.models.map((model) => (
            <Served key={model.name} model={model} target={endpoint.name} />
          ))}
        </div>
      )}
      <Ask
        opened={removing}
        onClose={() => setRemoving(false)}
        title={`Remove ${endpoint.name}?`}
        confirm="Remove"
        danger
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() => {
          remove
            .mutateAsync({ id: endpoint.id })
            .then(() => {
              setRemoving(false);
              notifyDone(`${endpoint.name} is removed from this console.`);
            })
            .catch(() => undefined);
        }}
      >
        The console forgets its address and its token. The agent itself goes on serving what it serves.
      </Ask>
    </section>
  );
}

function Slot({
  label,
  children,
  share,
}: {
  readonly label: string;
  readonly children: ReactNode;
  readonly share?: number;
}): ReactNode {
  return (
    <div className={styles.slot}>
      <div className={styles.slotLabel}>
        {label}
        {share === undefined ? null : <span className="num">{` ${share} %`}</span>}
      </div>
      <div className={styles.slotValue}>{children}</div>
    </div>
  );
}

function Served({ model, target }: { readonly model: ServedModel; readonly target: string }): ReactNode {
  const { operator } = useSession();
  const [rolling, setRolling] = useState(false);
  const { name, stable, canary, previous } = model;
  const back = canary !== null ? stable : previous;
  const out = canary ?? stable;
  const refusal =
    roleRefusal(operator.roles, 'rollout.rollback') ??
    (back === null ? 'There is no former version to go back to.' : null);
  const link = (slot: { version: string } | null): ReactNode =>
    slot === null ? <span className="dim">none</span> : <VersionLink of={{ name, version: slot.version }} />;
  return (
    <div className={styles.served}>
      <Slot label="Stable" share={canary === null ? (stable === null ? 0 : 100) : 100 - canary.percent}>
        {link(stable)}
      </Slot>
      <Slot label="Canary" {...(canary === null ? {} : { share: canary.percent })}>
        {link(canary)}
      </Slot>
      <Slot label="Previous, warm">{link(previous)}</Slot>
      <div
        className={styles.bar}
        role="img"
        aria-label={
          canary === null ? 'All traffic to stable' : `${canary.percent} % of traffic to the canary`
        }
      >
        <span style={{ width: `${canary?.percent ?? 0}%` }} />
      </div>
      <GuardedButton
        variant="default"
        refusal={refusal}
        leftSection={<IconArrowBackUp size={14} />}
        onClick={() => setRolling(true)}
      >
        Roll back
      </GuardedButton>
      <RollbackDialog
        opened={rolling}
        onClose={() => setRolling(false)}
        name={name}
        targets={[target]}
        from={out === null ? null : `${name}@${out.version}`}
        to={back === null ? null : `${name}@${back.version}`}
      />
    </div>
  );
}
