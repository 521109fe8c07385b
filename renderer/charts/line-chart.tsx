import { Button } from '@mantine/core';
import type { Chart, ChartDataset, ChartOptions } from 'chart.js';
import type { AnnotationOptions } from 'chartjs-plugin-annotation';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { Line } from 'react-chartjs-2';
import type { Tokens } from '../app/tokens.ts';
import { useChartTokens, withAlpha } from './setup.ts';

export interface Series {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number | null }[];
  /** `first` = what is under test, `second` = what it is held against, `limit` = a moving limit. */
  readonly role: 'first' | 'second' | 'limit';
  readonly fill?: boolean;
  /** Each point is one measurement and is drawn as a dot. */
  readonly dots?: boolean;
}

export interface LineChartProps {
  /** Said to those who cannot see the chart: what it shows and its main figure. */
  readonly label: string;
  readonly series: readonly Series[];
  readonly height: number;
  readonly xTitle?: string;
  readonly yTitle?: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** Shorter writing for the axis; `formatY` where absent. */
  readonly tickY?: (value: number) => string;
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  /** A horizontal line nothing should cross. */
  readonly limit?: { readonly value: number; readonly label: string };
  /** Vertical lines: a step of a rollout began here. */
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
  /** The chance line of a ROC curve. */
  readonly diagonal?: boolean;
  /** Single points that are named: detection at a fixed false-positive rate, the decision threshold. */
  readonly points?: readonly { readonly x: number; readonly y: number; readonly label: string }[];
  readonly zoomable?: boolean;
  readonly legend?: boolean;
}

function colorOf(role: Series['role'], tokens: Tokens): string {
  return role === 'first' ? tokens.series1 : role === 'second' ? tokens.series2 : tokens.limit;
}

function datasetsOf(
  series: readonly Series[],
  tokens: Tokens,
): ChartDataset<'line', { x: number; y: number }[]>[] {
  return series.map(({ label, points, role, fill, dots }) => {
    const color = colorOf(role, tokens);
    return {
      label,
      data: points.map(({ x, y }) => ({ x, y: y ?? Number.NaN })),
      borderColor: color,
      backgroundColor: fill === true ? withAlpha(color, 0.1) : color,
      fill: fill === true ? 'origin' : false,
      borderWidth: role === 'limit' ? 1.25 : 1.75,
      ...(role === 'limit' ? { borderDash: [5, 4] } : {}),
      pointRadius: dots === true ? 3 : points.length === 1 ? 2.5 : 0,
      pointHoverRadius: 3,
      pointBackgroundColor: color,
      tension: 0,
      spanGaps: false,
    };
  });
}

function annotationsOf(
  { limit, marks, diagonal, points }: LineChartProps,
  tokens: Tokens,
): Record<string, AnnotationOptions> {
  const found: Record<string, AnnotationOptions> = {};
  if (limit !== undefined) {
    found.limit = {
      type: 'line',
      yMin: limit.value,
      yMax: limit.value,
      borderColor: tokens.limit,
      borderWidth: 1.25,
      borderDash: [5, 4],
      label: {
        display: true,
        content: limit.label,
        position: 'start',
        backgroundColor: tokens.badSoft,
        color: tokens.bad,
        font: { size: 10, weight: 500 },
        padding: { x: 5, y: 3 },
        borderRadius: 3,
        yAdjust: -11,
      },
    };
  }
  marks?.forEach((mark, index) => {
    found[`mark${index}`] = {
      type: 'line',
      xMin: mark.at,
      xMax: mark.at,
      borderColor: tokens.borderStrong,
      borderWidth: 1,
      borderDash: [2, 3],
      label: {
        display: true,
        content: mark.label,
        position: 'end',
        backgroundColor: tokens.idleSoft,
        color: tokens.idle,
        font: { size: 10, weight: 500 },
        padding: { x: 5, y: 2 },
        borderRadius: 3,
        xAdjust: 0,
      },
    };
  });
  points?.forEach((point, index) => {
    found[`point${index}`] = {
      type: 'point',
      xValue: point.x,
      yValue: point.y,
      radius: 4,
      backgroundColor: tokens.surface,
      borderColor: tokens.text,
      borderWidth: 1.75,
    };
    // Labels stand on the side where there is room, each a line lower than the one before.
    const right = point.x < 0.6;
    found[`name${index}`] = {
      type: 'label',
      xValue: point.x,
      yValue: point.y,
      content: point.label,
      position: { x: right ? 'start' : 'end', y: 'center' },
      xAdjust: right ? 9 : -9,
      yAdjust: point.y > 0.85 ? 12 + index * 18 : 0,
      backgroundColor: tokens.idleSoft,
      color: tokens.idle,
      font: { size: 10, weight: 500 },
      padding: { x: 5, y: 2 },
      borderRadius: 3,
    };
  });
  if (diagonal === true) {
    found.diagonal = {
      type: 'line',
      xMin: 0,
      yMin: 0,
      xMax: 1,
      yMax: 1,
      borderColor: tokens.borderStrong,
      borderWidth: 1,
      borderDash: [3, 4],
    };
  }
  return found;
}

