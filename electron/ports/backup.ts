import type { BackupFacts } from '../../shared/domain/vault/backup.ts';
import type { NamedArtifact } from './named-artifacts.ts';
import type { JobContext } from './system.ts';

/** What a complete archive says of itself. The signature in `note` is not checked yet. */
export interface UnpackedBackup {
  readonly facts: BackupFacts;
  readonly manifestDigest: string;
  readonly note: string;
  readonly members: number;
  readonly bytes: number;
}

/** An archive under a temporary name, durable and read back. */
export interface PackedBackup {
  /** SHA-256 of the whole file. */
  readonly digest: string;
  readonly bytes: number;
  readonly members: number;
  /** Gives it its name, never over a file that is there (`conflict`). Durable when it resolves. */
  publish(): Promise<void>;
}

/** A database whose every page was checked. */
export interface ProvedDatabase {
  readonly schema: number;
  /** Every stored file its rows name. */
  readonly named: readonly NamedArtifact[];
}

/** A vault as it was at one moment, in a folder inside the vault's own: encrypted as the vault is. Remove it when done. */
export interface VaultSnapshot {
  /** The folder; it can be opened as a vault's directory. */
  readonly path: string;
  /** Number of the database's schema. */
  readonly schema: number;
  /** Every stored file its rows name, held in it whatever the vault does with them meanwhile. */
  readonly named: readonly NamedArtifact[];
  /** Ids of those that were gone already when they were to be held. */
  readonly missing: readonly string[];
  /**
   * Writes the archive beside `path` and reads it back. `sign` answers the signed note for the digest of its list.
   * Errors: `conflict` (something is at `path`), `not-found` (no such folder), `disk.full`, `disk.read-only`,
   * `integrity.vault` (what was read back is not what was written).
   */
  pack(
    path: string,
    facts: BackupFacts,
    sign: (manifestDigest: string) => Promise<string>,
  ): Promise<PackedBackup>;
  remove(): Promise<void>;
}

/** Backups of vaults as files. Everything heavy happens in a worker process; cancelling ends it and leaves nothing. */
export interface VaultBackups {
  /** Newest schema of the database that this program knows. */
  readonly newestSchema: number;
  /** Copies the database as it is now, encrypted with its own key all the while; then holds the files it names, and the key files. */
  snapshot(vaultPath: string, databaseKey: Uint8Array, job?: JobContext): Promise<VaultSnapshot>;
  /** Unpacks an archive into an empty folder; `integrity.vault` unless it is complete and exact. */
  unpack(file: string, directory: string, job?: JobContext): Promise<UnpackedBackup>;
  /** Proves the database of a vault's folder, page by page. `integrity.vault` where it fails, `vault.newer`. */
  checkDatabase(vaultPath: string, databaseKey: Uint8Array, job?: JobContext): Promise<ProvedDatabase>;
  /** Removes what dead processes left in and for this vault; answers how much. */
  sweep(vaultPath: string): Promise<number>;
}
