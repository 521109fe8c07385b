import { createHash } from 'node:crypto';
import { type ReleaseRequest, releaseRequestSchema } from '../../shared/domain/approval/request.ts';
import {
  admitRelease,
  type ServingHistory,
  type VerifiedSignature,
} from '../../shared/domain/approval/verify-release.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  bundleKeyHint,
  type Resource,
  type VerifiedBundle,
  verifyBundle,
} from '../../shared/node/model-signing/index.ts';
import type { Trust } from '../trust.ts';

/** A release that this agent may load: what was signed, by enough of the pinned people, for this place. */
export interface AdmittedRelease {
  readonly root: string;
  readonly request: ReleaseRequest;
  readonly files: readonly Resource[];
  readonly approvedBy: readonly string[];
}

/**
 * Decides from signatures and request alone, before a byte of a file is accepted. Bundles of keys that are not pinned
 * are passed over (they prove nothing here); one that claims a pinned key and does not verify refuses the whole.
 */
export function admit(
  trust: Trust,
  bundles: readonly string[],
  requestText: string,
  history: ServingHistory,
  now: Date,
): AdmittedRelease {
  const verified: VerifiedBundle[] = [];
  for (const bundle of bundles) {
    const pem = trust.keys.get(bundleKeyHint(bundle));
    if (pem !== undefined) verified.push(verifyBundle(bundle, pem));
  }
  const [first] = verified;
  if (!first) {
    throw new SallyportError('refused.quorum', 'No signature is by a key that this agent trusts.', {
      hint: 'The release was not accepted. Compare the approvers in the agent’s trust file.',
    });
  }
  const { root, resources } = first;
  // The root covers the files' digests, not their names: one signer of a quorum must not hand out other names.
  if (verified.some((each) => each.root === root && !sameNames(each.resources, resources))) {
    throw new SallyportError(
      'integrity.signature',
      'Two signatures name the files of this release differently.',
      {
        hint: 'The release was not accepted. One of the signers signed other names for the same files.',
        facts: { root },
      },
    );
  }
  const signatures: VerifiedSignature[] = verified.map((each) => ({
    keyFingerprint: each.keyFingerprint,
    root: each.root,
  }));
  const files = new Map(resources.map((file) => [file.name, file.digest]));

  if (files.get('request.json') !== createHash('sha256').update(requestText, 'utf8').digest('hex')) {
    throw new SallyportError('integrity.signature', 'The request is not the one that was signed.', {
      hint: 'The release was not accepted.',
    });
  }
  let request: ReleaseRequest;
  try {
    request = releaseRequestSchema.parse(JSON.parse(requestText));
  } catch (cause) {
    throw new SallyportError('input.invalid', 'The signed request is not one this agent understands.', {
      hint: 'The release was not accepted.',
      cause,
    });
  }
  const admission = admitRelease({ trust, request, root, files, signatures, history, now });
  if (admission.kind === 'refused') {
    throw new SallyportError(
      admission.code,
      `${request.name}@${request.version} was refused: ${admission.reason}`,
      {
        hint: 'Nothing of it was loaded; what is served did not change.',
        facts: { root, model: request.name, version: request.version },
      },
    );
  }
  return { root, request, files: resources, approvedBy: admission.approvedBy };
}

function sameNames(a: readonly Resource[], b: readonly Resource[]): boolean {
  return a.length === b.length && a.every((file, at) => file.name === b[at]?.name);
}
