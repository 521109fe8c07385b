import type { PinnedSigner, ReleaseTrust } from '../shared/domain/approval/verify-release.ts';
import type { TrustFile } from '../shared/domain/endpoint/trust.ts';
import { fingerprintOf, normalizePublicKey } from '../shared/node/model-signing/index.ts';

/** The trust file with its keys read: what admission decides by. */
export interface Trust extends ReleaseTrust {
  /** Fingerprint → the pinned key itself. */
  readonly keys: ReadonlyMap<string, string>;
  readonly checkpointKeys: ReadonlyMap<string, string>;
  /** Whose signature alone revokes. */
  readonly revokers: readonly PinnedSigner[];
}

/** Reads every pinned key; `input.invalid` for one that is not P-256. */
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
