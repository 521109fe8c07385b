// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
import { Button, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import type { EvidenceRow, RowVerdict } from '../../../shared/domain/evidence/rows.ts';
import { formatCount, formatInstant } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Status } from '../../ui/status.tsx';
import { Copy } from '../../ui/text.tsx';
import { answerText, outcomeOf, type RowContext } from './row-columns.tsx';
import styles from './rows.module.css';
import type { Labelling } from './rows-data.ts';

/** With more columns than these there is a box to find one. */
const FINDABLE = 14;

export const VERDICT_KEYS: Readonly<Record<string, RowVerdict>> = {
  m: 'malicious',
  b: 'benign',
  u: 'unsure',
};

interface RowSideProps {
  readonly row: EvidenceRow | null;
  readonly columns: readonly string[];
  readonly context: RowContext;
  /** Why this operator may not label; null where they may. */
  readonly refusal: string | null;
  readonly onLabel: Labelling;
}

/** The active row in full: what the models said of it, what a person says, and every cell. */
export function RowSide({ row, columns, context, refusal, onLabel }: RowSideProps): ReactNode {
  if (row === null) {
    return (
      <aside className={styles.side} aria-label="The chosen row">
        <div className="dim" style={{ margin: 'auto', padding: 20, textAlign: 'center' }}>
          Choose a row to see all of it. In the table, J and K move; M, B and U say malicious, benign or
          unsure and go on to the next.
        </div>
      </aside>
    );
  }
  return <Chosen key={row.row} {...{ row, columns, context, refusal, onLabel }} />;
}

function Chosen({ row, columns, context, refusal, onLabel }: RowSideProps & { readonly row: EvidenceRow }) {
  const [note, setNote] = useState(row.verdict?.note ?? '');
  const [find, setFind] = useState('');
  const saved = row.verdict?.note ?? '';
  useEffect(() => setNote(saved), [saved]);
  const outcome = outcomeOf(row, context.regression);
  const cells = useMemo(() => {
    const letters = find.trim().toLowerCase();
    return columns
      .map((name, index) => [name, row.cells[index] ?? ''] as const)
      .filter(([name]) => name.toLowerCase().includes(letters));
  }, [columns, row.cells, find]);
  return (
    <aside className={styles.side} aria-label="The chosen row">
      <div className={styles.sideHead}>
        <h2 className={styles.sideTitle}>
          {`Row ${formatCount(row.row)}`}
          {outcome === null ? null : <Status tone={outcome.tone}>{outcome.text}</Status>}
        </h2>
        <div className="num">
          <span className="dim">truth </span>
          {answerText(row.label, context.regression)}
          {context.models.map((name, index) => {
            const answer = row.answers[index];
            return (
              <div key={name}>
                <span className="dim">{`${name.toLowerCase()} `}</span>
                {answer === undefined ? '–' : answerText(answer.predicted, context.regression)}
                {answer?.score === null || answer === undefined ? null : (
                  <span className="dim">{`  score ${answer.score.toFixed(6)}`}</span>
                )}
              </div>
            );
          })}
        </div>
        <fieldset
          className={styles.verdicts}
          aria-label="What the row really is"
          style={{ border: 0, padding: 0, margin: 0 }}
        >
          {Object.entries(VERDICT_KEYS).map(([key, verdict]) => (
            <GuardedButton
              key={verdict}
              refusal={refusal}
              variant={row.verdict?.verdict === verdict ? 'filled' : 'default'}
              px={6}
              onClick={() => void onLabel(row.row, row.verdict?.verdict === verdict ? null : verdict, note)}
            >
              {verdict}
              <kbd aria-hidden>{key.toUpperCase()}</kbd>
            </GuardedButton>
          ))}
        </fieldset>
        <Textarea
          aria-label="Note on this row"
          placeholder="Why? (kept with the verdict)"
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          autosize
          minRows={1}
          maxRows={4}
          maxLength={2000}
          disabled={refusal !== null}
        />
        {row.verdict === null ? null : (
          <div style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
            <span className="dim" style={{ flex: 1 }}>
              {`${row.verdict.by}, ${formatInstant(row.verdict.at)}`}
            </span>
            {note === saved ? null : (
              <Button
                variant="default"
                size="compact-xs"
                onClick={() => void onLabel(row.row, row.verdict?.verdict ?? null, note)}
              >
                Save the note
              </Button>
            )}
          </div>
        )}
        {columns.length <= FINDABLE ? null : (
          <TextInput
            aria-label="Find a column"
            placeholder={`Find one of ${columns.length} columns`}
            value={find}
            onChange={(event) => setFind(event.currentTarget.value)}
            spellCheck={false}
          />
        )}
      </div>
      <dl className={styles.cells} tabIndex={0} aria-label="Cells of the row">
        {cells.map(([name, value]) => (
          <div key={name} className={styles.cell}>
            <dt className="mono" title={name}>
              {name}
            </dt>
            <dd className="mono">{value === '' ? <span className="dim">empty</span> : value}</dd>
            <dd>
              <Copy value={value} label={`Copy ${name}`} />
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
