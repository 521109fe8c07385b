import { SallyportError } from '../../../shared/domain/errors.ts';
import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import type { PerturbationKind, RobustnessResult } from '../../../shared/domain/evidence/robustness.ts';
import { falsePositiveRateOf, rank, recallOf, sortedScores } from '../../../shared/domain/metrics/index.ts';
import { createRandom, type Random } from '../../../shared/domain/statistics/index.ts';
import type { RunInput } from '../../../shared/node/onnx/feed.ts';
import type { ModelAnswers } from './model-answers.ts';
import type { RowSample } from './row-sample.ts';
import { answerRows, partOf, type Runner, sampleInput } from './runner.ts';

/** Rows that are damaged, and of them those damaged feature by feature. */
const ROWS = 20_000;
const ROWS_A_FEATURE = 5000;
/** Features that are damaged alone, those that matter most. */
const FEATURES = 32;
/** Rows by which it is told which features matter. */
const RANKING_ROWS = 500;
const BATCH = 2048;
/** Share of cells that go missing. */
const MISSING = 0.2;
const NOISE = [0.05, 0.1, 0.2] as const;
const HUGE = 1e6;

interface Perturbation {
  readonly kind: PerturbationKind;
  readonly id: string;
  readonly description: string;
  readonly feature: string | null;
  readonly rows: number;
  /** Changes the rows in place. */
  apply(rows: Float32Array, count: number, random: Random): void;
}

/** A part of the sample as one model sees it, and what it said of it. */
interface Base {
  readonly rows: Float32Array;
  readonly texts: RunInput['texts'];
  /** Features that are numbers; text is left as it is. */
  readonly numbers: readonly number[];
  readonly width: number;
  readonly count: number;
  readonly labels: Uint8Array;
  readonly predicted: Uint8Array;
  readonly scores: Float32Array | null;
}

/**
 * What damage to the input does to detection and false alarms, on a seeded sample of at most 20,000 rows. Each result is
 * held against the same rows undamaged.
 */
export async function measureRobustness(
  runner: Runner,
  model: number,
  sample: RowSample,
  seed: number,
  progress: (done: number, total: number) => void,
): Promise<RobustnessResult[]> {
  const base = baseOf(runner, model, sample);
  if (base.count === 0 || base.numbers.length === 0) return [];
  const { means, deviations } = momentsOf(base);
  const features = await mostImportant(runner, base, createRandom(seed));
  const list = [
    ...overall(base, means, deviations),
    ...features.flatMap((feature) => single(feature, runner.names[feature] ?? String(feature), base, means)),
  ];
  const results: RobustnessResult[] = [];
  for (const [index, perturbation] of list.entries()) {
    progress(index, list.length);
    // A seed each: one more perturbation changes no other one's figures.
    results.push(await perturbed(runner, base, perturbation, createRandom(seed + 1 + index)));
  }
  return results;
}

function baseOf(runner: Runner, model: number, sample: RowSample): Base {
  const width = runner.places.length;
  const chosen: number[] = [];
  const predicted = sample.predicted[model] ?? new Uint8Array(0);
  for (let row = 0; row < sample.rows && chosen.length < ROWS; row++)
    if (predicted[row] !== NO_ANSWER) chosen.push(row);
  const scores = sample.scores[model];
  const { rows, texts } = sampleInput(runner, sample, chosen);
  return {
    rows,
    texts,
    numbers: runner.places.flatMap((place, feature) => (place < 0 ? [] : [feature])),
    width,
    count: chosen.length,
    labels: Uint8Array.from(chosen, (row) => sample.labels[row] as number),
    predicted: Uint8Array.from(chosen, (row) => predicted[row] as number),
    scores: runner.loaded.info.hasScores
      ? Float32Array.from(chosen, (row) => scores?.[row] ?? Number.NaN)
      : null,
  };
}

function momentsOf({ rows, width, count }: Base) {
  const means = new Float64Array(width);
  const deviations = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let at = column; at < count * width; at += width) sum += rows[at] as number;
    const mean = sum / count;
    let squares = 0;
    for (let at = column; at < count * width; at += width) squares += ((rows[at] as number) - mean) ** 2;
    means[column] = mean;
    deviations[column] = Math.sqrt(squares / count);
  }
  return { means, deviations };
}

