import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../electron/adapters/sqlite/migrations.ts';
import { openStore } from '../../electron/adapters/sqlite/store.ts';
import { formatRef } from '../../shared/domain/model/version.ts';
import { openDatabase } from '../../shared/node/sqlite/database.ts';
import { migrate } from '../../shared/node/sqlite/migrate.ts';
import { validationReport } from '../support/reports.ts';
import { KEY, version } from '../support/store.ts';
import { temporaryDirectory } from '../support/temp.ts';

/** More than are indexed in one transaction. */
const VERSIONS = 1203;

/** A vault as version 1 of the schema left it. */
function olderVault(): string {
  const path = join(temporaryDirectory(), 'registry.db');
  const db = openDatabase(path, KEY, { create: true });
  migrate(db, MIGRATIONS.slice(0, 1));
  db.immediate(() => {
    for (let at = 1; at <= VERSIONS; at++) {
      const one = version({
        name: at % 2 === 0 ? 'even' : 'odd',
        version: `1.${at}.0`,
        sizeBytes: 10,
        parent: at > 2 ? `1.${at - 2}.0` : null,
        metadata: { owner: 'Blue', tags: ['mail'], metrics: { auc: at / 10_000 } },
      });
      db.run(
        `INSERT INTO versions (id, name, version, digest, size_bytes, artifact_id, state, parent, added_by, added_at, owner, tags, worst_finding, words)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'Blue', '["mail"]', 'none', 'old words')`,
        ...[
          one.id,
          one.name,
          one.version,
          one.digest,
          one.sizeBytes,
          one.artifactId,
          one.state,
          one.parent,
          one.addedBy,
          one.addedAt,
        ],
      );
      db.run(
        'INSERT INTO version_details (position, metadata, onnx, findings, rules_run) VALUES (?, ?, ?, ?, ?)',
        ...[at, JSON.stringify(one.metadata), JSON.stringify(one.onnx), '[]', '[]'],
      );
      db.run('INSERT INTO version_tags (tag, position) VALUES (?, ?)', 'mail', at);
    }
    db.run(`INSERT INTO aliases (name, alias, version) VALUES ('even', 'champion', '1.4.0')`);
    for (const [id, auc] of [
      ['r1', 0.6],
      ['r2', 0.95],
    ] as const)
      db.run(
        `INSERT INTO validations (id, name, version, report) VALUES (?, 'even', '1.4.0', ?)`,
        ...[id, JSON.stringify(validationReport(id, { name: 'even', version: '1.4.0' }, auc))],
      );
  });
  db.close();
  return path;
}

test('a vault of the first schema is brought forward with all it holds, searchable and counted', () => {
  const path = olderVault();
  for (const round of ['first opening', 'second opening']) {
    const { read, close } = openStore(path, KEY);
    const find = (text: string): string[] =>
      read.search({ text, limit: 1000, offset: 0 }).rows.map((row) => formatRef(row));
    expect(read.counts(), round).toEqual({ models: 2, versions: VERSIONS, artifactBytes: VERSIONS * 10 });
    expect(read.search({ text: 'tag:mail owner:blue', limit: 1, offset: 0 }).total).toBe(VERSIONS);
    expect(find('alias:champion')).toEqual(['even@1.4.0']);
    // The newest validation's figure stands before the one that was declared.
    expect(find('metric.auc>0.9')).toEqual(['even@1.4.0']);
    expect(find('metric.roc_auc=0.95')).toEqual(['even@1.4.0']);
    expect(find('metric.auc=0.1203')).toEqual(['odd@1.1203.0']);
    expect(read.children({ name: 'even', version: '1.4.0' })).toEqual(['1.6.0']);
    expect(read.version({ name: 'even', version: '1.4.0' })?.metadata.tags).toEqual(['mail']);
    close();
  }
  const { read, transaction, close } = openStore(path, KEY);
  transaction((tx) => tx.insertVersion(version({ name: 'newer', sizeBytes: 5 })));
  expect(read.search({ text: 'name:newer', limit: 1, offset: 0 }).total).toBe(1);
  expect(read.counts()).toEqual({ models: 3, versions: VERSIONS + 1, artifactBytes: VERSIONS * 10 + 5 });
  close();
});
