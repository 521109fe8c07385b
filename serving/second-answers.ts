/** What stable and canary answer to the same rows: pairs for the guard of disagreement, and whose fault a failed call is. */
import { countRequest } from '../shared/domain/traffic/count.ts';
import type { NamedTensor } from '../shared/node/onnx/named-tensor.ts';
import type { Choice } from './choose.ts';
import { checkInputs } from './inference/check-inputs.ts';
import { scoreBoundsOf } from './metrics/models.ts';
import type { Metrics } from './metrics.ts';
import type { Mirror } from './mirror.ts';
import type { LoadedRelease } from './release.ts';

/** What was asked. */
export interface AskedRows {
  readonly inputs: readonly NamedTensor[];
  readonly rows: number;
  readonly allowNonFinite: boolean;
}

/**
 * A sample of the canary's calls is compared with stable, or, while the canary is a shadow without traffic of its own, of
 * stable's calls with the canary. `labels` = what the caller was answered.
 */
export function compareLater(
  mirror: Mirror,
  metrics: Metrics,
  { live, release, canary: toCanary }: Choice,
  asked: AskedRows,
  labels: Float64Array,
): void {
  const { canary, stable, routing, pairs } = live;
  if (!canary || !stable || !routing.canary) return;
  // A canary with traffic is compared by its own; one without is stable's shadow.
  if (!toCanary && routing.canary.percent > 0) return;
  const other = toCanary ? stable : canary;
  // Which requests are sampled need not be repeatable, only fair.
  if (Math.random() >= routing.canary.mirrorSample) return;
  // A version of another interface has nothing to say about this input.
  if (!takes(other, asked.inputs)) return;
  const { mirrored } = metrics.version(routing.name, canary.ref.version, scoreBoundsOf(canary.mapping));
  // Counted into the generation it was asked in, even when that has passed.
  const count = (total: number, differing: number): void => {
    pairs.total += total;
    pairs.disagreements += differing;
    mirrored.differ += differing;
    mirrored.agree += total - differing;
  };
  const drop = (total: number): void => {
    pairs.dropped += total;
    mirrored.dropped += total;
  };
  mirror.offer({
    ...asked,
    count: asked.rows,
    other,
    answered: (otherLabels) => count(asked.rows, countDisagreements(release, labels, other, otherLabels)),
    unanswered: () => {
      // Of one row at least, and nobody knows which; where it is stable's, that says nothing against the canary.
      const known = toCanary ? 0 : 1;
      count(known, known);
      drop(asked.rows - known);
    },
    dropped: () => drop(asked.rows),
  });
}

/**
 * A canary's model had no answer to these rows: the call counts as its error where stable has one. What neither answers
 * says nothing about the canary.
 */
export function blameLater(mirror: Mirror, { live, canary, counter }: Choice, asked: AskedRows): void {
  const { stable } = live;
  if (!canary || !counter || !stable || !takes(stable, asked.inputs)) return;
  mirror.offer({
    ...asked,
    count: asked.rows,
    other: stable,
    answered: () => countRequest(counter, 0, true),
    unanswered: () => {},
    dropped: () => {},
  });
}

/** Two versions may spell their labels differently (1/0, 1/-1): what counts is whether both call the row malicious. */
function countDisagreements(
  release: LoadedRelease,
  labels: Float64Array,
  other: LoadedRelease,
  otherLabels: Float64Array,
): number {
  let differing = 0;
  for (let row = 0; row < labels.length; row++) {
    const answered = labels[row] === release.mapping.positiveLabel;
    const second = otherLabels[row] === other.mapping.positiveLabel;
    if (answered !== second) differing++;
  }
  return differing;
}

function takes(release: LoadedRelease, inputs: readonly NamedTensor[]): boolean {
  try {
    checkInputs(release.info, inputs, {
      rows: Number.POSITIVE_INFINITY,
      allowNonFinite: true,
      anyCount: true,
    });
    return true;
  } catch {
    return false;
  }
}
