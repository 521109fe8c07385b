/** What the process of the vault's jobs is asked, and what it answers. Messages are structured clones. */
import type { ErrorCode } from '../../shared/domain/errors.ts';
import type { OnnxSummary } from '../../shared/domain/onnx/summary.ts';
import type { Finding } from '../../shared/domain/scan/finding.ts';

export interface AddModelRequest {
  readonly kind: 'add-model';
  readonly sourcePath: string;
  /** Where the encrypted file is written; it must not exist. The parent names or removes it afterwards. */
  readonly targetPath: string;
  readonly recipients: readonly string[];
}

export interface VerifyFileRequest {
  readonly kind: 'verify-file';
  readonly path: string;
  /** Opens this one file and no other; overwritten when it is done. */
  readonly fileKey: Uint8Array;
}

export type VaultJobRequest = AddModelRequest | VerifyFileRequest;

export type VaultJobReply =
  | { readonly kind: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | {
      readonly kind: 'added';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly summary: OnnxSummary;
      readonly rulesRun: readonly string[];
      readonly findings: readonly Finding[];
    }
  | { readonly kind: 'verified'; readonly digest: string; readonly sizeBytes: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | null;
      readonly facts: Readonly<Record<string, string | number | boolean | null>>;
    };
