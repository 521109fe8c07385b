import type { ReactNode } from 'react';
import type { DatasetInfo } from '../../../shared/domain/metrics/report.ts';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { Facts } from '../../ui/page.tsx';
import { Digest } from '../../ui/text.tsx';

/** Columns named of those that were not used; the rest is counted. */
const NAMED = 12;

/** What exactly a report was made on. */
export function DatasetFacts({ dataset }: { readonly dataset: DatasetInfo }): ReactNode {
  const { ignoredColumns: ignored, rowsInFile } = dataset;
  return (
    <Facts
      items={[
        ['File', dataset.fileName],
        ['Format', dataset.format],
        ['Digest', <Digest key="d" value={dataset.digest} what="dataset digest" />],
        ['Size', formatBytes(dataset.sizeBytes)],
        [
          'Rows',
          rowsInFile === null || rowsInFile === dataset.rows
            ? formatCount(dataset.rows)
            : `${formatCount(dataset.rows)} of ${formatCount(rowsInFile)} in the file`,
        ],
        [
          'Filter',
          dataset.filter === null ? (
            'none'
          ) : (
            <code key="f" className="mono">
              {dataset.filter}
            </code>
          ),
        ],
        ['Features', formatCount(dataset.featureColumns)],
        [
          'Label column',
          dataset.labelled ? (
            <span key="l" className="mono">
              {dataset.labelColumn}
            </span>
          ) : (
            'none: the data has no labels'
          ),
        ],
        [
          'Not used',
          ignored.length === 0 ? (
            'nothing'
          ) : (
            <span key="i" className="mono">
              {ignored.slice(0, NAMED).join(', ')}
              {ignored.length > NAMED ? ` and ${ignored.length - NAMED} more` : ''}
            </span>
          ),
        ],
      ]}
    />
  );
}
