import { type ErrorDetails, SallyportError } from '../../shared/domain/errors.ts';
import type { OnnxSummary } from '../../shared/domain/onnx/summary.ts';
import type { Finding } from '../../shared/domain/scan/finding.ts';
import type { JobContext } from './system.ts';

/** A file in the store. `digest` is the SHA-256 of the plaintext, lower-case hex. */
export interface StoredArtifact {
  readonly artifactId: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What our own reader and scan rules said of a model, read from the stored ciphertext. */
export interface ModelInspection {
  readonly summary: OnnxSummary;
  readonly rulesRun: readonly string[];
  readonly findings: readonly Finding[];
}

export interface AddedModel extends StoredArtifact, ModelInspection {}

/** A model that was refused before it was registered (`refused.scan`); nothing of it is kept but these facts. */
export class ScanRefusal extends SallyportError {
  readonly digest: string;
  readonly rulesRun: readonly string[];
  readonly findings: readonly Finding[];

  constructor(
    message: string,
    inspection: Pick<ModelInspection, 'rulesRun' | 'findings'> & { digest: string },
    details: ErrorDetails = {},
  ) {
    super('refused.scan', message, details);
    this.digest = inspection.digest;
    this.rulesRun = inspection.rulesRun;
    this.findings = inspection.findings;
  }
}

/**
 * Encrypted files of a vault, each under a random id.
 *
 * Two phases: `add` and `putBytes` return when the file is durable under its final name; the caller then commits the
 * row that names it, or calls `discard`. A file no row names (the process died in between) is found by `list`.
 *
 * Errors: `integrity.artifact` (any byte differs, or the file is missing), `locked` (reading a locked vault),
 * `disk.full`, `cancelled`, `input.invalid`, and on adding a model those of the reader (`model.*`) and `refused.scan`.
 */
export interface ArtifactStore {
  /** Encrypts a model file into the store, reads it back, inspects and scans what is stored. Needs no private key. */
  add(sourcePath: string, job?: JobContext): Promise<AddedModel>;
  /** Stores a small file (policy, dossier, signature bundle) whole. */
  putBytes(bytes: Uint8Array): Promise<StoredArtifact>;
  /** Same as `readAll`; the pair of `putBytes`. */
  getBytes(artifactId: string, expectedDigest: string): Promise<Buffer>;
  /** Removes a file. Removing what is not there is not an error. */
  discard(artifactId: string): Promise<void>;
  /** Plaintext pieces, each authenticated; the digest is checked at the end, so act on the data only after the last. */
  read(artifactId: string, expectedDigest: string): AsyncIterable<Uint8Array>;
  /** The whole plaintext in one buffer, hashed in that buffer: nothing is returned unless it is exact. */
  readAll(artifactId: string, expectedDigest: string): Promise<Buffer>;
  /** Writes the plaintext to a new file, complete or not at all. An existing file is a `conflict`. */
  exportTo(artifactId: string, expectedDigest: string, path: string, job?: JobContext): Promise<void>;
  /** Decrypts and hashes; resolves with the plaintext size, throws `integrity.artifact` where it differs. */
  verify(artifactId: string, expectedDigest: string, job?: JobContext): Promise<number>;
  /**
   * Whom a file's header is for, against the two keys of the vault: `unconfirmed` where it cannot be shown that the
   * recovery key opens it (an earlier version wrote it, or another key stands in that place), `foreign` for more, fewer
   * or other recipients. `integrity.artifact` where the header does not verify.
   */
  recipientsOf(artifactId: string): Promise<'confirmed' | 'unconfirmed' | 'foreign'>;
  /** What lies in the store that no record names, is no file of it, or is open to others; by path. */
  strays(isNamed: (artifactId: string) => boolean): Promise<{ path: string; problem: string }[]>;
  /** Resolves when every write that is under way now has ended, whichever way. */
  settled(): Promise<void>;
  /** Size of a stored file (ciphertext) and when it was written; null where there is none. */
  stat(artifactId: string): Promise<{ readonly storedBytes: number; readonly writtenAt: Date } | null>;
  /** Ids of all files in the store. */
  list(): Promise<string[]>;
  /** Removes temporary files whose process is gone; answers how many. Only for the holder of the vault's lock. */
  sweepTemporary(): Promise<number>;
}
