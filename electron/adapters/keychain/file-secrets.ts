import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { decryptBytes, encryptBytes } from '../../../shared/node/age/index.ts';
import { readWholeFile, systemCode, writeFileAtomic } from '../../../shared/node/files/files.ts';
import { waitForExclusiveLock } from '../../../shared/node/sqlite/exclusive-lock.ts';
import { checkSecret, checkSecretName, type SecretStore } from '../../ports/secrets.ts';

export interface FileSecretsOptions {
  /** `secrets.age` of the vault. */
  readonly path: string;
  /** The vault's public key, `age1…`. */
  readonly recipient: () => string;
  /** The vault's private key; throws `locked` while the vault is locked. */
  readonly identity: () => string | readonly string[];
}

const contentSchema = z.object({ version: z.literal(1), secrets: z.record(z.string(), z.string()) });

/**
 * Secrets in one age file encrypted to the vault, for machines without a keychain. Rewritten whole and atomically;
 * a lock beside it keeps a command next to an open window from losing the other's change.
 */
export class FileSecrets implements SecretStore {
  readonly kind = 'file';
  readonly #options: FileSecretsOptions;
  /** Writes of this process, one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: FileSecretsOptions) {
    this.#options = options;
  }

  async get(name: string): Promise<string | null> {
    checkSecretName(name);
    return (await this.#load()).get(name) ?? null;
  }

  async set(name: string, value: string): Promise<void> {
    checkSecret(name, value);
    await this.#change((secrets) => secrets.set(name, value));
  }

  async delete(name: string): Promise<void> {
    checkSecretName(name);
    await this.#change((secrets) => secrets.delete(name));
  }

  async close(): Promise<void> {
    await this.#queue.catch(() => {});
  }

  async #load(): Promise<Map<string, string>> {
    const identity = this.#options.identity();
    let file: Buffer;
    try {
      file = await readWholeFile(this.#options.path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new Map();
      throw error instanceof SallyportError ? changed() : error;
    }
    try {
      const content = contentSchema.parse(
        JSON.parse((await decryptBytes([identity].flat(), file)).toString('utf8')),
      );
      return new Map(Object.entries(content.secrets));
    } catch {
      throw changed();
    }
  }

  #change(edit: (secrets: Map<string, string>) => void): Promise<void> {
    const done = this.#queue.then(async () => {
      const release = await lockFile(join(dirname(this.#options.path), 'secrets-lock.db'));
      try {
        const secrets = await this.#load();
        edit(secrets);
        const content = {
          version: 1,
          secrets: Object.fromEntries([...secrets].sort(([a], [b]) => (a < b ? -1 : 1))),
        };
        const plaintext = Buffer.from(JSON.stringify(content), 'utf8');
        await writeFileAtomic(this.#options.path, await encryptBytes([this.#options.recipient()], plaintext));
        plaintext.fill(0);
      } finally {
        release();
      }
    });
    this.#queue = done.catch(() => {});
    return done;
  }
}

/**
 * Takes the lock of the operating system on a file beside the secrets: it ends with its process, however that ends, so
 * there is never a left-behind one to judge. Answers how to give it back. `conflict` where another holds it too long.
 */
async function lockFile(path: string): Promise<() => void> {
  const release = await waitForExclusiveLock(path);
  if (release !== null) return release;
  throw new SallyportError('conflict', "Another process is writing the vault's secrets.", {
    hint: 'Nothing was changed. Try again when it is done.',
  });
}

/** No cause: it could quote a secret. */
function changed(): SallyportError {
  return new SallyportError(
    'integrity.vault',
    "The vault's secrets file was changed, or belongs to another vault.",
    { hint: 'It was left as it is. Restore secrets.age from a backup of this vault.' },
  );
}
