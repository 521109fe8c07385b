/** Which rows behind a report are looked at: an address of the window, so that a choice can be gone back to. */
import {
  type EvidenceRef,
  type RowPreset,
  type RowQuery,
  rowPresetSchema,
  rowQuerySchema,
} from '../../../shared/domain/evidence/rows.ts';
import type { GateResult } from '../../../shared/domain/metrics/report.ts';

export type RowsChoice = Pick<RowQuery, 'preset' | 'slice' | 'filter' | 'order'>;

const ROOM = { validation: 'validate', comparison: 'compare' } as const;

/** The address of rows. Parts left out are the plain ones: all rows, in the file's order. */
export function rowsPath(evidence: EvidenceRef, choice: Partial<RowsChoice> = {}): string {
  const search = writeChoice(choice).toString();
  return `/${ROOM[evidence.kind]}/${encodeURIComponent(evidence.id)}/rows${search === '' ? '' : `?${search}`}`;
}

export function writeChoice({ preset, slice, filter, order }: Partial<RowsChoice>): URLSearchParams {
  const search = new URLSearchParams();
  if (preset !== undefined && preset !== 'all') search.set('show', preset);
  if (slice !== undefined && slice !== null) {
    search.set('column', slice.column);
    search.set('value', slice.value);
  }
  if (filter !== undefined && filter !== null && filter.trim() !== '') search.set('where', filter.trim());
  if (order !== undefined && order !== 'row') search.set('order', order);
  return search;
}

/** Reads an address back; what is none of the known words is the plain choice. */
export function readChoice(search: URLSearchParams): RowsChoice {
  const column = search.get('column');
  const where = search.get('where')?.trim() ?? '';
  return {
    preset: rowPresetSchema.catch('all').parse(search.get('show')),
    slice: column === null ? null : { column, value: search.get('value') ?? '' },
    filter: where === '' ? null : where.slice(0, 4000),
    order: rowQuerySchema.shape.order.catch('row').parse(search.get('order')),
  };
}

export const PRESET_NAMES: Readonly<Record<RowPreset, string>> = {
  all: 'All rows',
  errors: 'Errors',
  'false-negatives': 'Missed',
  'false-positives': 'False alarms',
  disagreements: 'Disagreements',
  fixed: 'Fixed',
  broken: 'Broken',
  'output-findings': 'Flawed answers',
};

/** Choices that say something about this evidence: without truth nothing is right or wrong. */
export function presetsOf(kind: EvidenceRef['kind'], labelled: boolean): readonly RowPreset[] {
  if (kind === 'comparison')
    return labelled
      ? ['disagreements', 'broken', 'fixed', 'errors', 'output-findings', 'all']
      : ['disagreements', 'output-findings', 'all'];
  return labelled
    ? ['errors', 'false-negatives', 'false-positives', 'output-findings', 'all']
    : ['all', 'output-findings'];
}

/** What is wrong in the rows a metric falls short on; null where no row is behind it (latency, size, drift). */
const PRESET_OF: Readonly<Record<string, RowPreset>> = {
  recall: 'false-negatives',
  tpr_at_fpr_0_01: 'false-negatives',
  tpr_at_fpr_0_001: 'false-negatives',
  false_positive_rate: 'false-positives',
  precision: 'false-positives',
  accuracy: 'errors',
  balanced_accuracy: 'errors',
  f1: 'errors',
  mcc: 'errors',
  roc_auc: 'errors',
  pr_auc: 'errors',
  log_loss: 'errors',
  brier: 'errors',
  ece: 'errors',
  positive_rate: 'all',
  mae: 'errors',
  rmse: 'errors',
  r2: 'errors',
  output_findings: 'output-findings',
};

const LINK_WORDS: Readonly<Record<RowPreset, string>> = {
  all: 'the rows',
  errors: 'its errors',
  'false-negatives': 'rows it missed',
  'false-positives': 'its false alarms',
  disagreements: 'the disagreements',
  fixed: 'rows it fixed',
  broken: 'rows it broke',
  'output-findings': 'flawed answers',
};

/** The way from a gate to the rows behind it; null where no rows are. */
export function rowsOfGate(
  gate: Pick<GateResult, 'metric' | 'slice' | 'measured'>,
  reportId: string,
): { readonly to: string; readonly text: string } | null {
  const preset = PRESET_OF[gate.metric];
  // No flaw was found: there is nothing to look at.
  if (preset === undefined || (preset === 'output-findings' && gate.measured === 0)) return null;
  const order =
    preset === 'false-negatives'
      ? 'score-ascending'
      : preset === 'false-positives'
        ? 'score-descending'
        : 'row';
  return {
    to: rowsPath({ kind: 'validation', id: reportId }, { preset, slice: gate.slice ?? null, order }),
    text: LINK_WORDS[preset],
  };
}
