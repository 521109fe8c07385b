import { SallyportError } from '../../../shared/domain/errors.ts';
import { type Actor, isActive, type Operator } from '../../../shared/domain/operator/operator.ts';

/** Who is signed in at this window or command. One per process; nothing but a successful sign-in fills it. */
export interface CurrentSession {
  /** Null where nobody is signed in, and where the operator was disabled or changed since. */
  actor(): Actor | null;
  /** The actor, or `locked` where there is none. */
  require(): Actor;
  set(actor: Actor | null): void;
  /** Goes on after a change that the operator made here: their own passphrase. */
  renew(): void;
}

/** `stored` reads an operator as the vault has it now; null while no vault is open. */
export function createCurrentSession(stored: (operatorId: string) => Operator | null): CurrentSession {
  let current: { readonly actor: Actor; readonly stamp: string } | null = null;
  /** Everything about an operator that a session rests on. */
  const stampOf = (actor: Actor): string => JSON.stringify(stored(actor.operatorId));

  function alive(): Actor | null {
    if (current === null) return null;
    const operator = stored(current.actor.operatorId);
    if (operator !== null && isActive(operator) && stampOf(current.actor) === current.stamp)
      return current.actor;
    current = null;
    return null;
  }

  return {
    actor: alive,
    require: () => {
      const had = current !== null;
      const actor = alive();
      if (actor) return actor;
      throw had
        ? new SallyportError(
            'locked',
            'The session has ended: the operator was changed by an administrator.',
            {
              hint: 'Nothing was changed by this call. Sign in again to go on.',
            },
          )
        : new SallyportError('locked', 'Nobody is signed in.', { hint: 'Sign in as an operator to go on.' });
    },
    set: (actor) => {
      current = actor === null ? null : { actor, stamp: stampOf(actor) };
    },
    renew: () => {
      if (current === null) return;
      const operator = stored(current.actor.operatorId);
      if (operator !== null && isActive(operator))
        current = { actor: { ...current.actor, roles: operator.roles }, stamp: stampOf(current.actor) };
    },
  };
}
