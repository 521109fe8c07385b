import { IconCheck, IconPencil, IconUser } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import { Panel } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { Ago, Digest } from '../../ui/text.tsx';
import styles from './quorum-panel.module.css';
import { approvalsOf } from './request-words.ts';

/** Who has signed, with which key, and how many are missing. Empty places are drawn, so that the quorum is seen. */
export function QuorumPanel({ view }: { readonly view: RequestView }): ReactNode {
  const approvals = approvalsOf(view);
  const submission = view.approvals.find((approval) => approval.kind === 'submission');
  const missing = Math.max(0, view.record.quorum - approvals.length);
  return (
    <Panel
      title="Signatures"
      note={<span title="OpenSSF Model Signing, ECDSA P-256">OMS, P-256</span>}
      actions={
        <Status
          tone={missing === 0 ? 'ok' : 'accent'}
        >{`${approvals.length} of ${view.record.quorum}`}</Status>
      }
      flush
    >
      <div
        className={styles.track}
        role="img"
        aria-label={`${approvals.length} of ${view.record.quorum} approvals`}
      >
        {Array.from({ length: view.record.quorum }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places have no identity
          <span key={index} className={styles.place} data-filled={index < approvals.length || undefined} />
        ))}
      </div>
      <ul className={styles.list}>
        {approvals.map((approval) => (
          <li key={approval.operator} className={styles.item}>
            <span className={styles.icon} data-tone="ok">
              <IconCheck size={14} aria-hidden />
            </span>
            <span className={styles.who}>
              <strong style={{ fontWeight: 500 }}>{approval.person}</strong>
              <span className="dim">
                approved <Ago at={approval.createdAt} />
              </span>
              <Digest value={approval.keyFingerprint} what="key fingerprint" />
            </span>
          </li>
        ))}
        {Array.from({ length: missing }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places have no identity
          <li key={`missing-${index}`} className={styles.item}>
            <span className={styles.icon}>
              <IconUser size={14} aria-hidden />
            </span>
            <span className={styles.who}>
              <span className="dim">
                {index === 0 ? 'Waits for another person’s approval' : 'and for one more'}
              </span>
            </span>
          </li>
        ))}
        {submission === undefined ? null : (
          <li className={styles.item}>
            <span className={styles.icon}>
              <IconPencil size={14} aria-hidden />
            </span>
            <span className={styles.who}>
              <span>{submission.person}</span>
              <span className="dim">
                submitted <Ago at={submission.createdAt} />; does not count
              </span>
              <Digest value={submission.keyFingerprint} what="key fingerprint" />
            </span>
          </li>
        )}
      </ul>
    </Panel>
  );
}
