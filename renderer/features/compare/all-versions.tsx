import type { ReactNode } from 'react';
import type { AgainstChampion, ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { formatCount, formatDelta, formatShare } from '../../ui/format.ts';
import { formatMetricValue, metricLabel, SHORT_METRIC_LABELS } from '../../ui/metrics.ts';
import { Panel, SimpleTable } from '../../ui/page.tsx';
import { chanceText, intervalShort } from '../../ui/significance.ts';
import { VersionLink } from '../../ui/text.tsx';

const METRICS = ['roc_auc', 'f1', 'precision', 'recall', 'false_positive_rate'] as const;

const NO_WRAP = { whiteSpace: 'nowrap' } as const;

/** What is said of a version beside the champion; the champion itself has nothing. */
type Beside = Pick<AgainstChampion, 'disagreements' | 'fixes' | 'breaks' | 'significance'>;

/** More than two versions on the same rows: each one's figures, and how it stands against the champion. */
export function AllVersions({ report }: { readonly report: ComparisonReport }): ReactNode {
  const { dataset, others } = report;
  const shown = dataset.labelled ? METRICS : (['positive_rate'] as const);
  const challenger: Beside = {
    disagreements: report.disagreements,
    fixes: report.challengerFixes,
    breaks: report.challengerBreaks,
    significance: report.significance,
  };
  const all = [
    { ref: report.champion, metrics: report.championMetrics, role: 'champion', beside: null },
    { ref: report.challenger, metrics: report.challengerMetrics, role: 'challenger', beside: challenger },
    ...others.map(({ ref, metrics, against }) => ({ ref, metrics, role: '', beside: against })),
  ];
  const columns = dataset.labelled
    ? ['>ROC AUC difference', '>Fixes', '>Breaks', '>McNemar']
    : ['>Disagrees on'];
  return (
    <Panel title="All versions on these rows" note="differences are against the champion" flush>
      <SimpleTable
        label="All versions on these rows"
        columns={[
          'Version',
          ...shown.map((metric) => `>${SHORT_METRIC_LABELS[metric] ?? metricLabel(metric)}`),
          ...columns,
        ]}
        rows={all.map(({ ref, metrics, role, beside }) => ({
          key: formatRef(ref),
          cells: [
            <span key="v">
              <VersionLink of={ref} />
              {role === '' ? null : <div className="dim">{role}</div>}
            </span>,
            ...shown.map((metric) => formatMetricValue(metric, metrics[metric])),
            ...(dataset.labelled ? besideTruth(beside) : [apart(beside, dataset.rows)]),
          ],
        }))}
      />
    </Panel>
  );
}

function besideTruth(beside: Beside | null): ReactNode[] {
  if (beside === null) return ['', '', '', ''];
  const { fixes, breaks, significance } = beside;
  const { aucDelta = null, aucDeltaInterval = null, mcnemarP = null } = significance ?? {};
  return [
    aucDelta === null ? (
      '–'
    ) : (
      <span key="d" style={NO_WRAP}>
        {formatDelta(aucDelta)}
        {aucDeltaInterval === null ? null : <div className="dim">{intervalShort(aucDeltaInterval)}</div>}
      </span>
    ),
    formatCount(fixes),
    formatCount(breaks),
    <span key="p" style={NO_WRAP}>
      {mcnemarP === null ? '–' : chanceText(mcnemarP)}
    </span>,
  ];
}

function apart(beside: Beside | null, rows: number): string {
  if (beside === null) return '';
  return `${formatCount(beside.disagreements)} (${formatShare(rows === 0 ? null : beside.disagreements / rows)})`;
}
