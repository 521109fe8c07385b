import { type Html, html } from './html.ts';

export interface Curve {
  readonly name: string;
  /** Both axes from 0 to 1. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 320;
const HEIGHT = 260;
const LEFT = 40;
const BOTTOM = 34;
const TOP = 10;
const RIGHT = 10;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

const round = (value: number): number => Math.round(value * 100) / 100;
const xAt = (share: number): number => round(LEFT + share * PLOT_WIDTH);
const yAt = (share: number): number => round(TOP + (1 - share) * PLOT_HEIGHT);

/** One or two curves in the unit square; `diagonal` draws the line of chance. */
export function curveChart(
  title: string,
  xLabel: string,
  yLabel: string,
  curves: readonly Curve[],
  diagonal: boolean,
): Html {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${ticks.map((tick) => html`<line class="grid" x1="${xAt(0)}" x2="${xAt(1)}" y1="${yAt(tick)}" y2="${yAt(tick)}"/><text class="tick" x="${LEFT - 6}" y="${yAt(tick) + 3}" text-anchor="end">${tick}</text><text class="tick" x="${xAt(tick)}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${tick}</text>`)}
${diagonal ? html`<line class="chance" x1="${xAt(0)}" y1="${yAt(0)}" x2="${xAt(1)}" y2="${yAt(1)}"/>` : null}
${curves.map((curve, index) => html`<polyline class="curve c${index}" points="${curve.points.map(({ x, y }) => `${xAt(x)},${yAt(y)}`).join(' ')}"/>`)}
<text class="axis" x="${xAt(0.5)}" y="${HEIGHT - 4}" text-anchor="middle">${xLabel}</text>
<text class="axis" transform="translate(11 ${yAt(0.5)}) rotate(-90)" text-anchor="middle">${yLabel}</text>
</svg><figcaption>${title}${curves.length > 1 ? curves.map((curve, index) => html` <span class="key c${index}">${curve.name}</span>`) : null}</figcaption></figure>`;
}

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly negative: readonly number[];
  readonly positive: readonly number[];
}

/** Scores per true class, each as a share of its own class, so that a rare class is still seen. */
export function histogramChart(title: string, { min, max, negative, positive }: Histogram): Html {
  const shares = (counts: readonly number[]): number[] => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (total === 0 ? 0 : count / total));
  };
  const series = [shares(negative), shares(positive)];
  const highest = Math.max(...series.flat(), Number.EPSILON);
  const bins = Math.max(1, negative.length);
  const slot = PLOT_WIDTH / bins;
  const bars = series.flatMap((values, index) =>
    values.map((value, bin) => {
      const height = round((value / highest) * PLOT_HEIGHT);
      return html`<rect class="bar c${index}" x="${round(LEFT + bin * slot + index * slot * 0.45 + slot * 0.05)}" y="${round(TOP + PLOT_HEIGHT - height)}" width="${round(slot * 0.42)}" height="${height}"/>`;
    }),
  );
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<line class="grid" x1="${xAt(0)}" x2="${xAt(1)}" y1="${yAt(0)}" y2="${yAt(0)}"/>${bars}
<text class="tick" x="${LEFT - 6}" y="${TOP + 8}" text-anchor="end">${`${Math.round(highest * 100)} %`}</text>
<text class="tick" x="${LEFT}" y="${HEIGHT - BOTTOM + 14}">${figure(min)}</text><text class="tick" x="${WIDTH - RIGHT}" y="${HEIGHT - BOTTOM + 14}" text-anchor="end">${figure(max)}</text>
<text class="axis" x="${xAt(0.5)}" y="${HEIGHT - 4}" text-anchor="middle">score</text>
</svg><figcaption>${title} <span class="key c0">benign</span> <span class="key c1">malicious</span></figcaption></figure>`;
}

/** A measured number, at most four significant digits; a dash where it is undefined. */
export function figure(value: number | null, digits = 4): string {
  if (value === null) return '–';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
}
