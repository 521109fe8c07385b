import { SallyportError } from '../../../shared/domain/errors.ts';
import type { EvidenceRef } from '../../../shared/domain/evidence/rows.ts';
import type { ComparisonReport, ValidationReport } from '../../../shared/domain/metrics/report.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { Ledger } from '../ledger.ts';
import { type FoundEvidence, requireEvidence } from './rows.ts';

export interface ReportWriting {
  /** Self-contained HTML pages. */
  readonly renderReport: {
    validation(report: ValidationReport): string;
    comparison(report: ComparisonReport): string;
  };
  /** Writes a file that must not be there yet, complete or not at all. */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
}

/**
 * Writes a report into a new file. A comparison names the rows on which the models differ, so that its export is one of
 * rows too. Errors: `not-found`, `conflict` (the file is there), `usage` (PDF without somebody who prints).
 */
export async function exportReport(
  deps: ReportWriting & { readonly ledger: Ledger },
  actor: Actor,
  {
    evidence,
    path,
    format,
  }: { readonly evidence: EvidenceRef; readonly path: string; readonly format: 'html' | 'json' | 'pdf' },
  print: ((html: string) => Promise<Uint8Array>) | null,
): Promise<{ readonly path: string }> {
  const { ledger, writeFile } = deps;
  await ledger.require(actor, 'report.export', `${evidence.kind} ${evidence.id}`);
  const found = requireEvidence(ledger.read, evidence);
  await writeFile(path, await contentOf(deps, found, format, print));
  await ledger.commit(
    actor,
    {
      action: 'report.exported',
      subject: found.subject,
      details: { [found.kind]: found.report.id, format, dataset: found.report.dataset.digest },
    },
    () => undefined,
  );
  return { path };
}

async function contentOf(
  { renderReport }: ReportWriting,
  found: FoundEvidence,
  format: 'html' | 'json' | 'pdf',
  print: ((html: string) => Promise<Uint8Array>) | null,
): Promise<Uint8Array> {
  const utf8 = new TextEncoder();
  if (format === 'json') return utf8.encode(`${JSON.stringify(found.report, null, 2)}\n`);
  const page =
    found.kind === 'validation'
      ? renderReport.validation(found.report)
      : renderReport.comparison(found.report);
  if (format === 'html') return utf8.encode(page);
  if (print === null)
    throw new SallyportError('usage', 'PDF is made by the window.', {
      hint: 'Nothing was written. Export HTML and print it, or use the window.',
    });
  return print(page);
}
