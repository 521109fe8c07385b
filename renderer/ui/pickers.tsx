import { Button, Select, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFile, IconTable } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { formatRef, type VersionRef } from '../../shared/domain/model/version.ts';
import { call } from '../api/bridge.ts';
import { notifyProblem } from '../api/mutations.ts';
import { useCall } from '../api/queries.ts';
import { findVersionQuery, hasLetters } from './find-version.ts';
import { fileName } from './format.ts';
import styles from './pickers.module.css';

interface VersionSelectProps {
  readonly label: string;
  readonly value: VersionRef | null;
  readonly onChange: (ref: VersionRef | null) => void;
  readonly description?: string;
  /** The label is only said: what stands before the field says it already. */
  readonly hideLabel?: boolean;
  /** Leaves out revoked and archived versions, or whatever else the caller cannot use. */
  readonly only?: (row: { name: string; version: string; state: string }) => boolean;
}

export function parseRef(text: string): VersionRef | null {
  const at = text.lastIndexOf('@');
  return at <= 0 ? null : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** A search is asked so long after the last key, in milliseconds, and so many versions are listed. */
const ASK_MS = 150;
const LISTED = 200;

/** A choice of versions, written `name@version`, champions marked; typing searches all there are. */
export function VersionSelect(props: VersionSelectProps): ReactNode {
  const { label, value, onChange, description, only, hideLabel = false } = props;
  const [typed, setTyped] = useState('');
  const chosen = value === null ? null : formatRef(value);
  // What was chosen stands in the field and is no search: opened again, the list begins with the newest.
  const searched = chosen !== null && typed.startsWith(chosen) ? '' : typed;
  const [asked] = useDebouncedValue(searched, ASK_MS);
  const query = useCall(
    'models.list',
    { text: findVersionQuery(asked), limit: LISTED, offset: 0 },
    { keepFormer: true },
  );
  const options = (query.data?.rows ?? [])
    .filter((row) => only?.(row) ?? (row.state !== 'revoked' && row.state !== 'archived'))
    .map((row) => ({
      value: formatRef(row),
      label: `${formatRef(row)}${row.aliases.length === 0 ? '' : ` · ${row.aliases.join(', ')}`}`,
    }));
  const listed = chosen === null || options.some((option) => option.value === chosen);
  return (
    <Select
      {...(hideLabel ? { 'aria-label': label } : { label })}
      {...(description === undefined ? {} : { description })}
      placeholder={query.isLoading ? 'Loading…' : 'Choose a version'}
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      // By the letters of the label at any moment: an answer that comes late must not put another version under Enter.
      filter={({ options: found }) =>
        found.filter((option) => 'label' in option && hasLetters(option.label, searched))
      }
      allowDeselect={false}
      nothingFoundMessage="No such version"
      data={listed ? options : [{ value: chosen, label: chosen }, ...options]}
      value={chosen}
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
          Browse…
        </Button>
      </div>
    </div>
  );
}
