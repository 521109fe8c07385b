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
  router.register('session.active', () => {
    desk.active();
    return { done: true };
  });
  router.register('vault.about', () => {
    // For those signed in; on the command line whoever opens the vault may ask.
    desk.actor();
    return desk.services().vault.about();
  });
  router.register('vault.setSettings', (input) => desk.services().vault.setSettings(desk.actor(), input));
  router.register('vault.rekey', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => desk.services().vault.rekey(desk.actor(), input, job)),
  );
  router.register('vault.backup', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => desk.services().vault.backup(desk.actor(), input, job)),
  );
  router.register('vault.restore', ({ path, jobId }) => desk.job(jobId, (job) => desk.restore(path, job)));
  // At creation nobody has signed in yet: the recovery key is the right to it.
  router.register('vault.saveRecoveryKit', (input) =>
    desk.services().vault.saveRecoveryKit(desk.signedIn(), input),
  );
  router.register('jobs.cancel', ({ jobId }) => {
    desk.cancel(jobId);
    return { done: true };
  });
}
