import { useClipboard } from '@mantine/hooks';
import { IconCheck } from '@tabler/icons-react';
import { type ReactNode, useCallback, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import { formatRef, type VersionRef } from '../../shared/domain/model/version.ts';
import { formatAgo, formatInstant, shortDigest } from './format.ts';
import styles from './page.module.css';

/** How long "Copied" stays, in milliseconds. */
const COPIED_MS = 1500;

/** A plain button and not Mantine's: a table has one in every row, and draws dozens of them while it scrolls. */
export function Copy({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  const { copy, copied } = useClipboard({ timeout: COPIED_MS });
  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={copied ? 'Copied' : label}
      title={copied ? 'Copied' : label}
      onClick={(event) => {
        event.stopPropagation();
        copy(value);
      }}
    >
      {copied ? <IconCheck size={13} aria-hidden /> : <span className={styles.copyIcon} aria-hidden />}
    </button>
  );
}

/** A digest, shortened, with the whole of it in the tooltip and on the clipboard. */
export function Digest({
  value,
  what = 'digest',
  full = false,
  brief = false,
}: {
  readonly value: string;
  readonly what?: string;
  readonly full?: boolean;
  readonly brief?: boolean;
}): ReactNode {
  return (
    <span className={styles.digest}>
      <span
        className="mono"
        title={full ? undefined : value}
        style={full ? { overflowWrap: 'anywhere', whiteSpace: 'normal' } : undefined}
      >
        {full ? value : brief ? shortDigest(value, 8, 0) : shortDigest(value)}
      </span>
      <Copy value={value} label={`Copy ${what}`} />
    </span>
  );
}

/** Text on one line; what does not fit is in the tooltip. */
export function Truncated({
  children,
  mono = false,
  max,
  title = children,
}: {
  readonly children: string;
  readonly mono?: boolean;
  readonly max?: number;
  readonly title?: string;
}): ReactNode {
  return (
    <span
      className={`${styles.truncate} ${mono ? 'mono' : ''}`}
      title={title}
      style={max === undefined ? undefined : { maxWidth: max }}
    >
      {children}
    </span>
  );
}

/** A path on one line. Its end says most, so the ellipsis eats the folders before the last two names. */
export function PathText({ children, max }: { readonly children: string; readonly max?: number }): ReactNode {
  const end = /(?:[\\/][^\\/]+){1,2}[\\/]?$/.exec(children)?.[0] ?? children;
  return (
    <span
      className={`${styles.path} mono`}
      title={children}
      style={max === undefined ? undefined : { maxWidth: max }}
    >
      <span className={styles.pathStart}>{children.slice(0, children.length - end.length)}</span>
      <span className={styles.pathEnd}>{end}</span>
    </span>
  );
}

export function versionPath(ref: VersionRef): string {
  return `/models/${encodeURIComponent(ref.name)}/${encodeURIComponent(ref.version)}`;
}

export function VersionLink({ of: ref }: { readonly of: VersionRef }): ReactNode {
  const text = formatRef({ name: ref.name, version: ref.version });
  return (
    <Link to={versionPath(ref)} className="plain" title={text} style={{ fontWeight: 500 }}>
      <span className={styles.ref}>{text}</span>
    </Link>
  );
}

/** One clock for all that are shown with the same period: a table has a time in every row. */
interface Clock {
  now: number;
  readonly listeners: Set<() => void>;
  timer: ReturnType<typeof setInterval> | undefined;
}
const clocks = new Map<number, Clock>();

function clockOf(everyMs: number): Clock {
  const found = clocks.get(everyMs);
  if (found !== undefined) return found;
  const made: Clock = { now: Date.now(), listeners: new Set(), timer: undefined };
  clocks.set(everyMs, made);
  return made;
}

/**
 * Milliseconds since the epoch, renewed every five seconds: enough for "3 min ago", and never so old that what has just
 * happened would lie ahead (formatAgo says "just now" within ten).
 */
export function useNow(everyMs = 5000): number {
  const clock = clockOf(everyMs);
  const subscribe = useCallback(
    (listener: () => void) => {
      if (clock.timer === undefined) {
        clock.now = Date.now();
        clock.timer = setInterval(() => {
          clock.now = Date.now();
          for (const each of clock.listeners) each();
        }, everyMs);
      }
      clock.listeners.add(listener);
      return () => {
        clock.listeners.delete(listener);
        if (clock.listeners.size > 0) return;
        clearInterval(clock.timer);
        clock.timer = undefined;
      };
    },
    [clock, everyMs],
  );
  return useSyncExternalStore(subscribe, () => clock.now);
}

/** How long ago; the exact instant in the tooltip. */
export function Ago({ at }: { readonly at: string }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={at} title={formatInstant(at)} className="num" style={{ whiteSpace: 'nowrap' }}>
      {formatAgo(at, now)}
    </time>
  );
}
