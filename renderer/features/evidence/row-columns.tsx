import type { ReactNode } from 'react';
import type { EvidenceRow, RowVerdict } from '../../../shared/domain/evidence/rows.ts';
import type { Column } from '../../ui/data-table.tsx';
import { formatCount } from '../../ui/format.ts';
import { Status, type Tone } from '../../ui/status.tsx';
import { Truncated } from '../../ui/text.tsx';

/** Columns of the file that are shown before anybody chose. */
const SHOWN_COLUMNS = 6;

const VERDICT_TONES: Readonly<Record<RowVerdict, Tone>> = { malicious: 'bad', benign: 'ok', unsure: 'warn' };

export function VerdictMark({ verdict }: { readonly verdict: RowVerdict }): ReactNode {
  return <Status tone={VERDICT_TONES[verdict]}>{verdict}</Status>;
}

/** What the rows are of: how a figure of them is to be read. */
export interface RowContext {
  /** One a model: `Answer`, or `Champion`, `Challenger`, … */
  readonly models: readonly string[];
  readonly regression: boolean;
}

/** 0 and 1 in words; a class of its own number, or a measured value, as it is. */
export function answerText(value: number | null, regression: boolean): string {
  if (value === null) return '–';
  if (!regression && (value === 0 || value === 1)) return value === 1 ? 'malicious' : 'benign';
  return String(Number(value.toPrecision(6)));
}

/** What a row is to its models, in one word; null without truth. */
export function outcomeOf(
  row: EvidenceRow,
  regression: boolean,
): { readonly tone: Tone; readonly text: string } | null {
  const { label, answers } = row;
  const [first, second] = answers;
  if (label === null || first === undefined || regression) return null;
  if (second === undefined) {
    if (first.predicted === label) return { tone: 'ok', text: 'right' };
    if (label === 1) return { tone: 'bad', text: 'missed' };
    return { tone: 'bad', text: label === 0 ? 'false alarm' : 'wrong' };
  }
  if (first.predicted === second.predicted)
    return first.predicted === label
      ? { tone: 'ok', text: 'both right' }
      : { tone: 'bad', text: 'both wrong' };
  if (second.predicted === label) return { tone: 'ok', text: 'fixed' };
  return first.predicted === label ? { tone: 'bad', text: 'broken' } : { tone: 'idle', text: 'both wrong' };
}

function AnswerCell({
  answer,
  label,
  regression,
}: {
  readonly answer: EvidenceRow['answers'][number] | undefined;
  readonly label: number | null;
  readonly regression: boolean;
}): ReactNode {
  if (answer === undefined) return <span className="dim">–</span>;
  const color =
    label === null || regression
      ? 'var(--sp-text)'
      : answer.predicted === label
        ? 'var(--sp-ok)'
        : 'var(--sp-bad)';
  return (
    <span className="num" style={{ whiteSpace: 'nowrap' }}>
      <span style={{ color, fontWeight: 500 }}>{answerText(answer.predicted, regression)}</span>
      {answer.score === null || regression ? null : (
        <span className="dim">{`  ${answer.score.toFixed(4)}`}</span>
      )}
    </span>
  );
}

/** Columns nobody chose yet: the slice's first, then those no model reads, then the file's first. */
export function firstColumns(
  columns: readonly string[],
  unused: readonly string[],
  slice: string | null,
): readonly string[] {
  const known = new Set(columns);
  const wanted = [...(slice === null ? [] : [slice]), ...unused, ...columns];
  return [...new Set(wanted.filter((name) => known.has(name)))].slice(0, SHOWN_COLUMNS);
}

export function rowColumns(
  columns: readonly string[],
  shown: readonly string[],
  { models, regression }: RowContext,
): readonly Column<EvidenceRow>[] {
  const places = new Map(columns.map((name, index) => [name, index]));
  return [
    { id: 'row', header: 'Row', width: '60px', align: 'right', cell: (row) => formatCount(row.row) },
    {
      id: 'truth',
      header: 'Truth',
      width: '66px',
      cell: (row) => <span className="num">{answerText(row.label, regression)}</span>,
    },
    ...models.map((name, index) => ({
      id: `model-${index}`,
      header: name,
      width: '122px',
      cell: (row: EvidenceRow) => (
        <AnswerCell answer={row.answers[index]} label={row.label} regression={regression} />
      ),
    })),
    ...(regression
      ? []
      : [
          {
            id: 'outcome',
            header: 'Outcome',
            width: '92px',
            cell: (row: EvidenceRow) => {
              const outcome = outcomeOf(row, regression);
              return outcome === null ? (
                <span className="dim">–</span>
              ) : (
                <Status tone={outcome.tone}>{outcome.text}</Status>
              );
            },
          },
        ]),
    {
      id: 'verdict',
      header: 'Verdict',
      width: '88px',
      cell: (row) =>
        row.verdict === null ? (
          <span className="dim">–</span>
        ) : (
          <span title={`${row.verdict.by}${row.verdict.note === '' ? '' : `: ${row.verdict.note}`}`}>
            <VerdictMark verdict={row.verdict.verdict} />
          </span>
        ),
    },
    ...shown.flatMap((name) => {
      const at = places.get(name);
      if (at === undefined) return [];
      return [
        {
          id: `cell-${name}`,
          header: name,
          width: 'minmax(110px, 1fr)',
          cell: (row: EvidenceRow) => <Truncated mono>{row.cells[at] ?? ''}</Truncated>,
        },
      ];
    }),
  ];
}
