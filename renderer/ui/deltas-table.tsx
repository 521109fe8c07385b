import type { ReactNode } from 'react';
import type { ComparisonReport } from '../../shared/domain/metrics/report.ts';
import { formatDelta } from './format.ts';
import { formatMetricValue, judgeDelta, metricLabel } from './metrics.ts';
import { SimpleTable } from './page.tsx';
import { differenceText, type Judgement, judgeDifference } from './significance.ts';

const COLORS = {
  better: 'var(--sp-ok)',
  worse: 'var(--sp-bad)',
  same: 'var(--sp-dim)',
  chance: 'var(--sp-dim)',
  unknown: 'var(--sp-dim)',
} as const satisfies Record<Judgement, string>;
const WORDS = {
  better: 'better',
  worse: 'worse',
  same: 'same',
  chance: 'may be chance',
  unknown: 'not measured',
} as const satisfies Record<Judgement, string>;

interface DeltasTableProps {
  readonly deltas: ComparisonReport['deltas'];
  /** Of challenger minus champion, by metric; with them the table says what stands above chance. */
  readonly intervals?: ComparisonReport['deltaIntervals'];
  readonly significance?: ComparisonReport['significance'];
}

/** The test of a metric's difference: McNemar of the labels for accuracy, DeLong for the area. */
function testOf(
  metric: string,
  significance: ComparisonReport['significance'],
): { readonly name: string; readonly p: number } | null {
  if (significance === null) return null;
  const { mcnemarP, mcnemarMethod, aucP } = significance;
  if (metric === 'accuracy' && mcnemarP !== null)
    return { name: mcnemarMethod === 'exact' ? 'exact McNemar' : 'McNemar', p: mcnemarP };
  return metric === 'roc_auc' && aucP !== null ? { name: 'DeLong', p: aucP } : null;
}

/** Champion and challenger metric by metric. The word says what the colour says. */
export function DeltasTable({ deltas, intervals = {}, significance = null }: DeltasTableProps): ReactNode {
  const measured = deltas.filter(({ champion, challenger }) => champion !== null || challenger !== null);
  const explained = significance !== null || Object.keys(intervals).length > 0;
  return (
    <SimpleTable
      label="Metrics of champion and challenger"
      columns={[
        'Metric',
        '>Champion',
        '>Challenger',
        '>Change',
        'Judgement',
        ...(explained ? ['In words'] : []),
      ]}
      rows={measured.map(({ metric, champion, challenger, delta }) => {
        const interval = intervals[metric];
        const difference = { metric, delta, interval, test: testOf(metric, significance) };
        const judgement =
          interval === undefined ? judgeDelta(metric, delta, champion) : judgeDifference(difference);
        const latency = metric.startsWith('latency_');
        return {
          key: metric,
          cells: [
            <span key="m" style={{ fontWeight: 500, whiteSpace: 'nowrap' }}>
              {metricLabel(metric)}
            </span>,
            formatMetricValue(metric, champion),
            formatMetricValue(metric, challenger),
            <span
              key="d"
              style={{ color: COLORS[judgement], fontWeight: 600, whiteSpace: 'nowrap' }}
            >{`${formatDelta(delta, latency ? 2 : 4)}${latency && delta !== null ? ' ms' : ''}`}</span>,
            <span key="w" style={{ color: COLORS[judgement], whiteSpace: 'nowrap' }}>
              {WORDS[judgement]}
            </span>,
            ...(explained
              ? [
                  <span key="x" className="dim">
                    {interval === undefined ? '' : differenceText(difference)}
                  </span>,
                ]
              : []),
          ],
        };
      })}
    />
  );
}
