import type { PinnedSigner, ReleaseTrust } from '../shared/domain/approval/verify-release.ts';
import { checkpointOrigin } from '../shared/domain/audit/checkpoint.ts';
import { type TrustFile, trustFileSchema } from '../shared/domain/endpoint/trust.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { checkCheckpointKey } from '../shared/node/checkpoint/index.ts';
import { fingerprintOf, normalizePublicKey } from '../shared/node/model-signing/index.ts';

/** The trust file with its keys read: what admission decides by. */
export interface Trust extends ReleaseTrust {
  /** Fingerprint → the pinned key itself. */
  readonly keys: ReadonlyMap<string, string>;
  readonly checkpointKeys: ReadonlyMap<string, string>;
  /** Whose signature alone revokes. */
  readonly revokers: readonly PinnedSigner[];
}

/** The trust file, and every key in it one that can be used: else what it is for fails long after the start. */
export const pinnedTrustSchema = trustFileSchema.superRefine((trust, context) => {
  const check = (path: (string | number)[], use: () => unknown, what = ''): void => {
    try {
      use();
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      context.addIssue({
        code: 'custom',
        path,
        message: `${what}${error.message} ${error.hint ?? ''}`.trim(),
      });
    }
  };
  for (const list of ['approvers', 'submitters', 'revokers'] as const) {
    for (const [index, { person, name, publicKeyPem }] of (trust[list] ?? []).entries()) {
      const what = `The key of ${person} (${name}) cannot be used. `;
      check([list, index, 'publicKeyPem'], () => normalizePublicKey(publicKeyPem), what);
    }
  }
  for (const [index, vault] of trust.vaults.entries()) {
    const key = 'checkpointKey' in vault ? vault.checkpointKey : undefined;
    if (key !== undefined) {
      const origin = checkpointOrigin(vault.id);
      check(['vaults', index, 'checkpointKey'], () => checkCheckpointKey(key, origin));
    }
  }
});

/** Of a file that was checked. */
export function resolveTrust(file: TrustFile, environmentId: string): Trust {
  const keys = new Map<string, string>();
  const pin = (signer: TrustFile['approvers'][number]): PinnedSigner => {
    const pem = normalizePublicKey(signer.publicKeyPem);
    const keyFingerprint = fingerprintOf(pem);
    keys.set(keyFingerprint, pem);
    return { person: signer.person, name: signer.name, keyFingerprint };
  };
  const checkpointKeys = new Map<string, string>();
  for (const vault of file.vaults) {
    if ('checkpointKey' in vault && vault.checkpointKey !== undefined)
      checkpointKeys.set(vault.id, vault.checkpointKey);
  }
  const approvers = file.approvers.map(pin);
  return {
    environmentId,
    vaultIds: file.vaults.map((vault) => vault.id),
    quorum: file.quorum,
    approvers,
    submitters: file.submitters?.map(pin) ?? null,
    revokers: file.revokers?.map(pin) ?? approvers,
    keys,
    checkpointKeys,
  };
}
