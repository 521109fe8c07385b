import { IconChecklist } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import type { Column } from '../../ui/data-table.tsx';
import { formatCount, formatMetric } from '../../ui/format.ts';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty } from '../../ui/page.tsx';
import { RunHistory } from '../../ui/run-history.tsx';
import { GateVerdict } from '../../ui/status.tsx';
import { Truncated } from '../../ui/text.tsx';
import { verdictOfReport } from './verdict.ts';

const VERDICT_ORDER = { fail: 0, inconclusive: 1, pass: 2, none: null } as const;

const HISTORY: readonly Column<ValidationReport>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(150px, 1.6fr)',
    sortBy: (report) => formatRef(report.ref),
    cell: (report) => <Truncated>{formatRef(report.ref)}</Truncated>,
  },
  {
    id: 'dataset',
    header: 'Dataset',
    width: 'minmax(120px, 1.4fr)',
    sortBy: (report) => report.dataset.fileName,
    cell: (report) => <Truncated>{report.dataset.fileName}</Truncated>,
  },
  {
    id: 'environment',
    header: 'Against',
    width: 'minmax(90px, 1fr)',
    sortBy: (report) => report.environmentName,
    cell: (report) =>
      report.environmentName ?? (
        <span className="dim">{report.gates.length === 0 ? 'nothing' : 'what-if'}</span>
      ),
  },
  {
    id: 'gates',
    header: 'Gates',
    width: '104px',
    sortBy: (report) => VERDICT_ORDER[verdictOfReport(report)],
    cell: (report) => {
      const verdict = verdictOfReport(report);
      return verdict === 'none' ? <span className="dim">none</span> : <GateVerdict verdict={verdict} />;
    },
  },
  {
    id: 'rows',
    header: 'Rows',
    width: '84px',
    align: 'right',
    sortBy: (report) => report.metrics.rows,
    cell: (report) => formatCount(report.metrics.rows),
  },
  {
    id: 'auc',
    header: 'ROC AUC',
    width: '72px',
    align: 'right',
    sortBy: (report) => report.metrics.roc_auc,
    cell: (report) => formatMetric(report.metrics.roc_auc),
  },
  {
    id: 'f1',
    header: 'F1',
    width: '64px',
    align: 'right',
    sortBy: (report) => report.metrics.f1,
    cell: (report) => formatMetric(report.metrics.f1),
  },
];

/** Reports of earlier runs. */
export function ValidationHistory(): ReactNode {
  const navigate = useNavigate();
  const history = useCall('validation.list', { ref: null });
  return (
    <Loaded query={history}>
      {(reports) => (
        <RunHistory
          label="Validation reports"
          columns={HISTORY}
          runs={reports}
          onOpen={(report) => void navigate(`/validate/${report.id}`)}
          empty={
            <Empty icon={IconChecklist} title="No reports yet">
              Choose a version and data above. Rows are streamed through the model in a process of its own;
              millions of rows need no more memory than a thousand.
            </Empty>
          }
        />
      )}
    </Loaded>
  );
}
