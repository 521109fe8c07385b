/** Models that ended the process they ran in, remembered beyond the program's end. */
import type { InferenceEngine } from '../../ports/engine.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { Ledger } from '../ledger.ts';

/** Tells the engine what the vault knows, before a run: other processes count crashes, and lift them, too. */
export function knowCrashes(read: StoreReader, engine: InferenceEngine): void {
  const kept = read.quarantine();
  const digests = new Set(kept.map(({ digest }) => digest));
  for (const { digest } of engine.quarantined()) if (!digests.has(digest)) engine.forgive(digest);
  engine.restore(kept);
}

/** Keeps the crashes of the models of a run that failed. */
export async function keepCrashes(
  ledger: Ledger,
  engine: InferenceEngine,
  models: readonly { readonly name: string; readonly version: string; readonly digest: string }[],
): Promise<void> {
  const kept = new Map(ledger.read.quarantine().map((record) => [record.digest, record.crashes]));
  for (const record of engine.quarantined()) {
    const model = models.find(({ digest }) => digest === record.digest);
    if (model === undefined || (kept.get(record.digest) ?? 0) >= record.crashes) continue;
    await ledger.commit(
      null,
      {
        action: 'model.crashed',
        subject: `${model.name}@${model.version}`,
        details: { digest: record.digest, reason: record.reason, crashes: record.crashes },
      },
      (tx) => tx.saveQuarantine([record]),
    );
  }
}
