import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerEvidence(router: Router, desk: Desk): void {
  const { validation, comparison } = {
    validation: () => desk.services().validation,
    comparison: () => desk.services().comparison,
  };
  router.register('validation.run', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => validation().run(desk.actor(), input, job)),
  );
  router.register('validation.list', (input) => validation().list(desk.actor(), input));
  router.register('validation.get', (input) => validation().get(desk.actor(), input));
  router.register('comparison.run', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => comparison().run(desk.actor(), input, job)),
  );
  router.register('comparison.list', (input) => comparison().list(desk.actor(), input));
  router.register('comparison.get', (input) => comparison().get(desk.actor(), input));
}
