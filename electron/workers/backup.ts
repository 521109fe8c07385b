/**
 * Entry of the process that makes and opens backups: copying, checking and hashing a whole vault would block whoever
 * draws the window. It gets the database's key, which never leaves its memory, and no other.
 */
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import type { BackupFacts } from '../../shared/domain/vault/backup.ts';
import { diskError } from '../../shared/node/files/files.ts';
import { packMembers, readArchive, sealArchive } from '../adapters/vault/backup-archive.ts';
import { namedIn, proveDatabase, rememberTarget, takeSnapshot } from '../adapters/vault/backup-folder.ts';
import type { UnpackedBackup } from '../ports/backup.ts';
import type { NamedArtifact } from '../ports/named-artifacts.ts';
import { parentPort } from './parent-port.ts';

/** What it can be asked, with what each is answered. */
export interface BackupCalls {
  readonly snapshot: {
    in: { vaultPath: string; snapshot: string; databaseKey: string };
    out: { schema: number; named: number; missing: string[] };
  };
  /** Some of the stored files that the last `snapshot` or `prove` found named: all at once would be one huge message. */
  readonly named: { in: { from: number }; out: NamedArtifact[] };
  readonly pack: {
    in: { snapshot: string; target: string; facts: BackupFacts };
    out: { manifestDigest: string; members: number };
  };
  readonly seal: {
    in: { target: string; note: string; createdAt: string };
    out: UnpackedBackup & { readonly digest: string };
  };
  readonly unpack: { in: { file: string; directory: string }; out: UnpackedBackup };
  readonly prove: {
    in: { directory: string; databaseKey: string };
    out: { schema: number; named: number };
  };
}
export type BackupCall = keyof BackupCalls;
export type BackupRequest = {
  [C in BackupCall]: { readonly id: number; readonly call: C; readonly input: BackupCalls[C]['in'] };
}[BackupCall];

export type BackupReply =
  | {
      readonly kind: 'progress';
      readonly id: number;
      readonly phase: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | null;
      readonly facts: Readonly<Record<string, string | number | boolean | null>>;
    };

/** A progress message for so many bytes: about 50 a second at full speed. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

/** Named files in one answer: some 300 KB. */
const NAMED_AT_ONCE = 2000;

const port = parentPort();
let named: readonly NamedArtifact[] = [];

async function answer(request: BackupRequest): Promise<unknown> {
  const progress = (phase: string) => {
    let told = 0;
    return (done: number, total: number): void => {
      if (done - told < PROGRESS_BYTES && done !== total) return;
      told = done;
      port.postMessage({ kind: 'progress', id: request.id, phase, done, total } satisfies BackupReply);
    };
  };
  switch (request.call) {
    case 'snapshot': {
      const { vaultPath, snapshot, databaseKey } = request.input;
      const taken = await takeSnapshot(vaultPath, snapshot, Buffer.from(databaseKey, 'hex'));
      named = taken.named;
      return { schema: taken.schema, named: named.length, missing: taken.missing };
    }
    case 'named':
      return named.slice(request.input.from, request.input.from + NAMED_AT_ONCE);
    case 'pack': {
      const { snapshot, target, facts } = request.input;
      await rememberTarget(snapshot, target);
      return packMembers(snapshot, target, facts, progress('writing'));
    }
    case 'seal': {
      const { target, note, createdAt } = request.input;
      await sealArchive(target, note, createdAt);
      return readArchive(target, null, progress('reading back'));
    }
    case 'unpack':
      return readArchive(request.input.file, request.input.directory, progress('unpacking'));
    case 'prove': {
      const key = Buffer.from(request.input.databaseKey, 'hex');
      const schema = await proveDatabase(request.input.directory, key);
      named = namedIn(request.input.directory, key);
      return { schema, named: named.length };
    }
  }
}

function failure(id: number, thrown: unknown): BackupReply {
  const error = diskError(thrown);
  if (error instanceof SallyportError) {
    const { code, message, hint, facts } = error;
    return { kind: 'failed', id, code, message, hint: hint ?? null, facts };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'failed',
    id,
    code: 'unexpected',
    message: `The backup failed: ${message}`,
    hint: 'Nothing of it was kept.',
    facts: {},
  };
}

port.onMessage((message) => {
  const request = message as BackupRequest;
  void answer(request).then(
    (value) => port.postMessage({ kind: 'done', id: request.id, value } satisfies BackupReply),
    (error: unknown) => port.postMessage(failure(request.id, error)),
  );
});
