import type { ReactNode } from 'react';
import { FINDING_ORDER } from '../../../shared/domain/model/search/grammar.ts';
import type { VersionRow } from '../../../shared/domain/view/views.ts';
import type { Column } from '../../ui/data-table.tsx';
import { formatBytes, formatMetric } from '../../ui/format.ts';
import { SeverityStatus, Tag, VersionStatus } from '../../ui/status.tsx';
import { Ago, Digest, VersionLink } from '../../ui/text.tsx';

/** Aliases and tags that fit, and how many more there are. */
function Names({ names }: { readonly names: readonly string[] }): ReactNode {
  const shown = names.slice(0, 2);
  return (
    <span style={{ display: 'flex', gap: 5 }} title={names.join(', ')}>
      {shown.map((name) => (
        <Tag key={name}>{name}</Tag>
      ))}
      {names.length > shown.length ? (
        <span className="dim num">{`+${names.length - shown.length}`}</span>
      ) : null}
    </span>
  );
}

/** The columns of the models table; a wide window has room for whose model it is. */
export const COLUMNS: readonly Column<VersionRow>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(150px, 2.2fr)',
    sortBy: (row) => `${row.name}@${row.version}`,
    cell: (row) => <VersionLink of={row} />,
  },
  {
    id: 'aliases',
    header: 'Aliases and tags',
    width: 'minmax(140px, 1.5fr)',
    cell: (row) => <Names names={[...row.aliases, ...row.tags]} />,
  },
  {
    id: 'state',
    header: 'State',
    width: '94px',
    sortBy: (row) => row.state,
    cell: (row) => <VersionStatus state={row.state} />,
  },
  {
    id: 'scan',
    header: 'Scan',
    width: '82px',
    sortBy: (row) => FINDING_ORDER.indexOf(row.worstFinding),
    cell: (row) => <SeverityStatus severity={row.worstFinding} />,
  },
  {
    id: 'auc',
    header: 'ROC AUC',
    width: '64px',
    align: 'right',
    sortBy: (row) => row.rocAuc,
    cell: (row) => formatMetric(row.rocAuc),
  },
  {
    id: 'f1',
    header: 'F1',
    width: '54px',
    align: 'right',
    sortBy: (row) => row.f1,
    cell: (row) => formatMetric(row.f1),
  },
  {
    id: 'size',
    header: 'Size',
    width: '68px',
    align: 'right',
    sortBy: (row) => row.sizeBytes,
    cell: (row) => formatBytes(row.sizeBytes),
  },
  { id: 'digest', header: 'Digest', width: '96px', cell: (row) => <Digest value={row.digest} brief /> },
  {
    id: 'owner',
    header: 'Owner',
    width: 'minmax(80px, 1fr)',
    sortBy: (row) => row.owner,
    cell: (row) => <span title={row.owner}>{row.owner === '' ? '–' : row.owner}</span>,
  },
  {
    id: 'added',
    header: 'Added',
    width: '80px',
    align: 'right',
    sortBy: (row) => Date.parse(row.addedAt),
    cell: (row) => <Ago at={row.addedAt} />,
  },
];

export const NARROW_COLUMNS = COLUMNS.filter((column) => column.id !== 'owner');
