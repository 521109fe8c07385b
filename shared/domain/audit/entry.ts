import { z } from 'zod';

/** The actions an audit entry can name. One word each, from the database to the screen. */
export const auditActionSchema = z.enum([
  'vault.created',
  'vault.recovered',
  'vault.rekeyed',
  'vault.restored',
  'vault.backed-up',
  'vault.settings-changed',
  'vault.kit-saved',
  'vault.recovery-mended',
  'session.signed-in',
  'session.refused',
  'session.signed-out',
  'operator.added',
  'operator.roles-changed',
  'operator.disabled',
  'operator.enabled',
  'operator.passphrase-changed',
  'environment.added',
  'environment.policy-changed',
  'model.added',
  'model.refused',
  'model.described',
  'model.mapped',
  'model.aliased',
  'model.unaliased',
  'model.archived',
  'model.revoked',
  'model.exported',
  'model.verified',
  'model.collected',
  'model.crashed',
  'model.quarantine-lifted',
  'validation.run',
  'validation.tested',
  'comparison.run',
  'rows.viewed',
  'rows.labelled',
  'rows.exported',
  'dataset.registered',
  'report.exported',
  'run.discarded',
  'request.submitted',
  'request.approved',
  'request.rejected',
  'request.withdrawn',
  'request.expired',
  'request.revoked',
  'endpoint.added',
  'endpoint.removed',
  'endpoint.checked',
  'rollout.started',
  'rollout.advanced',
  'rollout.verdict',
  'rollout.paused',
  'rollout.resumed',
  'rollout.promoted',
  'rollout.completed',
  'rollout.rolled-back',
  'rollout.failed',
  'revocation.signed',
  'revocation.sent',
  'audit.exported',
  'audit.checkpointed',
  'refused',
]);
export type AuditAction = z.infer<typeof auditActionSchema>;

/**
 * Longest line of an entry, in bytes. An entry stays for ever and every reader of an export has to take it, so a change
 * whose before and after are longer is refused.
 */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

/** One link of the chain. `hash` = SHA-256 over the RFC 8785 form of the entry without `hash`. */
export const auditEntrySchema = z.object({
  seq: z.number().int().min(1),
  at: z.string(),
  /** Operator name, or `system` for what the program does by itself (a guard's verdict, an expiry). */
  actor: z.string(),
  action: auditActionSchema,
  /** What it happened to: `phish@1.1.0`, a request, a rollout, an endpoint. */
  subject: z.string(),
  details: z.record(z.string(), z.json()),
  /** Hash of the entry before; 64 zeros for the first. */
  previous: z.string(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Where the chain stands: what the keychain and the agents hold. */
export const auditHeadSchema = z.object({ seq: z.number().int(), hash: z.string() });
export type AuditHead = z.infer<typeof auditHeadSchema>;

/** Something that does not hold; `seq` names the entry, or is null where no single one can be named. */
export interface ChainProblem {
  readonly seq: number | null;
  readonly problem: string;
}

/** A restore from a backup that the log itself tells of: a fact to know, not tampering. */
export const auditRestoreSchema = z.object({
  /** The entry `vault.restored`. */
  seq: z.number().int(),
  at: z.string(),
  /** The last entry that came out of the backup. */
  restoredTo: z.number().int(),
  /** Entries written after the backup, gone since; null where nothing outside the vault had counted them. */
  lost: z.number().int().nullable(),
  backupAt: z.string().nullable(),
});
export type AuditRestore = z.infer<typeof auditRestoreSchema>;

/** Outcome of `audit verify`. `problems` is in order of sequence: the first one names the first bad entry. */
export const auditVerdictSchema = z.object({
  ok: z.boolean(),
  entries: z.number().int(),
  head: auditHeadSchema.nullable(),
  witnesses: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['agrees', 'behind', 'absent', 'contradicts']),
      detail: z.string(),
      /** What it shows by itself, in a sentence; '' where it shows nothing. */
      proves: z.string(),
    }),
  ),
  problems: z.array(z.object({ seq: z.number().int().nullable(), problem: z.string() })),
  signaturesChecked: z.number().int(),
  checkpointsChecked: z.number().int(),
  restores: z.array(auditRestoreSchema),
  /** What nothing of the above shows, in sentences. Never empty for a log without a witness. */
  unproven: z.array(z.string()),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;
