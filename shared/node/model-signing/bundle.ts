/** OpenSSF Model Signing bundles: a statement, signed with DSSE, in a Sigstore bundle with a public-key hint. */

import type { KeyObject } from 'node:crypto';
import { sign, verify } from 'node:crypto';
import {
  BUNDLE_V03_MEDIA_TYPE,
  bundleFromJSON,
  isBundleWithDsseEnvelope,
  isBundleWithPublicKey,
} from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { SallyportError } from '../../domain/errors.ts';
import { fingerprintOf, normalizePublicKey, readPrivateKey, readPublicKey } from './keys.ts';
import {
  PAYLOAD_TYPE,
  type Resource,
  type Statement,
  statementProblem,
  statementSchema,
} from './statement.ts';

/** A bundle of a release directory has a few KiB; more than this is refused unread. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;

/** What a valid bundle says. */
export interface VerifiedBundle {
  readonly statement: Statement;
  readonly resources: readonly Resource[];
  /** SHA-256 over all resource digests: names the directory's exact content. */
  readonly root: string;
  /** Fingerprint of the key that signed. */
  readonly keyFingerprint: string;
}

/**
 * Signs a statement; the result is the bundle's JSON text. Both halves of the key are given, and must belong together.
 * `model_signing verify key` accepts it.
 */
export function signStatement(
  statement: Statement,
  privateKey: string | KeyObject,
  publicKeyPem: string,
): string {
  const payload = Buffer.from(JSON.stringify(statement), 'utf8');
  const signed = dsse.preAuthEncoding(PAYLOAD_TYPE, payload);
  const signature = sign('sha256', signed, readPrivateKey(privateKey));
  const publicKey = readPublicKey(publicKeyPem);
  if (!verify('sha256', signed, publicKey, signature)) {
    throw new SallyportError('input.invalid', 'The private key does not belong to the public key.', {
      hint: 'Nothing was signed.',
    });
  }
  return JSON.stringify({
    mediaType: BUNDLE_V03_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: fingerprintOf(publicKeyPem) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  });
}

function refused(what: string, cause?: unknown): SallyportError {
  return new SallyportError('integrity.signature', `The signature is not valid: ${what}.`, {
    hint: 'What it should protect was not used. Ask the signer for the original.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function parseEnvelope(bundleText: string): {
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly hint: string;
} {
  if (Buffer.byteLength(bundleText, 'utf8') > MAX_BUNDLE_BYTES) throw refused('the bundle is too large');
  let bundle: ReturnType<typeof bundleFromJSON>;
  try {
    bundle = bundleFromJSON(JSON.parse(bundleText));
  } catch (cause) {
    throw refused('this is not a signature bundle', cause);
  }
  if (bundle.mediaType !== BUNDLE_V03_MEDIA_TYPE) throw refused('it is not a Sigstore bundle v0.3');
  if (!isBundleWithDsseEnvelope(bundle)) throw refused('it has no DSSE envelope');
  if (!isBundleWithPublicKey(bundle)) throw refused('it was not made with a key');
  const envelope = bundle.content.dsseEnvelope;
  if (envelope.payloadType !== PAYLOAD_TYPE) throw refused('its payload is not an in-toto statement');
  const [signature, ...more] = envelope.signatures;
  if (!signature || more.length > 0) throw refused('it has not exactly one signature');
  return {
    payload: envelope.payload,
    signature: signature.sig,
    hint: bundle.verificationMaterial.content.publicKey.hint,
  };
}

/**
 * Verifies a bundle against one public key: signature, payload types, order and uniqueness of the files, root. What
 * it signs is trusted only after that. `integrity.signature` otherwise.
 */
export function verifyBundle(bundleText: string, publicKeyPem: string): VerifiedBundle {
  const { payload, signature, hint } = parseEnvelope(bundleText);
  const publicKey = readPublicKey(publicKeyPem);
  const keyFingerprint = fingerprintOf(normalizePublicKey(publicKeyPem));
  if (hint !== keyFingerprint) throw refused('it was made with another key');
  if (!verify('sha256', dsse.preAuthEncoding(PAYLOAD_TYPE, payload), publicKey, signature))
    throw refused('the signed bytes were changed');

  let parsed: ReturnType<typeof statementSchema.safeParse>;
  try {
    parsed = statementSchema.safeParse(JSON.parse(payload.toString('utf8')));
  } catch (cause) {
    throw refused('its statement is not JSON', cause);
  }
  if (!parsed.success) throw refused('its statement is not one of Model Signing v1.0', parsed.error);
  const problem = statementProblem(parsed.data);
  if (problem) throw refused(problem);
  const resources = parsed.data.predicate.resources.map(({ name, digest }) => ({ name, digest }));
  return { statement: parsed.data, resources, root: parsed.data.subject[0].digest.sha256, keyFingerprint };
}

/** The fingerprint a bundle says it was made with: to look the key up. Nothing is verified by this. */
export function bundleKeyHint(bundleText: string): string {
  return parseEnvelope(bundleText).hint;
}
