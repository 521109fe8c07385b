import { CloseButton } from '@mantine/core';
import { IconAlertOctagon, IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import { formatCount, plural } from '../../ui/format.ts';
import { Status, type Tone } from '../../ui/status.tsx';
import { Digest } from '../../ui/text.tsx';
import styles from './verdict-card.module.css';

const WITNESS_TONES: Readonly<Record<AuditVerdict['witnesses'][number]['status'], Tone>> = {
  agrees: 'ok',
  behind: 'warn',
  absent: 'idle',
  contradicts: 'bad',
};

interface VerdictCardProps {
  readonly verdict: AuditVerdict;
  readonly onClose: () => void;
  readonly onOpen: (seq: number) => void;
}

/** What `audit verify` found: the chain, the signatures, and what each witness says. */
export function VerdictCard({ verdict, onClose, onOpen }: VerdictCardProps): ReactNode {
  const { ok, entries, head, witnesses, problems, signaturesChecked, checkpointsChecked } = verdict;
  return (
    <section
      className={styles.card}
      data-ok={ok || undefined}
      aria-label="Outcome of the verification"
      role="status"
    >
      {ok ? (
        <IconShieldCheck size={26} stroke={1.6} className={styles.icon} aria-hidden />
      ) : (
        <IconAlertOctagon size={26} stroke={1.6} className={styles.icon} aria-hidden />
      )}
      <div style={{ minWidth: 0, flex: 1 }}>
        <div className={styles.title}>{ok ? 'The log is intact' : 'The log has been tampered with'}</div>
        <div className={styles.facts}>
          <span>{`${plural(entries, 'entry', 'entries')} hashed`}</span>
          <span>{`${plural(signaturesChecked, 'signature')} verified`}</span>
          <span>{`${plural(checkpointsChecked, 'checkpoint')} verified`}</span>
          {head === null ? null : (
            <span style={{ display: 'inline-flex', alignItems: 'center', gap: 5 }}>
              {`head ${formatCount(head.seq)}`} <Digest value={head.hash} what="head hash" />
            </span>
          )}
        </div>
        {problems.length === 0 ? null : (
          <ol className={styles.problems}>
            {problems.slice(0, 5).map((problem) => (
              <li key={`${problem.seq}-${problem.problem}`}>
                {problem.seq === null ? null : (
                  <button
                    type="button"
                    className={styles.link}
                    onClick={() => onOpen(problem.seq ?? 0)}
                  >{`Entry ${formatCount(problem.seq)}`}</button>
                )}
                {problem.seq === null ? '' : ': '}
                {problem.problem}
              </li>
            ))}
            {problems.length > 5 ? <li className="dim">{`and ${problems.length - 5} more`}</li> : null}
          </ol>
        )}
        <div className={styles.witnesses}>
          {witnesses.map((witness) => (
            <span key={witness.name} className={styles.witness}>
              <Status tone={WITNESS_TONES[witness.status]}>{witness.status}</Status>
              <span title={witness.detail}>
                <strong style={{ fontWeight: 500 }}>{witness.name}</strong>{' '}
                <span className="dim">{witness.detail}</span>
              </span>
            </span>
          ))}
        </div>
      </div>
      <CloseButton aria-label="Close the outcome" onClick={onClose} />
    </section>
  );
}
