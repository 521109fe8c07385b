/** Signing in, and signing with an operator's key: both open the operator's own key file with the passphrase. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import { backOffMs } from '../../../shared/domain/operator/back-off.ts';
import type { Actor, Operator } from '../../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools } from '../../ports/vault.ts';
import type { Ledger } from '../ledger.ts';
import { operatorKeySecret } from '../operators/make-operator.ts';

export interface SessionDeps {
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  readonly keys: KeyTools;
  readonly system: System;
}

export interface SessionService {
  /** Who an operator is, once their passphrase opened their key file. `auth.failed` otherwise, audited. */
  signIn(input: { readonly operator: string; readonly passphrase: string }): Promise<Actor>;
  signOut(actor: Actor): Promise<void>;
  /** Unlocks an operator's private key for the time of one call. `auth.failed` (audited, with the same back-off), `not-found`. */
  signWithOperatorKey<T>(
    operatorId: string,
    passphrase: string,
    use: (privateKeyPem: string) => T | Promise<T>,
  ): Promise<T>;
  /** Sign-in names, for the list on the sign-in screen. */
  operatorNames(): string[];
}

export function createSessionService(deps: SessionDeps): SessionService {
  const { ledger, secrets, keys, system } = deps;
  /** One attempt after the other: guesses side by side would all pass the back-off's check. */
  let attempts: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = attempts.then(work, work);
    attempts = turn.catch(() => {});
    return turn;
  }

  async function refuse(operator: Operator, reason: string): Promise<void> {
    const failures = ledger.read.signInFailures(operator.id).count + 1;
    await ledger.commit(
      null,
      { action: 'session.refused', subject: operator.name, details: { reason, failures } },
      (tx) => {
        tx.setSignInFailures(
          operator.id,
          tx.signInFailures(operator.id).count + 1,
          system.now().toISOString(),
        );
      },
    );
  }

  /** Opens the key file, or refuses: too early after wrong passphrases, or a wrong one. */
  async function unlock(operator: Operator, passphrase: string): Promise<string> {
    const { count, lastAt } = ledger.read.signInFailures(operator.id);
    const waitMs = backOffMs(count, lastAt, system.now());
    if (waitMs > 0) {
      throw new SallyportError('auth.failed', `Too many wrong passphrases for ${operator.name}.`, {
        hint: `Try again in ${Math.ceil(waitMs / 1000)} s. This attempt was not checked.`,
        facts: { operator: operator.name, retryAfterMs: waitMs },
      });
    }
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
    try {
      return new TextDecoder().decode(
        await keys.decryptWithPassphrase(passphrase, Buffer.from(file, 'base64')),
      );
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'auth.failed') throw error;
      await refuse(operator, 'wrong passphrase');
      throw new SallyportError('auth.failed', `This is not the passphrase of ${operator.name}.`, {
        hint: 'The attempt is in the audit log. Try again.',
        facts: { operator: operator.name },
      });
    }
  }

  return {
    signIn: ({ operator: name, passphrase }) =>
      inTurn(async () => {
        const operator = ledger.read.operatorByName(name);
        if (!operator) {
          // The text is not recorded: a passphrase typed into the wrong field would stay in the log.
          await ledger.commit(
            null,
            {
              action: 'session.refused',
              subject: 'unknown operator',
              details: { reason: 'no operator of that name' },
            },
            () => undefined,
          );
          throw new SallyportError(
            'auth.failed',
            'There is no operator of that name, or the passphrase is wrong.',
            {
              hint: 'The attempt is in the audit log. Try again.',
            },
          );
        }
        await unlock(operator, passphrase);
        const actor: Actor = {
          operatorId: operator.id,
          name: operator.name,
          person: operator.person,
          roles: operator.roles,
        };
        await ledger.commit(
          actor,
          { action: 'session.signed-in', subject: operator.name, details: {} },
          (tx) => tx.setSignInFailures(operator.id, 0, null),
        );
        return actor;
      }),
    signOut: (actor) =>
      ledger.commit(
        actor,
        { action: 'session.signed-out', subject: actor.name, details: {} },
        () => undefined,
      ),
    signWithOperatorKey: async (operatorId, passphrase, use) => {
      const privateKeyPem = await inTurn(() => {
        const operator = ledger.read.operator(operatorId);
        if (!operator)
          throw new SallyportError('not-found', 'There is no such operator.', { facts: { operatorId } });
        return unlock(operator, passphrase);
      });
      if (ledger.read.signInFailures(operatorId).count > 0) {
        const name = ledger.read.operator(operatorId)?.name ?? operatorId;
        await ledger.commit(
          null,
          { action: 'session.signed-in', subject: name, details: { for: 'signature' } },
          (tx) => tx.setSignInFailures(operatorId, 0, null),
        );
      }
      return use(privateKeyPem);
    },
    operatorNames: () => ledger.read.operators().map((operator) => operator.name),
  };
}
