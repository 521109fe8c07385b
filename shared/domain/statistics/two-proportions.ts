import { logChoose, normalCdf } from './special.ts';

/** Expected count in every cell from which the normal approximation is used. */
const EXPECTED = 10;

/**
 * One-sided p-value that the first rate is no higher than the second: Fisher's exact test where a cell expects fewer
 * than ten, else the pooled z test. 1 where one side has no trials.
 */
export function higherRateP(hits: number, trials: number, otherHits: number, otherTrials: number): number {
  const allHits = hits + otherHits;
  const all = trials + otherTrials;
  if (trials === 0 || otherTrials === 0 || allHits === 0 || allHits === all) return 1;
  const rate = allHits / all;
  if (Math.min(trials, otherTrials) * Math.min(rate, 1 - rate) >= EXPECTED) {
    const spread = Math.sqrt(rate * (1 - rate) * (1 / trials + 1 / otherTrials));
    return normalCdf((otherHits / otherTrials - hits / trials) / spread);
  }
  return fisherGreater(hits, trials, allHits, all);
}

/** P(at least `hits` of `trials`) where `allHits` of `all` are drawn without replacement (hypergeometric tail). */
export function fisherGreater(hits: number, trials: number, allHits: number, all: number): number {
  const last = Math.min(trials, allHits);
  const first = Math.max(0, trials + allHits - all);
  if (hits <= first) return 1;
  const mode = Math.floor(((trials + 1) * (allHits + 1)) / (all + 2));
  const upwards = hits > mode;
  // The shorter tail is summed from its largest term outwards; terms fall, so the sum may stop early.
  let x = upwards ? hits : hits - 1;
  let term = Math.exp(logChoose(allHits, x) + logChoose(all - allHits, trials - x) - logChoose(all, trials));
  let sum = 0;
  while (x >= first && x <= last) {
    sum += term;
    if (term < sum * 1e-17) break;
    if (upwards) {
      term *= ((allHits - x) * (trials - x)) / ((x + 1) * (all - allHits - trials + x + 1));
      x += 1;
    } else {
      term *= (x * (all - allHits - trials + x)) / ((allHits - x + 1) * (trials - x + 1));
      x -= 1;
    }
  }
  return Math.min(1, Math.max(0, upwards ? sum : 1 - sum));
}
