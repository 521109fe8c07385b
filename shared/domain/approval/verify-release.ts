/**
 * Whether an agent lets a release in: the pure half. Signatures were verified before, each against a pinned key; here
 * it is decided whether what they signed is enough, meant for this place, and new enough.
 */
import type { ErrorCode } from '../errors.ts';
import { evaluateQuorum, samePerson } from './quorum.ts';
import { OPTIONAL_RELEASE_FILES, RELEASE_FILES, type ReleaseRequest } from './request.ts';

/** A pinned signer; the fingerprint is that of the key in the agent's own trust file. */
export interface PinnedSigner {
  readonly person: string;
  readonly name: string;
  readonly keyFingerprint: string;
}

export interface ReleaseTrust {
  readonly environmentId: string;
  readonly vaultIds: readonly string[];
  readonly quorum: number;
  readonly approvers: readonly PinnedSigner[];
  /** null = the submitter's own key need not be pinned. */
  readonly submitters: readonly PinnedSigner[] | null;
}

/** A signature that verified against a pinned key, and the root it signs. */
export interface VerifiedSignature {
  readonly keyFingerprint: string;
  readonly root: string;
}

/** What this agent remembers of the releases it served. */
export interface ServingHistory {
  readonly servedRoots: ReadonlySet<string>;
  /** Digests of models that were revoked here: judged before anything else, served before or not. */
  readonly revokedDigests: ReadonlySet<string>;
  /** Highest serial activated per vault and model (`serialKey`). */
  readonly highestSerial: Readonly<Record<string, number>>;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly approvedBy: readonly string[] }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };

/**
 * Serials are compared among releases of one model from one vault: an old release of the same model cannot come
 * back, while two models approved side by side may go out in either order.
 */
export function serialKey(request: Pick<ReleaseRequest, 'vaultId' | 'name'>): string {
  return `${request.vaultId}/${request.name}`;
}

/**
 * Quorum: distinct people with distinct pinned keys who signed exactly this root. The submitter's person never
 * counts, under whichever of that person's keys; nor does the key the request was submitted with.
 */
export function checkQuorum(
  trust: ReleaseTrust,
  request: ReleaseRequest,
  root: string,
  signatures: readonly VerifiedSignature[],
): Admission {
  const signed = new Set(signatures.filter((each) => each.root === root).map((each) => each.keyFingerprint));
  const { submitter } = request;
  if (trust.submitters !== null) {
    const known = trust.submitters.some(
      (each) => each.keyFingerprint === submitter.keyFingerprint && signed.has(each.keyFingerprint),
    );
    if (!known) {
      return refused(
        'refused.quorum',
        `It is not signed by a submitter that this agent knows (${submitter.name}).`,
      );
    }
  }
  // Whoever holds the key the request was submitted with is the submitter, whatever name the request gives.
  const aliases = [...trust.approvers, ...(trust.submitters ?? [])]
    .filter((each) => each.keyFingerprint === submitter.keyFingerprint)
    .map((each) => each.person);
  const candidates = trust.approvers.filter(
    (each) => signed.has(each.keyFingerprint) && !aliases.some((person) => samePerson(person, each.person)),
  );
  const quorum = evaluateQuorum(candidates, submitter, trust.quorum);
  if (!quorum.met) {
    return refused(
      'refused.quorum',
      `${quorum.counted.length} of ${quorum.needed} approvals by people this agent trusts; the submitter's own never counts.`,
    );
  }
  return { kind: 'admitted', approvedBy: quorum.counted.map((each) => each.person).sort() };
}

/** Every file the directory must have, none it may not, and the model the request names. `files` = name → digest. */
export function checkFiles(request: ReleaseRequest, files: ReadonlyMap<string, string>): Admission {
  const allowed: readonly string[] = [...RELEASE_FILES, ...OPTIONAL_RELEASE_FILES];
  const foreign = [...files.keys()].find((name) => !allowed.includes(name));
  if (foreign !== undefined) {
    return refused('integrity.signature', `${JSON.stringify(foreign)} has no place in a release directory.`);
  }
  const missing = RELEASE_FILES.find((name) => !files.has(name));
  if (missing !== undefined)
    return refused('integrity.signature', `The release directory has no ${missing}.`);
  if (files.get('model.onnx') !== request.digest) {
    return refused('integrity.signature', 'The signed model is not the one that the request names.');
  }
  return { kind: 'admitted', approvedBy: [] };
}

/** Environment and vault: judged always. Expiry and serial: only until this agent has served the release once. */
export function checkRequest(
  trust: ReleaseTrust,
  request: ReleaseRequest,
  root: string,
  history: ServingHistory,
  now: Date,
): Admission {
  if (!trust.vaultIds.includes(request.vaultId)) {
    return refused(
      'refused.quorum',
      `It comes from vault ${request.vaultId}, which this agent does not trust.`,
    );
  }
  if (request.environmentId !== trust.environmentId) {
    return refused(
      'refused.environment',
      `It was approved for ${request.environmentId}; this agent serves ${trust.environmentId}.`,
    );
  }
  if (history.revokedDigests.has(request.digest)) {
    return refused('refused.state', 'It was revoked here, for good.');
  }
  if (history.servedRoots.has(root)) return { kind: 'admitted', approvedBy: [] };
  // Written so that a time that does not parse (NaN) is refused.
  if (!(now.getTime() < Date.parse(request.notAfter))) {
    return refused(
      'refused.expired',
      `Its approval ended ${request.notAfter}, before it was first served here.`,
    );
  }
  const highest = history.highestSerial[serialKey(request)] ?? 0;
  if (request.serial <= highest) {
    return refused(
      'refused.state',
      `Its serial ${request.serial} is not above ${highest}, the highest of ${request.name} served here.`,
    );
  }
  return { kind: 'admitted', approvedBy: [] };
}

/** All of it, in the order in which a person would ask: what is it, is it for here, who said so. */
export function admitRelease(input: {
  readonly trust: ReleaseTrust;
  readonly request: ReleaseRequest;
  readonly root: string;
  readonly files: ReadonlyMap<string, string>;
  readonly signatures: readonly VerifiedSignature[];
  readonly history: ServingHistory;
  readonly now: Date;
}): Admission {
  const files = checkFiles(input.request, input.files);
  if (files.kind === 'refused') return files;
  const request = checkRequest(input.trust, input.request, input.root, input.history, input.now);
  if (request.kind === 'refused') return request;
  return checkQuorum(input.trust, input.request, input.root, input.signatures);
}

function refused(code: ErrorCode, reason: string): Admission {
  return { kind: 'refused', code, reason };
}
