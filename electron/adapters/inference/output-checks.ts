/** Checks a model's answers against each other, whatever the truth is. Streaming; what was seen is kept as JSON. */
import type { OutputFinding, OutputFindingId } from '../../../shared/domain/evidence/output-findings.ts';
import type { OutputMapping } from '../../../shared/domain/model/version.ts';
import type { ScoreRows } from '../../../shared/node/onnx/tensors.ts';
import { isRegression } from './figures.ts';
import type { RawAnswers } from './runner.ts';

const EXAMPLES = 20;
/** Fewer rows may well get the same answer. */
const ENOUGH_ROWS = 50;
/** Distinct labels that are counted each by itself. */
const MAX_LABELS = 100;
/** Single precision: a probability may leave [0, 1] by this much, and a score may be this near its threshold. */
const ROUNDING = 1e-6;
const SUM_TOLERANCE = 1e-3;
/** A score output of which this share lies in [0, 1] is meant as a probability. */
const MEANT = 0.9;
const LABEL_TIE = 1e-6;

interface Seen {
  rows: number;
  examples: number[];
}

/** What was seen of one model; plain data. */
interface ChecksState {
  rows: number;
  nonFinite: Seen;
  contradictions: Seen;
  badSums: Seen;
  goodSums: number;
  outside: Seen;
  fractions: Seen;
  labels: { label: number; rows: number; examples: number[] }[];
  otherLabels: Seen;
  lowest: number | null;
  highest: number | null;
}

const nothing = (): Seen => ({ rows: 0, examples: [] });

function see(seen: Seen, row: number): void {
  seen.rows++;
  if (seen.examples.length < EXAMPLES) seen.examples.push(row);
}

export class OutputChecks {
  readonly #mapping: OutputMapping;
  readonly #state: ChecksState;

