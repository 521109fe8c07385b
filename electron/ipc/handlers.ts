import { registerAdministration } from './administration-handlers.ts';
import type { Desk } from './desk.ts';
import { registerEvidence } from './evidence-handlers.ts';
import { registerRegistry } from './registry-handlers.ts';
import { registerReleases } from './release-handlers.ts';
import type { Router } from './router.ts';
import { registerSession } from './session-handlers.ts';

/** All channels but the dialogs, which belong to the window's runtime. */
export function registerHandlers(router: Router, desk: Desk): void {
  for (const register of [
    registerSession,
    registerRegistry,
    registerEvidence,
    registerAdministration,
    registerReleases,
  ])
    register(router, desk);
}
