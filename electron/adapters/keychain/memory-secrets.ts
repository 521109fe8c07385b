import { checkSecret, checkSecretName, type SecretStore } from '../../ports/secrets.ts';

/** Secrets that live as long as the process: for tests. */
export class MemorySecrets implements SecretStore {
  readonly kind = 'memory';
  readonly #values = new Map<string, string>();

  async get(name: string): Promise<string | null> {
    checkSecretName(name);
    return this.#values.get(name) ?? null;
  }

  async set(name: string, value: string): Promise<void> {
    checkSecret(name, value);
    this.#values.set(name, value);
  }

  async delete(name: string): Promise<void> {
    checkSecretName(name);
    this.#values.delete(name);
  }

  async close(): Promise<void> {}
}
