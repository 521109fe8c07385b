/** Signing in, and signing with an operator's key: both open the operator's own key file with the passphrase. */
import { isDiskRefusal, SallyportError } from '../../../shared/domain/errors.ts';
import { type Attempts, judgeAttempt } from '../../../shared/domain/operator/back-off.ts';
import { type Actor, isActive, type Operator } from '../../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { Store } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools } from '../../ports/vault.ts';
import type { Ledger } from '../ledger.ts';
import { operatorKeySecret } from '../operators/make-operator.ts';
import { judgedAttempts } from './judged-attempts.ts';

/** How long other processes' attempts are waited for, and between two tries, in milliseconds. */
const OTHERS_MS = 10_000;
const TRY_EVERY_MS = 100;

export interface SessionDeps {
  readonly ledger: Ledger;
  /** For counting attempts: an attempt that is still being judged is no entry yet. */
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly keys: KeyTools;
  readonly system: System;
}

export interface SessionService {
  /** Who an operator is, once their passphrase opened their key file. `auth.failed` otherwise, audited. */
  signIn(input: { readonly operator: string; readonly passphrase: string }): Promise<Actor>;
  /** `reason`: why, where the operator did not do it. */
  signOut(actor: Actor, reason?: 'idle'): Promise<void>;
  /** Unlocks an operator's private key for the time of one call. `auth.failed` (audited, with the same back-off), `not-found`. */
  signWithOperatorKey<T>(
    operatorId: string,
    passphrase: string,
    use: (privateKeyPem: string) => T | Promise<T>,
  ): Promise<T>;
  /** Sign-in names of those in use, for the list on the sign-in screen. */
  operatorNames(): string[];
}

