/** age headers, by the age-encryption library: who can open a file, and the file key for those who can. */
import {
  Decrypter,
  Encrypter,
  generateX25519Identity,
  type Identity,
  identityToRecipient,
  type Recipient,
  Stanza,
} from 'age-encryption';
import { SallyportError } from '../../domain/errors.ts';
import { PAYLOAD_NONCE_BYTES, TAG_BYTES, tampered } from './stream.ts';

export interface AgeIdentity {
  /** Private: `AGE-SECRET-KEY-1…`. */
  readonly identity: string;
  /** Public: `age1…`. */
  readonly recipient: string;
}

/** A fresh X25519 key pair in age's own spelling. */
export async function generateIdentity(): Promise<AgeIdentity> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The public half of an identity. `auth.failed` for text that is not an `AGE-SECRET-KEY-1…`. */
export async function recipientOf(identity: string): Promise<string> {
  checkIdentity(identity);
  try {
    return await identityToRecipient(identity);
  } catch {
    throw notAnIdentity();
  }
}

function notAnIdentity(): SallyportError {
  // No cause: a library's message could quote the secret.
  return new SallyportError('auth.failed', 'This is not an age secret key.', {
    hint: 'It reads AGE-SECRET-KEY-1… in capital letters, 74 characters, as it was shown at creation.',
  });
}

function checkIdentity(identity: string): void {
  if (!/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/.test(identity)) throw notAnIdentity();
}

/** Throws `input.invalid` for anything but an X25519 recipient, `age1…`. */
export function checkRecipient(recipient: string): void {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(recipient)) {
    throw new SallyportError('input.invalid', 'This is not an age recipient.', {
      hint: 'It reads age1… in small letters, 62 characters.',
    });
  }
}

/** A new file's header and the random key its payload is encrypted with. */
export interface AgeHeader {
  readonly bytes: Uint8Array;
  readonly fileKey: Uint8Array;
}

/**
 * Makes a header for these recipients. The library encrypts an empty body; a recipient of ours that wraps nothing
 * sees the file key go by, and the body is cut off.
 */
export async function makeHeader(recipients: readonly (string | Recipient)[]): Promise<AgeHeader> {
  if (recipients.length === 0)
    throw new SallyportError('usage', 'A file that nobody can open was not written.', {
      hint: 'Give at least one recipient.',
    });
  const encrypter = new Encrypter();
  let seen: Uint8Array | null = null;
  for (const recipient of recipients) {
    if (typeof recipient === 'string') checkRecipient(recipient);
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new SallyportError('input.invalid', 'This is not an age recipient.', {
        hint: 'Its checksum does not match: a letter is wrong.',
        cause,
      });
    }
  }
  encrypter.addRecipient({
    wrapFileKey: (fileKey) => {
      seen = Uint8Array.from(fileKey);
      return [];
    },
  });
  const file = await encrypter.encrypt(new Uint8Array(0));
  if (!seen) throw new SallyportError('unexpected', 'The age library made a header without a file key.');
  return { bytes: file.subarray(0, file.length - PAYLOAD_NONCE_BYTES - TAG_BYTES), fileKey: seen };
}

/** Headers above this are refused: a few recipients need some hundred bytes. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** Length of the header at the start of `bytes`, its last line included, or null where it does not end in them. */
export function headerLength(bytes: Uint8Array): number | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Stanza lines begin with "->" or Base64, so this is the MAC line and nothing else.
  const mac = view.indexOf('\n--- ');
  if (mac < 0) return null;
  const end = view.indexOf('\n', mac + 1);
  return end < 0 ? null : end + 1;
}

/**
 * The file key of a header, for whoever holds one of the identities. Errors: `auth.failed` where none of them fits,
 * `integrity.artifact` where the header is malformed or its MAC does not verify.
 */
export async function openHeader(
  identity: string | readonly string[] | Identity,
  headerBytes: Uint8Array,
): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const each of Array.isArray(identity) ? identity : [identity]) {
    if (typeof each === 'string') {
      checkIdentity(each);
      try {
        decrypter.addIdentity(each);
      } catch {
        throw notAnIdentity();
      }
    } else {
      decrypter.addIdentity(each);
    }
  }
  try {
    return await decrypter.decryptHeader(headerBytes);
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    if (cause instanceof Error && cause.message.startsWith('no identity matched')) {
      throw new SallyportError('auth.failed', 'The file is encrypted, but not to this key.', {
        hint: 'It belongs to another vault, or to another key of this one. Nothing was changed.',
        cause,
      });
    }
    throw tampered('its header does not verify', cause);
  }
}

export type { Identity, Recipient };
export { Stanza };
