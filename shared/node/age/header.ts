/** age headers, by the age-encryption library: who can open a file, and the file key for those who can. */
import { randomBytes } from 'node:crypto';
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
import { recipientFor, wrapFor } from './recipient.ts';
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

/** A new file's header and the random key its payload is encrypted with. */
export interface AgeHeader {
  readonly bytes: Uint8Array;
  readonly fileKey: Uint8Array;
}

/** Bytes of a file key. */
const FILE_KEY_BYTES = 16;

/**
 * Makes a header for these recipients, around `fileKey` or a fresh one. The library draws the key and encrypts an empty
 * body: a recipient of ours that wraps nothing puts our key in the place of the drawn one, and the body is cut off.
 */
export async function makeHeader(
  recipients: readonly (string | Recipient)[],
  fileKey: Uint8Array = randomBytes(FILE_KEY_BYTES),
): Promise<AgeHeader> {
  if (recipients.length === 0)
    throw new SallyportError('usage', 'A file that nobody can open was not written.', {
      hint: 'Give at least one recipient.',
    });
  const encrypter = new Encrypter();
  encrypter.addRecipient({
    wrapFileKey: (drawn) => {
      drawn.set(fileKey);
      return [];
    },
  });
  for (const recipient of recipients)
    encrypter.addRecipient(typeof recipient === 'string' ? recipientFor(recipient) : recipient);
  const file = await encrypter.encrypt(new Uint8Array(0));
  const bytes = file.subarray(0, file.length - PAYLOAD_NONCE_BYTES - TAG_BYTES);
  // A library that hands each recipient a copy would make a header around a key of its own: its MAC would tell.
  await stanzasOf(bytes, fileKey);
  return { bytes, fileKey };
}

/** The stanzas of a header, for who holds the file key; `integrity.artifact` where its MAC is not by that key. */
async function stanzasOf(headerBytes: Uint8Array, fileKey: Uint8Array): Promise<readonly Stanza[]> {
  let seen: readonly Stanza[] = [];
  await openHeader(
    {
      unwrapFileKey: (stanzas) => {
        seen = stanzas;
        return fileKey;
      },
    },
    headerBytes,
  );
  return seen;
}

/**
 * What a header says of who can open its file:
 * `confirmed`: exactly these recipients, each stanza made again and found equal;
 * `unconfirmed`: as many X25519 recipients, but not shown to be these (another program or an earlier version made the
 * header, or somebody else's key stands in the place of one of them);
 * `foreign`: more, fewer or others.
 */
export type HeaderRecipients = 'confirmed' | 'unconfirmed' | 'foreign';

/** Judges a header against the recipients it should have, in any order. `integrity.artifact` where its MAC is wrong. */
export async function checkHeaderRecipients(
  headerBytes: Uint8Array,
  fileKey: Uint8Array,
  recipients: readonly string[],
): Promise<HeaderRecipients> {
  const spelled = ({ args, body }: Stanza): string =>
    [...args, Buffer.from(body).toString('base64')].join(' ');
  const stanzas = await stanzasOf(headerBytes, fileKey);
  if (stanzas.length !== recipients.length || stanzas.some(({ args }) => args[0] !== 'X25519'))
    return 'foreign';
  const found = new Set(stanzas.map(spelled));
  return recipients.every((recipient) => found.has(spelled(wrapFor(recipient, fileKey))))
    ? 'confirmed'
    : 'unconfirmed';
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
