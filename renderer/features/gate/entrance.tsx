import { type ReactNode, useState } from 'react';
import type { SessionView } from '../../../shared/domain/view/views.ts';
import { Mark } from '../../app/mark.tsx';
import { heldPrefill, holdPrefill } from '../../app/prefill.ts';
import { SampleBanner } from '../../app/sample-banner.tsx';
import { PathText } from '../../ui/text.tsx';
import { CreateVault } from './create-vault.tsx';
import styles from './entrance.module.css';
import { Preparing } from './preparing.tsx';
import { Recover } from './recover.tsx';
import { RecoveryKey } from './recovery-key.tsx';
import { SignIn } from './sign-in.tsx';
import { Unlock } from './unlock.tsx';

interface EntranceProps {
  readonly session: SessionView;
  /** True while the recovery key is on the screen: the gate must not open before it is confirmed. */
  readonly onHold: (hold: boolean) => void;
}

/** Before the shell: create a vault, unlock or recover it, sign in. */
export function Entrance({ session, onHold }: EntranceProps): ReactNode {
  const [recoveryKey, setRecoveryKey] = useState<string | null>(null);
  const [creating, setCreating] = useState(false);
  const [recovering, setRecovering] = useState(false);
  const [prefill, setPrefill] = useState(heldPrefill);
  // The same operator chosen again, after a refused passphrase, fills the form in again.
  const [choices, setChoices] = useState(0);

  const step = ((): ReactNode => {
    if (recoveryKey !== null) {
      return (
        <RecoveryKey
          value={recoveryKey}
          onStored={() => {
            setRecoveryKey(null);
            onHold(false);
          }}
        />
      );
    }
    if (session.vault === 'preparing') return <Preparing />;
    if (session.vault === 'absent' || creating) {
      return (
        <CreateVault
          onStart={() => {
            setCreating(true);
            onHold(true);
          }}
          onFailed={() => {
            setCreating(false);
            onHold(false);
          }}
          onCreated={(key) => {
            setRecoveryKey(key);
            setCreating(false);
          }}
        />
      );
    }
    if (session.vault === 'locked') {
      return recovering ? (
        <Recover onBack={() => setRecovering(false)} />
      ) : (
        <Unlock keys={session.keys} onRecover={() => setRecovering(true)} />
      );
    }
    return <SignIn key={choices} operators={session.operators} prefill={prefill} />;
  })();
  const wide = recoveryKey !== null || session.vault === 'absent' || creating;

  return (
    <div className={styles.room}>
      {session.sample === null || session.vault !== 'open' ? null : (
        <SampleBanner
          sample={session.sample}
          current={prefill?.name ?? null}
          onChoose={(operator) => {
            holdPrefill(operator);
            setPrefill(operator);
            setChoices((count) => count + 1);
          }}
        />
      )}
      <main className={styles.middle}>
        <div className={`${styles.card} ${wide ? styles.wide : ''}`}>
          <div className={styles.brand}>
            <Mark size={34} />
            <div>
              <div className={styles.name}>Sallyport</div>
              <div className={styles.claim}>The guarded door for security models</div>
            </div>
          </div>
          <div className={styles.box}>{step}</div>
          <div className={`${styles.foot} no-print`}>
            <PathText>{session.vaultPath}</PathText>
            <span style={{ whiteSpace: 'nowrap' }}>{session.version}</span>
          </div>
        </div>
      </main>
    </div>
  );
}
