import { Tabs } from '@mantine/core';
import { IconChecklist, IconServer2 } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { overallVerdict } from '../../../shared/domain/policy/evaluate.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { FindingsList, RulesRun } from '../../ui/evidence.tsx';
import { formatBytes, formatDuration, formatMetric } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Empty, Page, Panel, SimpleTable } from '../../ui/page.tsx';
import { GateVerdict, Status, Tag, VersionStatus } from '../../ui/status.tsx';
import { Ago, Digest } from '../../ui/text.tsx';
import { MappingForm } from './mapping-form.tsx';
import { SummaryTab } from './summary-tab.tsx';
import { VersionActions } from './version-actions.tsx';

const TABS = ['summary', 'scan', 'mapping', 'validation', 'deployed'] as const;

export function VersionPage(): ReactNode {
  const { name = '', version = '' } = useParams();
  const query = useCall('models.get', { name, version });
  const ref = formatRef({ name, version });
  const parent = { to: '/models', label: 'Models' };
  if (query.data === undefined) {
    return (
      <Page title={ref} parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={8} height={40} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  const view = query.data;
  const { version: record } = view;
  return (
    <Page
      title={ref}
      parent={parent}
      badges={
        <>
          <VersionStatus state={record.state} />
          {record.removedAt == null ? null : <Status tone="warn">file removed</Status>}
          {view.aliases.map((alias) => (
            <Tag key={alias}>{alias}</Tag>
          ))}
        </>
      }
      note={
        <>
          <Digest value={record.digest} />
          <span className="num">{formatBytes(record.sizeBytes)}</span>
          <span>
            added by {record.addedBy} <Ago at={record.addedAt} />
          </span>
        </>
      }
      actions={<VersionActions view={view} />}
    >
      {record.removedAt == null ? null : (
        <div style={{ marginBottom: 14 }}>
          <Callout tone="warn">
            <strong style={{ fontWeight: 600 }}>Its file was removed</strong> <Ago at={record.removedAt} />,
            to free space. The record, its reports and its history are kept. Adding the very same file again
            under {ref} brings it back; a file with another digest is refused.
          </Callout>
        </div>
      )}
      <VersionTabs view={view} />
    </Page>
  );
}

function VersionTabs({ view }: { readonly view: VersionView }): ReactNode {
  const [search, setSearch] = useSearchParams();
  const wanted = search.get('tab');
  const tab = TABS.find((candidate) => candidate === wanted) ?? 'summary';
  const { version: record } = view;
  return (
    <Tabs
      value={tab}
      onChange={(value) =>
        setSearch(value === null || value === 'summary' ? {} : { tab: value }, { replace: true })
      }
      keepMounted={false}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="summary">Summary</Tabs.Tab>
        <Tabs.Tab value="scan">
          Scan{record.findings.length === 0 ? '' : ` (${record.findings.length})`}
        </Tabs.Tab>
        <Tabs.Tab value="mapping">Mapping{record.mapping === null ? ' (not set)' : ''}</Tabs.Tab>
        <Tabs.Tab value="validation">Validation</Tabs.Tab>
        <Tabs.Tab value="deployed">
          Where deployed{view.deployedOn.length === 0 ? '' : ` (${view.deployedOn.length})`}
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="summary">
        <SummaryTab view={view} />
      </Tabs.Panel>
      <Tabs.Panel value="scan">
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(0, 2fr) minmax(260px, 1fr)',
            gap: 14,
            alignItems: 'start',
          }}
        >
          <Panel title="Findings" flush>
            <FindingsList findings={record.findings} rulesRun={record.rulesRun} />
          </Panel>
          <Panel title="Rules that ran">
            <RulesRun rules={record.rulesRun} />
            <div className="dim" style={{ marginTop: 10 }}>
              A rule that did not run is never a pass.
            </div>
          </Panel>
        </div>
      </Tabs.Panel>
      <Tabs.Panel value="mapping">
        <MappingForm key={JSON.stringify(record.mapping)} view={view} />
      </Tabs.Panel>
      <Tabs.Panel value="validation">
        <Validations view={view} />
      </Tabs.Panel>
      <Tabs.Panel value="deployed">
        <Deployed view={view} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Validations({ view }: { readonly view: VersionView }): ReactNode {
  const ref = { name: view.version.name, version: view.version.version };
  const query = useCall('validation.list', { ref });
  return (
    <Panel
      title="Reports"
      flush
      actions={
        <Link to="/validate" state={{ ref }} style={{ color: 'var(--sp-accent-text)', paddingRight: 6 }}>
          Run a validation
        </Link>
      }
    >
      <Loaded query={query}>
        {(reports) =>
          reports.length === 0 ? (
            <Empty icon={IconChecklist} title="Not validated yet">
              Run it on labelled data. A report that passes an environment's gates is what a release request
              needs.
            </Empty>
          ) : (
            <SimpleTable
              label="Validation reports"
              columns={[
                'Report',
                'Environment',
                'Gates',
                '>Rows',
                '>ROC AUC',
                '>F1',
                '>Duration',
                'By',
                '>When',
              ]}
              rows={reports.map((report) => ({
                key: report.id,
                cells: [
                  <Link key="l" to={`/validate/${report.id}`} className="plain" style={{ fontWeight: 500 }}>
                    {report.dataset.fileName}
                  </Link>,
                  report.environmentName ?? (
                    <span key="e" className="dim">
                      none
                    </span>
                  ),
                  report.gates.length === 0 ? (
                    <span key="g" className="dim">
                      none
                    </span>
                  ) : (
                    <GateVerdict key="g" verdict={overallVerdict(report.gates)} />
                  ),
                  report.metrics.rows.toLocaleString('en-US'),
                  formatMetric(report.metrics.roc_auc),
                  formatMetric(report.metrics.f1),
                  formatDuration(report.durationMs),
                  report.runBy,
                  <Ago key="a" at={report.createdAt} />,
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function Deployed({ view }: { readonly view: VersionView }): ReactNode {
  return (
    <Panel title="Endpoints that serve it" note="as last seen" flush>
      {view.deployedOn.length === 0 ? (
        <Empty icon={IconServer2} title="Not deployed">
          A version reaches an endpoint through an approved release request.
        </Empty>
      ) : (
        <SimpleTable
          label="Endpoints"
          columns={['Endpoint', 'Role', '>Share of traffic']}
          rows={view.deployedOn.map((place) => ({
            key: `${place.endpoint}-${place.role}`,
            cells: [
              <Link key="l" to="/endpoints" className="plain" style={{ fontWeight: 500 }}>
                {place.endpoint}
              </Link>,
              place.role,
              `${place.percent} %`,
            ],
          }))}
        />
      )}
    </Panel>
  );
}
