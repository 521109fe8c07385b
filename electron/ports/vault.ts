import type { Checkpoint } from '../../shared/domain/audit/checkpoint.ts';
import type { ArtifactStore, ModelInspection } from './artifacts.ts';
import type { SecretStore } from './secrets.ts';
import type { Store } from './stores.ts';
import type { JobContext, System } from './system.ts';

/** age files and operators' key pairs. Errors: `auth.failed` (wrong key or passphrase), `integrity.artifact` (a changed file). */
export interface KeyTools {
  /** A fresh X25519 pair in age's own spelling. */
  generateIdentity(): Promise<{ readonly identity: string; readonly recipient: string }>;
  recipientOf(identity: string): Promise<string>;
  encrypt(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array>;
  decrypt(identity: string, file: Uint8Array): Promise<Uint8Array>;
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
}

/** The files of a vault besides database and artifacts. */
export type VaultFile =
  | 'vault.json'
  | 'recovery.age'
  | 'passphrase.age'
  | 'secrets.age'
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
  /** Opens `registry.db`; with `create` it must not exist. `integrity.vault` where the key does not fit. */
  openStore(key: Uint8Array, options?: { readonly create?: boolean }): Store;
  /** Holds `lock.db` exclusively until released or the process ends; null while another process holds it. */
  tryLock(): (() => void) | null;
}

export interface VaultDirectories {
  at(path: string): VaultDirectory;
  /**
   * Lets `fill` build a vault in a directory beside `path`, makes it durable and renames it into place: all of it or
   * nothing. `conflict` where `path` has anything in it.
   */
  create(path: string, fill: (staging: VaultDirectory) => Promise<void>): Promise<void>;
}

/** Everything a vault is opened or created with. */
export interface VaultAdapters {
  readonly system: System;
  readonly keys: KeyTools;
  readonly checkpoints: CheckpointTools;
  readonly directories: VaultDirectories;
  /** The operating system's keychain, for the names of one vault. */
  keychainSecrets(vaultId: string): SecretStore;
  /** `secrets.age` in the directory at `path`. `identity` throws `locked` while the vault is locked. */
  fileSecrets(path: string, recipient: () => string, identity: () => string): SecretStore;
  /** `artifacts/` in the directory at `path`, every file encrypted to all `recipients`. */
  artifacts(path: string, recipients: readonly string[], identity: () => string): ArtifactStore;
}

/** Reads and scans a model file that is not to be kept, in a worker process. Critical findings are answered, not thrown. */
export interface ModelInspector {
  inspect(
    path: string,
    job?: JobContext,
  ): Promise<ModelInspection & { readonly digest: string; readonly sizeBytes: number }>;
}
