/** P-256 keys as OpenSSF Model Signing uses them. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { SallyportError } from '../../domain/errors.ts';

export interface SigningKey {
  /** PKCS#8, PEM, not encrypted: keep it inside an age file only. */
  readonly privateKeyPkcs8Pem: string;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKeyPem: string;
  /** SHA-256 hex of `publicKeyPem`: also the signature bundles' hint. */
  readonly fingerprint: string;
}

/** A fresh P-256 key pair. */
export function generateSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyPem = exportPublic(publicKey);
  return {
    privateKeyPkcs8Pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem,
    fingerprint: fingerprintOf(publicKeyPem),
  };
}

function exportPublic(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function checkCurve(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new SallyportError('input.invalid', 'This key is not on the curve P-256.', {
      hint: 'Signatures are ECDSA over P-256 with SHA-256.',
    });
  }
  return key;
}

/** Reads a P-256 public key, PEM. `input.invalid` for anything else, a private key included. */
export function readPublicKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('not a SubjectPublicKeyInfo');
    key = createPublicKey(pem);
  } catch {
    throw new SallyportError('input.invalid', 'This is not a public key.', {
      hint: 'It is PEM text that begins with -----BEGIN PUBLIC KEY-----.',
    });
  }
  return checkCurve(key);
}

/** Reads a P-256 private key, PKCS#8 PEM. No cause in the error: it could quote the key. */
export function readPrivateKey(pem: string | KeyObject): KeyObject {
  if (typeof pem !== 'string') return checkCurve(pem);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new SallyportError('input.invalid', 'This is not a private key.', {
      hint: 'It is PEM text that begins with -----BEGIN PRIVATE KEY-----.',
    });
  }
  return checkCurve(key);
}

/** A public key in the one spelling that is hashed: line ends and comments of the text that was given do not count. */
export function normalizePublicKey(pem: string): string {
  return exportPublic(readPublicKey(pem));
}

/** SHA-256 hex of the PEM text (of the text, not of the DER: that is what the reference implementation hints with). */
export function fingerprintOf(publicKeyPem: string): string {
  return createHash('sha256').update(normalizePublicKey(publicKeyPem)).digest('hex');
}
