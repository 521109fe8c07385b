import { Skeleton } from '@mantine/core';
import { type ComponentType, lazy, type ReactNode, Suspense } from 'react';
import type { HistogramProps, HorizontalBarsProps } from './bar-charts.tsx';
import type { LineChartProps } from './line-chart.tsx';
import type { PairBarsProps } from './pair-bars.tsx';
import type { ScatterChartProps } from './scatter-chart.tsx';

/**
 * The charts as features use them: loaded with the first page that draws one, standing in at their own height
 * until then, so that nothing moves. Chart.js is imported in this folder only.
 */
function later<P extends { readonly height: number }>(
  load: () => Promise<{ default: ComponentType<P> }>,
): (props: P) => ReactNode {
  const Chart = lazy(load);
  return (props) => (
    <Suspense fallback={<Skeleton height={props.height} radius={6} />}>
      <Chart {...(props as P & React.JSX.IntrinsicAttributes)} />
    </Suspense>
  );
}

export const LineChart = later<LineChartProps>(async () => ({
  default: (await import('./line-chart.tsx')).LineChart,
}));
export const ScoreHistogram = later<HistogramProps>(async () => ({
  default: (await import('./bar-charts.tsx')).ScoreHistogram,
}));
export const HorizontalBars = later<HorizontalBarsProps>(async () => ({
  default: (await import('./bar-charts.tsx')).HorizontalBars,
}));
export const PairBars = later<PairBarsProps>(async () => ({
  default: (await import('./pair-bars.tsx')).PairBars,
}));
export const ScatterChart = later<ScatterChartProps>(async () => ({
  default: (await import('./scatter-chart.tsx')).ScatterChart,
}));
export { ChartPanel } from './chart-panel.tsx';
export type { Series } from './line-chart.tsx';
export { Sparkline } from './sparkline.tsx';
