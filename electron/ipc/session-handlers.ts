import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerSession(router: Router, desk: Desk): void {
  router.register('session.status', () => desk.status());
  router.register('session.signIn', ({ operator, passphrase }) => desk.signIn(operator, passphrase));
  router.register('session.signOut', () => desk.signOut());
  router.register('vault.create', (input) => desk.create(input));
  router.register('vault.unlock', ({ passphrase }) => desk.unlock(passphrase));
  router.register('vault.recover', ({ recoveryKey, keys }) => desk.recover(recoveryKey, keys));
  router.register('vault.lock', () => desk.signOut());
  router.register('jobs.cancel', ({ jobId }) => {
    desk.cancel(jobId);
    return { done: true };
  });
}
