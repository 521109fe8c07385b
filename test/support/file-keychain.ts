import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkSecret, type SecretStore } from '../../electron/ports/secrets.ts';
import { writeFileAtomic } from '../../shared/node/files/files.ts';

/** A keychain that several test processes share and that survives their death: one plain file per secret. */
export function fileKeychain(folder: string, vaultId: string): SecretStore {
  const directory = join(folder, vaultId);
  mkdirSync(directory, { recursive: true });
  const fileOf = (name: string): string => join(directory, Buffer.from(name).toString('hex'));
  return {
    kind: 'keychain',
    get: async (name) => (existsSync(fileOf(name)) ? readFileSync(fileOf(name), 'utf8') : null),
    set: async (name, value) => {
      checkSecret(name, value);
      await writeFileAtomic(fileOf(name), value);
    },
    delete: async (name) => {
      rmSync(fileOf(name), { force: true });
    },
    close: async () => {},
  };
}
