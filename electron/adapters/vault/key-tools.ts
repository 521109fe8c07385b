import {
  decryptBytes,
  decryptWithPassphrase,
  encryptBytes,
  encryptWithPassphrase,
  generateIdentity,
  recipientOf,
} from '../../../shared/node/age/index.ts';
import {
  generateCheckpointKey,
  openNote,
  signCheckpoint,
  signNote,
  verifyCheckpoint,
} from '../../../shared/node/checkpoint/index.ts';
import { generateSigningKey } from '../../../shared/node/model-signing/index.ts';
import type { CheckpointTools, KeyTools } from '../../ports/vault.ts';

/** age and P-256 by the shared libraries. `workFactor` (log2 of scrypt's N) is lowered by tests alone. */
export function createKeyTools(options: { readonly workFactor?: number } = {}): KeyTools {
  return {
    generateIdentity,
    recipientOf,
    encrypt: encryptBytes,
    decrypt: (identity, file) => decryptBytes([identity].flat(), file),
    encryptWithPassphrase: (passphrase, bytes) => encryptWithPassphrase(passphrase, bytes, options),
    decryptWithPassphrase,
    generateSigningKey: () => {
      const { privateKeyPkcs8Pem, publicKeyPem, fingerprint } = generateSigningKey();
      return { privateKeyPem: privateKeyPkcs8Pem, publicKeyPem, fingerprint };
    },
  };
}

export const checkpointTools: CheckpointTools = {
  generate: generateCheckpointKey,
  sign: signCheckpoint,
  verify: verifyCheckpoint,
  signText: signNote,
  openText: openNote,
};
