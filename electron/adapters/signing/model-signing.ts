import { buildStatement, signStatement, verifyBundle } from '../../../shared/node/model-signing/index.ts';
import type { ReleaseSigner } from '../../ports/signing.ts';

/** OpenSSF Model Signing with P-256 keys. */
export const modelSigner: ReleaseSigner = {
  root: (directory, files) => buildStatement({ name: directory, resources: files }).subject[0].digest.sha256,
  sign: (directory, files, privateKeyPem, publicKeyPem) =>
    signStatement(buildStatement({ name: directory, resources: files }), privateKeyPem, publicKeyPem),
  verify: (bundle, publicKeyPem) => {
    const { root, resources } = verifyBundle(bundle, publicKeyPem);
    return { root, files: resources };
  },
};
