/** Retention and garbage collection: what the rule lets go is archived, and files nothing needs are removed. */
import { effectiveState } from '../../../shared/domain/approval/lifecycle.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type Collection,
  type CollectionPlan,
  planCollection,
} from '../../../shared/domain/model/retention.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { StoreReader, StoreWriter } from '../../ports/stores.ts';
import type { JobContext, System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import { namedArtifacts } from '../vault/named-artifacts.ts';
import { readVaultSettings } from '../vault/settings.ts';
import { SWEEP_GRACE_MS } from '../vault/sweep.ts';

interface CollectDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly system: System;
}

/** Names of versions in one audit entry; a model with more gets several. */
const AT_ONCE = 200;
/** Models judged before others get the thread. */
const MODELS_AT_ONCE = 20;

interface Collected {
  readonly archived: Collection['archived'];
  readonly removed: (Collection['removed'][number] & { readonly artifactId: string })[];
}

/**
 * Applies the vault's retention rule to every model, then removes files that no record names. Rows first, files after:
 * a stop in between leaves files that the next sweep removes, and no record of a file that is gone without saying so.
 * Errors: `refused.role`, `cancelled` (what was collected by then stays so).
 */
export async function collect(
  deps: CollectDeps,
  actor: Actor,
  { dryRun }: { readonly dryRun: boolean },
  job?: JobContext,
): Promise<Collection> {
  const { ledger, artifacts, system } = deps;
  await ledger.require(actor, 'model.collect', 'registry');
  const result: Mutable<Collection> = {
    dryRun,
    archived: [],
    removed: [],
    orphans: [],
    kept: [],
    freedBytes: 0,
  };
  const names = ledger.read.names();
  for (const [index, name] of names.entries()) {
    if (index % MODELS_AT_ONCE === 0) {
      checkCancelled(job);
      job?.progress('collecting', index, names.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const planned = planFor(ledger.read, name, system.now());
    result.kept.push(
      ...planned.kept.map(({ version, reason }) => ({ ref: `${name}@${version.version}`, reason })),
    );
    const done = dryRun ? describe(name, planned) : await collectModel(deps, actor, name, job);
    result.archived.push(...done.archived);
    result.removed.push(...done.removed.map(({ ref, sizeBytes, reason }) => ({ ref, sizeBytes, reason })));
  }
  result.orphans = await orphans(deps);
  if (!dryRun && result.orphans.length > 0) {
    await ledger.commit(
      actor,
      {
        action: 'model.collected',
        subject: 'files without a record',
        details: { files: result.orphans.length, bytes: total(result.orphans) },
      },
      () => undefined,
    );
    for (const { artifactId } of result.orphans) {
      await artifacts.discard(artifactId);
      system.reached('collect.orphan-discarded');
    }
  }
  result.freedBytes = total(result.removed) + total(result.orphans);
  job?.progress('collecting', names.length, names.length);
  return result;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const total = (items: readonly { readonly sizeBytes: number }[]): number =>
  items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** Commits what goes of one model, in portions, and removes the files of each portion behind it. */
async function collectModel(
  { ledger, artifacts, system }: CollectDeps,
  actor: Actor,
  name: string,
  job: JobContext | undefined,
): Promise<Collected> {
  const all: Collected = { archived: [], removed: [] };
  for (;;) {
    checkCancelled(job);
    const now = system.now();
    const before = portion(planFor(ledger.read, name, now));
    if (before.archive.length + before.remove.length === 0) return all;
    const done = await ledger.commit(
      actor,
      (collected: Collected) => ({
        action: 'model.collected',
        subject: name,
        details: {
          keepLast: readVaultSettings(ledger.read).keepLast,
          archived: collected.archived.map(({ ref }) => ref),
          removed: collected.removed.map(({ ref }) => ref),
          bytes: total(collected.removed),
        },
      }),
      // Judged again on the rows as they are inside the transaction.
      (tx) => apply(tx, name, portion(planFor(tx, name, now)), { at: now.toISOString(), by: actor.name }),
    );
    system.reached('collect.committed');
    all.archived.push(...done.archived);
    all.removed.push(...done.removed);
    for (const { artifactId } of done.removed) {
      await artifacts.discard(artifactId);
      system.reached('collect.discarded');
    }
  }
}

function apply(
  tx: StoreWriter,
  name: string,
  plan: CollectionPlan,
  removed: { readonly at: string; readonly by: string },
): Collected {
  for (const { version } of plan.archive) tx.setState({ name, version: version.version }, 'archived');
  for (const { version } of plan.remove) tx.markRemoved({ name, version: version.version }, removed);
  return describe(name, plan);
}

function describe(name: string, plan: CollectionPlan): Collected {
  return {
    archived: plan.archive.map(({ version, reason }) => ({ ref: `${name}@${version.version}`, reason })),
    removed: plan.remove.map(({ version, reason }) => ({
      ref: `${name}@${version.version}`,
      sizeBytes: version.sizeBytes,
      artifactId: version.artifactId,
      reason,
    })),
  };
}

/** The first so many of a plan; a version is archived in the portion that removes its file. */
function portion(plan: CollectionPlan): CollectionPlan {
  const remove = plan.remove.slice(0, AT_ONCE);
  const versions = new Set(remove.map(({ version }) => version.version));
  const without = new Set(plan.remove.map(({ version }) => version.version));
  const archive = plan.archive.filter(
    ({ version }) => versions.has(version.version) || !without.has(version.version),
  );
  return { archive: archive.slice(0, AT_ONCE), remove, kept: plan.kept };
}

function planFor(read: StoreReader, name: string, now: Date): CollectionPlan {
  const { keepLast } = readVaultSettings(read);
  if (keepLast === null) return { archive: [], remove: [], kept: [] };
  return planCollection({
    name,
    versions: read.collectable(name),
    keepLast,
    aliases: read.aliases(name),
    served: servedDigests(read, name),
    underWay: underWay(read, name, now),
  });
}

function servedDigests(read: StoreReader, name: string): ReadonlyMap<string, string> {
  const served = new Map<string, string>();
  for (const endpoint of read.endpoints())
    for (const model of read.lastStatus(endpoint.id)?.models ?? [])
      for (const slot of model.name === name ? [model.stable, model.canary, model.previous] : [])
        if (slot) served.set(slot.digest, endpoint.name);
  return served;
}

/** What a request or rollout that is not over would still deploy, by version. */
function underWay(read: StoreReader, name: string, now: Date): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const record of read.requests()) {
    const state = effectiveState(record, now);
    if (record.request.name === name && (state === 'open' || state === 'approved'))
      found.set(record.request.version, `under an ${state} request`);
  }
  for (const rollout of read.unfinished())
    if (rollout.name === name) found.set(rollout.version, `in the rollout to ${rollout.target}`);
  return found;
}

/** Files no record names, old enough that nobody is about to commit theirs. */
async function orphans({ ledger, artifacts, system }: CollectDeps): Promise<Collection['orphans']> {
  // Files first, rows second: a file whose row is committed in between is none.
  const stored = await artifacts.list();
  const named = new Set(namedArtifacts(ledger.read).map(({ artifactId }) => artifactId));
  const found: Collection['orphans'] = [];
  for (const artifactId of stored) {
    if (named.has(artifactId)) continue;
    const file = await artifacts.stat(artifactId);
    if (file && system.now().getTime() - file.writtenAt.getTime() > SWEEP_GRACE_MS)
      found.push({ artifactId, sizeBytes: file.storedBytes });
  }
  return found;
}

function checkCancelled(job: JobContext | undefined): void {
  if (!job?.signal.aborted) return;
  throw new SallyportError('cancelled', 'The collection was cancelled.', {
    hint: 'What was collected by then stays collected. Collect again to go on.',
  });
}
