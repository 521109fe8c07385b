import type { HashFunction } from '../../shared/domain/audit/bytes.ts';
import { makeEntry, parseLine } from '../../shared/domain/audit/chain.ts';
import {
  type AuditAction,
  type AuditHead,
  auditHeadSchema,
  type ChainProblem,
} from '../../shared/domain/audit/entry.ts';
import { type Restore, restoreOf } from '../../shared/domain/audit/restore.ts';
import { isDiskRefusal, SallyportError } from '../../shared/domain/errors.ts';
import { type Actor, isActive, isPermitted } from '../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../ports/secrets.ts';
import type { Store, StoreWriter } from '../ports/stores.ts';
import type { System } from '../ports/system.ts';
import type { CheckpointTools } from '../ports/vault.ts';
import { type ChangeTopic, topicsOf } from './change-topics.ts';
import type { AuditDraft, Ledger } from './ledger.ts';
import { checkpointAfter } from './log-checkpoints.ts';

/** How the log stands against the head kept outside the database. */
export type WitnessStatus = {
  readonly status: 'agrees' | 'behind' | 'absent' | 'contradicts';
  readonly detail: string;
  readonly head: AuditHead | null;
  /** Where it contradicts: the first entry that is not what it was. */
  readonly problem?: ChainProblem;
};

export interface LedgerDeps {
  readonly vaultId: string;
  readonly store: Store;
  readonly system: System;
  /** Where the head goes after each commit. A store that is only a file beside the database is no witness. */
  readonly secrets: SecretStore;
  readonly checkpoints: CheckpointTools;
  /** The vault's checkpoint key. */
  readonly checkpointKey: string;
}

export interface VaultLedger extends Ledger {
  /** Calls `listener` after each acknowledged change of this process; answers how to stop. */
  onChange(listener: (topics: readonly ChangeTopic[]) => void): () => void;
  witness(): Promise<WitnessStatus>;
  /** Finds out whether the disk takes writes by now, and writes what waits for it; see `note`. Nothing to do, nothing done. */
  retry(): Promise<void>;
  /**
   * Writes the entry of a restore behind the head that came out of the backup, naming the head the witness still
   * holds. Nothing is compared first: that the witness contradicts is what the entry explains. The witness stays where
   * it is until `advance`.
   */
  restored(backup: { readonly createdAt: string }): Promise<void>;
  /** Gives the witness the head of now. `integrity.audit` where it contradicts and no restore explains it. */
  advance(): Promise<void>;
}

/** Name of the head among the secrets. */
export const HEAD_SECRET = 'audit-head';

/** When a disk that had taken nothing was found to take writes again. */
const WRITTEN_SETTING = 'vault.writable-again';
/** Most entries that wait for a disk: signing in and out, by hand. */
const MAX_DEFERRED = 1000;

interface Deferred {
  readonly actor: Actor | null;
  readonly draft: AuditDraft;
  readonly work: ((tx: StoreWriter) => void) | undefined;
}

