import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { formatDuration, formatShare, plural } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Facts, Page, Panel, SimpleTable } from '../../ui/page.tsx';
import { isDeliberate, isFinal, PhaseStatus, Status } from '../../ui/status.tsx';
import { Ago, Digest, useNow, VersionLink } from '../../ui/text.tsx';
import { describeGuards } from '../releases/request-words.ts';
import { LiveCharts } from './live-charts.tsx';
import { PhaseStepper } from './phase-stepper.tsx';
import { RolloutActions } from './rollout-actions.tsx';
import { useReason } from './use-reason.ts';
import { VerdictTimeline } from './verdict-timeline.tsx';

export function RolloutPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('rollouts.get', { id });
  const view = query.data;
  const parent = { to: '/rollouts', label: 'Rollouts' };
  if (view === undefined) {
    return (
      <Page title="Rollout" parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={6} height={64} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  const { state } = view;
  const ref = { name: state.name, version: state.version };
  return (
    <Page
      title={`${formatRef(ref)} to ${state.target}`}
      parent={parent}
      badges={<PhaseStatus phase={state.phase} reason={state.reason} />}
      note={
        <>
          <VersionLink of={ref} />
          <Digest value={state.digest} what="model digest" />
          <Link to={`/releases/${state.requestId}`} style={{ color: 'var(--sp-accent-text)' }}>
            signed request
          </Link>
          <span>
            started by {state.startedBy} <Ago at={state.startedAt} />
          </span>
        </>
      }
      actions={<RolloutActions view={view} />}
    >
      <Content view={view} />
    </Page>
  );
}

function StepClock({ view }: { readonly view: RolloutView }): ReactNode {
  const now = useNow(1000);
  const { state } = view;
  const elapsed = Math.max(0, now - Date.parse(state.stepStartedAt));
  if (state.phase !== 'stepping') return null;
  return (
    <span className="num dim" style={{ whiteSpace: 'nowrap' }}>
      {elapsed < state.plan.bakeMs
        ? `bakes for another ${formatDuration(state.plan.bakeMs - elapsed)}`
        : `${formatDuration(elapsed)} in this step; pauses at ${formatDuration(state.plan.maxStepMs)}`}
    </span>
  );
}

function Content({ view }: { readonly view: RolloutView }): ReactNode {
  const { state } = view;
  const reason = useReason(state);
  const tone =
    state.phase === 'completed'
      ? 'ok'
      : isDeliberate(state.reason)
        ? 'plain'
        : state.phase === 'paused'
          ? 'warn'
          : isFinal(state.phase) || state.phase === 'rolling-back'
            ? 'bad'
            : 'plain';
  return (
    <Stack gap={14}>
      <Panel>
        <PhaseStepper state={state} />
      </Panel>
      <Callout tone={tone}>
        <div style={{ display: 'flex', justifyContent: 'space-between', gap: 16 }}>
          <span>{reason}</span>
          <StepClock view={view} />
        </div>
      </Callout>
      <LiveCharts view={view} />
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: 'minmax(0, 2fr) minmax(300px, 1fr)',
          gap: 14,
          alignItems: 'start',
        }}
      >
        <Panel title="Verdicts" note="newest first, each with the measurements behind it" flush>
          <VerdictTimeline verdicts={state.verdicts} steps={state.plan.steps} />
        </Panel>
        <Stack gap={14}>
          <Panel title="Endpoints" flush>
            <SimpleTable
              label="Endpoints of the rollout"
              columns={['Endpoint', 'Stable', '>Confirmed', 'State']}
              rows={state.endpoints.map((endpoint) => ({
                key: endpoint.endpointId,
                cells: [
                  <span key="n" style={{ fontWeight: 500 }}>
                    {endpoint.endpointName}
                  </span>,
                  endpoint.stableVersion ?? (
                    <span key="s" className="dim">
                      none
                    </span>
                  ),
                  endpoint.confirmedPercent === null ? '–' : `${endpoint.confirmedPercent} %`,
                  endpoint.consecutiveErrors > 0 ? (
                    <Status key="e" tone="warn">
                      {plural(endpoint.consecutiveErrors, 'error')}
                    </Status>
                  ) : endpoint.pushed ? (
                    <Status key="e" tone="ok">
                      loaded
                    </Status>
                  ) : (
                    <Status key="e" tone="idle">
                      waiting
                    </Status>
                  ),
                ],
              }))}
            />
          </Panel>
          <Panel title="Signed plan" note={state.plan.strategy}>
            <Facts
              items={[
                ['Steps', `${state.plan.steps.join(' → ')} %`],
                ['Bake', formatDuration(state.plan.bakeMs)],
                ['Mirrored', formatShare(state.plan.mirrorSample, 0)],
                ...describeGuards(state.plan.guards).map((guard) => [guard.name, guard.text] as const),
              ]}
            />
          </Panel>
        </Stack>
      </div>
    </Stack>
  );
}
