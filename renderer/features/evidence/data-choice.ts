/** The choice of data on the forms of Validate and Compare: what was chosen, what the file says, what still stands in the way. */

import { useDebouncedValue } from '@mantine/hooks';
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import type { DatasetInspection } from '../../../shared/domain/evidence/inspection.ts';
import type { VersionRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { plural } from '../../ui/format.ts';

/** A filter is tried so long after the last key, in milliseconds. */
const TRY_MS = 400;

export interface DataDraft {
  readonly path: string | null;
  readonly labelled: boolean;
  /** Null = the column the file itself points to. */
  readonly labelColumn: string | null;
  readonly positiveValue: string | null;
  readonly filter: string;
  /** Feature → column, only where somebody chose another than the program found. */
  readonly columns: Readonly<Record<string, string>>;
  readonly sliceColumns: readonly string[];
  readonly timeColumn: string | null;
}

export const EMPTY_DRAFT: DataDraft = {
  path: null,
  labelled: true,
  labelColumn: null,
  positiveValue: null,
  filter: '',
  columns: {},
  sliceColumns: [],
  timeColumn: null,
};

/** What the run is given. Whatever nobody chose stays open, for the reader of the data to find. */
export function selectionOf(
  draft: DataDraft,
  inspection: DatasetInspection | undefined,
): DataSelection | null {
  if (draft.path === null) return null;
  const changed = Object.keys(draft.columns).length > 0;
  return {
    path: draft.path,
    format: null,
    labelled: draft.labelled,
    labelColumn: draft.labelled ? draft.labelColumn : null,
    positiveValue: draft.labelled ? draft.positiveValue : null,
    filter: draft.filter.trim() === '' ? null : draft.filter.trim(),
    columns: changed ? { ...inspection?.mapping, ...draft.columns } : null,
    sliceColumns: draft.sliceColumns.length === 0 ? null : [...draft.sliceColumns],
    timeColumn: draft.timeColumn,
  };
}

/** Features of the model that no column is chosen for. */
export function unmapped(draft: DataDraft, inspection: DatasetInspection): readonly string[] {
  return inspection.missing.filter((feature) => draft.columns[feature] === undefined);
}

/** Why the data cannot be used as it is chosen, for the button; null where it can. */
export function dataRefusal(draft: DataDraft, inspection: DatasetInspection | undefined): string | null {
  if (draft.path === null) return 'Choose a dataset, or drop one on the window.';
  if (inspection === undefined) return 'The file has not been read yet.';
  const open = unmapped(draft, inspection);
  if (open.length > 0)
    return `${plural(open.length, 'feature')} of the model ${open.length === 1 ? 'has' : 'have'} no column: ${open.slice(0, 3).join(', ')}${open.length > 3 ? ', …' : ''}.`;
  if (draft.labelled && draft.labelColumn === null && inspection.labelColumn === null)
    return 'Choose the column that holds the truth, or say that the data has no labels.';
  if (inspection.filterProblem !== null) return 'The filter cannot be used.';
  return inspection.rows === 0 ? 'No row is left by the filter.' : null;
}

export interface DataChoice {
  readonly draft: DataDraft;
  readonly change: (part: Partial<DataDraft>) => void;
  readonly inspection: UseQueryResult<DatasetInspection, Error>;
  /** The filter is still being tried. */
  readonly trying: boolean;
  readonly selection: DataSelection | null;
  readonly refusal: string | null;
}

/** Data for a version; `arrived` is a file that was dropped on the window. */
export function useDataChoice(ref: VersionRef | null, arrived: string | null): DataChoice {
  const [draft, setDraft] = useState<DataDraft>({ ...EMPTY_DRAFT, path: arrived });
  useEffect(() => {
    if (arrived !== null) setDraft({ ...EMPTY_DRAFT, path: arrived });
  }, [arrived]);
  const wanted = draft.filter.trim();
  const [filter] = useDebouncedValue(wanted, TRY_MS);
  const inspection = useCall(
    'evidence.inspect',
    { path: draft.path ?? '', ref, filter: filter === '' ? null : filter },
    { enabled: draft.path !== null, keepFormer: true },
  );
  const trying = filter !== wanted || inspection.isFetching;
  const found = inspection.isPlaceholderData || inspection.isError ? undefined : inspection.data;
  return useMemo(
    () => ({
      draft,
      // Another file has other columns: what was chosen of the former one is gone with it.
      change: (part) =>
        setDraft((was) =>
          part.path !== undefined && part.path !== was.path
            ? { ...EMPTY_DRAFT, labelled: was.labelled, ...part }
            : { ...was, ...part },
        ),
      inspection,
      trying,
      selection: selectionOf(draft, found),
      refusal: inspection.isError
        ? 'The file cannot be read.'
        : draft.path !== null && trying
          ? 'The file is being read.'
          : dataRefusal(draft, found),
    }),
    [draft, inspection, trying, found],
  );
}
