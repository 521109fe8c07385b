/** A vault with two versions, data to measure them on, and the services of evidence over the real engine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBytes } from '../../electron/adapters/vault/write-lines.ts';
import type { InferenceEngine } from '../../electron/ports/engine.ts';
import { createComparisonService } from '../../electron/services/comparison.ts';
import { createDatasetsService, createEvidenceService } from '../../electron/services/evidence/index.ts';
import { createRegistryService } from '../../electron/services/registry/index.ts';
import { createValidationService } from '../../electron/services/validation.ts';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import { renderComparisonReport, renderValidationReport } from '../../shared/node/report/index.ts';
import { CLASSIFIER, firstFeature } from './engine-models.ts';
import { testMeasuring } from './measuring.ts';
import { temporaryDirectory } from './temp.ts';
import { testVault } from './vault.ts';

export const ROWS = [
  '0.1,0,0,mail,http://a.example,0',
  '0.6,0,0,mail,http://b.example,0',
  '0.7,0,0,web,http://c.example,1',
  '0.9,0,0,web,http://d.example,1',
  '0.2,0,0,web,http://e.example,1',
] as const;
export const HEADER = 'f0,f1,f2,kind,url,label';

/** 1.0.0 calls f0 > 0.5 malicious, 1.1.0 f0 > 0.65. */
export async function evidenceHome(overrides: Partial<InferenceEngine> = {}) {
  const at = await testVault();
  const { ledger, artifacts, store } = at.vault;
  const { system } = at.adapters;
  const measuring = testMeasuring(at, overrides);
  const registry = createRegistryService({ ledger, artifacts, inspector: at.inspector, system });
  const validation = createValidationService(measuring);
  const comparison = createComparisonService(measuring);
  const evidence = createEvidenceService({
    ...measuring,
    validation,
    comparison,
    renderReport: { validation: renderValidationReport, comparison: renderComparisonReport },
    writeFile: writeBytes,
  });
  const folder = temporaryDirectory();
  const path = join(folder, 'data.csv');
  writeFileSync(path, `${[HEADER, ...ROWS].join('\n')}\n`);
  for (const [version, bytes] of [
    ['1.0.0', firstFeature()],
    ['1.1.0', firstFeature({ positiveAbove: 0.65 })],
  ] as const) {
    const file = join(folder, `${version}.onnx`);
    writeFileSync(file, bytes);
    await registry.add(at.admin, { path: file, name: 'phish', version, parent: null, metadata: {} });
    await registry.setMapping(at.admin, { name: 'phish', version, mapping: CLASSIFIER });
  }
  const ref = (version: string) => ({ name: 'phish', version });
  const validate = (change: object = {}) =>
    validation.run(at.admin, {
      ...ref('1.0.0'),
      data: labelledFile(path),
      environmentId: null,
      policy: null,
      ...change,
    });
  const compare = () =>
    comparison.run(at.admin, { versions: [ref('1.0.0'), ref('1.1.0')], data: labelledFile(path) });
  const entries = () => store.read.audit.page({ before: null, limit: 5, text: '' }).entries;
  return {
    ...at,
    measuring,
    validation,
    comparison,
    evidence,
    datasets: createDatasetsService(measuring),
    store,
    artifacts,
    folder,
    path,
    ref,
    validate,
    compare,
    entries,
  };
}
