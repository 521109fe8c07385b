/** Which versions a vault has to keep, and what may go. */
import { z } from 'zod';
import { compareSemver } from './semver.ts';
import type { VersionState } from './version.ts';

/** What a collection did, or would do. */
export const collectionSchema = z.object({
  dryRun: z.boolean(),
  /** Versions that fell out of the retention rule and are archived by it. */
  archived: z.array(z.object({ ref: z.string(), reason: z.string() })),
  /** Model files removed: of archived and revoked versions that nothing needs. Their records stay. */
  removed: z.array(z.object({ ref: z.string(), sizeBytes: z.number(), reason: z.string() })),
  /** Files that no record names. */
  orphans: z.array(z.object({ artifactId: z.string(), sizeBytes: z.number() })),
  freedBytes: z.number(),
  /** Versions kept although the rule alone would let them go, with why (deployed, champion, under request). */
  kept: z.array(z.object({ ref: z.string(), reason: z.string() })),
});
export type Collection = z.infer<typeof collectionSchema>;

/** What the rule looks at of one version. */
export interface CollectableVersion {
  readonly version: string;
  readonly state: VersionState;
  readonly digest: string;
  readonly artifactId: string;
  readonly sizeBytes: number;
  readonly removedAt: string | null;
}

export interface CollectionInput {
  readonly name: string;
  readonly versions: readonly CollectableVersion[];
  /** Newest versions that are kept; null keeps all. */
  readonly keepLast: number | null;
  readonly aliases: readonly { readonly alias: string; readonly version: string }[];
  /** Endpoints by the digest they serve or keep for a rollback. */
  readonly served: ReadonlyMap<string, string>;
  /** Why a version is needed by a release under way (an open or approved request, a rollout), by version. */
  readonly underWay: ReadonlyMap<string, string>;
}

export interface CollectionPlan {
  readonly archive: readonly { readonly version: CollectableVersion; readonly reason: string }[];
  readonly remove: readonly { readonly version: CollectableVersion; readonly reason: string }[];
  readonly kept: readonly { readonly version: CollectableVersion; readonly reason: string }[];
}

/**
 * What may go of one model. The newest `keepLast` versions by precedence stay as they are, whatever their state. Of the
 * older ones, those that nothing needs are archived, and the files of archived and revoked ones are removed; records,
 * digests and reports stay for good, and with them the lineage: a parent's record is enough for its children, so being
 * a parent keeps no file. Needed is what an endpoint serves or keeps for a rollback, what carries an alias, and what a
 * request or rollout under way would deploy.
 */
export function planCollection(input: CollectionInput): CollectionPlan {
  const { keepLast } = input;
  if (keepLast === null) return { archive: [], remove: [], kept: [] };
  const newestFirst = [...input.versions].sort(
    (a, b) => compareSemver(b.version, a.version) || (a.version < b.version ? 1 : -1),
  );
  const archive: CollectionPlan['archive'][number][] = [];
  const remove: CollectionPlan['remove'][number][] = [];
  const kept: CollectionPlan['kept'][number][] = [];
  for (const version of newestFirst.slice(keepLast)) {
    const open = version.state === 'draft' || version.state === 'validated';
    if (!open && version.removedAt !== null) continue;
    const need = whyNeeded(version, input);
    if (need !== null) {
      kept.push({ version, reason: need });
      continue;
    }
    if (open) archive.push({ version, reason: `not among the newest ${keepLast}` });
    if (version.removedAt === null)
      remove.push({ version, reason: open ? 'archived by the retention rule' : version.state });
  }
  return { archive, remove, kept };
}

function whyNeeded(version: CollectableVersion, input: CollectionInput): string | null {
  const endpoint = input.served.get(version.digest);
  if (endpoint !== undefined) return `on ${endpoint}`;
  const alias = input.aliases.find((one) => one.version === version.version);
  if (alias) return `${alias.alias} of ${input.name}`;
  return input.underWay.get(version.version) ?? null;
}
