import type { ReactNode } from 'react';
import styles from './chips.module.css';

/** Switches over a table: each puts a term into the search box or takes it out. */
export function Chips({
  label,
  items,
}: {
  readonly label: string;
  readonly items: readonly {
    readonly key: string;
    readonly label: string;
    readonly on: boolean;
    readonly onToggle: () => void;
  }[];
}): ReactNode {
  return (
    <fieldset className={styles.chips} aria-label={label}>
      {items.map((item) => (
        <button
          key={item.key}
          type="button"
          className={styles.chip}
          aria-pressed={item.on}
          onClick={item.onToggle}
        >
          {item.label}
        </button>
      ))}
    </fieldset>
  );
}