function overall(
  { width, count, numbers }: Base,
  means: Float64Array,
  deviations: Float64Array,
): Perturbation[] {
  const each = (
    kind: PerturbationKind,
    id: string,
    description: string,
    change: (value: number, column: number, random: Random) => number,
  ): Perturbation => ({
    kind,
    id,
    description,
    feature: null,
    rows: count,
    apply(rows, _count, random) {
      for (let at = 0; at < rows.length; at++) rows[at] = change(rows[at] as number, at % width, random);
    },
  });
  const oneCell = (id: string, description: string, value: (random: Random) => number): Perturbation => ({
    kind: 'out-of-range',
    id,
    description,
    feature: null,
    rows: count,
    apply(rows, many, random) {
      for (let row = 0; row < many; row++)
        rows[row * width + (numbers[Math.floor(random.uniform() * numbers.length)] ?? 0)] = value(random);
    },
  });
  const percent = MISSING * 100;
  return [
    ...NOISE.map((share) =>
      each(
        'noise',
        `noise-${share}`,
        `Normal noise on every feature, ${share} of its standard deviation.`,
        (value, column, random) => value + share * (deviations[column] as number) * random.normal(),
      ),
    ),
    each(
      'missing',
      'missing-mean',
      `${percent} % of the cells, drawn at random, replaced by the mean of their column.`,
      (value, column, random) => (random.uniform() < MISSING ? (means[column] as number) : value),
    ),
    each(
      'missing',
      'missing-zero',
      `${percent} % of the cells, drawn at random, replaced by 0.`,
      (value, _column, random) => (random.uniform() < MISSING ? 0 : value),
    ),
    each('out-of-range', 'out-of-range-x10', 'Every value ten times as large.', (value) => value * 10),
    oneCell('out-of-range-1e6', 'One feature a row, drawn at random, set to 1,000,000.', () => HUGE),
    oneCell('out-of-range--1e6', 'One feature a row, drawn at random, set to −1,000,000.', () => -HUGE),
    oneCell(
      'out-of-range-nan',
      'One feature a row, drawn at random, is no number; such rows must be refused.',
      () => Number.NaN,
    ),
  ];
}

function single(column: number, name: string, { width, count }: Base, means: Float64Array): Perturbation[] {
  const rows = Math.min(ROWS_A_FEATURE, count);
  return [
    {
      kind: 'permutation',
      id: `permutation:${name}`,
      description: `The values of ${name} exchanged between rows at random.`,
      feature: name,
      rows,
      apply: (values, many, random) => permute(values, many, width, column, random),
    },
    {
      kind: 'constant',
      id: `constant:${name}`,
      description: `${name} the same in every row: its mean, ${Number((means[column] as number).toPrecision(6))}.`,
      feature: name,
      rows,
      apply(values) {
        for (let at = column; at < values.length; at += width) values[at] = means[column] as number;
      },
    },
  ];
}

/** Fisher and Yates. */
function permute(rows: Float32Array, count: number, width: number, column: number, random: Random): void {
  for (let row = count - 1; row > 0; row--) {
    const other = Math.floor(random.uniform() * (row + 1));
    const a = row * width + column;
    const b = other * width + column;
    const value = rows[a] as number;
    rows[a] = rows[b] as number;
    rows[b] = value;
  }
}

/** All features where they are few, else those whose exchange moves answers most on a few hundred rows. */
async function mostImportant(runner: Runner, base: Base, random: Random): Promise<number[]> {
  const all = [...base.numbers];
  if (all.length <= FEATURES) return all;
  const count = Math.min(RANKING_ROWS, base.count);
  const effects: { column: number; effect: number }[] = [];
  for (const column of all) {
    const rows = base.rows.slice(0, count * base.width);
    permute(rows, count, base.width, column, random);
    const answers = await answerAll(runner, inputOf(base, rows, count));
    let effect = 0;
    for (let row = 0; row < count; row++) {
      if (answers.predicted[row] !== base.predicted[row]) effect += 1;
      const moved = Math.abs((answers.scores?.[row] ?? 0) - (base.scores?.[row] ?? 0));
      if (Number.isFinite(moved)) effect += moved;
    }
    effects.push({ column, effect });
  }
  return effects
    .sort((a, b) => b.effect - a.effect || a.column - b.column)
    .slice(0, FEATURES)
    .map(({ column }) => column);
}

