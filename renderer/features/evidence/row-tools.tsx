import { Button, Checkbox, Menu, Popover, TextInput } from '@mantine/core';
import { IconColumns3, IconDownload } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { RowQuery } from '../../../shared/domain/evidence/rows.ts';
import { call } from '../../api/bridge.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone, notifyProblem } from '../../api/mutations.ts';
import { fileName, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import styles from './rows.module.css';

/** Listed at once; a box finds the rest. */
const LISTED = 60;

/** Which columns of the file the table shows. */
export function ColumnsMenu({
  columns,
  shown,
  onChange,
}: {
  readonly columns: readonly string[];
  readonly shown: readonly string[];
  readonly onChange: (shown: readonly string[]) => void;
}): ReactNode {
  const [find, setFind] = useState('');
  const found = columns.filter((name) => name.toLowerCase().includes(find.trim().toLowerCase()));
  return (
    <Popover position="bottom-end" shadow="md" width={280} trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns3 size={14} />}>
          {`Columns (${shown.length})`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <TextInput
          aria-label="Find a column"
          placeholder="Find a column"
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
          mb={8}
        />
        <div className={styles.menu}>
          {found.slice(0, LISTED).map((name) => (
            <Checkbox
              key={name}
              label={name}
              checked={shown.includes(name)}
              onChange={(event) =>
                onChange(
                  event.currentTarget.checked ? [...shown, name] : shown.filter((other) => other !== name),
                )
              }
            />
          ))}
          {found.length > LISTED ? (
            <span className="dim">{`and ${found.length - LISTED} more: type to find them`}</span>
          ) : null}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** All rows of the choice into a file. */
export function ExportRows({
  query,
  total,
  refusal,
}: {
  readonly query: Omit<RowQuery, 'limit' | 'offset'>;
  readonly total: number;
  readonly refusal: string | null;
}): ReactNode {
  const job = useJob('evidence.exportRows');
  const save = async (format: 'csv' | 'jsonl'): Promise<void> => {
    try {
      const { path } = await call('dialogs.save', { suggestedName: `rows-${query.preset}.${format}` });
      if (path === null) return;
      const done = await job.run({ ...query, path, format });
      if (done !== null) notifyDone(`${plural(done.rows, 'row')} written to ${fileName(done.path)}.`);
    } catch (error) {
      notifyProblem(error);
    }
  };
  useEffect(() => {
    if (job.problem !== null) notifyProblem(job.problem);
  }, [job.problem]);
  const stopped = refusal ?? (total === 0 ? 'There is no row to export.' : null);
  if (job.running) {
    return (
      <Button variant="default" onClick={job.cancel}>
        Cancel the export
      </Button>
    );
  }
  if (stopped !== null) {
    return (
      <GuardedButton
        refusal={stopped}
        variant="default"
        leftSection={<IconDownload size={14} />}
        onClick={() => undefined}
      >
        Export…
      </GuardedButton>
    );
  }
  return (
    <Menu position="bottom-end" shadow="md" width={180}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={14} />}>
          Export…
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void save('csv')}>As CSV</Menu.Item>
        <Menu.Item onClick={() => void save('jsonl')}>As JSON lines</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
