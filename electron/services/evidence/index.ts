/** Evidence: the data it stands on, the rows behind it, and the runs that are not over. */
import { SallyportError } from '../../../shared/domain/errors.ts';
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
import type { ComparisonReport, ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { featureNames, inputWidth } from '../../../shared/domain/model/feature-columns.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { QuarantineRecord } from '../../ports/engine.ts';
import type { JobContext } from '../../ports/system.ts';
import type { ComparisonService } from '../comparison.ts';
import type { ValidationService } from '../validation.ts';
import { locateDataset } from './datasets.ts';
import { type MeasureDeps, UNWATCHED } from './measure.ts';
import { exportReport, type ReportWriting } from './reports.ts';
import { exportRows, labelRow, viewRows } from './rows.ts';
import { unfinishedOf } from './runs.ts';

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
  /** Model files that ended the process they ran in; from two crashes on they are not run. */
  quarantined(actor: Actor): QuarantineRecord[];
  /** Gives such a file another chance. `not-found` where it has no crash on record. */
  liftQuarantine(actor: Actor, input: { readonly digest: string }): Promise<{ readonly done: true }>;
}

export interface DatasetsService {
  /** Newest first. */
  list(actor: Actor): DatasetRecord[];
}

export interface EvidenceDeps extends MeasureDeps, ReportWriting {
  readonly validation: ValidationService;
  readonly comparison: ComparisonService;
}

export function createEvidenceService(deps: EvidenceDeps): EvidenceService {
  const { ledger, inspector, runs, validation, comparison } = deps;
  const permissionOf = (kind: EvidenceRef['kind']) =>
    kind === 'validation' ? ('validation.run' as const) : ('comparison.run' as const);

  /** Asked before it is looked whether there is such a run: who may not learns nothing of it. */
  async function interrupted(actor: Actor, id: string) {
    const kind = ledger.read.run(id)?.kind ?? 'validation';
    await ledger.require(actor, permissionOf(kind), `run ${id}`);
    return runs.require(id);
  }

  return {
    inspect(_actor, { path, ref, filter }) {
      const version = ref === null ? null : ledger.read.version(ref);
      if (ref !== null && version === null)
        throw new SallyportError('not-found', `There is no version ${formatRef(ref)}.`, {
          facts: { ref: formatRef(ref) },
        });
      const features =
        version === null
          ? null
          : {
              names: featureNames(version.onnx),
              count: inputWidth(version.onnx, version.mapping?.input ?? null),
              remembered: ledger.read.columnMapping(version.name),
            };
      return inspector.inspect({ path, filter, features }, UNWATCHED);
    },
    rows: (actor, query, job = UNWATCHED) => viewRows(deps, actor, query, job),
    labelRow: (actor, input) => labelRow(deps, actor, input),
    exportRows: (actor, input, job = UNWATCHED) => exportRows(deps, actor, input, job),
    locate: (actor, input, job = UNWATCHED) => locateDataset(deps, actor, input, job),
    exportReport: (actor, input, print = null) => exportReport(deps, actor, input, print),
    unfinished: () => runs.interrupted().map(unfinishedOf),
    async resume(actor, { id }, job = UNWATCHED) {
      const run = await interrupted(actor, id);
      const report: ValidationReport | ComparisonReport =
        run.kind === 'validation'
          ? await validation.resume(actor, run, job)
          : await comparison.resume(actor, run, job);
      return { kind: run.kind, id: report.id };
    },
    async discard(actor, { id }) {
      const run = await interrupted(actor, id);
      const { id: runId, kind, title, rowsDone } = run;
      await ledger.commit(
        actor,
        { action: 'run.discarded', subject: title, details: { run: runId, kind, rows: rowsDone } },
        () => undefined,
      );
      await runs.giveUp(runId);
      return { done: true };
    },
    quarantined: () => ledger.read.quarantine(),
    async liftQuarantine(actor, { digest }) {
      await ledger.require(actor, 'model.lift-quarantine', digest);
      const record = ledger.read.quarantine().find((each) => each.digest === digest);
      if (record === undefined)
        throw new SallyportError('not-found', 'No crash is on record for this digest.', {
          hint: 'Nothing was changed.',
          facts: { digest },
        });
      await ledger.commit(
        actor,
        {
          action: 'model.quarantine-lifted',
          subject: digest,
          details: { reason: record.reason, crashes: record.crashes },
        },
        (tx) => tx.removeQuarantine(digest),
      );
      return { done: true };
    },
  };
}

export function createDatasetsService({ ledger }: Pick<MeasureDeps, 'ledger'>): DatasetsService {
  return { list: () => ledger.read.datasets() };
}
