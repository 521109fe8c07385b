import type { OutputMapping } from '../../domain/model/version.ts';

/** Is this score on the malicious side of the mapping's threshold? A score on the threshold counts as positive. */
export function scoreIsPositive(mapping: OutputMapping, score: number): boolean {
  return mapping.lowerIsPositive ? score <= mapping.threshold : score >= mapping.threshold;
}

/** Labels as the model itself says them: a class of text by its name, null for one that the mapping does not know. */
export function spokenLabels(
  { classes }: Pick<OutputMapping, 'classes'>,
  labels: Float64Array,
): (number | string | null)[] {
  const spoken: (number | string | null)[] = [];
  for (const label of labels) spoken.push(classes === undefined ? label : (classes[label] ?? null));
  return spoken;
}

/** The label that means "not malicious" where a model has no label output and it is derived from the score. */
export function negativeLabel(mapping: OutputMapping): number {
  if (mapping.positiveLabel === -1) return 1;
  return mapping.positiveLabel === 0 ? 1 : 0;
}
