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

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** In their own units; gaps where y is null. */
  readonly curves: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number | null }[];
  }[];
  /** A vertical line, such as the decision threshold. */
  readonly mark?: { readonly x: number; readonly name: string };
  /** Text under both ends of the x axis; the numbers when left out. */
  readonly xEnds?: readonly [string, string];
  /** Draws points instead of lines. */
  readonly dots?: boolean;
}

/** Lines or points over axes that fit them; y begins at 0 unless there is less. */
export function lineChart({ title, xLabel, yLabel, curves, mark, xEnds, dots = false }: LineChart): Html {
  const points = curves.flatMap((curve) => curve.points);
  const xs = [...points.map(({ x }) => x), ...(mark ? [mark.x] : [])].filter(Number.isFinite);
  const ys = points.flatMap(({ y }) => (y !== null && Number.isFinite(y) ? [y] : []));
  const [left, right] = rangeOf(xs);
  const [low, high] = rangeOf([0, ...ys]);
  const xOf = (x: number): number => xAt((x - left) / (right - left));
  const yOf = (y: number): number => yAt((y - low) / (high - low));
  const ends = xEnds ?? [figure(left, 3), figure(right, 3)];
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${[0, 0.5, 1].map((tick) => html`<line class="grid" x1="${xAt(0)}" x2="${xAt(1)}" y1="${yAt(tick)}" y2="${yAt(tick)}"/><text class="tick" x="${LEFT - 4}" y="${yAt(tick) + 3}" text-anchor="end">${figure(low + tick * (high - low), 2)}</text>`)}
<text class="tick" x="${LEFT}" y="${HEIGHT - BOTTOM + 14}">${ends[0]}</text><text class="tick" x="${WIDTH - RIGHT}" y="${HEIGHT - BOTTOM + 14}" text-anchor="end">${ends[1]}</text>
${mark === undefined ? null : html`<line class="mark" x1="${xOf(mark.x)}" x2="${xOf(mark.x)}" y1="${yAt(0)}" y2="${yAt(1)}"/><text class="tick" x="${xOf(mark.x) + 3}" y="${TOP + 8}">${mark.name}</text>`}
${curves.map((curve, index) => (dots ? dotsOf(curve.points, index, xOf, yOf) : lineOf(curve.points, index, xOf, yOf)))}
<text class="axis" x="${xAt(0.5)}" y="${HEIGHT - 4}" text-anchor="middle">${xLabel}</text>
<text class="axis" transform="translate(11 ${yAt(0.5)}) rotate(-90)" text-anchor="middle">${yLabel}</text>
</svg><figcaption>${title}${curves.length > 1 ? curves.map((curve, index) => html` <span class="key c${index % 3}">${curve.name}</span>`) : null}</figcaption></figure>`;
}

type Points = LineChart['curves'][number]['points'];
type Scale = (value: number) => number;

function lineOf(points: Points, index: number, xOf: Scale, yOf: Scale): Html {
  const runs: string[][] = [[]];
  for (const { x, y } of points) {
    if (y === null || !Number.isFinite(x) || !Number.isFinite(y)) runs.push([]);
    else runs.at(-1)?.push(`${xOf(x)},${yOf(y)}`);
  }
  const drawn = runs.filter((run) => run.length > 0);
  return html`${drawn.map((run) => html`<polyline class="curve c${index % 3}" points="${run.join(' ')}"/>`)}`;
}

function dotsOf(points: Points, index: number, xOf: Scale, yOf: Scale): Html {
  return html`${points.flatMap(({ x, y }) => (y === null || !Number.isFinite(x) || !Number.isFinite(y) ? [] : [html`<circle class="dot c${index % 3}" cx="${xOf(x)}" cy="${yOf(y)}" r="2"/>`]))}`;
}

/** Never empty, so that a flat line is drawn too. */
function rangeOf(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  return low === high ? [low, low + 1] : [low, high];
}

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
