import type { AuditHead } from '../../../shared/domain/audit/entry.ts';
import {
  EXPORT_FORMAT,
  EXPORT_HOW,
  type ExportTrailer,
  peaksOf,
} from '../../../shared/domain/audit/export-file.ts';
import { appendEntryHash, EMPTY_FRONTIER } from '../../../shared/domain/audit/merkle.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { AuditDeps } from './deps.ts';
import { SLICE } from './verify-log.ts';

/**
 * Writes entries from `from` on. The export is an entry itself, so the file ends with who took it out; the ledger signs
 * a checkpoint over that entry, so the signature in the file covers its last line.
 */
export async function exportLog(
  deps: AuditDeps,
  actor: Actor,
  path: string,
  from: number,
): Promise<{ path: string; entries: number; head: string }> {
  const { store, ledger } = deps;
  const last = store.read.audit.head()?.seq ?? 0;
  if (from < 1 || from > last + 1)
    throw new SallyportError(
      'input.invalid',
      `The log has ${last} entries; it cannot be exported from ${from} on.`,
      {
        hint: 'Nothing was written.',
        facts: { from, last },
      },
    );
  await ledger.commit(
    actor,
    { action: 'audit.exported', subject: 'audit log', details: from === 1 ? {} : { from } },
    () => undefined,
  );
  const checkpoint = store.read.audit.newestCheckpoint();
  // Others may have committed since: the file ends where the newest signature does, which is our entry or a later one.
  const head = checkpoint === null ? null : rowAt(deps, checkpoint.size);
  if (checkpoint === null || head === null)
    throw new SallyportError('integrity.audit', 'The log has no checkpoint over its last entry.', {
      hint: 'Nothing was written. Run `sallyport audit verify`.',
    });
  const before = await whatStandsBefore(deps, from);
  let entries = 0;
  function* lines(): IterableIterator<string> {
    for (const row of store.read.audit.rows(from)) {
      if (head === null || row.seq > head.seq) break;
      entries++;
      yield row.canonical;
    }
    yield JSON.stringify({
      format: EXPORT_FORMAT,
      vaultId: deps.vaultId,
      from,
      entries,
      head: head ?? { seq: 0, hash: '' },
      before,
      checkpoint: checkpoint?.note ?? '',
      checkpointKey: deps.checkpointVerifier,
      how: EXPORT_HOW,
    } satisfies ExportTrailer);
  }
  await deps.writeLines(path, lines());
  return { path, entries, head: head.hash };
}

function rowAt(deps: AuditDeps, seq: number): AuditHead | null {
  for (const row of deps.store.read.audit.rows(seq))
    return row.seq === seq ? { seq: row.seq, hash: row.hash } : null;
  return null;
}

/** The tree over the entries that the file leaves out, grown in steps: a long log is read through for it. */
async function whatStandsBefore(deps: AuditDeps, from: number): Promise<ExportTrailer['before']> {
  if (from === 1) return null;
  let frontier = EMPTY_FRONTIER;
  let head: AuditHead = { seq: 0, hash: '' };
  for (const { seq, hash } of deps.store.read.audit.rows()) {
    if (seq >= from) break;
    frontier = appendEntryHash(frontier, hash, deps.system.sha256);
    head = { seq, hash };
    if (seq % SLICE === 0) await deps.system.sleep(0);
  }
  return { head, peaks: peaksOf(frontier) };
}
