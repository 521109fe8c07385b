import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { Activity, lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react';
import type { SessionView } from '../../shared/domain/view/views.ts';
import { useCall } from '../api/queries.ts';
import { LeaveContext, SessionContext, type SignedIn } from '../api/session.ts';
import { Problem } from '../ui/problem.tsx';
import { forgetPassphrases, holdAnswers } from './away.ts';
import { Shell } from './shell.tsx';

const Entrance = lazy(async () => ({ default: (await import('../features/gate/entrance.tsx')).Entrance }));

function isSignedIn(session: SessionView): session is SignedIn {
  return session.vault === 'open' && session.operator !== null;
}

/**
 * The outer door: the shell for a signed-in operator, the entrance for everybody else. Who is signed out by idleness
 * or by the system going to sleep finds the page again as it was: it waits hidden behind the sign-in form, and is
 * dropped as soon as anybody else signs in. Who leaves by hand leaves nothing.
 */
export function Gate(): ReactNode {
  const query = useCall('session.status', {});
  const client = useQueryClient();
  // A new vault's recovery key stays on the screen until it is confirmed, though the vault is open already.
  const [held, setHeld] = useState(false);
  const [last, setLast] = useState<SignedIn | null>(null);
  const [left, setLeft] = useState<SignedIn | null>(null);
  const session = query.data;
  const present = !held && session !== undefined && isSignedIn(session) ? session : null;
  if (present !== null && present !== last) setLast(present);
  const page = present ?? (last === left ? null : last);
  const waits = present === null && page !== null;

  useEffect(() => {
    if (!waits) return;
    // They name models and people, and the next to sit here may be somebody else.
    notifications.clean();
    for (const hidden of document.querySelectorAll('[data-page], [data-portal]')) forgetPassphrases(hidden);
    return holdAnswers(client);
  }, [waits, client]);
  const leave = useCallback(() => setLeft(last), [last]);

  // A shell that is open stays open: what it does is refused by itself if it has to be.
  if (query.isError && present === null) {
    return (
      <div style={{ padding: 32, maxWidth: 720, margin: '0 auto' }}>
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (session === undefined) return null;
  return (
    <>
      {page === null ? null : (
        <Activity key={`${page.vaultId} ${page.operator.name}`} mode={waits ? 'hidden' : 'visible'}>
          <SessionContext value={page}>
            <LeaveContext value={leave}>
              <Shell session={page} />
            </LeaveContext>
          </SessionContext>
        </Activity>
      )}
      {present === null ? (
        <Suspense fallback={null}>
          <Entrance session={session} onHold={setHeld} waiting={waits ? page.operator.name : null} />
        </Suspense>
      ) : null}
    </>
  );
}
