import type { AuditAction } from '../../shared/domain/audit/entry.ts';
import type { SallyportError } from '../../shared/domain/errors.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { StoreReader, StoreWriter } from '../ports/stores.ts';

type Json = string | number | boolean | null | { readonly [key: string]: Json } | readonly Json[];

/** What a state change writes into the audit log. Never a secret. */
export interface AuditDraft {
  readonly action: AuditAction;
  readonly subject: string;
  readonly details: Readonly<Record<string, Json>>;
}

/**
 * The only way a service changes state: work and audit entry in one transaction, then the new head is given to the
 * local witness, then the caller is told. `null` as actor = the program itself (a guard's verdict, an expiry).
 */
export interface Ledger {
  readonly read: StoreReader;
  commit<T>(
    actor: Actor | null,
    draft: AuditDraft | ((result: T) => AuditDraft),
    work: (tx: StoreWriter) => T,
  ): Promise<T>;
  /**
   * A commit that somebody who only reads must not be stopped by: signing in and out. Where the disk takes nothing, the
   * entry is kept in this process and written, with the time it happened, before the next one that can be.
   */
  note(actor: Actor | null, draft: AuditDraft, work?: (tx: StoreWriter) => void): Promise<void>;
  /** What the disk said to the last change; null while changes are written. */
  unwritable(): SallyportError | null;
  /** Throws `refused.role` (and audits the refusal) unless the actor may do this. */
  require(
    actor: Actor,
    permission: import('../../shared/domain/operator/operator.ts').Permission,
    subject: string,
  ): Promise<void>;
}
