import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext } from 'react';
import {
  isPermitted,
  PERMISSIONS,
  type Permission,
  type Role,
} from '../../shared/domain/operator/operator.ts';
import type { SessionView } from '../../shared/domain/view/views.ts';
import { queryKey } from './topics.ts';

export type SignedIn = SessionView & { readonly operator: NonNullable<SessionView['operator']> };

export const SessionContext = createContext<SignedIn | null>(null);

/** Says that the operator leaves by hand: the page they were on is not kept behind the sign-in form. */
export const LeaveContext = createContext<() => void>(() => undefined);

/** The session of the signed-in operator. Only inside the shell, which exists only when somebody is signed in. */
export function useSession(): SignedIn {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession outside the shell');
  return session;
}

/**
 * Puts a session a call has answered with into the cache and forgets everything the former operator saw; for one who
 * comes back to a waiting page it is only asked for anew.
 */
export function useAdoptSession(): (session: SessionView, back?: boolean) => void {
  const client = useQueryClient();
  return useCallback(
    (session, back = false) => {
      const others = {
        predicate: (query: { queryKey: readonly unknown[] }) => query.queryKey[0] !== 'session',
      };
      if (back) void client.invalidateQueries(others);
      else if (session.operator === null) client.removeQueries(others);
      else {
        // The news of the sign-in may have opened the shell before this answer: what it shows already is asked anew.
        client.removeQueries({ ...others, type: 'inactive' });
        void client.resetQueries({ ...others, type: 'active' });
      }
      client.setQueryData(queryKey('session.status', {}), session);
    },
    [client],
  );
}

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  analyst: 'analyst',
  'release-manager': 'release manager',
  auditor: 'auditor',
  administrator: 'administrator',
};

export function formatRoles(roles: readonly Role[]): string {
  return roles.map((role) => ROLE_NAMES[role]).join(', ');
}

/** Why these roles may not do this, as a sentence for a disabled button; null where they may. */
export function roleRefusal(roles: readonly Role[], permission: Permission): string | null {
  if (isPermitted(roles, permission)) return null;
  const needed = PERMISSIONS[permission].map((role) => ROLE_NAMES[role]).join(' or ');
  return `This takes the role ${needed}. You are signed in as ${formatRoles(roles)}.`;
}
