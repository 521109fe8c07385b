import type { ReactNode } from 'react';
import styles from './shell.module.css';

/** The mark: a gate within a gate. Nothing passes the outer one before the inner one has closed. */
export function Mark({ size }: { readonly size?: number }): ReactNode {
  return (
    <svg
      viewBox="0 0 24 24"
      className={styles.mark}
      style={size === undefined ? undefined : { width: size, height: size }}
      aria-hidden
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d="M3 21V11a9 9 0 0 1 18 0v10" />
      <path d="M8 21v-9.5a4 4 0 0 1 8 0V21" opacity={0.6} />
      <path d="M2 21h20" />
    </svg>
  );
}
