import { IconLockExclamation } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './shell.module.css';

/** Nothing can be written at present: why, and what still works. */
export function ReadOnlyBanner({
  reason,
  onCheck,
}: {
  readonly reason: string;
  readonly onCheck: () => void;
}): ReactNode {
  return (
    <div className={styles.readOnly} role="status">
      <IconLockExclamation size={16} aria-hidden style={{ flex: 'none' }} />
      <span style={{ minWidth: 0, flex: 1 }}>
        <strong style={{ fontWeight: 600 }}>Read-only.</strong> {reason} Looking and verifying go on; changes
        and exports are refused until they can be written.
      </span>
      <button type="button" className={styles.check} onClick={onCheck}>
        Check again
      </button>
    </div>
  );
}
