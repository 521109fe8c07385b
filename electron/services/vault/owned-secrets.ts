/** Credentials that belong to a row: an operator's key, an endpoint's token. None stays behind without its row. */
import { z } from 'zod';
import type { SecretStore } from '../../ports/secrets.ts';
import type { SettingsReader, SettingsWriter, Store, StoreReader } from '../../ports/stores.ts';

/** Names that were written or left while no row owned them. A keychain cannot be asked what it holds. */
const UNOWNED = 'secrets.unowned';

/** Whether a row owns the secret of this name; null for the vault's own secrets. */
function isOwned(read: StoreReader, name: string): boolean | null {
  const [kind = '', id = ''] = name.split('/');
  if (kind === 'operator-key') return read.operator(id) !== null;
  if (kind === 'endpoint-token') return read.endpoint(id) !== null;
  return null;
}

function noted(read: SettingsReader): string[] {
  return z.array(z.string()).parse(JSON.parse(read.setting(UNOWNED) ?? '[]'));
}

/** Remembers a secret that is without its row from this transaction on, until the sweep has looked at it. */
export function noteUnowned(tx: SettingsWriter, name: string): void {
  const names = noted(tx);
  if (!names.includes(name)) tx.setSetting(UNOWNED, JSON.stringify([...names, name]));
}

/**
 * A secret comes before the row that it belongs to. Its name is kept first, so that it is found and removed where the
 * process ends before the row is there.
 */
export function ownedSecrets(inner: SecretStore, store: Store): SecretStore {
  return {
    kind: inner.kind,
    get: (name) => inner.get(name),
    set: async (name, value) => {
      if (isOwned(store.read, name) === false) store.transaction((tx) => noteUnowned(tx, name));
      await inner.set(name, value);
    },
    delete: (name) => inner.delete(name),
    close: () => inner.close(),
  };
}

/** Noted secrets that still have no row: a living process may be about to commit theirs. */
export function unownedSecrets(read: StoreReader): string[] {
  return noted(read).filter((name) => isOwned(read, name) === false);
}

/** Removes those of `candidates` that still have no row, and forgets the names that have been dealt with. */
export async function sweepSecrets(
  { store, secrets }: { readonly store: Store; readonly secrets: SecretStore },
  candidates: readonly string[],
): Promise<number> {
  const unowned = new Set(unownedSecrets(store.read));
  const gone = candidates.filter((name) => unowned.has(name));
  for (const name of gone) await secrets.delete(name);
  if (noted(store.read).length > 0) {
    store.transaction((tx) => {
      const rest = noted(tx).filter((name) => !gone.includes(name) && isOwned(tx, name) === false);
      tx.setSetting(UNOWNED, JSON.stringify(rest));
    });
  }
  return gone.length;
}
