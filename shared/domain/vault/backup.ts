/** What a backup is: its members, and the list that proves them complete. */
import { z } from 'zod';
import { checkpointOrigin } from '../audit/checkpoint.ts';
import { auditHeadSchema } from '../audit/entry.ts';
import { sha256Schema } from '../model/version.ts';

/** The list of all other members, and the vault's signature over it: the last two members of the archive. */
export const MANIFEST = 'manifest.json';
export const MANIFEST_NOTE = 'manifest.note';

/**
 * The names a member may have. Everything but the list is a file of the vault under its own name, so that an
 * unpacked archive is a vault; no name can lead out of the folder it is unpacked into.
 */
const MEMBER =
  /^(vault\.json|registry\.db|(recovery|passphrase|secrets)\.age|recovery\/[0-9a-f]{64}\.age|artifacts\/([0-9a-f]{2})\/\3[0-9a-f]{30}\.age)$/;

/** Whether a backup may hold a file of this name. */
export function isBackupMember(name: string): boolean {
  return MEMBER.test(name);
}

/** The member that holds a stored file. */
export function artifactMember(artifactId: string): string {
  return `artifacts/${artifactId.slice(0, 2)}/${artifactId}.age`;
}

export const backupMemberSchema = z.strictObject({
  name: z.string().regex(MEMBER),
  size: z.number().int().min(0),
  sha256: sha256Schema,
});
export type BackupMember = z.infer<typeof backupMemberSchema>;

export const backupFactsSchema = z.strictObject({
  format: z.literal(1),
  vaultId: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.iso.datetime(),
  /** Number of the database's schema. */
  schema: z.number().int().min(1),
  /** Where the audit log stood. */
  head: auditHeadSchema,
  /** Stored files that were missing or changed in the vault already: a restore cannot bring them back, and says so. */
  damaged: z.array(z.strictObject({ artifactId: z.string().regex(/^[0-9a-f]{32}$/), problem: z.string() })),
});
/** A backup without its list of members. */
export type BackupFacts = z.infer<typeof backupFactsSchema>;

export const backupManifestSchema = backupFactsSchema.extend({ members: z.array(backupMemberSchema) });
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/**
 * The text the vault's checkpoint key signs (C2SP signed note). Its first line is no log's origin, so that it can never
 * pass for a checkpoint of the audit log.
 */
export function backupNoteText(
  facts: Pick<BackupFacts, 'vaultId' | 'createdAt'>,
  manifestDigest: string,
): string {
  return `${checkpointOrigin(facts.vaultId)}/backup\n${facts.createdAt}\nsha256:${manifestDigest}\n`;
}

/** Members every backup has, whatever its vault holds. */
const REQUIRED = ['vault.json', 'registry.db', 'recovery.age'];

/**
 * What is wrong with the members that were found, judged by the list; empty where they are exactly those. In the
 * order of the list, then what it does not name.
 */
export function memberProblems(manifest: BackupManifest, found: readonly BackupMember[]): string[] {
  const problems: string[] = [];
  const byName = new Map(found.map((member) => [member.name, member]));
  if (byName.size !== found.length) problems.push('a member is in it twice');
  const listed = new Set<string>();
  for (const { name, size, sha256 } of manifest.members) {
    if (listed.has(name)) problems.push(`its list names ${name} twice`);
    listed.add(name);
    const member = byName.get(name);
    if (!member) problems.push(`${name} is missing`);
    else if (member.size !== size) problems.push(`${name} has ${member.size} bytes, not ${size}`);
    else if (member.sha256 !== sha256) problems.push(`${name} was changed`);
  }
  for (const name of REQUIRED) if (!listed.has(name)) problems.push(`its list lacks ${name}`);
  for (const { name } of found) if (!listed.has(name)) problems.push(`${name} is not in its list`);
  return problems;
}

/**
 * Left in a restored vault whose keys were not at hand: what remains to be checked and written into its log when it is
 * first opened. Not signed by itself: `note` is the backup's signature, checked against the database's key then.
 */
export const restoredMarkerSchema = z.strictObject({
  format: z.literal(1),
  facts: backupFactsSchema.omit({ damaged: true }),
  manifestDigest: sha256Schema,
  note: z.string().max(64 * 1024),
});
export type RestoredMarker = z.infer<typeof restoredMarkerSchema>;
