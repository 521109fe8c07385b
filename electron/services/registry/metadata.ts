/** What is said of a version, and what names it: metadata and aliases. */
import { canonicalJson } from '../../../shared/domain/audit/canonical-json.ts';
import {
  type Alias,
  aliasSchema,
  formatRef,
  givenMetadataSchema,
  type ModelVersion,
  type VersionMetadata,
  type VersionRef,
  versionMetadataSchema,
} from '../../../shared/domain/model/version.ts';
import type { Actor, Permission } from '../../../shared/domain/operator/operator.ts';
import type { StoreReader } from '../../ports/stores.ts';
import { parseInput } from '../input.ts';
import type { AuditDraft, Ledger } from '../ledger.ts';
import { readVaultSettings } from '../vault/settings.ts';
import type { VersionRules } from './rules.ts';

type Details = AuditDraft['details'];

/** Permission to move an alias: the vault's settings protect some. */
export function aliasPermission(read: StoreReader, alias: string): Permission {
  return readVaultSettings(read).protectedAliases.includes(alias) ? 'model.alias-protected' : 'model.alias';
}

export async function setAlias(
  ledger: Ledger,
  rules: VersionRules,
  actor: Actor,
  input: Alias,
): Promise<ModelVersion> {
  const alias = parseInput(aliasSchema, input);
  const version = rules.find(alias);
  await ledger.require(actor, aliasPermission(ledger.read, alias.alias), formatRef(version));
  rules.checkState('alias', version);
  await ledger.commit(
    actor,
    (before: string | null) => ({
      action: 'model.aliased',
      subject: formatRef(version),
      details: { alias: alias.alias, before },
    }),
    (tx) => {
      rules.checkState('alias', tx.version(version) ?? version, tx);
      const before = tx.aliasedVersion(alias.name, alias.alias)?.version ?? null;
      tx.setAlias(alias);
      return before;
    },
  );
  return version;
}

const unaliasSchema = aliasSchema.pick({ name: true, alias: true });

/** Takes an alias away; `removed` false where nothing carried it, which is no entry either. */
export async function removeAlias(
  ledger: Ledger,
  actor: Actor,
  input: { readonly name: string; readonly alias: string },
): Promise<{ removed: boolean }> {
  const { name, alias } = parseInput(unaliasSchema, input);
  const holder = (read: StoreReader): string | null => read.aliasedVersion(name, alias)?.version ?? null;
  const before = holder(ledger.read);
  await ledger.require(
    actor,
    aliasPermission(ledger.read, alias),
    before === null ? name : formatRef({ name, version: before }),
  );
  if (before === null) return { removed: false };
  await ledger.commit(
    actor,
    (version: string | null) => ({
      action: 'model.unaliased',
      subject: version === null ? name : formatRef({ name, version }),
      details: { alias, before: version },
    }),
    (tx) => tx.removeAlias({ name, alias }),
  );
  return { removed: true };
}

/** Replaces what is said of a version; the entry holds before and after of what changed. Nothing changed: no entry. */
export async function describeVersion(
  ledger: Ledger,
  rules: VersionRules,
  actor: Actor,
  input: VersionRef & { readonly metadata: VersionMetadata },
): Promise<ModelVersion> {
  const metadata = parseInput(givenMetadataSchema, input.metadata);
  const version = await rules.allowed(actor, 'describe', input);
  if (same(version.metadata, metadata)) return version;
  await ledger.commit(
    actor,
    (before: VersionMetadata) => ({
      action: 'model.described',
      subject: formatRef(version),
      details: changes(before, metadata),
    }),
    (tx) => {
      const current = tx.version(version) ?? version;
      rules.checkState('describe', current, tx);
      tx.setMetadata(version, metadata);
      return current.metadata;
    },
  );
  return version;
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null);

function changes(before: VersionMetadata, after: VersionMetadata): Details {
  const keys = Object.keys(versionMetadataSchema.shape) as (keyof VersionMetadata)[];
  const changed = keys.filter((key) => !same(before[key], after[key]));
  const side = (metadata: VersionMetadata): Details =>
    Object.fromEntries(changed.map((key) => [key, metadata[key] ?? null]));
  return { before: side(before), after: side(after) };
}
