/** The audit log: reading it, proving it, taking it out, and its checkpoints on the way to the agents. */
import type { AuditEntry, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { Store } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { CheckpointTools } from '../../ports/vault.ts';
import type { VaultLedger } from '../ledger-impl.ts';
import { verifyLog } from './verify-log.ts';

/** A stored signature that `verify` checks: `check` throws where it does not hold. */
export interface SignatureCheck {
  readonly subject: string;
  check(): void | Promise<void>;
}

/** Checkpoints an endpoint holds of this vault's log; `problem` where it could not be asked. */
export interface EndpointCheckpoints {
  readonly endpoint: string;
  readonly notes: readonly string[];
  readonly problem?: string;
}

/** Writes a new file line by line, complete or not at all; `conflict` where one is there. */
export type WriteLines = (path: string, lines: Iterable<string>) => Promise<void>;

export interface AuditDeps {
  readonly vaultId: string;
  readonly ledger: VaultLedger;
  readonly store: Store;
  readonly system: System;
  readonly checkpoints: CheckpointTools;
  /** The vault's public checkpoint key. */
  readonly checkpointVerifier: string;
  readonly writeLines: WriteLines;
  /** Stored signatures to prove, by the services that keep them. */
  readonly signatureChecks: () => readonly SignatureCheck[];
  readonly fetchCheckpoints: () => Promise<readonly EndpointCheckpoints[]>;
}

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
