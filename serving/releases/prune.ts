import { serialKey } from '../../shared/domain/approval/verify-release.ts';
import type { ModelRouting } from '../../shared/domain/endpoint/routing.ts';
import type { StateFile } from '../state.ts';
import type { ReleaseStore } from './stored.ts';

/**
 * Removes stored releases of a model: of those served all but the newest few, those that never can be served, and
 * those of revoked models, whoever waits for them.
 */
export async function pruneReleases(
  parts: { readonly store: ReleaseStore; readonly state: StateFile; readonly keepReleases: number },
  routing: ModelRouting,
): Promise<void> {
  const { store, state, keepReleases } = parts;
  const { name } = routing;
  const routed = new Set([routing.stable, routing.canary, routing.previous].map((ref) => ref?.root));
  const { highestSerial, servedRoots, revokedDigests } = state.history();
  const others = state.current.served
    .filter((each) => each.name === name && !routed.has(each.root))
    .reverse();
  const doomed = new Set(others.slice(keepReleases).map((each) => each.root));
  for (const root of await store.roots()) {
    // One that cannot be read is told of where releases are looked at.
    const request = (await store.read(root).catch(() => null))?.request;
    if (!request) continue;
    if (revokedDigests.has(request.digest)) await store.remove(root);
    else if (servedRoots.has(root) || request.name !== name) continue;
    else if (request.serial <= (highestSerial[serialKey(request)] ?? 0)) doomed.add(root);
  }
  for (const root of doomed) {
    if ((await store.has(root)) && !store.isHeld(root)) await store.remove(root);
  }
}
