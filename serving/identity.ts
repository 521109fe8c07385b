/** Who an agent is: an Ed25519 key that signs receipts, and an age identity that opens what is sent and stored. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import {
  type DsseEnvelope,
  dssePrefix,
  RECEIPT_TYPE,
  REVOCATION_RECEIPT_TYPE,
} from '../shared/domain/endpoint/dsse.ts';
import type { AgentIdentity, Receipt, RevocationReceipt } from '../shared/domain/endpoint/endpoint.ts';
import { computeFingerprint, possessionText } from '../shared/domain/endpoint/fingerprint.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { recipientOf } from '../shared/node/age/index.ts';
import type { AgentPaths } from './config.ts';
import { describeSource, type KeySource, readKey } from './guard/key-source.ts';
import { NO_PLACE, type Place } from './yaml-file.ts';

export function sha256Text(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** PKCS#8 PEM of a fresh Ed25519 key. */
export function generateSigningPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export interface KeySources {
  readonly signing?: KeySource | undefined;
  readonly age?: KeySource | undefined;
}

async function readSigningKey(source: KeySource, directory: string): Promise<KeyObject> {
  const pem = await readKey(source, directory);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // No cause: it could quote the key.
    throw new SallyportError('input.invalid', `${describeSource(source)} is not a private key.`, {
      hint: 'The agent was not started.',
    });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new SallyportError('input.invalid', `${describeSource(source)} is not an Ed25519 key.`, {
    hint: 'The agent was not started.',
  });
}

export class AgentKeys {
  readonly identity: AgentIdentity;
  readonly fingerprint: string;
  /** Private: `AGE-SECRET-KEY-1…`. */
  readonly ageIdentity: string;
  readonly #signingKey: KeyObject;

  private constructor(signingKey: KeyObject, ageIdentity: string, identity: AgentIdentity) {
    this.#signingKey = signingKey;
    this.ageIdentity = ageIdentity;
    this.identity = identity;
    this.fingerprint = computeFingerprint(identity, sha256Text);
  }

  /** Reads both keys from where they are kept, as `place` says; by default files of the caller that nobody else can read. */
  static async load(
    paths: AgentPaths,
    environmentId: string,
    from: KeySources = {},
    place: Place = NO_PLACE,
  ): Promise<AgentKeys> {
    const key = await place
      .at('signing')
      .check(() => readSigningKey(from.signing ?? { file: paths.signingKey }, paths.directory));
    const [ageIdentity, ageRecipient] = await place.at('age').check(async () => {
      const identity = await readKey(from.age ?? { file: paths.ageIdentity }, paths.directory);
      return [identity, await recipientOf(identity)] as const;
    });
    return new AgentKeys(key, ageIdentity, {
      product: 'sallyport-agent',
      apiVersion: 1,
      environmentId,
      signingKeyPem: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
      ageRecipient,
    });
  }

  /** Proof that this process holds the key behind the fingerprint, for this asker only. Base64. */
  prove(nonce: string): string {
    const text = possessionText(nonce, this.identity.environmentId, this.fingerprint);
    return sign(null, Buffer.from(text, 'utf8'), this.#signingKey).toString('base64');
  }

  signReceipt(receipt: Receipt): DsseEnvelope {
    return this.#sign(RECEIPT_TYPE, receipt);
  }

  signRevocationReceipt(receipt: RevocationReceipt): DsseEnvelope {
    return this.#sign(REVOCATION_RECEIPT_TYPE, receipt);
  }

  #sign(payloadType: string, body: object): DsseEnvelope {
    const payload = Buffer.from(JSON.stringify(body), 'utf8');
    const signed = Buffer.concat([Buffer.from(dssePrefix(payloadType, payload.length), 'utf8'), payload]);
    return {
      payloadType,
      payload: payload.toString('base64'),
      signatures: [{ keyid: this.fingerprint, sig: sign(null, signed, this.#signingKey).toString('base64') }],
    };
  }
}
