/** Signed checkpoints of the log, made in the transaction of the entry that makes one due. */
import { fromHex, toHex } from '../../shared/domain/audit/bytes.ts';
import { checkpointOrigin, isCheckpointDue, MAX_RESTORES } from '../../shared/domain/audit/checkpoint.ts';
import type { AuditEntry } from '../../shared/domain/audit/entry.ts';
import {
  appendEntryHash,
  EMPTY_FRONTIER,
  type MerkleFrontier,
  merkleRoot,
} from '../../shared/domain/audit/merkle.ts';
import { type LostRange, restoreOf } from '../../shared/domain/audit/restore.ts';
import type { StoreWriter } from '../ports/stores.ts';
import type { System } from '../ports/system.ts';
import type { CheckpointTools } from '../ports/vault.ts';

export interface CheckpointDeps {
  readonly vaultId: string;
  readonly system: System;
  readonly checkpoints: CheckpointTools;
  /** The vault's checkpoint key. */
  readonly checkpointKey: string;
}

/** The Merkle tree as the last checkpoint left it. */
const FRONTIER_SETTING = 'audit.frontier';
/** The restores this log has seen, so that a checkpoint tells of them without a search. */
const RESTORES_SETTING = 'audit.restores';

/**
 * Signs a checkpoint where the entry that was just appended makes one due: at least every ten entries. An export is
 * signed to its last line, and agents hear of a restore before they hear of anything after it.
 */
export function checkpointAfter(deps: CheckpointDeps, tx: StoreWriter, entry: AuditEntry): void {
  const restore = restoreOf(entry);
  if (restore) tx.setSetting(RESTORES_SETTING, JSON.stringify([...readRestores(tx), restore]));
  const frontier = readFrontier(tx);
  if (isCheckpointDue(entry.seq, frontier.size) || restore || entry.action === 'audit.exported')
    makeCheckpoint(deps, tx, frontier);
}

/** Signs the Merkle root of all entries; the tree is continued from where the last checkpoint left it. */
function makeCheckpoint(deps: CheckpointDeps, tx: StoreWriter, from: MerkleFrontier): void {
  const { sha256 } = deps.system;
  let frontier = from;
  for (const row of tx.audit.rows(from.size + 1)) frontier = appendEntryHash(frontier, row.hash, sha256);
  const restores = readRestores(tx)
    .slice(-MAX_RESTORES)
    .map(({ restored, lost, lostHash }) => ({ restored, lost, lostHash }));
  const checkpoint = {
    origin: checkpointOrigin(deps.vaultId),
    size: frontier.size,
    root: toHex(merkleRoot(frontier, sha256)),
    ...(restores.length === 0 ? {} : { restores }),
  };
  tx.audit.saveCheckpoint(frontier.size, deps.checkpoints.sign(checkpoint, deps.checkpointKey));
  tx.setSetting(FRONTIER_SETTING, JSON.stringify({ size: frontier.size, peaks: frontier.peaks.map(toHex) }));
}

function readFrontier(tx: StoreWriter): MerkleFrontier {
  const text = tx.setting(FRONTIER_SETTING);
  if (text === null) return EMPTY_FRONTIER;
  const { size, peaks } = JSON.parse(text) as { size: number; peaks: string[] };
  return { size, peaks: peaks.map((peak) => fromHex(peak) ?? new Uint8Array()) };
}

function readRestores(tx: StoreWriter): readonly LostRange[] {
  return JSON.parse(tx.setting(RESTORES_SETTING) ?? '[]') as LostRange[];
}
