import type { Desk } from './desk.ts';
import type { Router } from './router.ts';

export function registerReleases(router: Router, desk: Desk): void {
  const requests = () => desk.services().requests;
  const endpoints = () => desk.services().endpoints;
  const rollouts = () => desk.services().rollouts;
  router.register('requests.list', () => requests().list(desk.actor()));
  router.register('requests.get', (input) => requests().get(desk.actor(), input));
  router.register('requests.submit', (input) => requests().submit(desk.actor(), input));
  router.register('requests.approve', (input) => requests().approve(desk.actor(), input));
  router.register('requests.reject', (input) => requests().reject(desk.actor(), input));
  router.register('requests.withdraw', (input) => requests().withdraw(desk.actor(), input));
  router.register('endpoints.list', () => endpoints().list(desk.actor()));
  router.register('endpoints.add', (input) => endpoints().add(desk.actor(), input));
  router.register('endpoints.check', (input) => endpoints().check(desk.actor(), input));
  router.register('endpoints.remove', async (input) => {
    await endpoints().remove(desk.actor(), input);
    return { done: true };
  });
  router.register('rollouts.list', () => rollouts().list(desk.actor()));
  router.register('rollouts.get', (input) => rollouts().get(desk.actor(), input));
  router.register('rollouts.deploy', (input) => rollouts().deploy(desk.actor(), input));
  router.register('rollouts.pause', (input) => rollouts().pause(desk.actor(), input));
  router.register('rollouts.resume', (input) => rollouts().resume(desk.actor(), input));
  router.register('rollouts.promote', (input) => rollouts().promote(desk.actor(), input));
  router.register('rollouts.abort', (input) => rollouts().abort(desk.actor(), input));
  router.register('rollouts.rollback', (input) => rollouts().rollback(desk.actor(), input));
}
