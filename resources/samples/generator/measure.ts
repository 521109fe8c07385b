// biome-ignore-all lint/style/noNonNullAssertion: every index is bounded by its loop.
/** Quality of a detector on rows whose truth is known; the positive class is phishing. */
export interface Measured {
  readonly rows: number;
  readonly positives: number;
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rocAuc: number;
  readonly falsePositiveRate: number;
}

/** The decision every sample detector takes: phishing at a probability of one half. */
export const predicted = (score: number): 0 | 1 => (score >= 0.5 ? 1 : 0);

/** Area under the ROC curve by ranks (Mann-Whitney U), ties counted half. Needs rows of both classes. */
export function rocAuc(scores: Float64Array, labels: Uint8Array): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  let rankSum = 0;
  let positives = 0;
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && scores[order[end]!] === scores[order[i]!]) end++;
    const rank = (i + 1 + end) / 2;
    for (let k = i; k < end; k++) {
      if (labels[order[k]!] === 1) {
        rankSum += rank;
        positives++;
      }
    }
    i = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (scores.length - positives));
}

/** Metrics at the threshold of one half. */
export function measure(scores: Float64Array, labels: Uint8Array): Measured {
  let tp = 0;
  let fp = 0;
  let fn = 0;
  let tn = 0;
  scores.forEach((score, i) => {
    if (predicted(score) === 1) labels[i] === 1 ? tp++ : fp++;
    else labels[i] === 1 ? fn++ : tn++;
  });
  return {
    rows: scores.length,
    positives: tp + fn,
    accuracy: (tp + tn) / scores.length,
    precision: tp / (tp + fp),
    recall: tp / (tp + fn),
    f1: (2 * tp) / (2 * tp + fp + fn),
    rocAuc: rocAuc(scores, labels),
    falsePositiveRate: fp / (fp + tn),
  };
}

/** Share of rows on which two detectors answer differently. */
export function disagreement(a: Float64Array, b: Float64Array): number {
  let count = 0;
  a.forEach((score, i) => {
    if (predicted(score) !== predicted(b[i]!)) count++;
  });
  return count / a.length;
}
