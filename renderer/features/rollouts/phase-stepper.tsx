import { IconAlertTriangle, IconArrowBackUp, IconCheck, IconPlayerPause } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { RolloutState } from '../../../shared/domain/rollout/state.ts';
import { isDeliberate } from '../../ui/status.tsx';
import styles from './phase-stepper.module.css';
import { type Station, stationsOf } from './stations.ts';

const ICONS: Readonly<Record<Station['status'], ReactNode>> = {
  done: <IconCheck size={14} stroke={2.5} aria-hidden />,
  active: <span className={styles.live} aria-hidden />,
  waiting: null,
  paused: <IconPlayerPause size={13} stroke={2.2} aria-hidden />,
  failed: <IconAlertTriangle size={14} aria-hidden />,
  returned: <IconArrowBackUp size={14} aria-hidden />,
};

/** Where the rollout is on its way: prepare, each step's share of traffic, done. */
export function PhaseStepper({ state }: { readonly state: RolloutState }): ReactNode {
  return (
    <ol className={styles.way} aria-label="Phases of the rollout">
      {stationsOf(state).map((station) => (
        <li
          key={station.label}
          className={styles.station}
          data-status={station.status}
          data-deliberate={isDeliberate(state.reason) || undefined}
          aria-current={station.status === 'active' ? 'step' : undefined}
        >
          <span className={styles.dot}>{ICONS[station.status]}</span>
          <span className={styles.words}>
            <span className={`${styles.label} num`}>{station.label}</span>
            <span className={styles.note}>{station.note}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
