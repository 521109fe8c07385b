import { app, powerMonitor } from 'electron';

/** Longest wait for services to finish what they acknowledged; what is left is replayed at the next start. */
const DRAIN_LIMIT_MS = 10_000;

export interface Draining {
  lock(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Quits once everything has drained. `services` is a promise because the window is up before they are, and it may
 * be closed again before they are.
 */
export function drainOnQuit(services: Promise<Draining>, onError: (error: unknown) => void): void {
  let drained = false;
  let draining = false;
  app.on('will-quit', (event) => {
    if (drained) return;
    event.preventDefault();
    if (draining) return;
    draining = true;
    const close = services.then((ready) => ready.close()).catch(onError);
    const limit = new Promise<void>((done) => void setTimeout(done, DRAIN_LIMIT_MS));
    void Promise.race([close, limit]).then(() => {
      drained = true;
      app.quit();
    });
  });
  app.on('window-all-closed', () => app.quit());
}

/** Signs the operator out when nobody can be sitting there any more. Jobs and leases go on. */
export function lockWhenAway(
  services: Promise<Draining>,
  onLocked: () => void,
  onError: (error: unknown) => void,
): void {
  const lock = (): void => {
    services
      .then((ready) => ready.lock())
      .then(onLocked)
      .catch(onError);
  };
  powerMonitor.on('suspend', lock);
  powerMonitor.on('lock-screen', lock);
}
