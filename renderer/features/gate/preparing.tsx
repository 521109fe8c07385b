import { Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import styles from './entrance.module.css';

/** The sample workspace is on its way: made at the first start, opened at every later one. */
export function Preparing(): ReactNode {
  return (
    <div role="status" aria-live="polite">
      <h1 className={styles.title}>Preparing the sample workspace</h1>
      <p className={styles.lead}>
        A vault, three detectors and a serving agent of its own. The first start takes a few seconds.
      </p>
      <Loader size="sm" aria-hidden />
    </div>
  );
}
