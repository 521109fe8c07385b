import type { Verdict } from '../../../shared/domain/rollout/state.ts';

/** Newest first; consecutive holds of one step become one with a count. */
export function foldHolds(
  verdicts: readonly Verdict[],
): { readonly verdict: Verdict; readonly folded: number }[] {
  const shown: { verdict: Verdict; folded: number }[] = [];
  for (const verdict of [...verdicts].reverse()) {
    const newer = shown.at(-1);
    if (
      newer !== undefined &&
      verdict.verdict === 'hold' &&
      newer.verdict.verdict === 'hold' &&
      newer.verdict.step === verdict.step
    )
      newer.folded += 1;
    else shown.push({ verdict, folded: 0 });
  }
  return shown;
}
