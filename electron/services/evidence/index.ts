/** Evidence: the data it stands on, the rows behind it, and the runs that are not over. */
import type { DatasetRecord } from '../../../shared/domain/evidence/dataset.ts';
import type { DatasetInspection } from '../../../shared/domain/evidence/inspection.ts';
import type {
  EvidenceRef,
  EvidenceRows,
  RowLabel,
  RowQuery,
  RowVerdict,
} from '../../../shared/domain/evidence/rows.ts';
import type { UnfinishedRun } from '../../../shared/domain/evidence/unfinished.ts';
import type { VersionRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { JobContext } from '../../ports/system.ts';

export interface EvidenceService {
  /** Looks at a file without measuring anything on it. A filter that is none is part of the answer. */
  inspect(
    actor: Actor,
    input: { readonly path: string; readonly ref: VersionRef | null; readonly filter: string | null },
  ): Promise<DatasetInspection>;
  /**
   * Rows behind a report. They hold customer data, so that looking at them leaves an entry in the log. Errors:
   * `not-found` (the report, or the data's file has moved: see `locate`), `input.invalid` (the filter), `refused.state`
   * (nothing was kept to look at).
   */
  rows(actor: Actor, query: RowQuery, job?: JobContext): Promise<EvidenceRows>;
  /** Says what a row really is, or takes that back. */
  labelRow(
    actor: Actor,
    input: {
      readonly evidence: EvidenceRef;
      readonly row: number;
      readonly verdict: RowVerdict | null;
      readonly note: string;
    },
  ): Promise<RowLabel | null>;
  /** All rows a query matches, into a file that must be new. */
  exportRows(
    actor: Actor,
    input: Omit<RowQuery, 'limit' | 'offset'> & { readonly path: string; readonly format: 'csv' | 'jsonl' },
    job?: JobContext,
  ): Promise<{ readonly path: string; readonly rows: number }>;
  /** Says where a dataset's file is now; its digest must be the known one. */
  locate(
    actor: Actor,
    input: { readonly digest: string; readonly path: string },
    job?: JobContext,
  ): Promise<DatasetRecord>;
  /** Writes a report into a file that must be new. `print` makes a PDF of a page; without it, PDF is refused. */
  exportReport(
    actor: Actor,
    input: {
      readonly evidence: EvidenceRef;
      readonly path: string;
      readonly format: 'html' | 'json' | 'pdf';
    },
    print?: ((html: string) => Promise<Uint8Array>) | null,
  ): Promise<{ readonly path: string }>;
  /** Runs that the end of a program interrupted, newest first. */
  unfinished(actor: Actor): UnfinishedRun[];
  /** Goes on with such a run; its report is the one it would have made. */
  resume(actor: Actor, input: { readonly id: string }, job?: JobContext): Promise<EvidenceRef>;
  discard(actor: Actor, input: { readonly id: string }): Promise<{ readonly done: true }>;
}

export interface DatasetsService {
  /** Newest first. */
  list(actor: Actor): DatasetRecord[];
}
