/** A comparison as one sentence, and the parts of it that are asked by several panels. */
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatCount, formatShare } from '../../ui/format.ts';
import { metricLabel } from '../../ui/metrics.ts';
import { differenceText, type Judgement, judgeDifference } from '../../ui/significance.ts';

/** Metrics the sentence may be about, the first that was measured counts. */
const HEADLINE = ['roc_auc', 'accuracy', 'f1'] as const;

export interface Headline {
  readonly judgement: Judgement;
  readonly title: string;
  readonly detail: string;
}

/** `The challenger is better`, and by how much, with its interval and test. */
export function headlineOf(report: ComparisonReport): Headline {
  const { deltas, deltaIntervals, significance, dataset, disagreements } = report;
  const differ = `They disagree on ${formatCount(disagreements)} of ${formatCount(dataset.rows)} rows (${formatShare(
    dataset.rows === 0 ? null : disagreements / dataset.rows,
  )})`;
  const metric = HEADLINE.find((name) => deltas.some((row) => row.metric === name && row.delta !== null));
  if (!dataset.labelled || metric === undefined) {
    return {
      judgement: 'unknown',
      title: dataset.labelled
        ? 'Neither can be called better: nothing was measured against the truth'
        : 'Without labels neither can be called better',
      detail: `${differ}.`,
    };
  }
  const delta = deltas.find((row) => row.metric === metric)?.delta ?? null;
  const p = metric === 'roc_auc' ? significance?.aucP : metric === 'accuracy' ? significance?.mcnemarP : null;
  const name = metric === 'roc_auc' ? 'DeLong' : 'McNemar';
  const difference = {
    metric,
    delta,
    interval: deltaIntervals[metric],
    test: p === null || p === undefined ? null : { name, p },
  };
  const judgement = judgeDifference(difference);
  const titles: Readonly<Record<Judgement, string>> = {
    better: 'The challenger is better',
    worse: 'The challenger is worse',
    same: 'The two are the same',
    chance: 'The difference may be chance',
    unknown: 'Neither can be called better',
  };
  return {
    judgement,
    title: titles[judgement],
    detail: `${metricLabel(metric)}: ${differenceText(difference)}. ${differ}.`,
  };
}

/** Edges of a histogram as names of its bins: `0.1–0.2`. */
export function binNames(edges: readonly number[]): string[] {
  const short = (value: number): string => String(Number(value.toPrecision(2)));
  return edges.slice(0, -1).map((edge, index) => `${short(edge)}–${short(edges[index + 1] ?? edge)}`);
}

/** Slices by what changed most in them; those without a flip are left out. */
export function flipsByChange(flips: ComparisonReport['sliceFlips']): ComparisonReport['sliceFlips'] {
  return flips
    .filter(({ fixed, broken }) => fixed + broken > 0)
    .sort((a, b) => b.broken - b.fixed - (a.broken - a.fixed) || b.broken + b.fixed - (a.broken + a.fixed));
}
