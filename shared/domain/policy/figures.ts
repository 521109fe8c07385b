/** What a gate looks at: the figure, the rows it stands on, its interval, and the champion's figure beside it. */
import type { DriftReport } from '../evidence/drift.ts';
import type { Interval } from '../evidence/interval.ts';
import type { RobustnessResult } from '../evidence/robustness.ts';
import type { Slice } from '../evidence/slices.ts';
import { METRIC_DIRECTION, type Measured, measuredValue } from '../metrics/compare.ts';
import type { RegressionMetrics } from '../metrics/report.ts';
import { type Gate, type GateMetric, SLICE_METRICS } from './policy.ts';

/** Everything a run measured that a gate may name. What is left out was not measured. */
export interface GateFigures extends Measured {
  readonly intervals?: Readonly<Record<string, Interval>>;
  readonly slices?: readonly Slice[];
  readonly drift?: DriftReport | null;
  readonly robustness?: readonly RobustnessResult[];
  readonly sizeBytes?: number;
  /** Of a model that answers a number. */
  readonly regression?: RegressionMetrics | null;
}

/** What a comparison with the champion on the same rows says beyond the two models' own figures. */
export interface PairFigures {
  readonly rows: number;
  readonly disagreements: number;
  readonly broken: number;
  /** By metric: the interval of challenger minus champion. */
  readonly deltaIntervals: Readonly<Record<string, Interval>>;
}

/** One figure to hold against a bound. */
export interface Figure {
  readonly value: number | null;
  /** Why there is none. */
  readonly missing: string;
  readonly rows: number | null;
  readonly interval: Interval | null;
  readonly slice: { readonly column: string; readonly value: string } | null;
  /** What the figure is about, where it is not the whole data: ` in kind=typosquat`, ` under noise-0.1`. */
  readonly about: string;
}

type SliceMetric = 'accuracy' | 'recall' | 'precision' | 'false_positive_rate';

const MEBIBYTE = 1024 * 1024;

function plain(value: number | null, missing: string, rows: number | null, about = ''): Figure {
  const finite = value !== null && Number.isFinite(value) ? value : null;
  return { value: finite, missing, rows, interval: null, slice: null, about };
}

/** The figures of one gate: one, or one a slice. Never empty. */
export function figuresOf(gate: Gate, figures: GateFigures, pair: PairFigures | null): Figure[] {
  const { metric } = gate;
  if (gate.slice) return sliceFigures(gate, gate.slice, figures);
  switch (metric) {
    case 'model_size_mb':
      return [
        plain(
          figures.sizeBytes === undefined ? null : figures.sizeBytes / MEBIBYTE,
          'the size of the model is not known',
          null,
        ),
      ];
    case 'disagreement_rate':
      return [plain(rate(pair?.disagreements, pair), 'no comparison with the champion', pair?.rows ?? null)];
    case 'broken_rate':
      return [plain(rate(pair?.broken, pair), 'no comparison with the champion', pair?.rows ?? null)];
    case 'drift_score_psi':
      return [
        plain(
          figures.drift?.score?.psi ?? null,
          'drift of the score was not measured',
          figures.drift?.rows ?? null,
        ),
      ];
    case 'drift_feature_share':
      return [
        plain(figures.drift?.driftedShare ?? null, 'drift was not measured', figures.drift?.rows ?? null),
      ];
    case 'robustness_recall_drop':
    case 'robustness_false_positive_rise':
      return [perturbed(gate, figures.robustness ?? [])];
    case 'mae':
    case 'rmse':
    case 'r2': {
      const regression = figures.regression ?? null;
      return [
        {
          ...plain(
            regression?.[metric] ?? null,
            regression === null
              ? 'the model does not answer a number'
              : `${metric} is undefined on this data`,
            regression?.rows ?? null,
          ),
          interval: figures.intervals?.[metric] ?? null,
        },
      ];
    }
    default:
      return [
        {
          ...plain(
            measuredValue(figures, metric),
            `${metric} is undefined on this data or was not measured`,
            figures.metrics.rows,
          ),
          interval: figures.intervals?.[metric] ?? null,
        },
      ];
  }
}

function rate(count: number | undefined, pair: PairFigures | null): number | null {
  return pair === null || count === undefined || pair.rows === 0 ? null : count / pair.rows;
}

/** The worst of the perturbations that ran, or the one that is named. */
function perturbed(gate: Gate, results: readonly RobustnessResult[]): Figure {
  const named = gate.perturbation;
  const candidates = results.filter((result) => named === undefined || result.id === named);
  const effect = (result: RobustnessResult): number | null => {
    const delta = gate.metric === 'robustness_recall_drop' ? result.recallDelta : result.falsePositiveDelta;
    return delta === null ? null : gate.metric === 'robustness_recall_drop' ? -delta : delta;
  };
  let worst: { value: number; result: RobustnessResult } | null = null;
  for (const result of candidates) {
    const value = effect(result);
    if (value !== null && (worst === null || value > worst.value)) worst = { value, result };
  }
  if (worst === null) {
    const missing = named === undefined ? 'no perturbation was run' : `the perturbation ${named} was not run`;
    return plain(null, missing, null);
  }
  return plain(worst.value, '', worst.result.rows, ` under ${worst.result.id}`);
}

function sliceFigures(gate: Gate, wanted: NonNullable<Gate['slice']>, figures: GateFigures): Figure[] {
  if (!SLICE_METRICS.includes(gate.metric))
    return [plain(null, `${gate.metric} is not measured within slices`, null)];
  const metric = gate.metric as SliceMetric;
  const found = (figures.slices ?? []).filter(
    ({ column, value }) => column === wanted.column && (wanted.value === undefined || value === wanted.value),
  );
  if (found.length === 0) {
    const name = wanted.value === undefined ? wanted.column : `${wanted.column}=${wanted.value}`;
    return [plain(null, `there is no slice ${name} in this data`, null)];
  }
  return found.map((slice) => {
    const tooFew = slice.tooFew && gate.minimumRows === undefined;
    return {
      value: tooFew ? null : slice[metric],
      missing: tooFew
        ? `${slice.rows} rows are too few`
        : `${metric} is undefined on the ${slice.rows} rows of this slice`,
      rows: slice.rows,
      interval:
        metric === 'recall'
          ? slice.recallInterval
          : metric === 'false_positive_rate'
            ? slice.falsePositiveInterval
            : null,
      slice: { column: slice.column, value: slice.value },
      about: ` in ${slice.column}=${slice.value}`,
    };
  });
}

/** The end of an interval that is bad for the metric. */
export function badEnd(metric: GateMetric, interval: Interval): number {
  return METRIC_DIRECTION[metric] === 'higher' ? interval.low : interval.high;
}
