import type { DataSelection } from './dataset.ts';

/** A whole file of rows with truth; everything else is found by looking at it. */
export function labelledFile(path: string, labelColumn: string | null = null): DataSelection {
  return {
    path,
    format: null,
    labelled: true,
    labelColumn,
    positiveValue: null,
    filter: null,
    columns: null,
    sliceColumns: null,
    timeColumn: null,
  };
}
