/** The audit log: reading it, proving it, taking it out, and its checkpoints on the way to the agents. */
import type { AuditEntry, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { AuditDeps } from './deps.ts';
import { verifyLog } from './verify-log.ts';

export type { AuditDeps, EndpointCheckpoints, SignatureCheck, WriteLines } from './deps.ts';

export interface AuditService {
  list(
    actor: Actor,
    input: { before: number | null; limit: number; text: string },
  ): { entries: AuditEntry[]; total: number };
  verify(actor: Actor): Promise<AuditVerdict>;
  /** Writes the exact hashed lines, then one line with head and newest checkpoint. */
  export(actor: Actor, input: { path: string }): Promise<{ path: string; entries: number; head: string }>;
  /** The newest checkpoint where this endpoint does not hold it yet, or null. */
  checkpointDue(endpointId: string): { vaultId: string; note: string; size: number } | null;
  checkpointSent(size: number, endpointId: string): void;
}

export function createAuditService(deps: AuditDeps): AuditService {
  const { ledger, store } = deps;
  return {
    list: (_actor, query) => store.read.audit.page(query),
    verify: async (actor) => {
      await ledger.require(actor, 'audit.verify', 'audit log');
      return verifyLog(deps);
    },
    export: async (actor, { path }) => {
      await ledger.require(actor, 'audit.export', 'audit log');
      // The export is an entry itself, so that the file ends with who took it out.
      await ledger.commit(
        actor,
        { action: 'audit.exported', subject: 'audit log', details: {} },
        () => undefined,
      );
      const head = store.read.audit.head() ?? { seq: 0, hash: '' };
      await deps.writeLines(path, exportLines(deps, head));
      return { path, entries: head.seq, head: head.hash };
    },
    checkpointDue: (endpointId) => {
      const newest = store.read.audit.checkpoints().at(-1);
      return newest && !newest.sentTo.includes(endpointId)
        ? { vaultId: deps.vaultId, note: newest.note, size: newest.size }
        : null;
    },
    checkpointSent: (size, endpointId) =>
      store.transaction((tx) => tx.audit.markCheckpointSent(size, endpointId)),
  };
}

/** Lines up to `head`: others may commit while the file is written. Any tool can check them: SHA-256 of a line is `previous` of the next. */
function* exportLines(
  deps: AuditDeps,
  head: { readonly seq: number; readonly hash: string },
): IterableIterator<string> {
  let written = 0;
  for (const row of deps.store.read.audit.rows()) {
    if (row.seq > head.seq) break;
    written++;
    yield row.canonical;
  }
  const checkpoint = deps.store.read.audit.checkpoints().at(-1) ?? null;
  yield JSON.stringify({
    vaultId: deps.vaultId,
    head,
    entries: written,
    checkpoint: checkpoint?.note ?? null,
    checkpointKey: deps.checkpointVerifier,
  });
}
