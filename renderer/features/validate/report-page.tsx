import { Button, Stack, Tabs } from '@mantine/core';
import { IconTagOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { GatesTable } from '../../ui/evidence.tsx';
import { formatCount, formatDuration } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { MetricStats } from '../../ui/metric-stats.tsx';
import { Empty, Facts, Page, Panel } from '../../ui/page.tsx';
import { ChartGrid, QualityPanels } from '../../ui/report-charts.tsx';
import { GateVerdict } from '../../ui/status.tsx';
import { Ago, Digest, VersionLink } from '../../ui/text.tsx';
import { DatasetFacts } from '../evidence/dataset-facts.tsx';
import { ExportReport } from '../evidence/export-report.tsx';
import { rowsOfGate, rowsPath } from '../evidence/rows-choice.ts';
import { DriftTab } from './drift-tab.tsx';
import { OutputsTab } from './outputs-tab.tsx';
import { RobustnessTab } from './robustness-tab.tsx';
import { SlicesTab } from './slices-tab.tsx';
import { verdictOfReport } from './verdict.ts';
import { VerdictHeader } from './verdict-header.tsx';

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
  const verdict = verdictOfReport(report);
  return (
    <Page
      title={`Validation of ${formatRef(report.ref)}`}
      parent={parent}
      badges={verdict === 'none' ? null : <GateVerdict verdict={verdict} />}
      note={
        <>
          <VersionLink of={report.ref} />
          <span>{`on ${report.dataset.fileName}`}</span>
          <span>
            {report.environmentName !== null
              ? `against ${report.environmentName}`
              : report.gates.length === 0
                ? 'without gates'
                : 'what-if'}
          </span>
          <span>
            by {report.runBy} <Ago at={report.createdAt} />
          </span>
        </>
      }
      actions={
        <>
          {report.rowsArtifact === null ? null : (
            <Button
              variant="default"
              component={Link}
              to={rowsPath(
                { kind: 'validation', id: report.id },
                { preset: report.dataset.labelled ? 'errors' : 'all' },
              )}
            >
              Look at rows
            </Button>
          )}
          <ExportReport
            evidence={{ kind: 'validation', id: report.id }}
            name={`validation-${report.ref.name}-${report.ref.version}`}
          />
        </>
      }
    >
      <ReportView report={report} />
    </Page>
  );
}

function count(of: number): string {
  return of === 0 ? '' : ` (${formatCount(of)})`;
}

function ReportView({ report }: { readonly report: ValidationReport }): ReactNode {
  const [search, setSearch] = useSearchParams();
  const { gates, drift, robustness, slices, outputFindings, rowsArtifact } = report;
  const drifted = drift?.features.filter(({ verdict }) => verdict === 'drift').length ?? 0;
  return (
    <Stack gap={14}>
      <VerdictHeader report={report} />
      <MetricStats
        metrics={report.metrics}
        intervals={report.intervals}
        labelled={report.dataset.labelled}
        regression={report.regression}
      />
      {gates.length === 0 ? null : (
        <Panel
          title="Gates"
          note={report.environmentName === null ? 'what-if' : `policy of ${report.environmentName}`}
          flush
        >
          <GatesTable
            gates={gates}
            {...(rowsArtifact === null ? {} : { rowsOf: (gate) => rowsOfGate(gate, report.id) })}
          />
        </Panel>
      )}
      <Tabs
        value={search.get('tab') ?? 'quality'}
        onChange={(value) =>
          setSearch(value === null || value === 'quality' ? {} : { tab: value }, { replace: true })
        }
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="quality">Quality</Tabs.Tab>
          <Tabs.Tab value="slices">{`Slices${count(slices.length)}`}</Tabs.Tab>
          <Tabs.Tab value="outputs">{`Outputs${count(outputFindings.length)}`}</Tabs.Tab>
          <Tabs.Tab value="drift">{`Drift${count(drifted)}`}</Tabs.Tab>
          <Tabs.Tab value="robustness">{`Robustness${count(robustness.length)}`}</Tabs.Tab>
          <Tabs.Tab value="data">Execution and data</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="quality">
          {!report.dataset.labelled ? (
            <Empty icon={IconTagOff} title="Nothing can be right or wrong">
              The data has no labels. What the model answered is under Outputs, how far the data has moved
              under Drift.
            </Empty>
          ) : report.regression === null ? (
            <ChartGrid>
              <QualityPanels report={report} />
            </ChartGrid>
          ) : (
            <div className="dim">
              The model answers a number: its errors are above, and its rows show each of them.
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="slices">
          <SlicesTab report={report} />
        </Tabs.Panel>
        <Tabs.Panel value="outputs">
          <OutputsTab report={report} />
        </Tabs.Panel>
        <Tabs.Panel value="drift">
          <DriftTab drift={drift} />
        </Tabs.Panel>
        <Tabs.Panel value="robustness">
          <RobustnessTab results={robustness} />
        </Tabs.Panel>
        <Tabs.Panel value="data">
          <DataTab report={report} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function DataTab({ report }: { readonly report: ValidationReport }): ReactNode {
  const { mapping, execution } = report;
  return (
    <div
      style={{
        display: 'grid',
        gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)',
        gap: 14,
        alignItems: 'start',
      }}
    >
      <Panel title="Data">
        <DatasetFacts dataset={report.dataset} />
      </Panel>
      <Panel title="Run">
        <Facts
          items={[
            ['Model digest', <Digest key="d" value={report.digest} />],
            ['Duration', formatDuration(report.durationMs)],
            ['Speed', `${formatCount(report.rowsPerSecond)} rows/s`],
            ['Threads', execution === null ? 'not recorded' : formatCount(execution.threads)],
            ['Rows a batch', execution === null ? 'not recorded' : formatCount(execution.batchRows)],
            ['Seed', execution === null ? null : String(execution.seed)],
            [
              'Read as',
              `${mapping.kind}; label ${mapping.labelOutput ?? 'from the score'}, score ${mapping.scoreOutput ?? 'none'}`,
            ],
            ['Report', <Digest key="r" value={report.id} what="report id" />],
          ]}
        />
      </Panel>
    </div>
  );
}
