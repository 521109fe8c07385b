/** What a request froze: its files, and the signatures over them. Nothing here trusts the database's word for either. */
import { parse } from 'yaml';
import {
  type ApprovalRecord,
  type RequestRecord,
  releaseRequestSchema,
} from '../../../shared/domain/approval/request.ts';
import { canonicalJson } from '../../../shared/domain/audit/canonical-json.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { VersionRef } from '../../../shared/domain/model/version.ts';
import { policySchema } from '../../../shared/domain/policy/policy.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { ReleaseFile, ReleaseSigner } from '../../ports/signing.ts';
import type { RequestFiles, StoreReader } from '../../ports/stores.ts';

/** Directory name of a release: what the statement's subject is called and what an export is named. */
export function releaseDirectoryName(ref: VersionRef): string {
  return `${ref.name}-${ref.version}`;
}

export interface ReleaseFiles {
  /** The request's files with their artifact ids; `integrity.vault` where they are gone. */
  stored(id: string): RequestFiles;
  text(id: string, name: string): Promise<string>;
  json(id: string, name: string): Promise<unknown>;
  /** Every file decrypted and hashed, and their root and what they say compared with what was submitted. */
  verify(record: RequestRecord): Promise<ReleaseFile[]>;
  /** Throws `integrity.signature` unless the approval is one over exactly this request, by the key and person it names. */
  verifyApproval(approval: ApprovalRecord, record: RequestRecord): void;
  /** The approvals that verify. */
  holding(record: RequestRecord): ApprovalRecord[];
}

export function createReleaseFiles(deps: {
  readonly read: StoreReader;
  readonly artifacts: ArtifactStore;
  readonly signer: ReleaseSigner;
}): ReleaseFiles {
  const { read, artifacts, signer } = deps;

  function stored(id: string): RequestFiles {
    const files = read.requestFiles(id);
    if (files === null)
      throw new SallyportError('integrity.vault', `The files of request ${id} are gone.`, {
        hint: 'Restore the vault from a backup.',
      });
    return files;
  }

  async function text(id: string, name: string): Promise<string> {
    const file = stored(id).files.find((f) => f.name === name);
    if (file === undefined)
      throw new SallyportError('integrity.vault', `The release has no ${name}.`, {
        hint: 'Restore the vault from a backup.',
      });
    return (await artifacts.getBytes(file.artifactId, file.digest)).toString('utf8');
  }

  const listed = (id: string): ReleaseFile[] =>
    stored(id).files.map(({ name, digest }) => ({ name, digest }));

  function verifyApproval(approval: ApprovalRecord, record: RequestRecord): void {
    const operator = read.operators().find((o) => o.keyFingerprint === approval.keyFingerprint);
    if (operator === undefined)
      throw new SallyportError(
        'integrity.signature',
        `The key ${approval.keyFingerprint.slice(0, 16)} belongs to no operator.`,
      );
    const { root, files } = signer.verify(approval.bundle, operator.publicKeyPem);
    const request = files.find((f) => f.name === 'request.json');
    const own = listed(record.id).find((f) => f.name === 'request.json');
    if (root !== record.root || request === undefined || request.digest !== own?.digest) {
      throw new SallyportError(
        'integrity.signature',
        `${approval.operator} signed other files than request ${record.id} has.`,
      );
    }
    if (operator.person !== approval.person)
      throw new SallyportError(
        'integrity.signature',
        `The approval names ${approval.person}; its key belongs to ${operator.person}.`,
      );
  }

  /** The row's own copy of what was signed is what the program decides by: it must say the same. */
  async function requireSameFacts(record: RequestRecord): Promise<void> {
    const request = releaseRequestSchema.safeParse(JSON.parse(await text(record.id, 'request.json')));
    const policy = policySchema.safeParse(parse(await text(record.id, 'policy.yaml')));
    if (
      request.success &&
      policy.success &&
      canonicalJson(request.data) === canonicalJson(record.request) &&
      policy.data.quorum.approvals === record.quorum
    )
      return;
    throw new SallyportError(
      'integrity.signature',
      `The registry says something else of request ${record.id} than what was signed.`,
      { hint: 'Nothing was signed or sent. Run: sallyport audit verify' },
    );
  }

  return {
    stored,
    text,
    json: async (id, name) => JSON.parse(await text(id, name)),
    async verify(record) {
      for (const file of stored(record.id).files) await artifacts.verify(file.artifactId, file.digest);
      const files = listed(record.id);
      if (signer.root(releaseDirectoryName(record.request), files) !== record.root) {
        throw new SallyportError(
          'integrity.signature',
          `The files of request ${record.id} are not those that were submitted.`,
          { hint: 'Nothing was signed or sent. Run: sallyport audit verify' },
        );
      }
      await requireSameFacts(record);
      return files;
    },
    verifyApproval,
    holding: (record) =>
      read.approvals(record.id).filter((approval) => {
        try {
          verifyApproval(approval, record);
          return true;
        } catch {
          return false;
        }
      }),
  };
}
