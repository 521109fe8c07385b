import { Button, Select, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { DatasetInspection } from '../../../shared/domain/evidence/inspection.ts';
import { plural } from '../../ui/format.ts';
import styles from './data.module.css';

/** Features shown at once; a box finds the rest. */
const LISTED = 60;

interface MappingEditorProps {
  readonly inspection: DatasetInspection;
  readonly chosen: Readonly<Record<string, string>>;
  readonly onChange: (chosen: Readonly<Record<string, string>>) => void;
}

/**
 * How the file's columns meet the model's inputs. Silent where all names are equal; where one is missing or another was
 * remembered, each can be chosen. What a run was made with is remembered for the model.
 */
export function MappingEditor({ inspection, chosen, onChange }: MappingEditorProps): ReactNode {
  const { mapping, missing, columns } = inspection;
  const [all, setAll] = useState(false);
  const [find, setFind] = useState('');
  if (mapping === null) return null;
  const found = Object.entries(mapping);
  const renamed = found.filter(([feature, column]) => feature !== column).map(([feature]) => feature);
  const open = missing.filter((feature) => chosen[feature] === undefined);
  const special = [...new Set([...missing, ...renamed, ...Object.keys(chosen)])];
  const letters = find.trim().toLowerCase();
  const listed = (all ? [...new Set([...special, ...found.map(([feature]) => feature)])] : special).filter(
    (feature) => feature.toLowerCase().includes(letters),
  );
  const names = [...new Set(columns.map(({ name }) => name))];
  const sentence =
    open.length > 0
      ? `${plural(open.length, 'feature')} of the model ${open.length === 1 ? 'has' : 'have'} no column yet`
      : special.length > 0
        ? `${plural(special.length, 'feature')} read from a column of another name`
        : `All ${plural(found.length, 'feature')} found by name`;
  return (
    <div className={styles.mapping}>
      <div className={styles.mappingHead}>
        <span
          role="status"
          style={open.length > 0 ? { color: 'var(--sp-bad)', fontWeight: 500 } : undefined}
          className={open.length > 0 ? undefined : 'dim'}
        >
          {sentence}
        </span>
        <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setAll((was) => !was)}>
          {all ? 'Only what differs' : 'Show all columns'}
        </Button>
        {all && found.length + missing.length > LISTED ? (
          <TextInput
            aria-label="Find a feature"
            placeholder="Find a feature"
            value={find}
            onChange={(event) => setFind(event.currentTarget.value)}
          />
        ) : null}
      </div>
      {listed.length === 0 ? null : (
        <div className={styles.pairs}>
          {listed.slice(0, LISTED).map((feature) => (
            <Select
              key={feature}
              label={feature}
              data={names}
              value={chosen[feature] ?? mapping[feature] ?? null}
              onChange={(column) => {
                const { [feature]: _, ...others } = chosen;
                const back = column === null || column === mapping[feature];
                onChange(back ? others : { ...others, [feature]: column });
              }}
              placeholder="Choose a column"
              searchable
              clearable={chosen[feature] !== undefined}
              {...(missing.includes(feature) && chosen[feature] === undefined ? { error: true } : {})}
            />
          ))}
          {listed.length > LISTED ? (
            <span className="dim" style={{ alignSelf: 'end' }}>{`and ${listed.length - LISTED} more`}</span>
          ) : null}
        </div>
      )}
    </div>
  );
}
