import { formatRef } from '../../shared/domain/model/version.ts';
import { describe } from '../../shared/domain/rollout/phases.ts';
import { curveChart, renderHtmlReport } from '../../shared/node/report/index.ts';
import type { Story } from './story.ts';

/** The story as one self-contained HTML page: every step's figure, every verdict's measurements. */
export function renderStoryReport(story: Story): string {
  const figure = (value: number | null) => (value === null ? '–' : value.toFixed(4));
  return renderHtmlReport({
    title: 'Two releases, end to end',
    subtitle: 'One went out. One looked better on its labelled rows and was rolled back by its guard.',
    sections: [
      {
        heading: 'Steps',
        table: { columns: ['Step', 'Figure'], rows: story.lines.map((line) => [line.step, line.figure]) },
      },
      {
        heading: 'Validation',
        table: {
          columns: ['Version', 'Rows', 'Accuracy', 'Precision', 'Recall', 'F1', 'ROC AUC', 'p95 ms', 'Gates'],
          rows: story.validations.map((v) => [
            formatRef(v.ref),
            String(v.dataset.rows),
            figure(v.metrics.accuracy),
            figure(v.metrics.precision),
            figure(v.metrics.recall),
            figure(v.metrics.f1),
            figure(v.metrics.roc_auc),
            v.latency.p95.toFixed(2),
            `${v.gates.filter((g) => g.passed).length} of ${v.gates.length} pass`,
          ]),
        },
        figures: [
          curveChart(
            'ROC',
            'false-positive rate',
            'true-positive rate',
            story.validations.map((v) => ({ name: formatRef(v.ref), points: v.roc })),
            true,
          ),
        ],
      },
      ...story.comparisons.map((comparison) => ({
        heading: `${formatRef(comparison.challenger)} with ${formatRef(comparison.champion)}`,
        text: `${comparison.disagreements} of ${comparison.dataset.rows} rows differ: the challenger is right on ${comparison.challengerFixes}, the champion on ${comparison.challengerBreaks}.`,
        table: {
          columns: ['Metric', 'Champion', 'Challenger', 'Delta'],
          rows: comparison.deltas.map((d) => [
            d.metric,
            figure(d.champion),
            figure(d.challenger),
            figure(d.delta),
          ]),
        },
      })),
      ...story.rollouts.map(({ state }) => ({
        heading: `Rollout of ${formatRef(state)}: ${state.phase}`,
        tone: state.phase === 'completed' ? ('good' as const) : ('bad' as const),
        text: state.reason,
        table: {
          columns: ['Step', 'Verdict', 'Measured'],
          rows: state.verdicts.map((v) => [
            `${state.plan.steps[v.step] ?? 100} %`,
            v.verdict,
            v.measurements.map(describe).join('; '),
          ]),
        },
      })),
    ],
  });
}
