import { Button } from '@mantine/core';
import { IconClockPause } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { call } from '../api/bridge.ts';
import { useCall } from '../api/queries.ts';
import { idleState, reportsInput } from './idle-clock.ts';
import styles from './shell.module.css';

const INPUTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Tells the main process that somebody is here, and warns for a minute before it signs the operator out. */
export function IdleWatch(): ReactNode {
  const about = useCall('vault.about', {});
  const minutes = about.data?.settings.autoLockMinutes ?? 0;
  const reportedAt = useRef(Date.now());
  const [seconds, setSeconds] = useState<number | null>(null);
  const stay = useRef<() => void>(() => undefined);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let warning = false;
    const look = (): void => {
      clearTimeout(timer);
      const state = idleState(reportedAt.current, Date.now(), minutes);
      warning = state.secondsLeft !== null;
      setSeconds(state.secondsLeft);
      if (state.nextInMs !== null) timer = setTimeout(look, state.nextInMs);
    };
    const report = (): void => {
      reportedAt.current = Date.now();
      // Who is signed out meanwhile learns it from the session, not from here.
      void call('session.active', {}).catch(() => undefined);
      look();
    };
    const onInput = (): void => {
      if (reportsInput(reportedAt.current, Date.now(), warning)) report();
    };
    stay.current = report;
    // Mounting is somebody's doing too: a sign-in, or the return to a waiting page.
    report();
    for (const type of INPUTS) window.addEventListener(type, onInput, { capture: true, passive: true });
    return () => {
      clearTimeout(timer);
      for (const type of INPUTS) window.removeEventListener(type, onInput, { capture: true });
    };
  }, [minutes]);

  if (seconds === null) return null;
  return (
    <div className={styles.idle} role="alertdialog" aria-label="You will be signed out soon">
      <IconClockPause size={20} stroke={1.6} aria-hidden style={{ color: 'var(--sp-warn)', flex: 'none' }} />
      <div style={{ flex: 1 }}>
        <div style={{ fontWeight: 600 }} className="num">
          {seconds === 0 ? 'Signing out…' : `Signing out in ${seconds} s`}
        </div>
        <div className="dim">Nobody has touched this window. Work under way goes on; this page is kept.</div>
      </div>
      <Button variant="default" onClick={() => stay.current()}>
        Stay
      </Button>
    </div>
  );
}
