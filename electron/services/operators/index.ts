/** Operators: the people who may act, each with a key of their own. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor, Operator } from '../../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools } from '../../ports/vault.ts';
import type { Ledger } from '../ledger.ts';
import { makeOperator, type NewOperator, operatorKeySecret } from './make-operator.ts';

export interface OperatorsDeps {
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  readonly keys: KeyTools;
  readonly system: System;
}

export interface OperatorsService {
  list(actor: Actor): Operator[];
  /** Adds an operator with a fresh signing key under the given passphrase. `conflict` for a name that is taken. */
  add(actor: Actor, input: NewOperator): Promise<Operator>;
}

export function createOperatorsService(deps: OperatorsDeps): OperatorsService {
  const { ledger, secrets } = deps;
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
  };
}

function checkFree(existing: Operator | null): void {
  if (!existing) return;
  throw new SallyportError('conflict', `There is an operator named ${existing.name} already.`, {
    hint: 'Nothing was changed. Choose another name.',
    facts: { name: existing.name },
  });
}
