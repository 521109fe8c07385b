import type { ChartOptions } from 'chart.js';
import { type ReactNode, useMemo } from 'react';
import { Bar } from 'react-chartjs-2';
import { tooltipOf, useChartTokens, withAlpha } from './setup.ts';

export interface HistogramProps {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly negative: readonly number[];
  readonly positive: readonly number[];
  readonly threshold: number | null;
  readonly height: number;
}

/** How often each score was given, by true class. What overlaps is what the model cannot tell apart. */
export function ScoreHistogram({
  label,
  min,
  max,
  negative,
  positive,
  threshold,
  height,
}: HistogramProps): ReactNode {
  const tokens = useChartTokens();
  const width = (max - min) / Math.max(1, negative.length);
  const data = useMemo(
    () => ({
      labels: negative.map((_, index) => (min + (index + 0.5) * width).toFixed(3)),
      datasets: [
        {
          label: 'Benign',
          data: [...negative],
          backgroundColor: withAlpha(tokens.series2, 0.75),
          barPercentage: 1,
          categoryPercentage: 0.92,
          grouped: false,
          order: 2,
        },
        {
          label: 'Malicious',
          data: [...positive],
          backgroundColor: withAlpha(tokens.series1, 0.7),
          barPercentage: 1,
          categoryPercentage: 0.92,
          grouped: false,
          order: 1,
        },
      ],
    }),
    [negative, positive, min, width, tokens],
  );
  const options = useMemo<ChartOptions<'bar'>>(
    () => ({
      scales: {
        x: {
          grid: { display: false },
          border: { color: tokens.border },
          ticks: { color: tokens.dim, maxRotation: 0, autoSkipPadding: 24, padding: 4 },
          title: { display: true, text: 'score', color: tokens.dim },
        },
        y: {
          grid: { color: tokens.grid, drawTicks: false },
          border: { display: false },
          ticks: { color: tokens.dim, maxTicksLimit: 5, padding: 6 },
          title: { display: true, text: 'rows', color: tokens.dim },
        },
      },
      plugins: {
        legend: {
          display: true,
          position: 'top',
          align: 'end',
          labels: { color: tokens.dim, boxWidth: 10, boxHeight: 10, padding: 10 },
        },
        tooltip: tooltipOf(tokens),
        annotation: {
          annotations:
            threshold === null || threshold < min || threshold > max || width === 0
              ? {}
              : {
                  threshold: {
                    type: 'line',
                    scaleID: 'x',
                    value: (threshold - min) / width - 0.5,
                    borderColor: tokens.text,
                    borderWidth: 1,
                    borderDash: [4, 3],
                    label: {
                      display: true,
                      content: `threshold ${threshold}`,
                      position: 'start',
                      backgroundColor: tokens.idleSoft,
                      color: tokens.idle,
                      font: { size: 10 },
                      padding: 4,
                    },
                  },
                },
        },
      },
    }),
    [tokens, threshold, min, max, width],
  );
  return (
    <div style={{ height }}>
      <Bar data={data} options={options} role="img" aria-label={label} />
    </div>
  );
}

export interface HorizontalBarsProps {
  readonly label: string;
  readonly items: readonly { readonly name: string; readonly value: number }[];
  readonly format: (value: number) => string;
  readonly height: number;
}

/** Named quantities as horizontal bars: operators of a graph, latency percentiles. */
export function HorizontalBars({ label, items, format, height }: HorizontalBarsProps): ReactNode {
  const tokens = useChartTokens();
  const data = useMemo(
    () => ({
      labels: items.map((item) => item.name),
      datasets: [
        {
          label,
          data: items.map((item) => item.value),
          backgroundColor: withAlpha(tokens.series1, 0.8),
          maxBarThickness: 18,
          borderRadius: 3,
        },
      ],
    }),
    [items, label, tokens],
  );
  // Half an operator is none: counts are marked at whole numbers.
  const counts = items.every((item) => Number.isInteger(item.value));
  const options = useMemo<ChartOptions<'bar'>>(
    () => ({
      indexAxis: 'y',
      scales: {
        x: {
          grid: { color: tokens.grid, drawTicks: false },
          border: { display: false },
          beginAtZero: true,
          ticks: {
            color: tokens.dim,
            maxTicksLimit: 5,
            padding: 4,
            ...(counts ? { precision: 0 } : {}),
            callback: (value) => format(Number(value)),
          },
        },
        y: {
          grid: { display: false },
          border: { display: false },
          ticks: { color: tokens.text, padding: 6, autoSkip: false },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          ...tooltipOf(tokens),
          callbacks: { label: (item) => ` ${format(Number(item.parsed.x))}` },
        },
      },
    }),
    [tokens, format, counts],
  );
  return (
    <div style={{ height }}>
      <Bar data={data} options={options} role="img" aria-label={label} />
    </div>
  );
}
