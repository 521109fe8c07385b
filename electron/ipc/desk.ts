import type { AuditVerdict } from '../../shared/domain/audit/entry.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { SessionView } from '../../shared/domain/view/views.ts';
import type { JobContext } from '../ports/system.ts';
import type { VerifyFileInput } from '../services/audit/index.ts';
import type { Services } from '../services/index.ts';
import type { KeysChoice } from '../services/vault/index.ts';

/** What the window works on: at most one open vault and one signed-in operator. Handlers see nothing else. */
export interface Desk {
  status(): Promise<SessionView>;
  /** `locked` where no vault is open. */
  services(): Services;
  /** `locked` where nobody is signed in. */
  actor(): Actor;
  create(input: {
    operator: string;
    person: string;
    operatorPassphrase: string;
    keys: KeysChoice;
  }): Promise<{ vaultId: string; recoveryKey: string }>;
  unlock(passphrase: string | null): Promise<SessionView>;
  recover(recoveryKey: string, keys: KeysChoice): Promise<SessionView>;
  /** Restores a backup into the empty place of the vault. It is open afterwards, or locked where its keys are not at hand. */
  restore(file: string, job: JobContext): Promise<SessionView>;
  signIn(operator: string, passphrase: string): Promise<SessionView>;
  /** Who is signed in, or null. */
  signedIn(): Actor | null;
  /** Somebody is at the window: the time until the automatic sign-out begins anew. */
  active(): void;
  /** Jobs, rollouts and leases go on. */
  signOut(): Promise<SessionView>;
  /** The session goes on after the operator changed something of their own, which would end it. */
  renewSession(): void;
  /** Proves an exported audit log; no vault needs to be open. */
  verifyAuditFile(input: VerifyFileInput, job: JobContext): Promise<AuditVerdict>;
  /** Makes a PDF of a self-contained HTML page; null where the runtime cannot print. */
  readonly printPdf: ((html: string) => Promise<Uint8Array>) | null;
  /** Runs a long operation the window can watch and cancel by its id. */
  job<T>(jobId: string, run: (job: JobContext) => Promise<T>): Promise<T>;
  cancel(jobId: string): void;
}
