import type { ChartOptions } from 'chart.js';
import { type ReactNode, useMemo } from 'react';
import { Scatter } from 'react-chartjs-2';
import { tooltipOf, useChartTokens, withAlpha } from './setup.ts';

export interface ScatterPoint {
  readonly row: number;
  readonly a: number;
  readonly b: number;
  readonly label: number | null;
}

export interface ScatterChartProps {
  readonly label: string;
  readonly points: readonly ScatterPoint[];
  readonly height: number;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Where each model's answer turns; null where it has no threshold. */
  readonly thresholds: { readonly a: number | null; readonly b: number | null };
  readonly onPick?: (row: number) => void;
}

const CLASSES = [
  { label: 'Malicious', of: 1 },
  { label: 'Benign', of: 0 },
  { label: 'Without a label', of: null },
] as const;

/** Two scores of the same rows against each other. What lies off the diagonal is what the models see differently. */
export function ScatterChart({
  label,
  points,
  height,
  xTitle,
  yTitle,
  thresholds,
  onPick,
}: ScatterChartProps): ReactNode {
  const tokens = useChartTokens();
  const groups = useMemo(
    () =>
      CLASSES.map((kind) => ({ ...kind, points: points.filter((point) => point.label === kind.of) })).filter(
        (group) => group.points.length > 0,
      ),
    [points],
  );
  const data = useMemo(
    () => ({
      datasets: groups.map((group) => {
        const color = group.of === 0 ? tokens.series2 : tokens.series1;
        return {
          label: group.label,
          data: group.points.map(({ a, b }) => ({ x: a, y: b })),
          backgroundColor: withAlpha(color, 0.55),
          pointRadius: 2.5,
          pointHoverRadius: 5,
          pointStyle: group.of === 0 ? ('rect' as const) : ('circle' as const),
        };
      }),
    }),
    [groups, tokens],
  );
  const { a, b } = thresholds;
  const options = useMemo<ChartOptions<'scatter'>>(() => {
    const axis = (title: string) => ({
      type: 'linear' as const,
      grid: { color: tokens.grid, drawTicks: false },
      border: { display: false },
      ticks: { color: tokens.dim, padding: 6, maxRotation: 0, autoSkipPadding: 18 },
      title: { display: true, text: title, color: tokens.dim, font: { size: 11 } },
    });
    const line = { borderColor: tokens.text, borderWidth: 1, borderDash: [4, 3] };
    return {
      interaction: { mode: 'nearest', intersect: true },
      scales: { x: axis(xTitle), y: axis(yTitle) },
      onClick: (_event, elements) => {
        const hit = elements[0];
        const row = hit === undefined ? undefined : groups[hit.datasetIndex]?.points[hit.index]?.row;
        if (row !== undefined) onPick?.(row);
      },
      onHover: (event, elements) => {
        const canvas = event.native?.target as HTMLElement | null | undefined;
        if (canvas) canvas.style.cursor = elements.length > 0 && onPick !== undefined ? 'pointer' : '';
      },
      plugins: {
        legend: {
          display: true,
          position: 'top',
          align: 'end',
          labels: { color: tokens.dim, boxWidth: 8, boxHeight: 8, padding: 10, usePointStyle: true },
        },
        tooltip: {
          ...tooltipOf(tokens),
          callbacks: {
            label: (item) => {
              const point = groups[item.datasetIndex]?.points[item.dataIndex];
              return point === undefined
                ? ''
                : ` row ${point.row}: ${point.a.toFixed(4)} → ${point.b.toFixed(4)}`;
            },
          },
        },
        annotation: {
          annotations: {
            ...(a === null ? {} : { a: { type: 'line' as const, scaleID: 'x', value: a, ...line } }),
            ...(b === null ? {} : { b: { type: 'line' as const, scaleID: 'y', value: b, ...line } }),
          },
        },
      },
    };
  }, [tokens, xTitle, yTitle, groups, onPick, a, b]);
  return (
    <div style={{ height }}>
      <Scatter data={data} options={options} role="img" aria-label={label} />
    </div>
  );
}
