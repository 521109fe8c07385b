import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { formatRef, type VersionRef } from '../../shared/domain/model/version.ts';
import { formatAgo, formatInstant, shortDigest } from './format.ts';
import styles from './page.module.css';

export function Copy({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <ActionIcon
          size={20}
          aria-label={copied ? 'Copied' : label}
          title={copied ? 'Copied' : label}
          onClick={(event) => {
            event.stopPropagation();
            copy();
          }}
        >
          {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
        </ActionIcon>
      )}
    </CopyButton>
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
      <Tooltip label={<span className="mono">{value}</span>} disabled={full} maw={520}>
        <span className="mono" style={full ? { overflowWrap: 'anywhere', whiteSpace: 'normal' } : undefined}>
          {full ? value : brief ? shortDigest(value, 8, 0) : shortDigest(value)}
        </span>
      </Tooltip>
      <Copy value={value} label={`Copy ${what}`} />
    </span>
  );
}

/** Text on one line; what does not fit is in the tooltip. */
export function Truncated({
  children,
  mono = false,
  max,
}: {
  readonly children: string;
  readonly mono?: boolean;
  readonly max?: number;
}): ReactNode {
  return (
    <span
      className={`${styles.truncate} ${mono ? 'mono' : ''}`}
      title={children}
      style={max === undefined ? undefined : { maxWidth: max }}
    >
      {children}
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

/** Milliseconds since the epoch, renewed every half minute: enough for "3 min ago". */
export function useNow(everyMs = 30_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
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