/** The one writer of the vault: see `Ledger`. Made once per process and open vault. */
export function createLedger(deps: LedgerDeps): VaultLedger {
  const { store, system, secrets } = deps;
  const witnessKept = secrets.kind !== 'file';
  const listeners = new Set<(topics: readonly ChangeTopic[]) => void>();
  /** False until the kept head was compared once, and again after it could not be written. */
  let witnessCurrent = !witnessKept;
  let flushing: Promise<void> = Promise.resolve();
  let queued: Promise<void> | null = null;
  let unwritable: SallyportError | null = store.unwritable();
  /** Entries of changes that could not be written when they happened, oldest first. */
  let deferred: readonly Deferred[] = [];

  async function witness(): Promise<WitnessStatus> {
    if (!witnessKept) {
      return {
        status: 'absent',
        detail: 'no local witness: this vault keeps its secrets in a file beside the log',
        head: null,
      };
    }
    const text = await secrets.get(HEAD_SECRET);
    const head = store.read.audit.head();
    if (text === null)
      return { status: 'absent', detail: 'the keychain holds no head of this log', head: null };
    const kept = parseHead(text);
    if (!kept)
      return { status: 'contradicts', detail: 'what the keychain holds is not a head of a log', head: null };
    if (head && (head.seq < kept.seq || hashAt(kept.seq) !== kept.hash) && restoredFrom(kept)) {
      return {
        status: 'behind',
        detail: `a backup was restored: the keychain holds entry ${kept.seq} of the history that it replaced`,
        head: kept,
      };
    }
    if (!head || head.seq < kept.seq) {
      const last = head?.seq ?? 0;
      const detail = `the keychain saw entry ${kept.seq}, the log ends at ${last}: it was cut off or replaced by an older one`;
      return { status: 'contradicts', detail, head: kept, problem: { seq: last + 1, problem: detail } };
    }
    if (kept.seq > 0 && hashAt(kept.seq) !== kept.hash) {
      const detail = `entry ${kept.seq} is not the one the keychain saw: the log was rewritten`;
      return { status: 'contradicts', detail, head: kept, problem: { seq: kept.seq, problem: detail } };
    }
    return kept.seq === head.seq
      ? { status: 'agrees', detail: `entry ${kept.seq}`, head: kept }
      : {
          status: 'behind',
          detail: `the keychain holds entry ${kept.seq} of ${head.seq}, which agree`,
          head: kept,
        };
  }

  /**
   * Whether the log tells of a restore that gave up exactly this head. Only who has the vault's key can write such an
   * entry, and it explains no other head: an older copy of the database stays what it is.
   */
  function restoredFrom(kept: AuditHead): boolean {
    for (const { canonical } of store.read.audit.rows()) {
      // Unparsed until it matters: the log may have been edited, and that is for the verdict to say.
      if (!canonical.includes('"vault.restored"')) continue;
      const restore = restoreIn(canonical, system.sha256);
      if (restore?.lost === kept.seq && restore.lostHash === kept.hash) return true;
    }
    return false;
  }

  /** Hash of a stored entry, or null where it is missing or cannot be read. */
  function hashAt(seq: number): string | null {
    for (const row of store.read.audit.rows(seq)) return row.seq === seq ? row.hash : null;
    return null;
  }

  /** Brings the kept head to where the database is. Never over a head that the database contradicts. */
  async function advanceWitness(): Promise<void> {
    const found = await witness();
    if (found.status === 'contradicts') throw tampered(found.detail);
    const head = store.read.audit.head();
    if (head && found.status !== 'agrees') await secrets.set(HEAD_SECRET, JSON.stringify(head));
  }

  /**
   * One keychain write for all commits that wait: a caller joins a write that has not begun yet, because that one
   * will read the head of a database in which the caller's commit already is.
   */
  function flushWitness(): Promise<void> {
    queued ??= flushing
      .catch(() => {})
      .then(() => {
        queued = null;
        flushing = advanceWitness();
        return flushing;
      });
    return queued;
  }

  async function commit<T>(
    actor: Actor | null,
    draft: AuditDraft | ((result: T) => AuditDraft),
    work: (tx: StoreWriter) => T,
  ): Promise<T> {
    if (!witnessCurrent) {
      // A keychain that does not answer, or a log that was tampered with, is known before anything is changed.
      await flushWitness();
      witnessCurrent = true;
    }
    // While the database is being exchanged, what is committed to the old one would be lost. Looked at last, because
    // nothing may come between this and the transaction.
    for (let held = store.held(); held !== null; held = store.held()) await held;
    let action: AuditAction = 'refused';
    const closing = typeof draft !== 'function' && CLOSING.includes(draft.action);
    const late = deferred;
    const result = written(() =>
      store.transaction((tx) => {
        writeLate(tx, late);
        // A long operation may have begun before its operator was disabled.
        if (actor !== null && !closing && tx.operator(actor.operatorId)?.disabledAt) throw notActive(actor);
        const value = work(tx);
        const told = typeof draft === 'function' ? draft(value) : draft;
        action = told.action;
        appendEntry(tx, actor, told);
        system.reached('commit.written');
        return value;
      }),
    );
    deferred = deferred.slice(late.length);
    await tellWitness();
    notify(topicsOf(action));
    return result;
  }

  /**
   * The change is durable by now, so it is not reported as failed when the keychain fails here: the next commit writes
   * the head first, and is refused while that does not work. One entry at most is acknowledged unwitnessed.
   */
  async function tellWitness(): Promise<void> {
    system.reached('commit.stored');
    if (!witnessKept) return;
    await flushWitness().catch(() => {
      witnessCurrent = false;
    });
    system.reached('commit.witnessed');
  }

  function writeLate(tx: StoreWriter, late: readonly Deferred[]): void {
    for (const { actor, draft, work } of late) {
      work?.(tx);
      appendEntry(tx, actor, draft);
    }
  }

  async function retry(): Promise<void> {
    const late = deferred;
    if (late.length === 0 && unwritable === null) return;
    try {
      written(() =>
        store.transaction((tx) => {
          writeLate(tx, late);
          // Something is written in any case: that is the question.
          tx.setSetting(WRITTEN_SETTING, system.now().toISOString());
        }),
      );
    } catch (error) {
      if (isDiskRefusal(error)) return;
      throw error;
    }
    deferred = deferred.slice(late.length);
    if (late.length > 0) await tellWitness();
  }

  /** Remembers what the disk said: a vault that cannot be written is said to be so until a change is written again. */
  function written<T>(change: () => T): T {
    const before = unwritable;
    try {
      const value = change();
      unwritable = null;
      return value;
    } catch (error) {
      if (isDiskRefusal(error)) unwritable = error;
      throw error;
    } finally {
      if ((before === null) !== (unwritable === null)) notify(['session']);
    }
  }

  async function note(
    actor: Actor | null,
    draft: AuditDraft,
    work?: (tx: StoreWriter) => void,
  ): Promise<void> {
    try {
      await commit(actor, draft, (tx) => work?.(tx));
    } catch (error) {
      if (!isDiskRefusal(error)) throw error;
      const details = { ...draft.details, happenedAt: system.now().toISOString() };
      deferred = [...deferred, { actor, draft: { ...draft, details }, work }].slice(-MAX_DEFERRED);
    }
  }

  function appendEntry(tx: StoreWriter, actor: Actor | null, draft: AuditDraft): void {
    const { entry, line } = makeEntry(
      tx.audit.head(),
      {
        at: system.now().toISOString(),
        actor: actor?.name ?? 'system',
        action: draft.action,
        subject: draft.subject,
        details: draft.details,
      },
      system.sha256,
    );
    tx.audit.append(entry, line);
    checkpointAfter(deps, tx, entry);
  }

  function notify(topics: readonly ChangeTopic[]): void {
    for (const listener of listeners) listener(topics);
  }

  return {
    read: store.read,
    commit,
    note,
    unwritable: () => unwritable,
    retry,
    witness,
    advance: async () => {
      if (witnessKept) await flushWitness();
    },
    restored: async ({ createdAt }) => {
      const text = witnessKept ? await secrets.get(HEAD_SECRET) : null;
      const lostHead = text === null ? null : parseHead(text);
      store.transaction((tx) => {
        const restoredHead = tx.audit.head();
        if (!restoredHead)
          throw new SallyportError('integrity.audit', 'The restored vault has no audit log.', {
            hint: 'Nothing was restored. Use another backup.',
          });
        const details = { lostHead, restoredHead, backup: { createdAt } };
        appendEntry(tx, null, { action: 'vault.restored', subject: deps.vaultId, details });
      });
    },
    require: async (actor, permission, subject) => {
      // Who somebody is was settled at sign-in; what they may do is what is stored now.
      const stored = store.read.operator(actor.operatorId);
      const active = stored !== null && isActive(stored);
      if (active && isPermitted(stored.roles, permission)) return;
      const roles = active ? stored.roles : [];
      await commit(
        actor,
        { action: 'refused', subject, details: { permission, roles: [...roles], active } },
        () => undefined,
      );
      if (!active) throw notActive(actor);
      throw new SallyportError(
        'refused.role',
        `${actor.name} may not do this: it needs the permission ${permission}.`,
        {
          hint: 'Nothing was changed; the attempt is in the audit log. Ask an operator who has the role.',
          facts: { permission, operator: actor.name },
        },
      );
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function notActive(actor: Actor): SallyportError {
  return new SallyportError('refused.role', `${actor.name} is disabled and may not act.`, {
    hint: 'Nothing was changed. An administrator can enable the operator again.',
    facts: { operator: actor.name },
  });
}

/** What a disabled operator's session still writes: its own end, and that it was refused. */
const CLOSING: readonly AuditAction[] = ['session.signed-out', 'refused'];

function tampered(detail: string): SallyportError {
  return new SallyportError('integrity.audit', `The audit log was tampered with: ${detail}.`, {
    hint: 'Nothing was changed, and nothing can be while this is so. Run `sallyport audit verify`; restore the vault from a backup.',
  });
}

function parseHead(text: string): AuditHead | null {
  try {
    return auditHeadSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The restore a row tells of; null for any other row, and for one that is no entry. */
function restoreIn(canonical: string, hash: HashFunction): Restore | null {
  try {
    return restoreOf(parseLine(canonical, hash));
  } catch {
    return null;
  }
}