async function perturbed(
  runner: Runner,
  base: Base,
  perturbation: Perturbation,
  random: Random,
): Promise<RobustnessResult> {
  const { rows: count } = perturbation;
  const rows = base.rows.slice(0, count * base.width);
  perturbation.apply(rows, count, random);
  const answers = await answerAll(runner, inputOf(base, rows, count));
  let failures = 0;
  let flips = 0;
  for (let row = 0; row < count; row++) {
    if (answers.predicted[row] === NO_ANSWER) failures++;
    else if (answers.predicted[row] !== base.predicted[row]) flips++;
  }
  const lower = runner.model.mapping.lowerIsPositive;
  const before = qualityOf(
    base.labels.subarray(0, count),
    base.predicted,
    base.scores,
    answers.predicted,
    lower,
  );
  const after = qualityOf(
    base.labels.subarray(0, count),
    answers.predicted,
    answers.scores,
    answers.predicted,
    lower,
  );
  const answered = count - failures;
  const delta = (now: number | null, then: number | null): number | null =>
    now === null || then === null ? null : now - then;
  return {
    kind: perturbation.kind,
    id: perturbation.id,
    description: perturbation.description,
    feature: perturbation.feature,
    rows: count,
    recall: after.recall,
    recallDelta: delta(after.recall, before.recall),
    falsePositiveRate: after.falsePositiveRate,
    falsePositiveDelta: delta(after.falsePositiveRate, before.falsePositiveRate),
    rocAuc: after.rocAuc,
    rocAucDelta: delta(after.rocAuc, before.rocAuc),
    flipRate: answered === 0 ? 0 : flips / answered,
    failures,
  };
}

/** Figures of the rows that were answered; null without truth or a class. */
function qualityOf(
  labels: Uint8Array,
  predicted: Uint8Array,
  scores: Float32Array | null,
  answered: Uint8Array,
  lowerIsPositive: boolean,
) {
  const confusion = { tn: 0, fp: 0, fn: 0, tp: 0 };
  const negatives: number[] = [];
  const positives: number[] = [];
  const sign = lowerIsPositive ? -1 : 1;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    if (label === NO_ANSWER || answered[row] === NO_ANSWER) continue;
    const flagged = predicted[row] === 1;
    if (label === 1) confusion[flagged ? 'tp' : 'fn']++;
    else confusion[flagged ? 'fp' : 'tn']++;
    if (scores !== null) (label === 1 ? positives : negatives).push((scores[row] as number) * sign);
  }
  const isRanked = scores !== null && positives.length > 0 && negatives.length > 0;
  return {
    recall: recallOf(confusion),
    falsePositiveRate: falsePositiveRateOf(confusion),
    rocAuc: isRanked
      ? rank(sortedScores(Float64Array.from(negatives).sort(), Float64Array.from(positives).sort())).rocAuc
      : null,
  };
}

/** Rows that the program or the model refuses stay without an answer, even where that is all of them. */
async function answerAll(runner: Runner, input: RunInput): Promise<ModelAnswers> {
  const { count } = input;
  const predicted = new Uint8Array(count).fill(NO_ANSWER);
  const scores = runner.loaded.info.hasScores ? new Float32Array(count).fill(Number.NaN) : null;
  for (let from = 0; from < count; from += BATCH) {
    try {
      const part = await answerRows(runner, partOf(input, from, Math.min(count, from + BATCH)));
      predicted.set(part.predicted, from);
      if (part.scores) scores?.set(part.scores, from);
    } catch (error) {
      const refused =
        error instanceof SallyportError && ['model.unsupported', 'input.invalid'].includes(error.code);
      if (!refused) throw error;
    }
  }
  return { predicted, scores };
}

function inputOf({ texts }: Base, rows: Float32Array, count: number): RunInput {
  return texts === undefined ? { rows, count } : { rows, count, texts };
}
