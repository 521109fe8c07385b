import { lazy, type ReactNode, Suspense, useState } from 'react';
import type { SessionView } from '../../shared/domain/view/views.ts';
import { useCall } from '../api/queries.ts';
import { SessionContext, type SignedIn } from '../api/session.ts';
import { Problem } from '../ui/problem.tsx';
import { Shell } from './shell.tsx';

const Entrance = lazy(async () => ({ default: (await import('../features/gate/entrance.tsx')).Entrance }));

function isSignedIn(session: SessionView): session is SignedIn {
  return session.vault === 'open' && session.operator !== null;
}

/** The outer door: the shell for a signed-in operator, the entrance for everybody else. */
export function Gate(): ReactNode {
  const query = useCall('session.status', {});
  // A new vault's recovery key stays on the screen until it is confirmed, though the vault is open already.
  const [held, setHeld] = useState(false);
  if (query.isError) {
    return (
      <div style={{ padding: 32, maxWidth: 720, margin: '0 auto' }}>
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  const session = query.data;
  if (session === undefined) return null;
  if (!held && isSignedIn(session)) {
    return (
      <SessionContext value={session}>
        <Shell session={session} />
      </SessionContext>
    );
  }
  return (
    <Suspense fallback={null}>
      <Entrance session={session} onHold={setHeld} />
    </Suspense>
  );
}
