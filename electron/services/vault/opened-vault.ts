import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { Store } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultLedger } from '../ledger-impl.ts';
import type { KeysKind } from './key-source.ts';
import type { RekeyInput, RekeyOutcome } from './rekey.ts';

/** An open vault: what services are built on. Close it once; the private keys are forgotten then. */
export interface OpenVault {
  readonly id: string;
  readonly path: string;
  readonly keysKind: KeysKind;
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly artifacts: ArtifactStore;
  readonly ledger: VaultLedger;
  /** The vault's public key, `age1…`: what another site encrypts a bundle to. */
  readonly recipient: string;
  /** Verifies the audit log's checkpoints. */
  readonly checkpointVerifier: string;
  /** The vault's private key; `locked` once closed. */
  identity(): string;
  /** The database's raw key, for the worker that copies it; `locked` once closed. */
  databaseKey(): Uint8Array;
  /** Proves every page of the database, in a worker. `integrity.vault` where one was changed. */
  proveDatabase(job?: JobContext): Promise<void>;
  /** Removes what dead processes left of backups. For the holder of the effects lock. */
  sweepBackups(): Promise<number>;
  /** Removes what dead processes were writing beside the database. */
  sweepFiles(): Promise<number>;
  /** Takes the right to run effects, leases and sweeps; false while another process has it. Kept until released or closed. */
  acquireEffectsLock(): boolean;
  releaseEffectsLock(): void;
  /**
   * Gives the vault new keys; see `rekeyParts`. Whether the actor may is for the caller to ask. `conflict` while another process has it
   * open, or another rekey is under way.
   */
  rekey(actor: Actor, input: RekeyInput, job?: JobContext): Promise<RekeyOutcome>;
  /** Whether this is the private half of the vault's recovery key. */
  isRecoveryKey(recoveryKey: string): Promise<boolean>;
  readonly recoveryRecipient: string;
  close(): Promise<void>;
}
