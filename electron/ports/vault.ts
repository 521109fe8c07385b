import type { Checkpoint } from '../../shared/domain/audit/checkpoint.ts';
import type { ArtifactStore, ModelInspection } from './artifacts.ts';
import type { VaultBackups } from './backup.ts';
import type { SecretStore } from './secrets.ts';
import type { Store } from './stores.ts';
import type { JobContext, System } from './system.ts';

/** age files and operators' key pairs. Errors: `auth.failed` (wrong key or passphrase), `integrity.artifact` (a changed file). */
export interface KeyTools {
  /** A fresh X25519 pair in age's own spelling. */
  generateIdentity(): Promise<{ readonly identity: string; readonly recipient: string }>;
  recipientOf(identity: string): Promise<string>;
  encrypt(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array>;
  /** `identity`: one, or several of which any may fit. */
  decrypt(identity: string | readonly string[], file: Uint8Array): Promise<Uint8Array>;
  encryptWithPassphrase(passphrase: string, bytes: Uint8Array): Promise<Uint8Array>;
  decryptWithPassphrase(passphrase: string, file: Uint8Array): Promise<Uint8Array>;
  /** A fresh P-256 pair: PKCS#8 and SubjectPublicKeyInfo, PEM. */
  generateSigningKey(): {
    readonly privateKeyPem: string;
    readonly publicKeyPem: string;
    readonly fingerprint: string;
  };
}

/** Signed notes over the audit log's Merkle root. `skey` is secret, `vkey` public; both name the vault. */
export interface CheckpointTools {
  generate(vaultId: string): { readonly skey: string; readonly vkey: string };
  sign(checkpoint: Checkpoint, skey: string): string;
  /** What a note says once its signature verified; `integrity.signature` otherwise. */
  verify(note: string, vkey: string): Checkpoint;
  /** Any other text (lines, none of them empty) as a signed note, and the text of one whose signature verified. */
  signText(text: string, skey: string): string;
  openText(note: string, vkey: string): string;
}

/** The files of a vault besides database and artifacts. */
export type VaultFile =
  | 'vault.json'
  | 'recovery.age'
  | 'passphrase.age'
  | 'secrets.age'
  /** The copy of the database under its next key, until it takes the database's place. */
  | 'next-registry.db'
  /** Left by a restore whose keys were not at hand, until the vault is first opened. */
  | 'restored.json'
  | `recovery/${string}.age`;

/** One vault's directory. */
export interface VaultDirectory {
  readonly path: string;
  /** The file's content, or null where there is none. */
  read(file: VaultFile): Promise<Uint8Array | null>;
  /** Replaces the file atomically and durably. */
  write(file: VaultFile, bytes: Uint8Array | string): Promise<void>;
  remove(file: VaultFile): Promise<void>;
  /** Names in `recovery/`, as `read` takes them. */
  recoveryFiles(): Promise<VaultFile[]>;
  /** Whether there is something under the database's name. */
  hasDatabase(): Promise<boolean>;
  /** Opens `registry.db`; with `create` it must not exist. `integrity.vault` where the key does not fit. */
  openStore(key: Uint8Array, options?: { readonly create?: boolean }): Store;
  /** Path of one of the vault's files, for the worker that copies the database. */
  pathOf(file: VaultFile | 'registry.db'): string;
  /**
   * Says that this process has the vault open, in `open.db`: as many as like may, until one takes it for itself.
   * Answers the release; null while another process has it for itself (a rekey).
   */
  tryPresence(): (() => void) | null;
  /** Keeps every other process from opening the vault; null while one has it open. */
  tryAlone(): (() => void) | null;
  /** Removes what dead processes were writing in the vault's own folder and in `recovery/`; answers how many files. */
  sweepTemporary(): Promise<number>;
  /** Holds `lock.db` exclusively until released or the process ends; null while another process holds it, or where nothing can be written. */
  tryLock(): (() => void) | null;
}

export interface VaultDirectories {
  at(path: string): VaultDirectory;
  /**
   * Lets `fill` build a vault in a directory beside `path`, makes it durable and renames it into place: all of it or
   * nothing. `conflict` where `path` has anything in it.
   */
  create(path: string, fill: (staging: VaultDirectory) => Promise<void>): Promise<void>;
  /** The other folders in the folder that `path` is in, whatever they hold. */
  beside(path: string): Promise<readonly VaultDirectory[]>;
}

/** Everything a vault is opened or created with. */
export interface VaultAdapters {
  readonly system: System;
  readonly keys: KeyTools;
  readonly checkpoints: CheckpointTools;
  readonly directories: VaultDirectories;
  readonly backups: VaultBackups;
  /** The operating system's keychain, for the names of one vault. */
  keychainSecrets(vaultId: string): SecretStore;
  /** `secrets.age` in the directory at `path`. `identity` throws `locked` while the vault is locked; any of several opens. */
  fileSecrets(path: string, recipient: () => string, identity: Identities): SecretStore;
  /** `artifacts/` in the directory at `path`, every file encrypted to all `recipients`. */
  artifacts(path: string, recipients: () => readonly string[], identity: Identities): ArtifactStore;
  /** A worker process for one rekey of the vault at `path`; close it when done. */
  rekeyWorker(path: string): RekeyWorker;
}

/** The private keys of a vault: one, and for the time of a rekey the one before as well. */
export type Identities = () => string | readonly string[];

/** What came of one stored file: `moved` to the new recipients, `already` theirs, `damaged` and left as it was. */
export type MovedArtifact = {
  readonly outcome: 'moved' | 'already' | 'damaged';
  readonly bytes: number;
};

/** The heavy part of a rekey, in a process of its own. Requests are served one after the other. */
export interface RekeyWorker {
  /**
   * Copies the database at `source` to the new file `target` under `nextKey`: complete, checked and durable, never a
   * plaintext page on disk. Cancelling ends the process. Errors: `integrity.vault`, `disk.full`, `cancelled`.
   */
  copyDatabase(
    request: {
      readonly source: string;
      readonly target: string;
      readonly key: string;
      readonly nextKey: string;
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Gives one file its new recipients: a new header, or with `full` everything encrypted anew under a fresh file key.
   * `digest` null where no record names the file. Whole or not at all; done again it is `already`.
   */
  moveArtifact(request: {
    readonly artifactId: string;
    readonly digest: string | null;
    readonly identities: readonly string[];
    readonly recipients: readonly string[];
    readonly full: boolean;
  }): Promise<MovedArtifact>;
  close(): void;
}

/** Reads and scans a model file that is not to be kept, in a worker process. Critical findings are answered, not thrown. */
export interface ModelInspector {
  inspect(
    path: string,
    job?: JobContext,
  ): Promise<ModelInspection & { readonly digest: string; readonly sizeBytes: number }>;
}
