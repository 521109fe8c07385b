/** The audit log: reading it, proving it, taking it out, and its checkpoints on the way to the agents. */
import type { AuditEntry, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { AuditDeps } from './deps.ts';
import { exportLog } from './export-log.ts';
import { verifyLog } from './verify-log.ts';

export type { AuditDeps, EndpointCheckpoints, SignatureCheck, VerifyFileDeps, WriteLines } from './deps.ts';
export { type VerifyFileInput, verifyAuditFile } from './verify-file.ts';

export interface AuditService {
  /** Newest first; `text` filters (see `shared/domain/audit/query.ts`). */
  list(
    actor: Actor,
    input: { before: number | null; limit: number; text: string },
  ): { entries: AuditEntry[]; total: number };
  verify(actor: Actor): Promise<AuditVerdict>;
  /**
   * The verdict on a log that a witness contradicts: nobody can sign in to it, for that would be an entry. It says
   * nothing of the vault's content; null where operators can sign in and ask `verify`.
   */
  examine(): Promise<AuditVerdict | null>;
  /** Writes the exact hashed lines, from entry `from` on, then one line that says what the file is. */
  export(
    actor: Actor,
    input: { path: string; from?: number | undefined },
  ): Promise<{ path: string; entries: number; head: string }>;
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
    examine: async () => ((await ledger.witness()).status === 'contradicts' ? verifyLog(deps) : null),
    export: async (actor, { path, from = 1 }) => {
      await ledger.require(actor, 'audit.export', 'audit log');
      return exportLog(deps, actor, path, from);
    },
    checkpointDue: (endpointId) => {
      const newest = store.read.audit.newestCheckpoint();
      return newest && !newest.sentTo.includes(endpointId)
        ? { vaultId: deps.vaultId, note: newest.note, size: newest.size }
        : null;
    },
    checkpointSent: (size, endpointId) =>
      store.transaction((tx) => tx.audit.markCheckpointSent(size, endpointId)),
  };
}
