import { SallyportError } from '../../../shared/domain/errors.ts';
import type { System } from '../../ports/system.ts';
import type { VaultDirectory } from '../../ports/vault.ts';

/** How long to wait for another process, and between two tries, in milliseconds. */
const WAIT_MS = 10_000;
const TRY_EVERY_MS = 50;

export type Release = () => void;

/** Tries until it answers, or for ten seconds. */
async function patiently<T>(system: System, attempt: () => T | null): Promise<T | null> {
  for (let waited = 0; ; waited += TRY_EVERY_MS) {
    const result = attempt();
    if (result !== null || waited >= WAIT_MS) return result;
    await system.sleep(TRY_EVERY_MS);
  }
}

/** Says that this process has the vault open. `conflict` while another one gives it new keys. */
export async function bePresent(directory: VaultDirectory, system: System): Promise<Release> {
  const release = await patiently(system, () => directory.tryPresence());
  if (release !== null) return release;
  throw new SallyportError('conflict', 'Another process is giving the vault new keys.', {
    hint: 'Nothing was changed. Try again when it is done.',
  });
}

/**
 * Takes the vault for this process alone: effects and presence. Whoever calls it has given its own presence back.
 * `conflict` while somebody else has it open.
 */
export async function beAlone(
  directory: VaultDirectory,
  system: System,
  hasEffects: boolean,
): Promise<Release> {
  const taken = await patiently(system, () => {
    // Always in this order, so that two of us cannot each hold one half.
    const effects = hasEffects ? () => {} : directory.tryLock();
    if (effects === null) return null;
    const alone = directory.tryAlone();
    if (alone === null) {
      effects();
      return null;
    }
    return () => {
      alone();
      effects();
    };
  });
  if (taken !== null) return taken;
  throw new SallyportError('conflict', 'The vault is open in another process.', {
    hint: 'Nothing was changed. Close the window, and let other commands end, then try again.',
  });
}