/** Lines over a numeric axis: curves of a report, live figures of a rollout. Drag to zoom where `zoomable`. */
export function LineChart(props: LineChartProps): ReactNode {
  const {
    label,
    series,
    height,
    xTitle,
    yTitle,
    formatX,
    formatY,
    tickY = props.formatY,
    xRange,
    yRange,
    zoomable = false,
    legend = false,
    limit,
  } = props;
  const tokens = useChartTokens();
  const chart = useRef<Chart<'line', { x: number; y: number }[]>>(null);
  const [zoomed, setZoomed] = useState(false);

  const options = useMemo<ChartOptions<'line'>>(() => {
    const axis = (
      title: string | undefined,
      format: (value: number) => string,
      range: readonly [number, number] | undefined,
    ) => ({
      type: 'linear' as const,
      ...(range === undefined ? {} : { min: range[0], max: range[1] }),
      grid: { color: tokens.grid, drawTicks: false },
      border: { display: false },
      ticks: {
        color: tokens.dim,
        padding: 6,
        maxRotation: 0,
        autoSkipPadding: 18,
        callback: (value: string | number) => format(Number(value)),
      },
      title: { display: title !== undefined, text: title ?? '', color: tokens.dim, font: { size: 11 } },
    });
    return {
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      layout: { padding: { top: 4, right: 8 } },
      scales: {
        x: axis(xTitle, formatX, xRange),
        y: {
          ...axis(yTitle, tickY, yRange),
          ...(yRange === undefined
            ? {
                beginAtZero: true,
                grace: '8%',
                ...(limit === undefined ? {} : { suggestedMax: limit.value * 1.25 }),
              }
            : {}),
        },
      },
      plugins: {
        legend: {
          display: legend,
          position: 'top',
          align: 'end',
          labels: {
            color: tokens.dim,
            boxWidth: 14,
            boxHeight: 2,
            padding: 10,
            font: { size: 11 },
            usePointStyle: false,
          },
        },
        tooltip: {
          backgroundColor: tokens.raised,
          titleColor: tokens.text,
          bodyColor: tokens.text,
          borderColor: tokens.borderStrong,
          borderWidth: 1,
          padding: 8,
          boxWidth: 8,
          boxHeight: 8,
          cornerRadius: 6,
          callbacks: {
            title: (items) =>
              items[0] === undefined
                ? ''
                : `${xTitle === undefined ? '' : `${xTitle} `}${formatX(Number(items[0].parsed.x))}`,
            label: (item) => ` ${item.dataset.label ?? ''}  ${formatY(Number(item.parsed.y))}`,
          },
        },
        annotation: { annotations: annotationsOf(props, tokens), clip: false },
        zoom: {
          zoom: {
            drag: {
              enabled: zoomable,
              backgroundColor: withAlpha(tokens.series1, 0.12),
              borderColor: tokens.series1,
              borderWidth: 1,
            },
            wheel: { enabled: zoomable, modifierKey: 'ctrl' },
            mode: 'x',
            onZoomComplete: () => setZoomed(true),
          },
        },
      },
    };
  }, [tokens, props, xTitle, yTitle, formatX, formatY, tickY, xRange, yRange, zoomable, legend, limit]);
  const data = useMemo(() => ({ datasets: datasetsOf(series, tokens) }), [series, tokens]);

  return (
    <div style={{ position: 'relative', height }}>
      <Line ref={chart} data={data} options={options} role="img" aria-label={label} />
      {zoomed ? (
        <Button
          variant="default"
          size="compact-xs"
          style={{ position: 'absolute', top: 2, left: 44 }}
          onClick={() => {
            chart.current?.resetZoom();
            setZoomed(false);
          }}
        >
          Reset zoom
        </Button>
      ) : null}
    </div>
  );
}
