// biome-ignore-all lint/a11y/useSemanticElements: a page is a group, not a set of form fields
import {
  IconAlertTriangle,
  IconChevronLeft,
  IconCircleCheck,
  IconInfoCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useId } from 'react';
import { Link } from 'react-router';
import styles from './page.module.css';

interface PageProps {
  readonly title: string;
  /** Badges after the title. */
  readonly badges?: ReactNode;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  /** The way back to the list this page belongs to. */
  readonly parent?: { readonly to: string; readonly label: string };
  /** The page keeps the window's height and scrolls inside (long tables). */
  readonly fill?: boolean;
  readonly children: ReactNode;
}

/** Frame of every page: where you are, what it is, what you can do, then the content. */
export function Page({ title, badges, note, actions, parent, fill = false, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Sallyport`;
  }, [title]);
  const header = (
    <header className={styles.header}>
      <div className={styles.headings}>
        {parent === undefined ? null : (
          <Link to={parent.to} className={styles.crumb}>
            <IconChevronLeft size={13} aria-hidden />
            {parent.label}
          </Link>
        )}
        <h1 className={styles.title}>
          <span className={styles.titleText} title={title}>
            {title}
          </span>
          {badges}
        </h1>
        {note === undefined ? null : <div className={styles.note}>{note}</div>}
      </div>
      {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
    </header>
  );
  if (fill) {
    return (
      <div className={styles.fill}>
        {header}
        {children}
      </div>
    );
  }
  return (
    // A scrolling region must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scroll container
    <div className={styles.page} tabIndex={0} role="group" aria-label={title}>
      <div className={styles.inner}>
        {header}
        {children}
      </div>
    </div>
  );
}

interface PanelProps {
  readonly title?: string;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  /** Content reaches the border (tables). */
  readonly flush?: boolean;
  readonly children: ReactNode;
  readonly style?: React.CSSProperties;
}

export function Panel({ title, note, actions, flush = false, children, style }: PanelProps): ReactNode {
  const id = useId();
  return (
    <section className={styles.panel} aria-labelledby={title === undefined ? undefined : id} style={style}>
      {title === undefined ? null : (
        <div className={styles.panelHeader}>
          <h2 className={styles.panelTitle} id={id}>
            {title}
          </h2>
          <div className={styles.panelNote} title={typeof note === 'string' ? note : undefined}>
            {note}
          </div>
          {actions}
        </div>
      )}
      <div className={flush ? styles.flush : styles.panelBody}>{children}</div>
    </section>
  );
}

/** Name and value pairs. Pairs with a null value are left out. */
export function Facts({ items }: { readonly items: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className={styles.facts}>
      {items
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Stats({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles.stats}>{children}</div>;
}

export function Stat({
  label,
  value,
  note,
  title,
}: {
  readonly label: string;
  /** The whole name, where the label is short. */
  readonly title?: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}): ReactNode {
  return (
    <div className={styles.stat} title={title}>
      <div className={styles.statLabel}>{label}</div>
      <div className={`${styles.statValue} num`}>{value}</div>
      {note === undefined ? null : <div className={styles.statNote}>{note}</div>}
    </div>
  );
}

interface EmptyProps {
  readonly icon: TablerIcon;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** Nothing here yet: what this place is for and what to do next. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps): ReactNode {
  return (
    <div className={styles.empty}>
      <Icon size={30} stroke={1.4} className={styles.emptyIcon} aria-hidden />
      <div className={styles.emptyTitle}>{title}</div>
      <div className={styles.emptyText}>{children}</div>
      {action === undefined ? null : <div style={{ marginTop: 10 }}>{action}</div>}
    </div>
  );
}

const CALLOUT_ICONS = {
  plain: IconInfoCircle,
  accent: IconInfoCircle,
  warn: IconAlertTriangle,
  bad: IconAlertTriangle,
  ok: IconCircleCheck,
} as const;

/** A sentence that must be read before going on. */
export function Callout({
  tone = 'plain',
  children,
}: {
  readonly tone?: keyof typeof CALLOUT_ICONS;
  readonly children: ReactNode;
}): ReactNode {
  const Icon = CALLOUT_ICONS[tone];
  return (
    <div className={styles.callout} data-tone={tone}>
      <Icon size={16} className={styles.calloutIcon} aria-hidden />
      <div style={{ minWidth: 0, flex: 1 }}>{children}</div>
    </div>
  );
}

interface SimpleTableProps {
  readonly label: string;
  /** Column headings; a leading `>` aligns the column right. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
}

/** A short table that shows all its rows. Long ones use DataTable. */
export function SimpleTable({ label, columns, rows }: SimpleTableProps): ReactNode {
  const right = columns.map((column) => column.startsWith('>'));
  return (
    <div className={styles.scroll}>
      <table className={styles.simple} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" className={right[index] === true ? styles.right : undefined}>
                {column.replace(/^>/, '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, index) => (
                <td
                  key={columns[index] ?? index}
                  className={right[index] === true ? styles.right : undefined}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
