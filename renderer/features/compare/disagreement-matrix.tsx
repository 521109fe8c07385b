import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatCount, formatShare } from '../../ui/format.ts';
import { rowsPath } from '../evidence/rows-choice.ts';
import styles from './compare.module.css';

const NAMES = ['benign', 'malicious'];
const nameOf = (index: number, size: number): string =>
  size === 2 ? (NAMES[index] ?? '') : `class ${index}`;

/** Rows by what each of the two answered. Off the diagonal they disagree; each cell leads to its rows. */
export function DisagreementMatrix({ report }: { readonly report: ComparisonReport }): ReactNode {
  const { disagreementMatrix: matrix, rowsArtifact } = report;
  const total = matrix.flat().reduce((sum, count) => sum + count, 0);
  const size = matrix.length;
  return (
    <table className={styles.matrix} aria-label="Rows by the answers of both">
      <thead>
        <tr>
          <td />
          {matrix.map((_, index) => (
            <th key={nameOf(index, size)} scope="col">{`challenger: ${nameOf(index, size)}`}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.map((cells, a) => (
          <tr key={nameOf(a, size)}>
            <th scope="row">{`champion: ${nameOf(a, size)}`}</th>
            {cells.map((count, b) => {
              const share = total === 0 ? 0 : count / total;
              const text = (
                <>
                  <span className={`${styles.count} num`}>{formatCount(count)}</span>
                  <span className={`${styles.share} num`}>{formatShare(share, share < 0.1 ? 2 : 1)}</span>
                </>
              );
              return (
                <td
                  key={nameOf(b, size)}
                  className={styles.matrixCell}
                  style={{
                    background: `color-mix(in srgb, var(${a === b ? '--sp-series2' : '--sp-series1'}) ${Math.round(8 + Math.sqrt(share) * 30)}%, transparent)`,
                  }}
                >
                  {rowsArtifact === null || count === 0 ? (
                    <span className={styles.matrixLink}>{text}</span>
                  ) : (
                    <Link
                      className={styles.matrixLink}
                      title={`See the rows the champion called ${nameOf(a, size)} and the challenger ${nameOf(b, size)}`}
                      to={rowsPath(
                        { kind: 'comparison', id: report.id },
                        {
                          preset: a === b ? 'all' : 'disagreements',
                          filter: `predicted_a = ${a} AND predicted_b = ${b}`,
                        },
                      )}
                    >
                      {text}
                    </Link>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
