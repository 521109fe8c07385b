import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerEvidence(router: Router, desk: Desk): void {
  const { validation, comparison, evidence, datasets } = {
    validation: () => desk.services().validation,
    comparison: () => desk.services().comparison,
    evidence: () => desk.services().evidence,
    datasets: () => desk.services().datasets,
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

  router.register('evidence.inspect', (input) => evidence().inspect(desk.actor(), input));
  router.register('evidence.rows', ({ jobId, ...query }) =>
    desk.job(jobId, (job) => evidence().rows(desk.actor(), query, job)),
  );
  router.register('evidence.labelRow', (input) => evidence().labelRow(desk.actor(), input));
  router.register('evidence.exportRows', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => evidence().exportRows(desk.actor(), input, job)),
  );
  router.register('evidence.locate', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => evidence().locate(desk.actor(), input, job)),
  );
  router.register('evidence.exportReport', (input) =>
    evidence().exportReport(desk.actor(), input, desk.printPdf),
  );
  router.register('evidence.unfinished', () => evidence().unfinished(desk.actor()));
  router.register('evidence.resume', ({ jobId, ...input }) =>
    desk.job(jobId, (job) => evidence().resume(desk.actor(), input, job)),
  );
  router.register('evidence.discard', (input) => evidence().discard(desk.actor(), input));
  router.register('datasets.list', () => datasets().list(desk.actor()));
}
