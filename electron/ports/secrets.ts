import { SallyportError } from '../../shared/domain/errors.ts';

/**
 * Small secrets under plain names: vault keys, endpoint tokens, approvers' key files. One vault's names never meet
 * another's. Errors: `keychain.missing`, `keychain.locked`, `keychain.cancelled`, `integrity.vault`, `usage`.
 */
export interface SecretStore {
  readonly kind: 'keychain' | 'file' | 'memory';
  /** The secret, or null where there is none by that name. */
  get(name: string): Promise<string | null>;
  /** Durable once it resolves. Replaces an earlier value. */
  set(name: string, value: string): Promise<void>;
  /** Deleting what is not there is not an error. */
  delete(name: string): Promise<void>;
  /** Gives back what the store holds open (a worker process). */
  close(): Promise<void>;
}

/**
 * Largest secret in UTF-8 bytes. Windows keeps at most 2,560 bytes in a credential; one bound for every store, so
 * that what one accepts a restore into another accepts too.
 */
export const MAX_SECRET_BYTES = 2500;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,159}$/;

/** Throws `usage` for a name that is not letters, digits and `._@:/-`, at most 160 characters. */
export function checkSecretName(name: string): void {
  if (!NAME.test(name))
    throw new SallyportError('usage', 'This is not a name a secret can be kept under.', { facts: { name } });
}

/** Throws `usage` for an empty value, one with a NUL character (keychains hold C strings) or one above the bound. */
export function checkSecret(name: string, value: string): void {
  checkSecretName(name);
  const size = utf8Length(value);
  if (size === 0 || value.includes('\0') || !value.isWellFormed()) {
    throw new SallyportError('usage', `The value for ${name} is empty or not text, and was not stored.`, {
      hint: 'Secrets are text without NUL characters; binary ones are kept in Base64.',
      facts: { name },
    });
  }
  if (size > MAX_SECRET_BYTES) {
    throw new SallyportError(
      'usage',
      `The value for ${name} is too large for a keychain and was not stored.`,
      {
        hint: `At most ${MAX_SECRET_BYTES} bytes fit into one secret; the earlier value, if any, is unchanged.`,
        facts: { name, bytes: size, limit: MAX_SECRET_BYTES },
      },
    );
  }
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
