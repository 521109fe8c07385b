import {
  type RolloutPhase,
  rolloutStateSchema,
  trafficPointSchema,
} from '../../../shared/domain/rollout/state.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { RolloutReader, RolloutWriter } from '../../ports/stores.ts';
import { fromJson, toJson } from './json.ts';

interface RolloutRow {
  readonly state: string;
}
const FINAL: readonly RolloutPhase[] = ['completed', 'rolled-back', 'failed'];
const rolloutOf = (row: RolloutRow) => fromJson(rolloutStateSchema, row.state, 'rollout');

export function rolloutReader(db: EncryptedDatabase): RolloutReader {
  return {
    rollout: (id) => {
      const row = db.get<RolloutRow>('SELECT state FROM rollouts WHERE id = ?', id);
      return row ? rolloutOf(row) : null;
    },
    rollouts: () => db.all<RolloutRow>('SELECT state FROM rollouts ORDER BY position DESC').map(rolloutOf),
    unfinished: () =>
      db.all<RolloutRow>('SELECT state FROM rollouts WHERE finished = 0 ORDER BY position').map(rolloutOf),
    points: (rolloutId) =>
      db
        .all<{ point: string }>(
          'SELECT point FROM rollout_points WHERE rollout_id = ? ORDER BY position',
          rolloutId,
        )
        .map((row) => fromJson(trafficPointSchema, row.point, 'traffic point')),
  };
}

export function rolloutWriter(db: EncryptedDatabase): RolloutWriter {
  return {
    ...rolloutReader(db),
    saveRollout: (state) => {
      db.run(
        `INSERT INTO rollouts (id, finished, state) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET finished = excluded.finished, state = excluded.state`,
        state.id,
        FINAL.includes(state.phase) ? 1 : 0,
        toJson(state),
      );
    },
    addPoint: (rolloutId, point) => {
      db.run('INSERT INTO rollout_points (rollout_id, point) VALUES (?, ?)', rolloutId, toJson(point));
    },
  };
}