export function createSessionService(deps: SessionDeps): SessionService {
  const { ledger, secrets, keys, system } = deps;
  /** One attempt after the other: guesses side by side would all pass the back-off's check. */
  let attempts: Promise<unknown> = Promise.resolve();
  /** Attempts on a vault whose disk takes nothing, by operator. */
  const unstored = new Map<string, Attempts>();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = attempts.then(work, work);
    attempts = turn.catch(() => {});
    return turn;
  }

  async function refuse(operator: Operator, reason: string, failures: number): Promise<void> {
    await ledger.note(
      null,
      { action: 'session.refused', subject: operator.name, details: { reason, failures } },
      (tx) => {
        // Counted already, unless the right passphrase was given elsewhere meanwhile, or the disk took nothing.
        if (tx.signInFailures(operator.id).count === 0)
          tx.setSignInFailures(operator.id, 1, system.now().toISOString());
      },
    );
  }

  /**
   * Counts the attempt before it is judged, in one transaction with the back-off's check: processes that guess side by
   * side get one guess between them, and one that is killed while it guesses has still spent it. Answers what was
   * there before, and how long it is too early by.
   */
  function spendAttempt(operator: Operator): { readonly before: Attempts; readonly waitMs: number } {
    const now = system.now();
    const judged = (stored: Attempts) => {
      // What a full disk did not take is counted here.
      const held = unstored.get(operator.id);
      const before = held && held.count > stored.count ? held : stored;
      return { before, verdict: judgeAttempt(before, now) };
    };
    let { before, verdict } = judged(ledger.read.signInFailures(operator.id));
    try {
      deps.store.transaction((tx) => {
        ({ before, verdict } = judged(tx.signInFailures(operator.id)));
        if (verdict.next) tx.setSignInFailures(operator.id, verdict.next.count, verdict.next.lastAt);
      });
      unstored.delete(operator.id);
    } catch (error) {
      if (!isDiskRefusal(error)) throw error;
      if (verdict.next) unstored.set(operator.id, verdict.next);
    }
    return { before, waitMs: verdict.waitMs };
  }

  /**
   * The same, but attempts of other processes that are not judged yet are waited for: the right passphrase given to
   * several commands at once is no guessing.
   */
  async function spendInTurn(operator: Operator): Promise<ReturnType<typeof spendAttempt>> {
    for (let waited = 0; ; waited += TRY_EVERY_MS) {
      const spent = spendAttempt(operator);
      // What the disk did not take is this process's own.
      if (spent.waitMs === 0 || waited >= OTHERS_MS || unstored.has(operator.id)) return spent;
      if (spent.before.count <= judgedAttempts(ledger.read, operator.name)) return spent;
      await system.sleep(TRY_EVERY_MS);
    }
  }

  /** Opens the key file, or refuses: too early after wrong passphrases, a wrong one, or an operator out of use. */
  async function unlock(
    operator: Operator,
    passphrase: string,
  ): Promise<{ readonly privateKeyPem: string; readonly before: Attempts }> {
    const file = await secrets.get(operatorKeySecret(operator.id));
    if (file === null) {
      throw new SallyportError(
        'keychain.missing',
        `The key of ${operator.name} is missing among the vault's secrets.`,
        {
          hint: 'Nothing was changed. Run `sallyport recover` with the recovery key to put it back.',
          facts: { operator: operator.name },
        },
      );
    }
    const { before, waitMs } = await spendInTurn(operator);
    if (waitMs > 0) {
      await ledger.note(null, {
        action: 'session.refused',
        subject: operator.name,
        details: { reason: 'too early', failures: before.count },
      });
      throw new SallyportError('auth.failed', `Too many wrong passphrases for ${operator.name}.`, {
        hint: `Try again in ${Math.ceil(waitMs / 1000)} s. This attempt was not checked.`,
        facts: { operator: operator.name, retryAfterMs: waitMs },
      });
    }
    let privateKeyPem: string;
    try {
      privateKeyPem = new TextDecoder().decode(
        await keys.decryptWithPassphrase(passphrase, Buffer.from(file, 'base64')),
      );
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'auth.failed') throw error;
      await refuse(operator, 'wrong passphrase', before.count + 1);
      throw new SallyportError('auth.failed', `This is not the passphrase of ${operator.name}.`, {
        hint: 'The attempt is in the audit log. Try again.',
        facts: { operator: operator.name },
      });
    }
    // Told only to who knows the passphrase: to everybody else a disabled operator looks like any other.
    if (!isActive(ledger.read.operator(operator.id) ?? operator)) {
      await refuse(operator, 'disabled', before.count + 1);
      throw new SallyportError('auth.failed', `${operator.name} is disabled.`, {
        hint: 'The attempt is in the audit log. An administrator can enable the operator again.',
        facts: { operator: operator.name },
      });
    }
    return { privateKeyPem, before };
  }

  return {
    signIn: ({ operator: name, passphrase }) =>
      inTurn(async () => {
        const operator = ledger.read.operatorByName(name);
        if (!operator) {
          // The text is not recorded: a passphrase typed into the wrong field would stay in the log.
          await ledger.note(null, {
            action: 'session.refused',
            subject: 'unknown operator',
            details: { reason: 'no operator of that name' },
          });
          throw new SallyportError(
            'auth.failed',
            'There is no operator of that name, or the passphrase is wrong.',
            {
              hint: 'The attempt is in the audit log. Try again.',
            },
          );
        }
        await unlock(operator, passphrase);
        unstored.delete(operator.id);
        const actor: Actor = {
          operatorId: operator.id,
          name: operator.name,
          person: operator.person,
          roles: operator.roles,
        };
        // Who only reads is not kept out by a full or read-only disk.
        await ledger.note(actor, { action: 'session.signed-in', subject: operator.name, details: {} }, (tx) =>
          tx.setSignInFailures(operator.id, 0, null),
        );
        return actor;
      }),
    signOut: (actor, reason) =>
      ledger.note(actor, {
        action: 'session.signed-out',
        subject: actor.name,
        details: reason === undefined ? {} : { reason },
      }),
    signWithOperatorKey: async (operatorId, passphrase, use) => {
      const { privateKeyPem, before } = await inTurn(() => {
        const operator = ledger.read.operator(operatorId);
        if (!operator)
          throw new SallyportError('not-found', 'There is no such operator.', { facts: { operatorId } });
        return unlock(operator, passphrase);
      });
      unstored.delete(operatorId);
      if (before.count > 0) {
        const name = ledger.read.operator(operatorId)?.name ?? operatorId;
        await ledger.note(
          null,
          { action: 'session.signed-in', subject: name, details: { for: 'signature' } },
          (tx) => tx.setSignInFailures(operatorId, 0, null),
        );
      } else if (ledger.unwritable() === null) {
        deps.store.transaction((tx) => tx.setSignInFailures(operatorId, 0, null));
      }
      return use(privateKeyPem);
    },
    operatorNames: () =>
      ledger.read
        .operators()
        .filter(isActive)
        .map((operator) => operator.name),
  };
}
