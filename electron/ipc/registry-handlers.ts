import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerRegistry(router: Router, desk: Desk): void {
  const models = () => desk.services().models;
  router.register('overview.get', () => desk.services().overview.get(desk.actor()));
  router.register('models.list', (input) => models().list(desk.actor(), input));
  router.register('models.get', (input) => models().get(desk.actor(), input));
  router.register('models.inspectFile', (input) => models().inspectFile(desk.actor(), input));
  router.register('models.add', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => models().add(desk.actor(), input, job)),
  );
  router.register('models.setMapping', (input) => models().setMapping(desk.actor(), input));
  router.register('models.alias', (input) => models().alias(desk.actor(), input));
  router.register('models.archive', (input) => models().archive(desk.actor(), input));
  router.register('models.revoke', (input) => models().revoke(desk.actor(), input));
  router.register('models.verify', ({ jobId, ref }) =>
    desk.job(jobId, (job) => models().verify(desk.actor(), { ref }, job)),
  );
  router.register('models.export', (input) => models().export(desk.actor(), input));
  router.register('models.describe', (input) => models().describe(desk.actor(), input));
  router.register('models.unalias', (input) => models().unalias(desk.actor(), input));
  router.register('models.diff', (input) => models().diff(desk.actor(), input));
  router.register('models.collect', ({ jobId, dryRun }) =>
    desk.job(jobId, (job) => models().collect(desk.actor(), { dryRun }, job)),
  );
}
