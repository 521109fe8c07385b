import { IconFlask } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { SessionView } from '../../shared/domain/view/views.ts';
import { formatRoles } from '../api/session.ts';
import styles from './shell.module.css';

interface SampleBannerProps {
  readonly sample: NonNullable<SessionView['sample']>;
  readonly current: string | null;
  readonly onChoose: (operator: { name: string; passphrase: string }) => void;
}

/** Says that this is the sample workspace and who lives in it. Choosing an operator fills in the sign-in form. */
export function SampleBanner({ sample, current, onChoose }: SampleBannerProps): ReactNode {
  return (
    <aside className={styles.sample} aria-label="Sample workspace">
      <span className={styles.sampleText}>
        <IconFlask size={15} aria-hidden />
        Sample workspace
      </span>
      <span className="dim" style={{ whiteSpace: 'nowrap' }}>
        Sign in as
      </span>
      <div className={styles.sampleList}>
        {sample.operators.map((operator) => (
          <button
            key={operator.name}
            type="button"
            title={formatRoles(operator.roles)}
            className={styles.sampleItem}
            aria-pressed={operator.name === current}
            onClick={() => onChoose(operator)}
          >
            <strong style={{ fontWeight: 600 }}>{operator.name}</strong>
            <span className={`mono ${styles.samplePassphrase}`}>{operator.passphrase}</span>
          </button>
        ))}
      </div>
    </aside>
  );
}
