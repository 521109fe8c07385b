/**
 * Entry of the process that does the heavy part of a rekey: it copies the database under its next key and moves stored
 * files to new recipients. It is the one worker that is given keys, over its channel and never by argument or
 * environment, and it reads nothing but what this vault has written itself.
 */
import { statSync } from 'node:fs';
import type { ErrorCode } from '../../shared/domain/errors.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  checkHeaderRecipients,
  openHeader,
  readHeader,
  resealFile,
  rewrapHeader,
} from '../../shared/node/age/index.ts';
import { diskError, openRegularFile, systemCode } from '../../shared/node/files/files.ts';
import { copyUnderNextKey } from '../../shared/node/sqlite/rekey.ts';
import { parentPort } from './parent-port.ts';

export type RekeyRequest =
  | {
      readonly id: number;
      readonly kind: 'database';
      readonly source: string;
      readonly target: string;
      readonly key: string;
      readonly nextKey: string;
    }
  | {
      readonly id: number;
      readonly kind: 'artifact';
      readonly path: string;
      readonly digest: string | null;
      readonly identities: readonly string[];
      readonly recipients: readonly string[];
      readonly full: boolean;
    };

export type RekeyReply =
  | { readonly id: number; readonly kind: 'copied' }
  | {
      readonly id: number;
      readonly kind: 'artifact';
      readonly outcome: 'moved' | 'already' | 'damaged';
      readonly bytes: number;
    }
  | {
      readonly id: number;
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | null;
      readonly facts: Readonly<Record<string, string | number | boolean | null>>;
    };

/** A file that is not what it should be: it stays as it is, and the rest of the vault gets its new keys. */
function isDamage(error: unknown): boolean {
  return (
    (error instanceof SallyportError &&
      ['auth.failed', 'integrity.artifact', 'input.invalid'].includes(error.code)) ||
    systemCode(error) === 'ENOENT'
  );
}

async function isMoved(
  path: string,
  identities: readonly string[],
  recipients: readonly string[],
): Promise<boolean> {
  const handle = await openRegularFile(path);
  try {
    const header = await readHeader(handle);
    const fileKey = await openHeader(identities, header);
    return (await checkHeaderRecipients(header, fileKey, recipients)) === 'confirmed';
  } finally {
    await handle.close();
  }
}

async function moveArtifact(request: Extract<RekeyRequest, { kind: 'artifact' }>): Promise<RekeyReply> {
  const { id, path, identities, recipients, full, digest } = request;
  const told = (outcome: 'moved' | 'already' | 'damaged', bytes: number): RekeyReply => ({
    id,
    kind: 'artifact',
    outcome,
    bytes,
  });
  try {
    if (full) {
      // Its new recipients show that a rekey that was interrupted has been here.
      if (await isMoved(path, identities, recipients)) return told('already', statSync(path).size);
      try {
        await resealFile(path, identities, recipients, digest);
        return told('moved', statSync(path).size);
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
      // What is left of a damaged file stays readable for whoever wants to save some of it: below.
    }
    const { rewrapped, fileBytes } = await rewrapHeader(path, identities, recipients);
    return told(full ? 'damaged' : rewrapped ? 'moved' : 'already', fileBytes);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return told('damaged', 0);
  }
}

async function serve(request: RekeyRequest): Promise<RekeyReply> {
  if (request.kind === 'artifact') return moveArtifact(request);
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  copyUnderNextKey(request.source, request.target, bytes(request.key), bytes(request.nextKey));
  return { id: request.id, kind: 'copied' };
}

function failure(id: number, thrown: unknown): RekeyReply {
  const error = diskError(thrown);
  if (error instanceof SallyportError) {
    const { code, message, hint, facts } = error;
    return { id, kind: 'failed', code, message, hint: hint ?? null, facts };
  }
  // A library's message could quote what it was given; its kind says enough.
  const facts = { system: systemCode(error) || (error instanceof Error ? error.name : 'unknown') };
  return {
    id,
    kind: 'failed',
    code: 'unexpected',
    message: 'The new keys could not be put to use.',
    hint: 'The vault opens as before, or finishes this by itself when it is next opened.',
    facts,
  };
}

const port = parentPort();
let last: Promise<void> = Promise.resolve();
port.onMessage((message) => {
  const request = message as RekeyRequest;
  last = last
    .then(() => serve(request))
    .then(
      (reply) => port.postMessage(reply),
      (error: unknown) => port.postMessage(failure(request.id, error)),
    );
});
