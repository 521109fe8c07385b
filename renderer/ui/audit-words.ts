import type { AuditAction, AuditEntry } from '../../shared/domain/audit/entry.ts';

/** Audit actions as the middle of a sentence: "ada approved request …". */
const WORDS: Readonly<Record<AuditAction, string>> = {
  'vault.created': 'created the vault',
  'vault.recovered': 'recovered the vault',
  'vault.rekeyed': 'rekeyed the vault',
  'vault.restored': 'restored the vault',
  'vault.backed-up': 'backed up the vault',
  'vault.settings-changed': 'changed the settings of the vault',
  'vault.kit-saved': 'saved a recovery kit',
  'vault.recovery-mended': 'wrote the recovery file anew of',
  'session.signed-in': 'signed in',
  'session.refused': 'was refused to sign in',
  'session.signed-out': 'signed out',
  'operator.added': 'added operator',
  'operator.roles-changed': 'changed the roles of',
  'operator.disabled': 'disabled operator',
  'operator.enabled': 'enabled operator',
  'operator.passphrase-changed': 'changed the passphrase of',
  'environment.added': 'added environment',
  'environment.policy-changed': 'changed the policy of',
  'model.added': 'added',
  'model.refused': 'was refused to add',
  'model.described': 'described',
  'model.mapped': 'mapped the outputs of',
  'model.aliased': 'moved an alias to',
  'model.unaliased': 'removed an alias from',
  'model.archived': 'archived',
  'model.revoked': 'revoked',
  'model.exported': 'exported',
  'model.verified': 'verified',
  'model.collected': 'collected model files',
  'model.crashed': 'counted a crash of',
  'model.quarantine-lifted': 'lifted the quarantine of',
  'validation.run': 'validated',
  'validation.tested': 'ran the test data of',
  'comparison.run': 'compared',
  'rows.viewed': 'viewed rows of',
  'rows.labelled': 'labelled a row of',
  'rows.exported': 'exported rows of',
  'dataset.registered': 'registered dataset',
  'report.exported': 'exported the report of',
  'run.discarded': 'gave up the unfinished',
  'request.submitted': 'submitted',
  'request.approved': 'approved',
  'request.rejected': 'rejected',
  'request.withdrawn': 'withdrew',
  'request.expired': 'expired',
  'request.revoked': 'revoked the release of',
  'endpoint.added': 'added endpoint',
  'endpoint.removed': 'removed endpoint',
  'endpoint.checked': 'checked endpoint',
  'rollout.started': 'started the rollout of',
  'rollout.advanced': 'advanced',
  'rollout.verdict': 'judged',
  'rollout.paused': 'paused',
  'rollout.resumed': 'resumed',
  'rollout.promoted': 'promoted',
  'rollout.completed': 'completed',
  'rollout.rolled-back': 'rolled back',
  'rollout.failed': 'failed',
  'revocation.signed': 'signed the revocation of',
  'revocation.sent': 'sent out the revocation of',
  'audit.exported': 'exported the audit log',
  'audit.checkpointed': 'wrote a checkpoint of the log',
  refused: 'was refused',
};

export function describeAction(action: AuditAction): string {
  return WORDS[action];
}

/** Whose doing an entry is: a sign-in is the operator's own, though the program writes it before it knows them. */
export function personOf(entry: Pick<AuditEntry, 'action' | 'actor' | 'subject'>): string {
  return entry.action.startsWith('session.') ? entry.subject : entry.actor;
}

/**
 * What an entry happened to, as people name it: `phish@1.1.0 for production` where the subject is the id of a request
 * or a rollout and the details say which model it is about. Every other subject is a name already.
 */
export function subjectOf(entry: Pick<AuditEntry, 'action' | 'subject' | 'details'>): string {
  const { model, environment, target } = entry.details;
  if (!/^(request|rollout)\./.test(entry.action) || typeof model !== 'string') return entry.subject;
  if (typeof target === 'string') return `${model} on ${target}`;
  return typeof environment === 'string' ? `${model} for ${environment}` : model;
}
