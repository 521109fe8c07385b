/** age files under a passphrase: one scrypt stanza, derived in the thread pool so that the event loop stays free. */
import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { SallyportError } from '../../domain/errors.ts';
import { openWhole, sealWhole } from './bytes.ts';
import { type Identity, makeHeader, openHeader, type Recipient, Stanza } from './header.ts';
import { openChunkInto, sealChunk, tampered } from './stream.ts';

/** log2 of scrypt's N. 17 = 128 MiB and about 0.4 s on one core of 2020: slow for a thief, bearable at sign-in. */
export const WORK_FACTOR = 17;
/** A file that asks for more (2^20 = 1 GiB) is refused before any work is done: it would be a way to exhaust memory. */
export const MAX_WORK_FACTOR = 20;

const LABEL = 'age-encryption.org/v1/scrypt';

function derive(passphrase: string, salt: Uint8Array, logN: number): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r: 8, p: 1, maxmem: 128 * 8 * 2 ** logN + 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(LABEL), salt]), 32, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Base64 without padding, in its only canonical spelling. */
function decodeBase64(text: string, bytes: number): Buffer {
  const decoded = Buffer.from(text, 'base64');
  if (decoded.length !== bytes || decoded.toString('base64').replace(/=+$/, '') !== text)
    throw tampered('its scrypt stanza is malformed');
  return decoded;
}

function scryptRecipient(passphrase: string, logN: number): Recipient {
  return {
    wrapFileKey: async (fileKey) => {
      const salt = randomBytes(16);
      const key = await derive(passphrase, salt, logN);
      // The stanza's nonce is twelve zero bytes, which is chunk 0 of a stream that goes on: the key is used once.
      const body = sealChunk(key, 0, false, fileKey);
      return [new Stanza(['scrypt', salt.toString('base64').replace(/=+$/, ''), String(logN)], body)];
    },
  };
}

function scryptIdentity(passphrase: string): Identity {
  return {
    unwrapFileKey: async (stanzas) => {
      const stanza = stanzas[0];
      if (!stanza?.args[0] || !stanzas.some((each) => each.args[0] === 'scrypt')) {
        throw new SallyportError('auth.failed', 'The file is not protected by a passphrase.', {
          hint: 'It needs a key instead.',
        });
      }
      // The specification: a scrypt stanza stands alone, so that a passphrase also authenticates the sender.
      if (stanzas.length !== 1 || stanza.args.length !== 3) throw tampered('its scrypt stanza is malformed');
      const [, saltText = '', factorText = ''] = stanza.args;
      if (!/^[1-9][0-9]?$/.test(factorText)) throw tampered('its scrypt work factor is malformed');
      const logN = Number(factorText);
      if (logN > MAX_WORK_FACTOR)
        throw tampered(`its scrypt work factor of ${logN} is above ${MAX_WORK_FACTOR}`);
      if (stanza.body.length !== 32) throw tampered('its scrypt stanza is malformed');
      const key = await derive(passphrase, decodeBase64(saltText, 16), logN);
      const fileKey = new Uint8Array(16);
      try {
        openChunkInto(fileKey, key, 0, false, stanza.body);
      } catch {
        throw new SallyportError('auth.failed', 'The passphrase is wrong.', {
          hint: 'Nothing was changed. Try again.',
        });
      }
      return fileKey;
    },
  };
}

/** An age file that this passphrase opens (`age -d` asks for it). `workFactor` is for tests; it stays in 1..20. */
export async function encryptWithPassphrase(
  passphrase: string,
  bytes: Uint8Array,
  options: { readonly workFactor?: number } = {},
): Promise<Buffer> {
  if (passphrase === '')
    throw new SallyportError('usage', 'An empty passphrase protects nothing.', {
      hint: 'Choose one of at least 12 characters.',
    });
  const logN = options.workFactor ?? WORK_FACTOR;
  if (!Number.isInteger(logN) || logN < 1 || logN > MAX_WORK_FACTOR)
    throw new SallyportError('usage', `The work factor is 1 to ${MAX_WORK_FACTOR}.`);
  return sealWhole(await makeHeader([scryptRecipient(passphrase, logN)]), bytes);
}

/** The content of such a file. Errors: `auth.failed` for a wrong passphrase, `integrity.artifact` for a changed file. */
export async function decryptWithPassphrase(passphrase: string, file: Uint8Array): Promise<Buffer> {
  return openWhole(file, (header) => openHeader(scryptIdentity(passphrase), header));
}
