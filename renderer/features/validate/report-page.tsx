import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { GatesTable } from '../../ui/evidence.tsx';
import { formatBytes, formatCount, formatDuration } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Facts, Page, Panel } from '../../ui/page.tsx';
import { MetricStats, ReportCharts } from '../../ui/report-charts.tsx';
import { PassStatus } from '../../ui/status.tsx';
import { Ago, Digest, VersionLink } from '../../ui/text.tsx';

export function ReportPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('validation.get', { id });
  const report = query.data;
  const parent = { to: '/validate', label: 'Validate' };
  if (report === undefined) {
    return (
      <Page title="Validation" parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={6} height={64} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return (
    <Page
      title={`Validation of ${formatRef(report.ref)}`}
      parent={parent}
      badges={report.gates.length === 0 ? null : <PassStatus passed={report.passed} />}
      note={
        <>
          <VersionLink of={report.ref} />
          <span>{`on ${report.dataset.fileName}`}</span>
          <span>{report.environmentName === null ? 'what-if' : `against ${report.environmentName}`}</span>
          <span>
            by {report.runBy} <Ago at={report.createdAt} />
          </span>
        </>
      }
    >
      <ReportView report={report} />
    </Page>
  );
}

function ReportView({ report }: { readonly report: ValidationReport }): ReactNode {
  const { dataset } = report;
  return (
    <Stack gap={14}>
      <MetricStats metrics={report.metrics} />
      <Panel
        title="Gates"
        note={report.environmentName === null ? 'what-if' : `policy of ${report.environmentName}`}
        flush
      >
        <GatesTable gates={report.gates} />
      </Panel>
      <ReportCharts report={report} />
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)',
          gap: 14,
          alignItems: 'start',
        }}
      >
        <Panel title="Dataset">
          <Facts
            items={[
              ['File', dataset.fileName],
              ['Digest', <Digest key="d" value={dataset.digest} what="dataset digest" />],
              ['Size', formatBytes(dataset.sizeBytes)],
              ['Rows', formatCount(dataset.rows)],
              ['Features', formatCount(dataset.featureColumns)],
              [
                'Label column',
                <span key="l" className="mono">
                  {dataset.labelColumn}
                </span>,
              ],
              [
                'Not used',
                dataset.ignoredColumns.length === 0 ? (
                  'nothing'
                ) : (
                  <span key="i" className="mono">
                    {dataset.ignoredColumns.join(', ')}
                  </span>
                ),
              ],
            ]}
          />
        </Panel>
        <Panel title="Run">
          <Facts
            items={[
              ['Model digest', <Digest key="d" value={report.digest} />],
              ['Duration', formatDuration(report.durationMs)],
              ['Speed', `${formatCount(report.rowsPerSecond)} rows/s`],
              [
                'Read as',
                `${report.mapping.kind}; label ${report.mapping.labelOutput ?? 'from the score'}, score ${report.mapping.scoreOutput ?? 'none'}`,
              ],
              ['Report', <Digest key="r" value={report.id} what="report id" />],
            ]}
          />
        </Panel>
      </div>
    </Stack>
  );
}
