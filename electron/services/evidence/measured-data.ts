/** The data of a run: how its columns are found, and what is kept of it afterwards. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection, DatasetRecord } from '../../../shared/domain/evidence/dataset.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { DatasetInspector } from '../../ports/datasets.ts';
import type { Evaluation, EvaluationOptions } from '../../ports/engine.ts';
import type { StoreReader, StoreWriter } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';

/**
 * The selection with its columns resolved: those that were given, else those last used for the model where the file has
 * all of them, else by equal names.
 */
export async function resolveColumns(
  read: StoreReader,
  inspector: DatasetInspector,
  model: string,
  data: DataSelection,
  job: JobContext,
): Promise<DataSelection> {
  if (data.columns !== null) return data;
  const remembered = read.columnMapping(model);
  if (remembered === null) return data;
  const features = { names: Object.keys(remembered), count: null, remembered };
  const { mapping } = await inspector.inspect({ path: data.path, filter: null, features }, job);
  const isHeld =
    mapping !== null && Object.entries(remembered).every(([feature, column]) => mapping[feature] === column);
  return isHeld ? { ...data, columns: remembered } : data;
}

/** What drift is measured against. `not-found` where this version was never judged on labelled data. */
export function referenceOf(read: StoreReader, ref: VersionRef | null): EvaluationOptions['reference'] {
  if (ref === null) return null;
  const stored = read.profile(ref);
  if (stored === null)
    throw new SallyportError('not-found', `There is no reference profile of ${formatRef(ref)}.`, {
      hint: 'Nothing was measured. Validate that version on labelled data first: its profile is kept then.',
      facts: { ref: formatRef(ref) },
    });
  return { profile: stored.profile, ref: stored.ref, datasetDigest: stored.datasetDigest };
}

/** The same every time for the same model, so that the same run gives the same figures. */
export function seedOf(digest: string): number {
  return Number.parseInt(digest.slice(0, 7), 16);
}

/** Registers the dataset, and remembers columns that somebody mapped by hand. Inside the report's transaction. */
export function keepData(
  tx: StoreWriter,
  { dataset, columns }: Pick<Evaluation, 'dataset' | 'columns'>,
  used: { readonly model: string; readonly data: DataSelection; readonly actor: Actor; readonly at: string },
): void {
  const { model, data, actor, at } = used;
  const known = tx.dataset(dataset.digest);
  const record: DatasetRecord = {
    digest: dataset.digest,
    fileName: dataset.fileName,
    path: data.path,
    format: dataset.format,
    sizeBytes: dataset.sizeBytes,
    rows: dataset.rowsInFile ?? known?.rows ?? dataset.rows,
    columns: columns.map(({ name, type }) => ({ name, type })),
    registeredBy: known?.registeredBy ?? actor.name,
    registeredAt: known?.registeredAt ?? at,
  };
  tx.saveDataset(record);
  const renamed =
    data.columns !== null && Object.entries(data.columns).some(([feature, column]) => feature !== column);
  if (data.columns !== null && (renamed || tx.columnMapping(model) !== null))
    tx.saveColumnMapping(model, data.columns);
}
