import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { OutputFinding } from '../../../shared/domain/evidence/output-findings.ts';
import { formatCount, formatShare } from '../../ui/format.ts';
import { SimpleTable } from '../../ui/page.tsx';
import { SeverityStatus } from '../../ui/status.tsx';

/** What is wrong with a model's answers, whatever the truth is, and where to see it. */
export function OutputFindings({
  findings,
  rowsTo,
}: {
  readonly findings: readonly OutputFinding[];
  /** Where the rows are looked at; null where none were kept. */
  readonly rowsTo: string | null;
}): ReactNode {
  return (
    <SimpleTable
      label="Findings in the answers"
      columns={['Severity', 'Finding', '>Rows', '>Share', 'First rows']}
      rows={findings.map((finding) => ({
        key: finding.id,
        cells: [
          <SeverityStatus key="s" severity={finding.severity} />,
          <div key="t">
            <div style={{ fontWeight: 500 }}>{finding.title}</div>
            <div className="dim">{finding.detail}</div>
          </div>,
          formatCount(finding.rows),
          formatShare(finding.of === 0 ? null : finding.rows / finding.of),
          <span key="e" className="num">
            {finding.examples.slice(0, 5).map(formatCount).join(', ')}
            {rowsTo === null || finding.rows === 0 ? null : (
              <Link
                to={rowsTo}
                style={{ color: 'var(--sp-accent-text)', marginLeft: 8, whiteSpace: 'nowrap' }}
              >
                see the rows
              </Link>
            )}
          </span>,
        ],
      }))}
    />
  );
}