  constructor(mapping: OutputMapping, state: unknown = null) {
    this.#mapping = mapping;
    this.#state = (state as ChecksState | null) ?? {
      rows: 0,
      nonFinite: nothing(),
      contradictions: nothing(),
      badSums: nothing(),
      goodSums: 0,
      outside: nothing(),
      fractions: nothing(),
      labels: [],
      otherLabels: nothing(),
      lowest: null,
      highest: null,
    };
  }

  /** For going on later. */
  state(): unknown {
    return structuredClone(this.#state);
  }

  add(answers: RawAnswers, rowNumbers: Uint32Array): void {
    const state = this.#state;
    const { labels, scores, scoreRows: wide, failed } = answers;
    const decides = !isRegression(this.#mapping);
    const hasBoth = this.#mapping.labelOutput !== null && this.#mapping.scoreOutput !== null;
    state.rows += labels.length;
    for (const row of failed) see(state.nonFinite, rowNumbers[row] ?? 0);
    const unanswered = failed.length === 0 ? null : new Set(failed);
    for (let row = 0; row < labels.length; row++) {
      if (unanswered?.has(row)) continue;
      const number = rowNumbers[row] as number;
      if (decides) this.#label(labels[row] as number, number);
      if (scores === null) continue;
      const score = scores[row] as number;
      if (state.lowest === null || score < state.lowest) state.lowest = score;
      if (state.highest === null || score > state.highest) state.highest = score;
      if (!decides) continue;
      if (score < -ROUNDING || score > 1 + ROUNDING) see(state.outside, number);
      if (hasBoth && this.#contradicts(labels[row] as number, score, wide, row))
        see(state.contradictions, number);
      if (wide !== null && wide.columns > 1) this.#sum(wide, row, number);
    }
  }

  #label(label: number, row: number): void {
    const { labels, otherLabels, fractions } = this.#state;
    if (!Number.isInteger(label)) see(fractions, row);
    let at = 0;
    while (at < labels.length && labels[at]?.label !== label) at++;
    const known = labels[at];
    if (known) {
      known.rows++;
      if (known.examples.length < EXAMPLES) known.examples.push(row);
    } else if (labels.length < MAX_LABELS) labels.push({ label, rows: 1, examples: [row] });
    else see(otherLabels, row);
  }

  /** Ties within rounding contradict nothing. */
  #contradicts(label: number, score: number, wide: ScoreRows | null, row: number): boolean {
    const { positiveLabel, scoreColumn, threshold, lowerIsPositive } = this.#mapping;
    const isPositive = label === positiveLabel;
    if (wide !== null && wide.columns > 2) {
      // Of several classes the most probable one is the answer.
      let best = Number.NEGATIVE_INFINITY;
      for (let column = 0; column < wide.columns; column++)
        if (column !== scoreColumn) best = Math.max(best, wide.values[row * wide.columns + column] as number);
      if (Math.abs(score - best) <= LABEL_TIE) return false;
      return isPositive !== score > best;
    }
    if (Math.abs(score - threshold) <= LABEL_TIE * Math.max(1, Math.abs(threshold))) return false;
    return isPositive !== (lowerIsPositive ? score < threshold : score > threshold);
  }

  #sum({ columns, values }: ScoreRows, row: number, number: number): void {
    let sum = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) sum += values[at] as number;
    if (Math.abs(sum - 1) <= SUM_TOLERANCE) this.#state.goodSums++;
    else see(this.#state.badSums, number);
  }

  /** `hasBothClasses`: the truth holds both, so that a constant answer is wrong somewhere; true without truth. */
  findings(hasBothClasses: boolean): OutputFinding[] {
    const state = this.#state;
    const { kind, scoreOutput } = this.#mapping;
    const found: OutputFinding[] = [];
    const say = (
      id: OutputFindingId,
      severity: OutputFinding['severity'],
      title: string,
      { rows, examples }: Seen,
      detail: string,
    ): void => {
      if (rows > 0)
        found.push({ id, severity, title, rows, of: state.rows, examples: [...examples], detail });
    };
    const answered = state.rows - state.nonFinite.rows;
    say(
      'non-finite-output',
      'critical',
      'The model gives no number on some rows',
      state.nonFinite,
      'It stops, or answers NaN or infinity, on inputs that are all finite. These rows are in no figure of this report.',
    );
    say(
      'label-contradicts-probability',
      'high',
      'The label contradicts the model’s own score',
      state.contradictions,
      'The label output and the score output of the same row say different classes. Whoever reads the one gets another detector than whoever reads the other.',
    );
    const share = answered === 0 ? 0 : 1 - state.outside.rows / answered;
    if (kind === 'classifier' && scoreOutput !== null && share >= MEANT)
      say(
        'probability-out-of-range',
        'high',
        'Probabilities outside of 0 to 1',
        state.outside,
        `Most scores are probabilities; the lowest is ${state.lowest}, the highest ${state.highest}.`,
      );
    if (kind === 'classifier' && share >= MEANT)
      say(
        'probabilities-do-not-sum-to-one',
        state.goodSums > 0 ? 'high' : 'medium',
        'Probabilities of the classes do not sum to 1',
        state.badSums,
        `The columns of the score output differ from 1 by more than ${SUM_TOLERANCE} in sum.`,
      );
    const only = state.labels.length === 1 && state.otherLabels.rows === 0 ? state.labels[0] : undefined;
    const isLarge = answered >= ENOUGH_ROWS;
    if (only && isLarge && hasBothClasses)
      say(
        'constant-label',
        'high',
        'The same answer to every row',
        only,
        `Every row is answered with the label ${only.label}: the model decides nothing on this data.`,
      );
    if (scoreOutput !== null && isLarge && state.lowest !== null && state.lowest === state.highest)
      say(
        'constant-score',
        'high',
        'The same score for every row',
        { rows: answered, examples: [] },
        `Every row has the score ${state.lowest}.`,
      );
    const unexpected = this.#unexpected();
    say(
      'unexpected-label',
      'medium',
      'Labels that are none of the two classes',
      unexpected.seen,
      `Labels seen: ${unexpected.labels}. Every label but ${this.#mapping.positiveLabel} counts as benign.`,
    );
    return found;
  }

  #unexpected(): { seen: Seen; labels: string } {
    const { labels, otherLabels, fractions } = this.#state;
    const { kind, positiveLabel } = this.#mapping;
    const shown = labels
      .map(({ label }) => label)
      .sort((a, b) => a - b)
      .slice(0, 20)
      .join(', ');
    if (fractions.rows > 0) return { seen: fractions, labels: shown };
    // An anomaly detector has two answers; a classifier may have several classes, of which one is malicious.
    if (kind !== 'anomaly') return { seen: nothing(), labels: shown };
    const negatives = labels
      .filter(({ label }) => label !== positiveLabel)
      .sort((a, b) => b.rows - a.rows)
      .slice(1);
    const seen = negatives.reduce<Seen>(
      (all, { rows, examples }) => ({ rows: all.rows + rows, examples: [...all.examples, ...examples] }),
      otherLabels,
    );
    return {
      seen: { rows: seen.rows, examples: seen.examples.sort((a, b) => a - b).slice(0, EXAMPLES) },
      labels: shown,
    };
  }
}

/** Of rows that were also run alone: those answered in another way than in their batch. */
export function batchFinding(
  differing: { readonly labels: readonly number[]; readonly scores: readonly number[] },
  of: number,
): OutputFinding[] {
  const { labels, scores } = differing;
  const rows = [...labels, ...scores];
  if (rows.length === 0) return [];
  return [
    {
      id: 'batch-dependent-output',
      severity: labels.length > 0 ? 'high' : 'medium',
      title: 'A row’s answer depends on the rows beside it',
      rows: rows.length,
      of,
      examples: rows.sort((a, b) => a - b).slice(0, EXAMPLES),
      detail: `Run alone, ${labels.length} rows got another label and ${scores.length} only another score than within their batch.`,
    },
  ];
}
