/** What an agent proves: that it holds the pinned key, and what it loaded. */
import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import type { z } from 'zod';
import {
  type DsseEnvelope,
  dssePrefix,
  RECEIPT_TYPE,
  REVOCATION_RECEIPT_TYPE,
} from '../../../../shared/domain/endpoint/dsse.ts';
import {
  type AgentIdentity,
  type Receipt,
  type RevocationReceipt,
  receiptSchema,
  revocationReceiptSchema,
} from '../../../../shared/domain/endpoint/endpoint.ts';
import { computeFingerprint, possessionText } from '../../../../shared/domain/endpoint/fingerprint.ts';
import { SallyportError } from '../../../../shared/domain/errors.ts';

/** 192 random bits. */
export function freshNonce(): string {
  return randomBytes(24).toString('base64url');
}

export function fingerprintOfIdentity(
  identity: Pick<AgentIdentity, 'signingKeyPem' | 'ageRecipient'>,
): string {
  return computeFingerprint(identity, (text) => createHash('sha256').update(text, 'utf8').digest());
}

function refused(what: string): SallyportError {
  return new SallyportError('integrity.endpoint', `The endpoint is not what was pinned: ${what}.`, {
    hint: 'No token was sent on. Find out what listens at this address; if the agent was made anew, remove the endpoint and add it again.',
  });
}

function readKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below: what was sent is not a key we take.
  }
  throw refused('its signing key is not an Ed25519 key');
}

/** Verifies that the answer was made for `nonce` by the holder of the key in it; the fingerprint to compare. */
export function verifyPossession(
  answer: { readonly identity: AgentIdentity; readonly proof: string },
  nonce: string,
): string {
  const { identity, proof } = answer;
  const fingerprint = fingerprintOfIdentity(identity);
  const text = possessionText(nonce, identity.environmentId, fingerprint);
  if (
    !verify(null, Buffer.from(text, 'utf8'), readKey(identity.signingKeyPem), Buffer.from(proof, 'base64'))
  ) {
    throw refused('it cannot prove that it holds its signing key');
  }
  return fingerprint;
}

/** Also used where a connection is pinned. `integrity.endpoint` when the key is another one. */
export function requirePinned(fingerprint: string, pinned: string): void {
  if (fingerprint !== pinned) throw refused('its fingerprint is another one');
}

interface Expected {
  readonly signingKeyPem: string;
  readonly nonce: string;
  readonly environmentId: string;
}

/** A receipt's body, once signature, nonce, environment and model are those expected. */
export function verifyReceipt(
  envelope: DsseEnvelope,
  expected: Expected & { readonly model: string },
): Receipt {
  const receipt = openReceipt(RECEIPT_TYPE, receiptSchema, envelope, expected);
  if (receipt.model.name !== expected.model) throw refused('its receipt is of another model');
  requireLoaded(receipt);
  return receipt;
}

/** What an agent says of a revocation it obeyed: none of its models may still be served from the revoked bytes. */
export function verifyRevocationReceipt(envelope: DsseEnvelope, expected: Expected): RevocationReceipt {
  const receipt = openReceipt(REVOCATION_RECEIPT_TYPE, revocationReceiptSchema, envelope, expected);
  for (const { name, stable, canary, previous } of receipt.models) {
    if ([stable, canary, previous].some((slot) => slot?.digest === receipt.digest))
      throw refused(`its receipt says that it still holds the revoked ${name}`);
  }
  return receipt;
}

function openReceipt<T extends { readonly nonce: string; readonly environmentId: string }>(
  type: string,
  schema: z.ZodType<T>,
  envelope: DsseEnvelope,
  expected: Expected,
): T {
  if (envelope.payloadType !== type) throw refused('its answer is not a receipt');
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = Buffer.concat([Buffer.from(dssePrefix(type, payload.length), 'utf8'), payload]);
  const key = readKey(expected.signingKeyPem);
  if (!envelope.signatures.some(({ sig }) => verify(null, signed, key, Buffer.from(sig, 'base64')))) {
    throw refused('its receipt is not signed by the pinned key');
  }
  let receipt: T;
  try {
    receipt = schema.parse(JSON.parse(payload.toString('utf8')));
  } catch {
    throw refused('its receipt cannot be read');
  }
  if (receipt.nonce !== expected.nonce) throw refused('its receipt was made for another question');
  if (receipt.environmentId !== expected.environmentId)
    throw refused('its receipt is of another environment');
  return receipt;
}

/** Every version that gets traffic must have been loaded from exactly the bytes of its digest. */
function requireLoaded(receipt: Receipt): void {
  for (const slot of [receipt.model.stable, receipt.model.canary]) {
    if (!slot) continue;
    const loaded = receipt.loaded.some(
      (each) => each.version === slot.version && each.digest === slot.digest,
    );
    if (!loaded) throw refused(`its receipt does not say that ${slot.version} was loaded from its bytes`);
  }
}
