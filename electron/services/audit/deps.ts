import type { Store } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { CheckpointTools } from '../../ports/vault.ts';
import type { VaultLedger } from '../ledger-impl.ts';

/** A stored signature that `verify` checks: `check` throws where it does not hold. */
export interface SignatureCheck {
  readonly subject: string;
  check(): void | Promise<void>;
}

/** Checkpoints an endpoint holds of this vault's log; `problem` where it could not be asked. */
export interface EndpointCheckpoints {
  readonly endpoint: string;
  readonly notes: readonly string[];
  readonly problem?: string;
}

/** Writes a new file line by line, complete or not at all; `conflict` where one is there. */
export type WriteLines = (path: string, lines: Iterable<string>) => Promise<void>;

export interface AuditDeps {
  readonly vaultId: string;
  readonly ledger: VaultLedger;
  readonly store: Store;
  readonly system: System;
  readonly checkpoints: CheckpointTools;
  /** The vault's public checkpoint key. */
  readonly checkpointVerifier: string;
  readonly writeLines: WriteLines;
  /** Stored signatures to prove, by the services that keep them. */
  readonly signatureChecks: () => readonly SignatureCheck[];
  readonly fetchCheckpoints: () => Promise<readonly EndpointCheckpoints[]>;
}

/** What proving an exported file takes: no vault, no key. */
export interface VerifyFileDeps {
  readonly system: System;
  readonly checkpoints: CheckpointTools;
  /** A file's lines without their line feeds, in batches; `done` and `total` in bytes. `not-found` where it is missing. */
  readonly readLines: (
    path: string,
  ) => AsyncIterable<{ readonly lines: readonly string[]; readonly done: number; readonly total: number }>;
  /** A small file whole; `input.invalid` where it has more bytes than that. */
  readonly readText: (path: string, maximum: number) => Promise<string>;
}
