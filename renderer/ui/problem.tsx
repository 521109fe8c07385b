import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { asProblem } from '../api/bridge.ts';
import { splitMessage, windowHint } from '../api/window-hint.ts';
import styles from './page.module.css';

/** What happened, what was kept and what to do next, and the code to look up. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}): ReactNode {
  const problem = asProblem(error);
  const hint = windowHint(problem);
  const [title, detail] = splitMessage(problem);
  return (
    <div className={styles.problem} role="alert">
      <IconAlertTriangle size={18} className={styles.problemIcon} aria-hidden />
      <div style={{ minWidth: 0, flex: 1 }}>
        <div className={styles.problemTitle}>{title}</div>
        {detail === '' ? null : <div className={`${styles.problemHint} dim`}>{detail}</div>}
        {hint === undefined ? null : <div className={styles.problemHint}>{hint}</div>}
        <div className={`${styles.problemCode} mono`}>{problem.code}</div>
      </div>
      {onRetry === undefined || problem.code === 'not-found' ? null : (
        <Button variant="default" onClick={onRetry} style={{ alignSelf: 'center' }}>
          Try again
        </Button>
      )}
    </div>
  );
}
