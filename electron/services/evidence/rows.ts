/** Rows behind a report: looked at, labelled, exported. They are somebody's data, so that each of it is in the log. */
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type EvidenceRef,
  type EvidenceRows,
  evidenceRefSchema,
  type RowLabel,
  type RowQuery,
  type RowVerdict,
  rowQuerySchema,
  rowVerdictSchema,
} from '../../../shared/domain/evidence/rows.ts';
import type { ComparisonReport, ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { RowsRequest } from '../../ports/engine.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import { parseInput } from '../input.ts';
import { requireDataset } from './datasets.ts';
import type { MeasureDeps } from './measure.ts';

export type FoundEvidence =
  | { readonly kind: 'validation'; readonly report: ValidationReport; readonly subject: string }
  | { readonly kind: 'comparison'; readonly report: ComparisonReport; readonly subject: string };

/** The report behind a reference. Throws `not-found`. */
export function requireEvidence(read: StoreReader, { kind, id }: EvidenceRef): FoundEvidence {
  if (kind === 'validation') {
    const report = read.validation(id);
    if (report) return { kind, report, subject: formatRef(report.ref) };
  } else {
    const report = read.comparison(id);
    if (report)
      return {
        kind,
        report,
        subject: `${formatRef(report.challenger)} against ${formatRef(report.champion)}`,
      };
  }
  throw new SallyportError('not-found', `There is no such ${kind} report.`, { facts: { id } });
}

/** Rows of one page. Errors: `not-found`, `refused.state`, `input.invalid`. */
export async function viewRows(
  deps: MeasureDeps,
  actor: Actor,
  rawQuery: RowQuery,
  job: JobContext,
): Promise<EvidenceRows> {
  const { ledger, engine } = deps;
  const query = parseInput(rowQuerySchema, rawQuery);
  const evidence = requireEvidence(ledger.read, query.evidence);
  const found = await moved(engine.rows(await requestOf(deps, evidence, query), job), evidence);
  const verdicts = new Map(ledger.read.rowLabels(query.evidence).map((label) => [label.row, label]));
  const rows: EvidenceRows = {
    ...found,
    rows: found.rows.map((row) => ({ ...row, verdict: verdicts.get(row.row) ?? null })),
  };
  // Nothing was shown before this is written.
  await ledger.commit(
    actor,
    {
      action: 'rows.viewed',
      subject: evidence.subject,
      details: detailsOf(evidence, query, rows.rows.length),
    },
    () => undefined,
  );
  return rows;
}

const exportSchema = rowQuerySchema.omit({ limit: true, offset: true }).extend({
  path: z.string().min(1).max(4096),
  format: z.enum(['csv', 'jsonl']),
});

/** All rows of a query into a new file, with what analysts said of them. */
export async function exportRows(
  deps: MeasureDeps,
  actor: Actor,
  input: z.input<typeof exportSchema>,
  job: JobContext,
): Promise<{ readonly path: string; readonly rows: number }> {
  const { ledger, engine } = deps;
  const { path, format, ...chosen } = parseInput(exportSchema, input);
  await ledger.require(actor, 'rows.export', `${chosen.evidence.kind} ${chosen.evidence.id}`);
  const query: RowQuery = { ...chosen, limit: 1, offset: 0 };
  const evidence = requireEvidence(ledger.read, query.evidence);
  const verdicts = Object.fromEntries(
    ledger.read.rowLabels(query.evidence).map(({ row, verdict, note }) => [row, { verdict, note }]),
  );
  const request = await requestOf(deps, evidence, query);
  const { rows } = await moved(engine.exportRows(request, { path, format, verdicts }, job), evidence);
  await ledger.commit(
    actor,
    {
      action: 'rows.exported',
      subject: evidence.subject,
      details: { ...detailsOf(evidence, query, rows), format },
    },
    () => undefined,
  );
  return { path, rows };
}

const labelSchema = z.object({
  evidence: evidenceRefSchema,
  row: z.number().int().min(1),
  verdict: rowVerdictSchema.nullable(),
  note: z.string().max(2000),
});

/** Keeps what an analyst says a row is, beside the report; the data and its figures stay as they are. */
export async function labelRow(
  { ledger, system }: MeasureDeps,
  actor: Actor,
  rawInput: {
    readonly evidence: EvidenceRef;
    readonly row: number;
    readonly verdict: RowVerdict | null;
    readonly note: string;
  },
): Promise<RowLabel | null> {
  const { evidence: ref, row, verdict, note } = parseInput(labelSchema, rawInput);
  await ledger.require(actor, 'rows.label', `${ref.kind} ${ref.id}`);
  const { report, subject } = requireEvidence(ledger.read, ref);
  const last = report.dataset.rowsInFile ?? report.dataset.rows;
  if (row > last)
    throw new SallyportError('input.invalid', `The data has ${last} rows; there is no row ${row}.`, {
      hint: 'Nothing was changed.',
      facts: { row },
    });
  const label: RowLabel | null =
    verdict === null ? null : { row, verdict, note, by: actor.name, at: system.now().toISOString() };
  return ledger.commit(
    actor,
    {
      action: 'rows.labelled',
      subject,
      details: { report: ref.id, dataset: report.dataset.digest, row, verdict },
    },
    (tx) => {
      tx.saveRowLabel(ref, row, label);
      return label;
    },
  );
}

/** What the engine needs to find the rows: the data where it is now, and the answers as they were stored. */
async function requestOf(
  { ledger, artifacts }: MeasureDeps,
  { kind, report }: FoundEvidence,
  query: RowQuery,
): Promise<RowsRequest> {
  const kept = ledger.read.evidenceData({ kind, id: report.id });
  if (kept?.answers == null)
    throw new SallyportError('refused.state', 'No answers were kept with this report.', {
      hint: 'It was made by an earlier version of the program. Run it again to look at its rows.',
      facts: { id: report.id },
    });
  const { path } = requireDataset(ledger.read, report.dataset.digest);
  return {
    data: { ...kept.selection, path },
    datasetDigest: report.dataset.digest,
    answers: await artifacts.getBytes(kept.answers.artifactId, kept.answers.digest),
    regression: kind === 'validation' && report.regression !== null,
    findingRows: findingRows(
      kind === 'validation'
        ? report.outputFindings
        : [
            ...Object.values(report.outputFindings),
            ...report.others.map((other) => other.outputFindings),
          ].flat(),
    ),
    query,
  };
}

function findingRows(findings: ValidationReport['outputFindings']): number[] {
  return [...new Set(findings.flatMap(({ examples }) => examples))].sort((a, b) => a - b);
}

/** A file that is not there, or is another one by now, is asked for. */
async function moved<T>(reading: Promise<T>, { report }: FoundEvidence): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const changed = error.code === 'dataset.invalid' && error.facts.expected === report.dataset.digest;
    if (error.code !== 'not-found' && !changed) throw error;
    const { fileName, digest } = report.dataset;
    throw new SallyportError(
      'not-found',
      changed
        ? `${fileName} is not the file the report was made on any more.`
        : `${fileName} is not where it was when the report was made.`,
      {
        hint: 'Say where the file is now; it is known by its digest.',
        facts: { dataset: digest, file: fileName, moved: true },
        cause: error,
      },
    );
  }
}

function detailsOf({ kind, report }: FoundEvidence, query: RowQuery, rows: number) {
  return {
    [kind]: report.id,
    dataset: report.dataset.digest,
    preset: query.preset,
    slice:
      query.slice === null ? null : `${query.slice.column}=${query.slice.value}`.slice(0, 500).toWellFormed(),
    filter: query.filter,
    rows,
  };
}
