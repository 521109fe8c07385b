import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DatasetRecord } from '../../../shared/domain/evidence/dataset.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import { fileNameOf } from '../validation.ts';
import type { MeasureDeps } from './measure.ts';

/** The record of a dataset that a report was made on. */
export function requireDataset(read: StoreReader, digest: string): DatasetRecord {
  const record = read.dataset(digest);
  if (record !== null) return record;
  throw new SallyportError('not-found', `The vault knows no dataset ${digest.slice(0, 12)}….`, {
    hint: 'Datasets are known from the first report that is made on them.',
    facts: { digest },
  });
}

/** Says where a known dataset is now. A file with another digest is another dataset. */
export async function locateDataset(
  { ledger, inspector }: MeasureDeps,
  actor: Actor,
  { digest, path }: { readonly digest: string; readonly path: string },
  job: JobContext,
): Promise<DatasetRecord> {
  await ledger.require(actor, 'dataset.register', digest);
  const record = requireDataset(ledger.read, digest);
  const found = await inspector.identify(path, job);
  if (found.digest !== digest)
    throw new SallyportError('dataset.invalid', `${fileNameOf(path)} is not ${record.fileName} as it was.`, {
      hint: 'Nothing was changed. Its digest differs: choose the very file that the report was made on.',
      facts: { expected: digest, digest: found.digest },
    });
  return ledger.commit(
    actor,
    { action: 'dataset.registered', subject: record.fileName, details: { digest, moved: true } },
    (tx) => {
      const moved = { ...requireDataset(tx, digest), path };
      tx.saveDataset(moved);
      return moved;
    },
  );
}
