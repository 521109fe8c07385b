import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { diskError, fsyncDirectory, systemCode, temporaryPath } from '../../../shared/node/files/files.ts';
import type { PackedBackup, VaultBackups } from '../../ports/backup.ts';
import type { NamedArtifact } from '../../ports/named-artifacts.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import { MIGRATIONS } from '../sqlite/migrations.ts';
import { snapshotPath, sweepSnapshots } from './backup-folder.ts';
import { BackupWorker } from './backup-job.ts';
import { nameNewFile } from './write-lines.ts';

/** Backups as tar archives. */
export function createVaultBackups(forkWorker: ForkWorker): VaultBackups {
  return {
    newestSchema: MIGRATIONS.length,
    snapshot: async (vaultPath, databaseKey, job) => {
      const path = snapshotPath(vaultPath);
      const worker = new BackupWorker(forkWorker, job);
      const unfinished = new Set<string>();
      const remove = async (): Promise<void> => {
        worker.close();
        for (const file of unfinished) await rm(file, { force: true });
        await rm(path, { recursive: true, force: true, maxRetries: 3 });
      };
      try {
        await mkdir(path, { mode: 0o700 });
        const copied = await worker.call('snapshot', {
          vaultPath,
          snapshot: path,
          databaseKey: Buffer.from(databaseKey).toString('hex'),
        });
        return {
          path,
          schema: copied.schema,
          named: await allNamed(worker, copied.named),
          missing: copied.missing,
          pack: async (file, facts, sign): Promise<PackedBackup> => {
            const target = resolve(file);
            await requireFree(target);
            const temporary = temporaryPath(target);
            unfinished.add(temporary);
            const packed = await worker.call('pack', { snapshot: path, target: temporary, facts });
            const sealed = await worker.call('seal', {
              target: temporary,
              note: await sign(packed.manifestDigest),
              createdAt: facts.createdAt,
            });
            if (sealed.manifestDigest !== packed.manifestDigest || sealed.members !== packed.members)
              throw new SallyportError('integrity.vault', 'What was read back is not what was written.', {
                hint: 'The backup was removed. The medium may be failing: use another.',
              });
            const { digest, bytes, members } = sealed;
            return {
              digest,
              bytes,
              members,
              publish: async () => {
                try {
                  await nameNewFile(temporary, target);
                  await fsyncDirectory(dirname(target));
                } catch (error) {
                  throw systemCode(error) === 'EEXIST' ? taken(target) : diskError(error);
                }
              },
            };
          },
          remove,
        };
      } catch (error) {
        await remove();
        throw diskError(error);
      }
    },
    unpack: (file, directory, job) =>
      withWorker(forkWorker, job, (worker) => worker.call('unpack', { file: resolve(file), directory })),
    checkDatabase: (vaultPath, databaseKey, job) =>
      withWorker(forkWorker, job, async (worker) => {
        const proved = await worker.call('prove', {
          directory: vaultPath,
          databaseKey: Buffer.from(databaseKey).toString('hex'),
        });
        return { schema: proved.schema, named: await allNamed(worker, proved.named) };
      }),
    sweep: sweepSnapshots,
  };
}

/** Fetched in parts: a hundred thousand in one message would hold up whoever draws the window. */
async function allNamed(worker: BackupWorker, count: number): Promise<NamedArtifact[]> {
  const named: NamedArtifact[] = [];
  while (named.length < count) {
    const part = await worker.call('named', { from: named.length });
    if (part.length === 0) break;
    named.push(...part);
  }
  return named;
}

async function withWorker<T>(
  forkWorker: ForkWorker,
  job: Parameters<VaultBackups['unpack']>[2],
  work: (worker: BackupWorker) => Promise<T>,
): Promise<T> {
  const worker = new BackupWorker(forkWorker, job);
  try {
    return await work(worker);
  } finally {
    worker.close();
  }
}

function taken(target: string): SallyportError {
  return new SallyportError('conflict', `There is already a file ${target}.`, {
    hint: 'It was left as it is. Choose another name.',
  });
}

/** Before anything is copied. Naming the finished file refuses again. */
async function requireFree(target: string): Promise<void> {
  const folder = await stat(dirname(target)).catch(() => null);
  if (!folder?.isDirectory())
    throw new SallyportError('not-found', `There is no folder ${dirname(target)}.`, {
      hint: 'Create it, or choose another.',
    });
  if (await stat(target).catch(() => null)) throw taken(target);
}
