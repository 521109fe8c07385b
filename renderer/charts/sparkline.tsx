import type { ReactNode } from 'react';

interface SparklineProps {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A limit drawn as a dashed line, in the values' unit. */
  readonly limit?: number | null;
  readonly width?: number;
  readonly height?: number;
}

/** A small line without axes, drawn as SVG: cheap enough for every row of a list. Gaps stay gaps. */
export function Sparkline({
  label,
  values,
  limit = null,
  width = 160,
  height = 32,
}: SparklineProps): ReactNode {
  const known = values.filter((value): value is number => value !== null);
  const top = Math.max(...known, limit ?? 0, Number.EPSILON) * 1.15;
  const x = (index: number): number => (values.length < 2 ? width : (index / (values.length - 1)) * width);
  const y = (value: number): number => height - 1 - (value / top) * (height - 2);
  let path = '';
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    path += `${pen ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = true;
  });
  return (
    <svg
      width="100%"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      style={{ display: 'block' }}
    >
      {limit === null ? null : (
        <line
          x1={0}
          x2={width}
          y1={y(limit)}
          y2={y(limit)}
          stroke="var(--sp-limit)"
          strokeWidth={1}
          strokeDasharray="4 3"
          vectorEffect="non-scaling-stroke"
        />
      )}
      <path
        d={path}
        fill="none"
        stroke="var(--sp-series1)"
        strokeWidth={1.5}
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
