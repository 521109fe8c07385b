import type { ReactNode } from 'react';
import type { ComparisonReport } from '../../shared/domain/metrics/report.ts';
import { formatDelta } from './format.ts';
import { formatMetricValue, judgeDelta, metricLabel } from './metrics.ts';
import { SimpleTable } from './page.tsx';

const COLORS = {
  better: 'var(--sp-ok)',
  worse: 'var(--sp-bad)',
  same: 'var(--sp-dim)',
  unknown: 'var(--sp-dim)',
} as const;
const WORDS = { better: 'better', worse: 'worse', same: 'same', unknown: 'not measured' } as const;

/** Champion and challenger metric by metric. The word says what the colour says. */
export function DeltasTable({ deltas }: { readonly deltas: ComparisonReport['deltas'] }): ReactNode {
  return (
    <SimpleTable
      label="Metrics of champion and challenger"
      columns={['Metric', '>Champion', '>Challenger', '>Change', 'Judgement']}
      rows={deltas.map(({ metric, champion, challenger, delta }) => {
        const judgement = judgeDelta(metric, delta, champion);
        const latency = metric.startsWith('latency_');
        return {
          key: metric,
          cells: [
            <span key="m" style={{ fontWeight: 500 }}>
              {metricLabel(metric)}
            </span>,
            formatMetricValue(metric, champion),
            formatMetricValue(metric, challenger),
            <span
              key="d"
              style={{ color: COLORS[judgement], fontWeight: 600 }}
            >{`${formatDelta(delta, latency ? 2 : 4)}${latency && delta !== null ? ' ms' : ''}`}</span>,
            <span key="w" style={{ color: COLORS[judgement] }}>
              {WORDS[judgement]}
            </span>,
          ],
        };
      })}
    />
  );
}
