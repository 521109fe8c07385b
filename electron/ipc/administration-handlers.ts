import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerAdministration(router: Router, desk: Desk): void {
  router.register('operators.list', () => desk.services().operators.list(desk.actor()));
  router.register('operators.add', (input) => desk.services().operators.add(desk.actor(), input));
  router.register('operators.setRoles', (input) => desk.services().operators.setRoles(desk.actor(), input));
  router.register('operators.setDisabled', (input) =>
    desk.services().operators.setDisabled(desk.actor(), input),
  );
  router.register('operators.changePassphrase', async (input) => {
    const changed = await desk.services().operators.changePassphrase(desk.actor(), input);
    desk.renewSession();
    return changed;
  });
  router.register('environments.list', () => desk.services().environments.list(desk.actor()));
  router.register('environments.add', (input) => desk.services().environments.add(desk.actor(), input));
  router.register('environments.setPolicy', (input) =>
    desk.services().environments.setPolicy(desk.actor(), input),
  );
  router.register('audit.list', (input) => desk.services().audit.list(desk.actor(), input));
  router.register('audit.verify', () => desk.services().audit.verify(desk.actor()));
  router.register('audit.export', (input) => desk.services().audit.export(desk.actor(), input));
  // Needs no vault: a locked window proves a file, too.
  router.register('audit.verifyFile', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => desk.verifyAuditFile(input, job)),
  );
}
