/** Environments: where releases go, and the policy each of them asks for. */
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import {
  type Environment,
  environmentSchema,
  type Policy,
  policySchema,
} from '../../../shared/domain/policy/policy.ts';
import type { System } from '../../ports/system.ts';
import { parseInput } from '../input.ts';
import type { Ledger } from '../ledger.ts';

export interface EnvironmentsDeps {
  readonly ledger: Ledger;
  readonly system: System;
}

export interface EnvironmentsService {
  list(actor: Actor): Environment[];
  add(actor: Actor, input: { readonly name: string; readonly policy: Policy }): Promise<Environment>;
  /** Replaces the policy. Requests that were submitted keep the one they froze. */
  setPolicy(actor: Actor, input: { readonly id: string; readonly policy: Policy }): Promise<Environment>;
}

const addSchema = z.object({ name: environmentSchema.shape.name, policy: policySchema });
const setPolicySchema = z.object({ id: z.string(), policy: policySchema });

export function createEnvironmentsService(deps: EnvironmentsDeps): EnvironmentsService {
  const { ledger, system } = deps;
  return {
    list: () => ledger.read.environments(),
    add: async (actor, input) => {
      await ledger.require(actor, 'environment.manage', input.name);
      const { name, policy } = parseInput(addSchema, input);
      // 128 random bits: what is signed for this site's "production" fits no other site's.
      const id = `${name}-${Buffer.from(system.randomBytes(16)).toString('hex')}`;
      const environment: Environment = { id, name, policy, createdAt: system.now().toISOString() };
      await ledger.commit(
        actor,
        { action: 'environment.added', subject: name, details: { id, policy: asJson(policy) } },
        (tx) => {
          if (tx.environmentByName(name)) {
            throw new SallyportError('conflict', `There is an environment named ${name} already.`, {
              hint: 'Nothing was changed. Choose another name, or set the policy of the one that is there.',
              facts: { name },
            });
          }
          tx.insertEnvironment(environment);
        },
      );
      return environment;
    },
    setPolicy: async (actor, input) => {
      const { id, policy } = parseInput(setPolicySchema, input);
      const known = ledger.read.environment(id);
      if (!known)
        throw new SallyportError('not-found', 'There is no such environment.', {
          hint: 'Nothing was changed.',
          facts: { id },
        });
      await ledger.require(actor, 'environment.manage', known.name);
      await ledger.commit(
        actor,
        (before: Policy) => ({
          action: 'environment.policy-changed',
          subject: known.name,
          details: { id, before: asJson(before), after: asJson(policy) },
        }),
        (tx) => {
          const before = tx.environment(id)?.policy ?? known.policy;
          tx.setPolicy(id, policy);
          return before;
        },
      );
      return { ...known, policy };
    },
  };
}

type Json = string | number | boolean | null | { readonly [key: string]: Json } | readonly Json[];

/** A policy as JSON data: keys that are absent stay absent, because canonical JSON has no `undefined`. */
function asJson(policy: Policy): Json {
  return JSON.parse(JSON.stringify(policy)) as Json;
}
