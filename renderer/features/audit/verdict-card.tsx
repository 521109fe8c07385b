import { CloseButton } from '@mantine/core';
import { IconAlertOctagon, IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import { formatCount, formatInstant, plural } from '../../ui/format.ts';
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
  /** Opens an entry by its number; without it (a log of another vault) numbers are only read. */
  readonly onOpen?: (seq: number) => void;
}

/** What a verification found: the chain, the signatures, what each witness shows, and what nothing shows. */
export function VerdictCard({ verdict, onClose, onOpen }: VerdictCardProps): ReactNode {
  const { ok, entries, head, witnesses, problems, restores, unproven } = verdict;
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
          <span>{`${plural(verdict.signaturesChecked, 'signature')} verified`}</span>
          <span>{`${plural(verdict.checkpointsChecked, 'checkpoint')} verified`}</span>
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
                <EntryNumber seq={problem.seq} {...(onOpen === undefined ? {} : { onOpen })} />
                {problem.problem}
              </li>
            ))}
            {problems.length > 5 ? <li className="dim">{`and ${problems.length - 5} more`}</li> : null}
          </ol>
        )}
        {restores.map((restore) => (
          <div key={restore.seq} className={styles.restore}>
            <Status tone="warn">restored</Status>
            <span>
              <EntryNumber seq={restore.seq} {...(onOpen === undefined ? {} : { onOpen })} />
              {`${formatInstant(restore.at)}, back to entry ${formatCount(restore.restoredTo)}`}
              {restore.backupAt === null ? '' : ` of the backup of ${formatInstant(restore.backupAt)}`}
              {restore.lost === null
                ? '; how many entries were lost is not known.'
                : `; ${plural(restore.lost, 'entry', 'entries')} written after it ${restore.lost === 1 ? 'is' : 'are'} gone.`}
            </span>
          </div>
        ))}
        <ul className={styles.witnesses} aria-label="Witnesses">
          {witnesses.map((witness) => (
            <li key={witness.name} className={styles.witness}>
              <Status tone={WITNESS_TONES[witness.status]}>{witness.status}</Status>
              <span>
                <strong style={{ fontWeight: 500 }}>{witness.name}</strong>{' '}
                <span className="dim">{witness.detail}</span>
                {witness.proves === '' ? null : <span className={styles.proves}>{witness.proves}</span>}
              </span>
            </li>
          ))}
        </ul>
        {unproven.length === 0 ? null : (
          <div className={styles.unproven}>
            <div className={styles.unprovenTitle}>Not shown by anything here</div>
            <ul>
              {unproven.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
      <CloseButton aria-label="Close the outcome" onClick={onClose} />
    </section>
  );
}

function EntryNumber({
  seq,
  onOpen,
}: {
  readonly seq: number | null;
  readonly onOpen?: (seq: number) => void;
}): ReactNode {
  if (seq === null) return null;
  const text = `Entry ${formatCount(seq)}`;
  return (
    <>
      {onOpen === undefined ? (
        <strong style={{ fontWeight: 500 }}>{text}</strong>
      ) : (
        <button type="button" className={styles.link} onClick={() => onOpen(seq)}>
          {text}
        </button>
      )}
      {': '}
    </>
  );
}
