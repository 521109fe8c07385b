import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';

/** Who is signed in at this window or command. One per process; nothing but a successful sign-in fills it. */
export interface CurrentSession {
  actor(): Actor | null;
  /** The actor, or `locked` where nobody is signed in. */
  require(): Actor;
  set(actor: Actor | null): void;
}

export function createCurrentSession(): CurrentSession {
  let current: Actor | null = null;
  return {
    actor: () => current,
    require: () => {
      if (current) return current;
      throw new SallyportError('locked', 'Nobody is signed in.', {
        hint: 'Sign in as an operator to go on.',
      });
    },
    set: (actor) => {
      current = actor;
    },
  };
}
