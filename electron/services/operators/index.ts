/** Operators: the people who may act, each with a key of their own. */

import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type Actor,
  changeRefusal,
  isActive,
  type Operator,
  type Role,
  roleSchema,
} from '../../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools } from '../../ports/vault.ts';
import { parseInput } from '../input.ts';
import type { AuditDraft, Ledger } from '../ledger.ts';
import {
  checkPassphrase,
  makeOperator,
  type NewOperator,
  operatorKeySecret,
  sealKey,
} from './make-operator.ts';

export interface OperatorsDeps {
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  readonly keys: KeyTools;
  readonly system: System;
  /** Lends an operator's private key for one call, by their passphrase; wrong ones count as failed sign-ins. */
  readonly withOperatorKey: <T>(
    operatorId: string,
    passphrase: string,
    use: (privateKeyPem: string) => T | Promise<T>,
  ) => Promise<T>;
}

export interface OperatorsService {
  list(actor: Actor): Operator[];
  /** Adds an operator with a fresh signing key under the given passphrase. `conflict` for a name that is taken. */
  add(actor: Actor, input: NewOperator): Promise<Operator>;
  /** Counts from the next call of that operator on; their sessions end. `refused.state` for the last active administrator. */
  setRoles(actor: Actor, input: { readonly id: string; readonly roles: readonly Role[] }): Promise<Operator>;
  /**
   * Takes an operator out of use, or back into it. Record and key stay, so that what they signed can be verified;
   * approvals they gave before go on to count. `refused.state` for the last active administrator.
   */
  setDisabled(actor: Actor, input: { readonly id: string; readonly disabled: boolean }): Promise<Operator>;
  /** One's own passphrase. The key stays the same: who has an old copy of its file and the old passphrase still has it. */
  changePassphrase(
    actor: Actor,
    input: { readonly passphrase: string; readonly newPassphrase: string },
  ): Promise<Operator>;
}

const rolesSchema = z.array(roleSchema).min(1);

export function createOperatorsService(deps: OperatorsDeps): OperatorsService {
  const { ledger, secrets, system } = deps;

  function find(id: string): Operator {
    const operator = ledger.read.operator(id);
    if (operator) return operator;
    throw new SallyportError('not-found', 'There is no such operator.', {
      hint: 'Nothing was changed. List them with: sallyport operator list',
    });
  }

  /** Stores what `edit` makes of the operator as it is inside the transaction. */
  async function change(
    actor: Actor,
    id: string,
    edit: (current: Operator) => Operator,
    draft: (before: Operator, after: Operator) => AuditDraft,
  ): Promise<Operator> {
    const { after } = await ledger.commit(
      actor,
      (done: { before: Operator; after: Operator }) => draft(done.before, done.after),
      (tx) => {
        const before = tx.operator(id) ?? find(id);
        const after = { ...edit(before), changedAt: system.now().toISOString() };
        const refusal = changeRefusal(tx.operators(), after);
        if (refusal !== null)
          throw new SallyportError('refused.state', refusal, {
            hint: 'Nothing was changed. Give another operator the role of administrator first.',
            facts: { operator: before.name },
          });
        tx.updateOperator(after);
        return { before, after };
      },
    );
    return after;
  }

  return {
    list: () => ledger.read.operators(),
    add: async (actor, input) => {
      await ledger.require(actor, 'operator.manage', input.name);
      const { operator, keyFile } = await makeOperator(deps, input);
      checkFree(ledger.read.operatorByName(operator.name));
      // The key first: an operator without one could never sign in, a key without its operator is only removed.
      await secrets.set(operatorKeySecret(operator.id), keyFile);
      try {
        const { name, person, roles, keyFingerprint } = operator;
        await ledger.commit(
          actor,
          { action: 'operator.added', subject: name, details: { person, roles, keyFingerprint } },
          (tx) => {
            checkFree(tx.operatorByName(name));
            tx.insertOperator(operator);
          },
        );
      } catch (error) {
        if (!ledger.read.operator(operator.id)) await secrets.delete(operatorKeySecret(operator.id));
        throw error;
      }
      return operator;
    },
    setRoles: async (actor, { id, roles: wanted }) => {
      const { name } = find(id);
      await ledger.require(actor, 'operator.manage', name);
      const roles = [...new Set(parseInput(rolesSchema, wanted))];
      return change(
        actor,
        id,
        (current) => ({ ...current, roles }),
        (before, after) => ({
          action: 'operator.roles-changed',
          subject: name,
          details: { before: before.roles, after: after.roles },
        }),
      );
    },
    setDisabled: async (actor, { id, disabled }) => {
      const known = find(id);
      await ledger.require(actor, 'operator.manage', known.name);
      if (isActive(known) !== disabled) return known;
      const disabledAt = disabled ? system.now().toISOString() : null;
      return change(
        actor,
        id,
        (current) => ({ ...current, disabledAt }),
        (before) => ({
          action: disabled ? 'operator.disabled' : 'operator.enabled',
          subject: before.name,
          details: { roles: before.roles },
        }),
      );
    },
    changePassphrase: async (actor, { passphrase, newPassphrase }) => {
      const { id, name, keyFingerprint } = find(actor.operatorId);
      checkPassphrase(newPassphrase, 'The passphrase stays what it was.');
      const secret = operatorKeySecret(id);
      const before = await secrets.get(secret);
      const keyFile = await deps.withOperatorKey(id, passphrase, (pem) =>
        sealKey(deps.keys, newPassphrase, pem),
      );
      await secrets.set(secret, keyFile);
      system.reached('passphrase.kept');
      try {
        return await change(
          actor,
          id,
          (current) => current,
          () => ({ action: 'operator.passphrase-changed', subject: name, details: { keyFingerprint } }),
        );
      } catch (error) {
        // Not told to anybody: the old passphrase goes on to be the one.
        if (before !== null) await secrets.set(secret, before);
        throw error;
      }
    },
  };
}

function checkFree(existing: Operator | null): void {
  if (!existing) return;
  throw new SallyportError('conflict', `There is an operator named ${existing.name} already.`, {
    hint: 'Nothing was changed. Choose another name.',
    facts: { name: existing.name },
  });
}
