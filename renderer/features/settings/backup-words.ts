import type { VaultView } from '../../../shared/domain/view/views.ts';
import { formatDuration, plural } from '../../ui/format.ts';

/** A backup older than this is worth a word, in milliseconds. */
const OLD_MS = 7 * 24 * 3_600_000;

/** What is to be said of a vault's backups; null where the last one is young or there is nothing new to lose. */
export function backupAdvice(
  vault: Pick<VaultView, 'lastBackup' | 'auditEntries'>,
  now: number,
): string | null {
  if (vault.lastBackup === null) return 'This vault was never backed up: with this disk it would be gone.';
  const age = now - Date.parse(vault.lastBackup.at);
  const since = vault.auditEntries - vault.lastBackup.head;
  if (age < OLD_MS || since <= 0) return null;
  return `${plural(since, 'entry', 'entries')} of the log ${since === 1 ? 'is' : 'are'} newer than the last backup, ${formatDuration(age)} ago.`;
}

/** `sallyport-3f9a1c02-2026-06-01.tar`: which vault, which day. */
export function backupName(vaultId: string, now: number): string {
  return `sallyport-${vaultId.slice(0, 8)}-${new Date(now).toISOString().slice(0, 10)}.tar`;
}
