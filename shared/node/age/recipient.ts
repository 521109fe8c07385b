/** age's X25519 stanza (C2SP age.md, "The X25519 recipient type"), made so that its maker can recognise it again. */
import { hkdfSync } from 'node:crypto';
import { Encrypter, type Recipient, Stanza } from 'age-encryption';
import sodium from 'sodium-native';
import { SallyportError } from '../../domain/errors.ts';
import { sealChunk } from './stream.ts';

const LABEL = 'age-encryption.org/v1/X25519';
const EPHEMERAL_LABEL = 'sallyport/v1/age-ephemeral';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const KEY_BYTES = 32;

/** Throws `input.invalid` for anything but an X25519 recipient, `age1…`. */
export function checkRecipient(recipient: string): void {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(recipient)) {
    throw new SallyportError('input.invalid', 'This is not an age recipient.', {
      hint: 'It reads age1… in small letters, 62 characters.',
    });
  }
}

/** The 32 bytes of an `age1…`; its checksum is the library's to judge. */
function publicKeyOf(recipient: string): Buffer {
  checkRecipient(recipient);
  try {
    new Encrypter().addRecipient(recipient);
  } catch (cause) {
    throw new SallyportError('input.invalid', 'This is not an age recipient.', {
      hint: 'Its checksum does not match: a letter is wrong.',
      cause,
    });
  }
  // 52 letters of 5 bits are 32 bytes and 4 bits of padding; the last six letters are the checksum.
  const key = Buffer.alloc(KEY_BYTES);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of recipient.slice('age1'.length, -6)) {
    held = (held << 5) | BECH32.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    key[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return key;
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

/**
 * The stanza of one file key for one recipient. The ephemeral secret is derived from the file key and the recipient
 * instead of drawn: the file key is 128 random bits of its own, so outsiders learn nothing (the transform of Fujisaki
 * and Okamoto, 1999), and whoever holds the file key can make the stanza again and see that it is for this recipient.
 * age itself cannot tell: its stanzas do not name whom they are for.
 */
export function wrapFor(recipient: string, fileKey: Uint8Array): Stanza {
  const publicKey = publicKeyOf(recipient);
  const ephemeral = Buffer.from(hkdfSync('sha256', fileKey, publicKey, EPHEMERAL_LABEL, KEY_BYTES));
  const share = Buffer.alloc(KEY_BYTES);
  const secret = Buffer.alloc(KEY_BYTES);
  try {
    sodium.crypto_scalarmult_base(share, ephemeral);
    sodium.crypto_scalarmult(secret, ephemeral, publicKey);
  } catch (cause) {
    throw new SallyportError(
      'input.invalid',
      'This age recipient is a point of low order: no key is behind it.',
      {
        hint: 'Nothing was encrypted to it.',
        cause,
      },
    );
  }
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.concat([share, publicKey]), LABEL, KEY_BYTES));
  // The stanza's nonce is twelve zero bytes, which is chunk 0 of a stream that goes on: the key is used once.
  const body = sealChunk(key, 0, false, fileKey);
  for (const spent of [ephemeral, secret, key]) spent.fill(0);
  return new Stanza(['X25519', unpadded(share)], body);
}

/** A recipient for the library, by `wrapFor`. Throws at once for text that is none. */
export function recipientFor(recipient: string): Recipient {
  publicKeyOf(recipient);
  return { wrapFileKey: (fileKey) => [wrapFor(recipient, fileKey)] };
}
