import { type ReactNode, useEffect, useState } from 'react';
import type { SessionView } from '../../../shared/domain/view/views.ts';
import { Mark } from '../../app/mark.tsx';
import { heldPrefill, holdPrefill } from '../../app/prefill.ts';
import { SampleBanner } from '../../app/sample-banner.tsx';
import { fileName } from '../../ui/format.ts';
import { Callout } from '../../ui/page.tsx';
import { PathText } from '../../ui/text.tsx';
import { VerifyFile } from '../audit/verify-file.tsx';
import { CreateVault } from './create-vault.tsx';
import styles from './entrance.module.css';
import { Preparing } from './preparing.tsx';
import { Recover } from './recover.tsx';
import { RecoveryKey } from './recovery-key.tsx';
import { Restore } from './restore.tsx';
import { SignIn } from './sign-in.tsx';
import { Unlock } from './unlock.tsx';

interface EntranceProps {
  readonly session: SessionView;
  /** True while the recovery key is on the screen: the gate must not open before it is confirmed. */
  readonly onHold: (hold: boolean) => void;
  /** Whose page waits behind the door; null where none does. */
  readonly waiting: string | null;
}

/** What stands in the door besides what the vault's state asks for. */
type Aside = 'recover' | 'restore' | 'verify' | null;

/** Before the shell: create a vault, unlock, recover or restore it, sign in; and prove an exported log without any. */
export function Entrance({ session, onHold, waiting }: EntranceProps): ReactNode {
  const [created, setCreated] = useState<{ readonly vaultId: string; readonly recoveryKey: string } | null>(
    null,
  );
  const [creating, setCreating] = useState(false);
  const [aside, setAside] = useState<Aside>(null);
  const [restored, setRestored] = useState<string | null>(null);
  const [prefill, setPrefill] = useState(heldPrefill);
  // The same operator chosen again, after a refused passphrase, fills the form in again.
  const [choices, setChoices] = useState(0);
  // The title of the page behind may name a model.
  useEffect(() => {
    document.title = 'Sallyport';
  }, []);

  const step = ((): ReactNode => {
    if (created !== null) {
      return (
        <RecoveryKey
          value={created.recoveryKey}
          vaultId={created.vaultId}
          title="Your recovery key"
          next="Continue"
          onStored={() => {
            setCreated(null);
            onHold(false);
          }}
        />
      );
    }
    if (session.vault === 'preparing') return <Preparing />;
    if (aside === 'verify') return <VerifyFile onBack={() => setAside(null)} />;
    if (session.vault === 'absent' && aside === 'restore')
      return (
        <Restore
          onBack={() => setAside(null)}
          onRestored={(path) => {
            setRestored(path);
            setAside(null);
          }}
        />
      );
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
          onCreated={(output) => {
            setCreated(output);
            setCreating(false);
          }}
        />
      );
    }
    if (session.vault === 'locked') {
      return aside === 'recover' ? (
        <Recover onBack={() => setAside(null)} />
      ) : (
        <Unlock keys={session.keys} onRecover={() => setAside('recover')} />
      );
    }
    return (
      <SignIn
        key={`${choices} ${waiting}`}
        operators={session.operators}
        prefill={prefill}
        waiting={waiting}
      />
    );
  })();
  const wide = created !== null || session.vault === 'absent' || creating || aside === 'verify';
  const free = created === null && !creating && aside === null && session.vault !== 'preparing';

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
          <div className={styles.box}>
            {restored === null || session.vault === 'absent' ? null : (
              <div style={{ marginBottom: 16 }}>
                <Callout tone="ok">
                  {`Restored from ${fileName(restored)}. `}
                  {session.vault === 'open'
                    ? 'Sign in as an operator of that vault.'
                    : 'Open it now: by its passphrase, by this keychain if it held the keys, or by the recovery key.'}
                </Callout>
              </div>
            )}
            {step}
            {free ? (
              <div className={styles.links}>
                {session.vault === 'absent' ? (
                  <button type="button" className={styles.linkish} onClick={() => setAside('restore')}>
                    Restore from a backup
                  </button>
                ) : null}
                <button type="button" className={styles.linkish} onClick={() => setAside('verify')}>
                  Verify an exported audit log
                </button>
              </div>
            ) : null}
          </div>
          <div className={`${styles.foot} no-print`}>
            <PathText>{session.vaultPath}</PathText>
            <span style={{ whiteSpace: 'nowrap' }}>{session.version}</span>
          </div>
        </div>
      </main>
    </div>
  );
}
