/** OpenSSF Model Signing v1.0, with keys. */
export {
  bundleKeyHint,
  MAX_BUNDLE_BYTES,
  signStatement,
  type VerifiedBundle,
  verifyBundle,
} from './bundle.ts';
export { hashDirectory, listFiles, signDirectory, verifyDirectory } from './directory.ts';
export {
  fingerprintOf,
  generateSigningKey,
  normalizePublicKey,
  readPrivateKey,
  readPublicKey,
  type SigningKey,
} from './keys.ts';
export { buildStatement, type Resource, rootOf, type Statement, statementSchema } from './statement.ts';
