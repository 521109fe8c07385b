/** An artifact store of its own in a temporary folder, with real workers and fresh keys. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgeArtifacts } from '../../electron/adapters/artifacts/age-artifacts.ts';
import type { StoredArtifact } from '../../electron/ports/artifacts.ts';
import type { ForkWorker } from '../../electron/ports/processes.ts';
import type { JobContext } from '../../electron/ports/system.ts';
import { type AgeIdentity, generateIdentity } from '../../shared/node/age/index.ts';
import { forkWorker } from './machine.ts';

export interface StoreHome {
  readonly store: AgeArtifacts;
  /** `artifacts`. */
  readonly directory: string;
  readonly folder: string;
  readonly vault: AgeIdentity;
  readonly recovery: AgeIdentity;
  pathOf(stored: StoredArtifact): string;
  /** Writes a file beside the store, to be added. */
  source(bytes: Uint8Array): Promise<string>;
  /** Every file in the store, temporary ones too. */
  files(): Promise<string[]>;
}

export async function storeHome(folder: string, fork: ForkWorker = forkWorker): Promise<StoreHome> {
  const directory = join(folder, 'vault', 'artifacts');
  mkdirSync(join(folder, 'vault'), { mode: 0o700 });
  const [vault, recovery] = await Promise.all([generateIdentity(), generateIdentity()]);
  const store = new AgeArtifacts({
    directory,
    recipients: () => [vault.recipient, recovery.recipient],
    identity: () => vault.identity,
    forkWorker: fork,
  });
  return {
    store,
    directory,
    folder,
    vault,
    recovery,
    pathOf: ({ artifactId }) => join(directory, artifactId.slice(0, 2), `${artifactId}.age`),
    source: async (bytes) => {
      const path = join(folder, `${randomBytes(4).toString('hex')}.onnx`);
      await writeFile(path, bytes);
      return path;
    },
    files: async () => {
      const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    },
  };
}

/** A job whose progress is heard and which can be cancelled. */
export function job(
  onProgress: (phase: string, done: number, total: number) => void = () => {},
): JobContext & { readonly controller: AbortController } {
  const controller = new AbortController();
  return { controller, signal: controller.signal, progress: onProgress };
}
