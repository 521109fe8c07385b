import { z } from 'zod';
import { canonicalJson } from '../../../shared/domain/audit/canonical-json.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { guessMapping } from '../../../shared/domain/model/guess-mapping.ts';
import {
  formatRef,
  givenMetadataSchema,
  type ModelVersion,
  modelNameSchema,
  semverSchema,
  type VersionMetadata,
} from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { type AddedModel, type ArtifactStore, ScanRefusal } from '../../ports/artifacts.ts';
import type { JobContext, System } from '../../ports/system.ts';
import { parseInput } from '../input.ts';
import type { Ledger } from '../ledger.ts';

export interface AddVersionInput {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly parent: string | null;
  readonly metadata: VersionMetadata;
}

const inputSchema = z.object({
  path: z.string().min(1).max(4096),
  name: modelNameSchema,
  version: semverSchema,
  parent: semverSchema.nullable(),
  metadata: givenMetadataSchema,
});

/**
 * Takes a file into the registry: stored and scanned first, then the row that names it. Adding the same bytes under
 * the same version again answers the version that is there, or brings back its file where a collection removed it; other
 * bytes, another parent or other metadata are a `conflict`.
 */
export async function addVersion(
  deps: { readonly ledger: Ledger; readonly artifacts: ArtifactStore; readonly system: System },
  actor: Actor,
  rawInput: AddVersionInput,
  job?: JobContext,
): Promise<ModelVersion> {
  const { ledger, artifacts, system } = deps;
  const input = parseInput(inputSchema, rawInput);
  const ref = formatRef(input);
  await ledger.require(actor, 'model.add', ref);
  checkParent(ledger, input);
  const added = await storeAndScan(deps, actor, ref, input.path, job);
  const version: ModelVersion = {
    id: system.newId(),
    name: input.name,
    version: input.version,
    digest: added.digest,
    sizeBytes: added.sizeBytes,
    artifactId: added.artifactId,
    state: 'draft',
    parent: input.parent,
    metadata: input.metadata,
    onnx: added.summary,
    findings: [...added.findings],
    rulesRun: [...added.rulesRun],
    mapping: guessMapping(added.summary),
    addedBy: actor.name,
    addedAt: system.now().toISOString(),
  };
  try {
    // Read before the commit to answer a repeated call without an entry; read inside it again, because others commit too.
    const before = existing(ledger.read.version(input), version);
    if (before && !isRemoved(before)) return before;
    const details = {
      digest: version.digest,
      sizeBytes: version.sizeBytes,
      parent: version.parent,
      findings: version.findings.length,
      rulesRun: version.rulesRun.length,
    };
    const draft = { action: 'model.added' as const, subject: ref };
    return await ledger.commit(
      actor,
      { ...draft, details: before ? { ...details, restored: true } : details },
      (tx) => {
        const found = existing(tx.version(input), version);
        if (found && !isRemoved(found)) throw new AddedMeanwhile();
        if (found) tx.restoreArtifact(input, version.artifactId);
        else tx.insertVersion(version);
        return tx.version(input) ?? version;
      },
    );
  } catch (error) {
    const same = error instanceof AddedMeanwhile ? ledger.read.version(input) : null;
    if (same) return same;
    throw error;
  } finally {
    // Whatever went wrong: a file that a row names is never removed, one that none names is.
    if (ledger.read.version(input)?.artifactId !== added.artifactId)
      await artifacts.discard(added.artifactId);
  }
}

const isRemoved = ({ removedAt }: ModelVersion): boolean => removedAt !== null && removedAt !== undefined;

/** Ends the transaction of the second of two equal adds, which then answers as a repeated one. */
class AddedMeanwhile extends Error {}

function existing(found: ModelVersion | null, wanted: ModelVersion): ModelVersion | null {
  if (!found) return null;
  const ref = formatRef(wanted);
  if (found.digest !== wanted.digest)
    throw new SallyportError('conflict', `${ref} is in the registry with other bytes.`, {
      hint: 'Versions never change; the file was not added. Choose another version number.',
      facts: { registered: found.digest, offered: wanted.digest },
    });
  // Answering "registered" would say that they were taken.
  if (wanted.parent !== null && wanted.parent !== found.parent)
    throw new SallyportError('conflict', `${ref} is in the registry with another parent.`, {
      hint: 'Nothing was changed; a parent never changes. Choose another version number.',
      facts: { registered: found.parent, offered: wanted.parent },
    });
  const said = Object.keys(wanted.metadata).length > 0;
  if (said && canonicalJson(wanted.metadata) !== canonicalJson(found.metadata))
    throw new SallyportError('conflict', `${ref} is in the registry with other metadata.`, {
      hint: `Nothing was changed. To replace what is said of it: sallyport model describe ${ref} --metadata FILE`,
    });
  return found;
}

function checkParent(
  ledger: Ledger,
  input: { readonly name: string; readonly version: string; readonly parent: string | null },
): void {
  if (input.parent === null) return;
  if (input.parent === input.version)
    throw new SallyportError('input.invalid', 'A version is not its own parent.', {
      hint: 'Nothing was added.',
    });
  if (ledger.read.version({ name: input.name, version: input.parent })) return;
  throw new SallyportError('not-found', `The parent ${input.name}@${input.parent} is not in the registry.`, {
    hint: 'Nothing was added. Add the parent first, or leave it out.',
    facts: { parent: input.parent },
  });
}

async function storeAndScan(
  deps: { readonly ledger: Ledger; readonly artifacts: ArtifactStore },
  actor: Actor,
  ref: string,
  path: string,
  job: JobContext | undefined,
): Promise<AddedModel> {
  try {
    return await deps.artifacts.add(path, job);
  } catch (error) {
    if (!(error instanceof ScanRefusal)) throw error;
    const findings = error.findings
      .filter(({ severity }) => severity === 'critical')
      .slice(0, 20)
      .map(({ ruleId, where, reference }) => ({
        ruleId,
        where: where.slice(0, 300).toWellFormed(),
        reference,
      }));
    await deps.ledger.commit(
      actor,
      {
        action: 'model.refused',
        subject: ref,
        details: { digest: error.digest, findings, rulesRun: error.rulesRun.length },
      },
      () => undefined,
    );
    throw error;
  }
}
