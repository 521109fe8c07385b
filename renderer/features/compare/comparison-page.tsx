import { Button, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { DeltasTable } from '../../ui/deltas-table.tsx';
import { formatCount, formatDuration, formatMs, formatShare } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Page, Panel, Stat, Stats } from '../../ui/page.tsx';
import { ChartGrid } from '../../ui/report-charts.tsx';
import type { Judgement } from '../../ui/significance.ts';
import { Ago, Digest, VersionLink } from '../../ui/text.tsx';
import { DatasetFacts } from '../evidence/dataset-facts.tsx';
import { ExportReport } from '../evidence/export-report.tsx';
import { OutputFindings } from '../evidence/output-findings.tsx';
import { rowsPath } from '../evidence/rows-choice.ts';
import { AllVersions } from './all-versions.tsx';
import { LatencyBars, ScoreScatter, TrafficSeries } from './comparison-charts.tsx';
import { headlineOf } from './comparison-words.ts';
import { DisagreementMatrix } from './disagreement-matrix.tsx';
import { DisagreementRows } from './disagreement-rows.tsx';
import { FlipsTable } from './flips-table.tsx';

export function ComparisonPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('comparison.get', { id });
  const report = query.data;
  const parent = { to: '/compare', label: 'Compare' };
  if (report === undefined) {
    return (
      <Page title="Comparison" parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={6} height={64} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return (
    <Page
      title={`${formatRef(report.challenger)} against ${formatRef(report.champion)}`}
      parent={parent}
      note={
        <>
          <span>
            challenger <VersionLink of={report.challenger} />
          </span>
          <span>
            champion <VersionLink of={report.champion} />
          </span>
          <span>{`on ${report.dataset.fileName}`}</span>
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
              to={rowsPath({ kind: 'comparison', id: report.id }, { preset: 'disagreements' })}
            >
              Look at rows
            </Button>
          )}
          <ExportReport
            evidence={{ kind: 'comparison', id: report.id }}
            name={`comparison-${report.challenger.name}-${report.champion.version}-${report.challenger.version}`}
          />
        </>
      }
    >
      <ComparisonView report={report} />
    </Page>
  );
}

const TONES: Readonly<Record<Judgement, 'ok' | 'bad' | 'plain'>> = {
  better: 'ok',
  worse: 'bad',
  same: 'plain',
  chance: 'plain',
  unknown: 'plain',
};

function ComparisonView({ report }: { readonly report: ComparisonReport }): ReactNode {
  const headline = headlineOf(report);
  const { dataset, others, sliceFlips, outputFindings, disagreementRows, rowsArtifact } = report;
  const findings = [
    { who: 'the champion', found: outputFindings.champion },
    { who: 'the challenger', found: outputFindings.challenger },
    ...others.map((other) => ({ who: formatRef(other.ref), found: other.outputFindings })),
  ].filter(({ found }) => found.length > 0);
  return (
    <Stack gap={14}>
      <Callout tone={TONES[headline.judgement]}>
        <h2 style={{ margin: 0, fontSize: '0.9375rem', fontWeight: 600 }}>{headline.title}</h2>
        <div>{headline.detail}</div>
      </Callout>
      <Figures report={report} />
      {dataset.labelled ? (
        <Panel
          title="Metrics"
          note="challenger against champion; latencies within 10 % or 0.1 ms are the same"
          flush
        >
          <DeltasTable
            deltas={report.deltas}
            intervals={report.deltaIntervals}
            significance={report.significance}
          />
        </Panel>
      ) : null}
      <ChartGrid>
        {report.disagreementMatrix.length === 0 ? null : (
          <Panel title="Answers of both" note={rowsArtifact === null ? '' : 'each cell leads to its rows'}>
            <DisagreementMatrix report={report} />
          </Panel>
        )}
        <ScoreScatter report={report} />
        <LatencyBars report={report} />
        <TrafficSeries report={report} />
      </ChartGrid>
      {sliceFlips.length === 0 || !dataset.labelled ? null : (
        <Panel
          title="Where answers changed"
          note="by slice, the worst balance of broken and fixed first"
          flush
        >
          <FlipsTable report={report} />
        </Panel>
      )}
      {others.length === 0 ? null : <AllVersions report={report} />}
      {findings.length === 0 ? null : (
        <Panel title="Findings in the answers" flush>
          {findings.map(({ who, found }) => (
            <div key={who}>
              <div style={{ padding: '10px 14px 0', fontWeight: 500 }}>{`Of ${who}`}</div>
              <OutputFindings
                findings={found}
                rowsTo={
                  rowsArtifact === null
                    ? null
                    : rowsPath({ kind: 'comparison', id: report.id }, { preset: 'output-findings' })
                }
              />
            </div>
          ))}
        </Panel>
      )}
      {rowsArtifact === null ? (
        <Panel
          title="Rows on which they disagree"
          note={
            disagreementRows.length < report.disagreements
              ? `the first ${formatCount(disagreementRows.length)} of ${formatCount(report.disagreements)}`
              : ''
          }
          flush
        >
          <DisagreementRows report={report} />
        </Panel>
      ) : null}
      <Panel title="Data">
        <DatasetFacts dataset={dataset} />
        <div className="dim" style={{ marginTop: 10, display: 'flex', gap: 14, flexWrap: 'wrap' }}>
          <span>{`took ${formatDuration(report.durationMs)}`}</span>
          <span>
            champion <Digest value={report.championDigest} what="digest of the champion" />
          </span>
          <span>
            challenger <Digest value={report.challengerDigest} what="digest of the challenger" />
          </span>
        </div>
      </Panel>
    </Stack>
  );
}

function Figures({ report }: { readonly report: ComparisonReport }): ReactNode {
  const { dataset, significance } = report;
  const kappa = significance?.kappa ?? null;
  return (
    <Stats>
      <Stat label="Rows" value={formatCount(dataset.rows)} />
      <Stat
        label="They disagree on"
        value={formatCount(report.disagreements)}
        note={formatShare(dataset.rows === 0 ? null : report.disagreements / dataset.rows)}
      />
      {dataset.labelled ? (
        <>
          <Stat
            label="Challenger fixes"
            value={<span style={{ color: 'var(--sp-ok)' }}>{formatCount(report.challengerFixes)}</span>}
            note="champion was wrong"
          />
          <Stat
            label="Challenger breaks"
            value={<span style={{ color: 'var(--sp-bad)' }}>{formatCount(report.challengerBreaks)}</span>}
            note="champion was right"
          />
        </>
      ) : null}
      {kappa === null ? null : (
        <Stat
          label="Agreement"
          title="Cohen's kappa: 1 = always the same answer, 0 = as often as by chance"
          value={kappa.toFixed(3)}
          note="Cohen's kappa"
        />
      )}
      <Stat
        label="Latency p95"
        value={formatMs(report.challengerLatency.p95)}
        note={`champion ${formatMs(report.championLatency.p95)}`}
      />
    </Stats>
  );
}
