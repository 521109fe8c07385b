/**
 * Entry of the process that does a vault's heavy work: one job at a time, the next when the last has answered. It gets
 * public keys, paths and at most the key of the one file it is to read, never a key of the vault, and it parses what
 * somebody handed in: a crash of the reader costs this process and nothing else.
 */
import { SallyportError } from '../../shared/domain/errors.ts';
import { diskError } from '../../shared/node/files/files.ts';
import { parentPort } from './parent-port.ts';
import { addModel } from './vault-add.ts';
import type { VaultJobReply, VaultJobRequest } from './vault-messages.ts';
import { verifyFile } from './vault-verify.ts';

function failure(request: VaultJobRequest, thrown: unknown): VaultJobReply {
  // Only `add-model` writes: to it a missing right is the disk's, to the other it is the file's.
  const error = request.kind === 'add-model' ? diskError(thrown) : thrown;
  if (error instanceof SallyportError) {
    return {
      kind: 'failed',
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      facts: error.facts,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return request.kind === 'add-model'
    ? {
        kind: 'failed',
        code: 'unexpected',
        message: `The model could not be added: ${message}`,
        hint: 'Nothing was kept.',
        facts: {},
      }
    : {
        kind: 'failed',
        code: 'unexpected',
        message: `A stored file could not be read: ${message}`,
        hint: 'Nothing was changed.',
        facts: {},
      };
}

const port = parentPort();
const post = (reply: VaultJobReply): void => port.postMessage(reply);
port.onMessage((message) => {
  const request = message as VaultJobRequest;
  const work = request.kind === 'add-model' ? addModel(request, post) : verifyFile(request, post);
  void work.then(post, (error: unknown) => post(failure(request, error)));
});
