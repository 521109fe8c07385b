import { Button, Select, Tooltip } from '@mantine/core';
import { IconFile, IconTable } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { formatRef, type VersionRef } from '../../shared/domain/model/version.ts';
import { call } from '../api/bridge.ts';
import { notifyProblem } from '../api/mutations.ts';
import { useCall } from '../api/queries.ts';
import { fileName } from './format.ts';
import styles from './pickers.module.css';

interface VersionSelectProps {
  readonly label: string;
  readonly value: VersionRef | null;
  readonly onChange: (ref: VersionRef | null) => void;
  readonly description?: string;
  /** Leaves out revoked and archived versions, or whatever else the caller cannot use. */
  readonly only?: (row: { name: string; version: string; state: string }) => boolean;
}

export function parseRef(text: string): VersionRef | null {
  const at = text.lastIndexOf('@');
  return at <= 0 ? null : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** A searchable choice of versions, written `name@version`, champions marked. */
export function VersionSelect({ label, value, onChange, description, only }: VersionSelectProps): ReactNode {
  const query = useCall('models.list', { text: '', limit: 1000, offset: 0 });
  const rows = (query.data?.rows ?? []).filter(
    (row) => only?.(row) ?? (row.state !== 'revoked' && row.state !== 'archived'),
  );
  return (
    <Select
      label={label}
      {...(description === undefined ? {} : { description })}
      placeholder={query.isLoading ? 'Loading…' : 'Choose a version'}
      searchable
      allowDeselect={false}
      nothingFoundMessage="No such version"
      limit={200}
      data={rows.map((row) => ({
        value: formatRef(row),
        label: `${formatRef(row)}${row.aliases.length === 0 ? '' : ` · ${row.aliases.join(', ')}`}`,
      }))}
      value={value === null ? null : formatRef(value)}
      onChange={(text) => onChange(text === null ? null : parseRef(text))}
    />
  );
}

interface FilePickerProps {
  readonly label: string;
  readonly kind: 'dataset' | 'model' | 'backup' | 'audit';
  readonly path: string | null;
  readonly onPick: (path: string) => void;
  readonly hint: string;
}

/** A file chosen by dialog or by dropping it on the window; shows the name, the whole path in the tooltip. */
export function FilePicker({ label, kind, path, onPick, hint }: FilePickerProps): ReactNode {
  const browse = async (): Promise<void> => {
    try {
      const { path: chosen } = await call('dialogs.open', { kind });
      if (chosen !== null) onPick(chosen);
    } catch (error) {
      notifyProblem(error);
    }
  };
  const Icon = kind === 'dataset' ? IconTable : IconFile;
  return (
    <div>
      <div className={styles.label}>{label}</div>
      <div className={styles.box} data-filled={path !== null || undefined}>
        <Icon size={16} className={styles.icon} aria-hidden />
        <Tooltip label={path ?? ''} disabled={path === null} maw={560}>
          <span className={styles.name}>{path === null ? hint : fileName(path)}</span>
        </Tooltip>
        <Button
          variant="default"
          size="compact-xs"
          onClick={() => void browse()}
          aria-label={`${label}: browse`}
        >
          {path === null ? 'Browse…' : 'Change…'}
        </Button>
      </div>
    </div>
  );
}
