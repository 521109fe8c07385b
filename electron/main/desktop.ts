import type { Router } from '../ipc/router.ts';
import type { DesktopArguments } from './arguments.ts';
import type { Draining } from './lifecycle.ts';

export interface DesktopOptions extends DesktopArguments {
  readonly router: Router;
}

/** Composes the services behind the window. Loaded late: the window must not wait for native modules. */
export async function startDesktop(_options: DesktopOptions): Promise<Draining> {
  return { lock: async () => undefined, close: async () => undefined };
}
