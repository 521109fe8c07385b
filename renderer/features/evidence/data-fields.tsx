import { Collapse, MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { DatasetInspection } from '../../../shared/domain/evidence/inspection.ts';
import { formatBytes, formatCount, plural } from '../../ui/format.ts';
import { Bars } from '../../ui/loaded.tsx';
import { Problem } from '../../ui/problem.tsx';
import styles from './data.module.css';
import type { DataChoice } from './data-choice.ts';
import { MappingEditor } from './mapping-editor.tsx';

/** Columns of the preview: more are counted. */
const PREVIEWED = 40;

interface DataFieldsProps {
  readonly choice: DataChoice;
  /** A comparison can replay traffic: the time of its rows makes a series. */
  readonly timed?: boolean;
}

/** What the chosen file is, and which of its rows and columns count. Shown as soon as there is a file. */
export function DataFields({ choice, timed = false }: DataFieldsProps): ReactNode {
  const { draft, inspection } = choice;
  if (draft.path === null) return null;
  if (inspection.isError)
    return <Problem error={inspection.error} onRetry={() => void inspection.refetch()} />;
  if (inspection.data === undefined) return <Bars rows={2} />;
  return <Inspected choice={choice} found={inspection.data} timed={timed} />;
}

function Inspected({
  choice,
  found,
  timed,
}: DataFieldsProps & { readonly found: DatasetInspection }): ReactNode {
  const { draft, change, trying } = choice;
  const names = [...new Set(found.columns.map(({ name }) => name))];
  const label = draft.labelColumn ?? found.labelColumn;
  return (
    <div className={styles.data}>
      <div className={styles.fields}>
        <Switch
          label="The data has labels"
          checked={draft.labelled}
          onChange={(event) => change({ labelled: event.currentTarget.checked })}
          className={styles.switch ?? ''}
        />
        {draft.labelled ? (
          <>
            <Select
              label="Label column"
              data={names}
              value={label}
              onChange={(labelColumn) => change({ labelColumn, positiveValue: null })}
              placeholder="Choose a column"
              searchable
              allowDeselect={false}
            />
            <Select
              label="Malicious is"
              data={found.labelValues}
              value={draft.positiveValue}
              onChange={(positiveValue) => change({ positiveValue })}
              placeholder="1, true, the usual words"
              clearable
              disabled={label !== found.labelColumn}
            />
          </>
        ) : null}
        {timed ? (
          <Select
            label="Time column"
            data={names}
            value={draft.timeColumn}
            onChange={(timeColumn) => change({ timeColumn })}
            placeholder="None"
            clearable
            searchable
          />
        ) : null}
        <MultiSelect
          label="Slices"
          data={names.filter((name) => name !== label)}
          value={[...draft.sliceColumns]}
          onChange={(sliceColumns) => change({ sliceColumns })}
          placeholder={draft.sliceColumns.length === 0 ? 'Found by themselves' : ''}
          searchable
          clearable
          maxValues={50}
          size="xs"
          className={styles.wide ?? ''}
        />
        <TextInput
          label="Only rows where"
          placeholder="an SQL expression: bytes > 0 AND proto = 'tcp'"
          value={draft.filter}
          onChange={(event) => change({ filter: event.currentTarget.value })}
          error={found.filterProblem ?? undefined}
          maxLength={4000}
          spellCheck={false}
          autoComplete="off"
          className={styles.wide ?? ''}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
      </div>
      <FileLine found={found} trying={trying} filtered={draft.filter.trim() !== ''} />
      <MappingEditor inspection={found} chosen={draft.columns} onChange={(columns) => change({ columns })} />
    </div>
  );
}

function FileLine({
  found,
  trying,
  filtered,
}: {
  readonly found: DatasetInspection;
  readonly trying: boolean;
  readonly filtered: boolean;
}): ReactNode {
  const [opened, setOpened] = useState(false);
  const shown = found.columns.slice(0, PREVIEWED);
  const rows = trying
    ? 'counting…'
    : found.filterProblem !== null
      ? 'the filter cannot be used'
      : found.rows === null
        ? 'rows are counted by the run'
        : `${plural(found.rows, 'row')}${filtered ? ' left by the filter' : ''}`;
  return (
    <div>
      <button
        type="button"
        className={styles.line}
        aria-expanded={opened}
        onClick={() => setOpened((was) => !was)}
      >
        {opened ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
        <span className={styles.format}>{found.format}</span>
        <span className="num" role="status">
          {rows}
        </span>
        <span className="num">{plural(found.columns.length, 'column')}</span>
        <span className="num">{formatBytes(found.sizeBytes)}</span>
        <span className={styles.more}>{opened ? 'Hide the first rows' : 'Show the first rows'}</span>
      </button>
      <Collapse expanded={opened}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
        <section className={styles.preview} tabIndex={0} aria-label="First rows of the file">
          <table className={styles.sample} aria-label="First rows of the file">
            <thead>
              <tr>
                {shown.map((column, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name
                  <th key={index} scope="col">
                    <span className="mono">{column.name}</span>
                    <span className={styles.type}>{column.type.toLowerCase()}</span>
                  </th>
                ))}
                {found.columns.length > PREVIEWED ? (
                  <th scope="col">{`and ${formatCount(found.columns.length - PREVIEWED)} more`}</th>
                ) : null}
              </tr>
            </thead>
            <tbody>
              {found.sample.map((cells, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other identity
                <tr key={row}>
                  {shown.map((_, index) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name
                    <td key={index} className="mono" title={cells[index]}>
                      {cells[index] ?? ''}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </Collapse>
    </div>
  );
}
