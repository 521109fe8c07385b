import { IconAlertOctagon, IconHelpOctagon, IconRuler2, IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { decidingGates, gateReason, verdictOfReport, verdictTitle } from './verdict.ts';
import styles from './verdict-header.module.css';

const ICONS = {
  pass: IconShieldCheck,
  fail: IconAlertOctagon,
  inconclusive: IconHelpOctagon,
  none: IconRuler2,
} as const;
/** Reasons said here; the table of gates has all. */
const SAID = 4;

/** The first thing a reviewer reads: pass, fail or inconclusive, and why. */
export function VerdictHeader({ report }: { readonly report: ValidationReport }): ReactNode {
  const verdict = verdictOfReport(report);
  const Icon = ICONS[verdict];
  const deciding = decidingGates(report.gates);
  return (
    <section className={styles.card} data-verdict={verdict} aria-label="Verdict">
      <Icon size={26} stroke={1.6} className={styles.icon} aria-hidden />
      <div style={{ minWidth: 0, flex: 1 }}>
        <h2 className={styles.title}>{verdictTitle(report)}</h2>
        {deciding.length === 0 ? (
          verdict === 'fail' ? (
            <div>Every gate passed, and yet this report was not accepted as evidence.</div>
          ) : null
        ) : (
          <ul className={styles.reasons}>
            {deciding.slice(0, SAID).map((gate, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: gates have no identity of their own
              <li key={index}>
                <span className={styles.reason} title={gateReason(gate)}>
                  {gateReason(gate)}
                </span>
              </li>
            ))}
            {deciding.length > SAID ? <li>{`and ${deciding.length - SAID} more, below`}</li> : null}
          </ul>
        )}
      </div>
    </section>
  );
}
