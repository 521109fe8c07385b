import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity } from '../../../shared/node/age/index.ts';
import { makeFolders, temporaryPath } from '../../../shared/node/files/files.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { ModelInspector } from '../../ports/vault.ts';
import { runAddModel } from '../artifacts/add-model-job.ts';
import { beingWritten } from '../artifacts/being-written.ts';

/**
 * Inspects by the same worker job that adds, so that a file is judged alike before and after. What the job writes is
 * encrypted to a key that nobody keeps, and removed; after a crash the sweep of `directory` finds it by its name.
 */
export function createModelInspector(options: {
  readonly directory: string;
  readonly forkWorker: ForkWorker;
}): ModelInspector {
  return {
    inspect: async (path, job) => {
      const { recipient } = await generateIdentity();
      await makeFolders(options.directory);
      const targetPath = temporaryPath(join(options.directory, 'inspection'));
      // The sweep of a vault that was opened just now leaves it alone.
      beingWritten.add(targetPath);
      try {
        return await runAddModel(
          options.forkWorker,
          { sourcePath: path, targetPath, recipients: [recipient] },
          job,
        );
      } finally {
        await rm(targetPath, { force: true });
        beingWritten.delete(targetPath);
      }
    },
  };
}
