/** Taking a version's trust away at an agent, for good: what is signed, and whether an agent obeys it. Pure. */
import { z } from 'zod';
import type { PinnedSigner } from '../approval/verify-release.ts';
import type { ErrorCode } from '../errors.ts';
import { modelNameSchema, semverSchema, sha256Schema } from '../model/version.ts';

/**
 * The one file of a revocation. It is signed like a release directory (OpenSSF Model Signing) with this file alone in
 * it, which no release directory can be: neither signature can be taken for the other.
 */
export const REVOCATION_FILE = 'revocation.json';

export const revocationSchema = z.strictObject({
  vaultId: z.string().min(1).max(200),
  environmentId: z.string().min(1).max(200),
  /** Rises by one per vault: an agent takes none that is not above the last it took. */
  serial: z.number().int().min(1),
  name: modelNameSchema,
  version: semverSchema,
  /** SHA-256 of the model: every release with these bytes is revoked, under whatever name and version. */
  digest: sha256Schema,
  reason: z.string().min(1).max(2000),
  createdAt: z.iso.datetime(),
});
export type Revocation = z.infer<typeof revocationSchema>;

/** A revocation an agent has taken. */
export const heldRevocationSchema = revocationSchema.omit({ environmentId: true, createdAt: true }).extend({
  /** Root of the signed statement. */
  root: sha256Schema,
  /** The pinned person whose key signed it. */
  by: z.string(),
  at: z.string(),
});
export type HeldRevocation = z.infer<typeof heldRevocationSchema>;

export function revokedText({ name, version, by, reason }: HeldRevocation): string {
  return `${name}@${version} was revoked by ${by}: ${reason}`;
}

export type RevocationVerdict =
  | { readonly kind: 'new' | 'repeated'; readonly by: string }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };

/** Whether a revocation counts. Its signature was verified before, against the pinned key of that fingerprint. */
export function judgeRevocation(input: {
  readonly revocation: Revocation;
  readonly root: string;
  readonly keyFingerprint: string;
  readonly trust: {
    readonly environmentId: string;
    readonly vaultIds: readonly string[];
    readonly revokers: readonly PinnedSigner[];
  };
  readonly held: readonly HeldRevocation[];
}): RevocationVerdict {
  const { revocation, root, trust } = input;
  const signer = trust.revokers.find((each) => each.keyFingerprint === input.keyFingerprint);
  if (!signer) return refused('refused.role', 'It is not signed by anybody who may revoke here.');
  if (!trust.vaultIds.includes(revocation.vaultId))
    return refused('refused.quorum', `It comes from vault ${revocation.vaultId}, which is not trusted here.`);
  if (revocation.environmentId !== trust.environmentId) {
    return refused(
      'refused.environment',
      `It was signed for ${revocation.environmentId}; this agent serves ${trust.environmentId}.`,
    );
  }
  const ofVault = input.held.filter((each) => each.vaultId === revocation.vaultId);
  if (ofVault.some((each) => each.root === root)) return { kind: 'repeated', by: signer.person };
  const highest = Math.max(0, ...ofVault.map((each) => each.serial));
  if (revocation.serial <= highest) {
    return refused(
      'refused.state',
      `Its serial ${revocation.serial} is not above ${highest}, the last one taken here.`,
    );
  }
  return { kind: 'new', by: signer.person };
}

function refused(code: ErrorCode, reason: string): RevocationVerdict {
  return { kind: 'refused', code, reason };
}
