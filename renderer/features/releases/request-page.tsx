import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { overallVerdict } from '../../../shared/domain/policy/evaluate.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { DeltasTable } from '../../ui/deltas-table.tsx';
import { FindingsList, GatesTable, RulesRun, ruleCount } from '../../ui/evidence.tsx';
import { formatBytes, formatCount, formatDuration, formatMs, formatShare, plural } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { MetricStats } from '../../ui/metric-stats.tsx';
import { Callout, Facts, Page, Panel, SimpleTable, Stat, Stats } from '../../ui/page.tsx';
import { ReportCharts } from '../../ui/report-charts.tsx';
import { GateVerdict, RequestStatus } from '../../ui/status.tsx';
import { Ago, Digest, VersionLink } from '../../ui/text.tsx';
import { QuorumPanel } from './quorum-panel.tsx';
import { RequestActions } from './request-actions.tsx';
import { describeGuards, formatLease, formatPlan } from './request-words.ts';

export function RequestPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('requests.get', { id });
  const view = query.data;
  const parent = { to: '/releases', label: 'Releases' };
  if (view === undefined) {
    return (
      <Page title="Release request" parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={6} height={64} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  const { record } = view;
  const ref = { name: record.request.name, version: record.request.version };
  return (
    <Page
      title={`${formatRef(ref)} for ${record.environmentName}`}
      parent={parent}
      badges={<RequestStatus state={record.state} />}
      note={
        <>
          <VersionLink of={ref} />
          <Digest value={record.request.digest} what="model digest" />
          <span className="num">{`serial ${record.request.serial}`}</span>
          <span>
            submitted by {record.request.submitter.person} <Ago at={record.createdAt} />
          </span>
          <span>
            expires <Ago at={record.request.notAfter} />
          </span>
        </>
      }
      actions={<RequestActions view={view} />}
    >
      <Evidence view={view} />
    </Page>
  );
}

/** Everything an approver signs, on one page: nothing here was typed by a person but the plan and the policy. */
function Evidence({ view }: { readonly view: RequestView }): ReactNode {
  const { record, dossier, plan, policy, rolloutIds } = view;
  const { validation, comparison } = dossier;
  const guards = describeGuards(plan.guards);
  const unguarded = guards.filter((guard) => guard.off);
  return (
    <Stack gap={14}>
      {record.reason === '' ? null : (
        <Callout tone={record.state === 'rejected' || record.state === 'revoked' ? 'bad' : 'warn'}>
          {record.reason}
        </Callout>
      )}
      {rolloutIds.length === 0 ? null : (
        <Callout tone="accent">
          It has been deployed:{' '}
          {rolloutIds.map((rolloutId, index) => (
            <span key={rolloutId}>
              {index === 0 ? '' : ', '}
              <Link to={`/rollouts/${rolloutId}`} style={{ color: 'inherit' }}>{`rollout ${index + 1}`}</Link>
            </span>
          ))}
        </Callout>
      )}
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: 'minmax(0, 2fr) minmax(320px, 1fr)',
          gap: 14,
          alignItems: 'start',
        }}
      >
        <Stack gap={14} style={{ minWidth: 0 }}>
          <Panel
            title="Gates"
            note={`measured on ${validation.dataset.fileName}, ${plural(validation.metrics.rows, 'row')}`}
            actions={<GateVerdict verdict={overallVerdict(dossier.gates)} />}
            flush
          >
            <GatesTable gates={dossier.gates} />
          </Panel>
          <MetricStats metrics={validation.metrics} intervals={validation.intervals} />
          <Panel title="Scan" note={`${plural(ruleCount(dossier.scan.rulesRun), 'rule')} ran`} flush>
            <FindingsList findings={dossier.scan.findings} rulesRun={dossier.scan.rulesRun} />
            <div style={{ padding: '10px 14px', borderTop: '1px solid var(--sp-border)' }}>
              <RulesRun rules={dossier.scan.rulesRun} />
            </div>
          </Panel>
          <Panel
            title="Against the champion"
            note={
              comparison === null
                ? ''
                : `${formatRef(comparison.champion)}, on ${comparison.dataset.fileName}`
            }
            flush
          >
            {comparison === null ? (
              <div style={{ padding: 14 }} className="dim">
                No comparison is part of this dossier: there was no champion, or none was run.
              </div>
            ) : (
              <>
                <div style={{ padding: 14, borderBottom: '1px solid var(--sp-border)' }}>
                  <Stats>
                    <Stat
                      label="They disagree on"
                      value={formatCount(comparison.disagreements)}
                      note={formatShare(
                        comparison.dataset.rows === 0
                          ? null
                          : comparison.disagreements / comparison.dataset.rows,
                      )}
                    />
                    <Stat
                      label="Fixes"
                      value={
                        <span style={{ color: 'var(--sp-ok)' }}>
                          {formatCount(comparison.challengerFixes)}
                        </span>
                      }
                    />
                    <Stat
                      label="Breaks"
                      value={
                        <span style={{ color: 'var(--sp-bad)' }}>
                          {formatCount(comparison.challengerBreaks)}
                        </span>
                      }
                    />
                    <Stat
                      label="Latency p95"
                      value={formatMs(comparison.challengerLatency.p95)}
                      note={`champion ${formatMs(comparison.championLatency.p95)}`}
                    />
                  </Stats>
                </div>
                <DeltasTable
                  deltas={comparison.deltas}
                  intervals={comparison.deltaIntervals}
                  significance={comparison.significance}
                />
              </>
            )}
          </Panel>
          <ReportCharts report={validation} />
        </Stack>
        <Stack gap={14} style={{ minWidth: 0 }}>
          <QuorumPanel view={view} />
          <Panel title="Plan" note={plan.strategy}>
            <Stack gap="sm">
              {unguarded.length === 0 ? null : (
                <Callout tone="warn">{`${unguarded.map((guard) => guard.name).join(' and ')} not guarded: nothing stops this rollout on that ground.`}</Callout>
              )}
              <Facts
                items={[
                  ['Goes out', formatPlan(plan)],
                  ['Step timeout', `${formatDuration(plan.maxStepMs)}, then it pauses`],
                  ['Mirrored', formatShare(plan.mirrorSample, 0)],
                  ...(plan.strategy === 'direct' ? [] : [['Lease', formatLease(plan)] as const]),
                  ...guards.map((guard) => [guard.name, guard.text] as const),
                ]}
              />
            </Stack>
          </Panel>
          <Panel title="Policy" note={record.environmentName}>
            <Facts
              items={[
                ['Gates', `${policy.gates.length}`],
                ['Minimum rows', formatCount(policy.minimumRows)],
                ['Worst finding', policy.maximumSeverity],
                ['Datasets', policy.datasets.length === 0 ? 'any' : `${policy.datasets.length} named`],
                ['Quorum', plural(policy.quorum.approvals, 'person', 'people')],
              ]}
            />
          </Panel>
          <Panel title="Lineage">
            <Facts
              items={[
                [
                  'Parent',
                  dossier.lineage.parent === null ? (
                    'none'
                  ) : (
                    <VersionLink
                      key="p"
                      of={{ name: record.request.name, version: dossier.lineage.parent }}
                    />
                  ),
                ],
                ['Training data', dossier.lineage.datasetDigest ?? 'not said'],
                ['Training code', dossier.lineage.codeReference ?? 'not said'],
              ]}
            />
          </Panel>
          <Panel title="Signed files" flush>
            <SimpleTable
              label="Files of the release directory"
              columns={['File', '>Size', 'Digest']}
              rows={view.files.map((file) => ({
                key: file.name,
                cells: [
                  <span key="n" className="mono">
                    {file.name}
                  </span>,
                  formatBytes(file.sizeBytes),
                  <Digest key="d" value={file.digest} />,
                ],
              }))}
            />
            <div
              style={{
                padding: '10px 14px',
                borderTop: '1px solid var(--sp-border)',
                display: 'flex',
                gap: 10,
                alignItems: 'center',
              }}
            >
              <span className="dim">Root</span>
              <Digest value={record.root} what="root digest" />
            </div>
          </Panel>
        </Stack>
      </div>
    </Stack>
  );
}
