import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createComparisonService } from '../../../electron/services/comparison.ts';
import { createRegistryService } from '../../../electron/services/registry/index.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import { CLASSIFIER, firstFeature } from '../../support/engine-models.ts';
import { testMeasuring } from '../../support/measuring.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, testVault } from '../../support/vault.ts';

const CHAMPION = { name: 'phish', version: '1.0.0' };
const CHALLENGER = { name: 'phish', version: '1.1.0' };

async function home() {
  const at = await testVault();
  const { ledger, artifacts, store } = at.vault;
  const { system } = at.adapters;
  const measuring = testMeasuring(at);
  const registry = createRegistryService({ ledger, artifacts, inspector: at.inspector, system });
  const comparison = createComparisonService(measuring);
  const folder = temporaryDirectory();
  const path = join(folder, 'data.csv');
  writeFileSync(
    path,
    'f0,f1,f2,url,label\n0.1,0,0,http://a.example,0\n0.6,0,0,http://b.example,0\n0.7,0,0,http://c.example,1\n0.9,0,0,http://d.example,1\n',
  );
  for (const [version, bytes] of [
    ['1.0.0', firstFeature()],
    ['1.1.0', firstFeature({ positiveAbove: 0.65 })],
    ['1.2.0', firstFeature()],
    ['1.3.0', firstFeature({ positiveAbove: 0.8 })],
  ] as const) {
    const file = join(folder, `${version}.onnx`);
    writeFileSync(file, bytes);
    await registry.add(at.admin, { path: file, name: 'phish', version, parent: null, metadata: {} });
    await registry.setMapping(at.admin, { name: 'phish', version, mapping: CLASSIFIER });
  }
  const actions = (): string[] =>
    store.read.audit.page({ before: null, limit: 3, text: '' }).entries.map(({ action }) => action);
  return { ...at, comparison, registry, path, actions, store };
}

describe('comparing two versions', () => {
  test('keeps metrics, deltas and the rows on which they differ', async () => {
    const at = await home();
    const report = await at.comparison.run(at.admin, {
      versions: [CHAMPION, CHALLENGER],
      data: labelledFile(at.path),
    });
    expect(report).toMatchObject({
      champion: CHAMPION,
      challenger: CHALLENGER,
      disagreements: 1,
      challengerFixes: 1,
      challengerBreaks: 0,
      championMetrics: { accuracy: 0.75 },
      challengerMetrics: { accuracy: 1 },
      disagreementRows: [
        { row: 2, label: 0, championLabel: 1, challengerLabel: 0, context: { url: 'http://b.example' } },
      ],
    });
    expect(report.deltas.find(({ metric }) => metric === 'accuracy')).toEqual({
      metric: 'accuracy',
      champion: 0.75,
      challenger: 1,
      delta: 0.25,
    });
    expect(at.actions()[0]).toBe('comparison.run');
    expect(await at.comparison.get(at.admin, { id: report.id })).toEqual(report);
  });

  test('given a third version, then what is wrong with its answers is told as of the second', async () => {
    const at = await home();
    const other = { name: 'phish', version: '1.3.0' };
    const run = (...challengers: readonly (typeof CHALLENGER)[]) =>
      at.comparison.run(at.admin, { versions: [CHAMPION, ...challengers], data: labelledFile(at.path) });
    const second = await run(CHALLENGER, other);
    const third = await run(other, CHALLENGER);
    expect(second.outputFindings.challenger).not.toEqual([]);
    expect(third.others[0]?.outputFindings).toEqual(second.outputFindings.challenger);
  });

  test('reading the rows leaves an entry, listing the reports does not', async () => {
    const at = await home();
    const { id } = await at.comparison.run(at.admin, {
      versions: [CHAMPION, CHALLENGER],
      data: labelledFile(at.path, 'label'),
    });
    const listed = at.comparison.list(at.admin, { ref: CHALLENGER });
    expect(listed).toMatchObject([{ id, disagreements: 1, disagreementRows: [] }]);
    expect(at.actions()[0]).toBe('comparison.run');
    await at.comparison.get(at.admin, { id });
    expect(at.actions()[0]).toBe('rows.viewed');
  });

  test('refuses the same file twice, an unknown version, and who may not', async () => {
    const at = await home();
    const run = (challenger: typeof CHALLENGER, actor = at.admin) =>
      at.comparison.run(actor, { versions: [CHAMPION, challenger], data: labelledFile(at.path) });
    await expect(run({ name: 'phish', version: '1.2.0' })).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(run({ name: 'phish', version: '9.0.0' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(run(CHALLENGER, actorWith('auditor'))).rejects.toMatchObject({ code: 'refused.role' });
    await at.registry.revoke(actorWith('release-manager'), { ...CHALLENGER, reason: 'poisoned' });
    await expect(run(CHALLENGER)).rejects.toMatchObject({ code: 'refused.state' });
    await expect(at.comparison.get(at.admin, { id: 'none' })).rejects.toMatchObject({ code: 'not-found' });
    expect(at.comparison.list(at.admin, { ref: null })).toEqual([]);
  });
});
