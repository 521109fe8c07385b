import type { ChartOptions } from 'chart.js';
import { type ReactNode, useMemo } from 'react';
import { Bar } from 'react-chartjs-2';
import { tooltipOf, useChartTokens, withAlpha } from './setup.ts';

export interface PairBarsProps {
  readonly label: string;
  readonly categories: readonly string[];
  /** One or two series; the first is what is under test. */
  readonly series: readonly { readonly label: string; readonly values: readonly number[] }[];
  readonly height: number;
  readonly xTitle: string;
  readonly yTitle: string;
}

/** Counts of two versions side by side: latency distributions, rows in each bin of confidence. */
export function PairBars({ label, categories, series, height, xTitle, yTitle }: PairBarsProps): ReactNode {
  const tokens = useChartTokens();
  const data = useMemo(
    () => ({
      labels: [...categories],
      datasets: series.map((one, index) => ({
        label: one.label,
        data: [...one.values],
        backgroundColor: withAlpha(index === 0 ? tokens.series1 : tokens.series2, 0.8),
        barPercentage: 0.95,
        categoryPercentage: 0.85,
      })),
    }),
    [categories, series, tokens],
  );
  const options = useMemo<ChartOptions<'bar'>>(
    () => ({
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          grid: { display: false },
          border: { color: tokens.border },
          ticks: { color: tokens.dim, maxRotation: 0, autoSkipPadding: 18, padding: 4 },
          title: { display: true, text: xTitle, color: tokens.dim, font: { size: 11 } },
        },
        y: {
          grid: { color: tokens.grid, drawTicks: false },
          border: { display: false },
          beginAtZero: true,
          ticks: { color: tokens.dim, maxTicksLimit: 5, padding: 6 },
          title: { display: true, text: yTitle, color: tokens.dim, font: { size: 11 } },
        },
      },
      plugins: {
        legend: {
          display: series.length > 1,
          position: 'top',
          align: 'end',
          labels: { color: tokens.dim, boxWidth: 10, boxHeight: 10, padding: 10 },
        },
        tooltip: tooltipOf(tokens),
      },
    }),
    [tokens, xTitle, yTitle, series.length],
  );
  return (
    <div style={{ height }}>
      <Bar data={data} options={options} role="img" aria-label={label} />
    </div>
  );
}
