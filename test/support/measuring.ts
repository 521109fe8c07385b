import { onTestFinished } from 'vitest';
import { createDatasetInspector } from '../../electron/adapters/datasets/inspector.ts';
import { createInferenceEngine } from '../../electron/adapters/inference/engine.ts';
import { processes } from '../../electron/adapters/system/process-numbers.ts';
import type { InferenceEngine } from '../../electron/ports/engine.ts';
import type { MeasureDeps } from '../../electron/services/evidence/measure.ts';
import { createRuns } from '../../electron/services/evidence/runs.ts';
import { forkWorker, type testVault } from './vault.ts';

/** What services that measure are made of, over a test's vault; `overrides` replaces parts of the engine. */
export function testMeasuring(
  at: Awaited<ReturnType<typeof testVault>>,
  overrides: Partial<InferenceEngine> = {},
): MeasureDeps {
  const { ledger, artifacts, store } = at.vault;
  const { system } = at.adapters;
  const engine = { ...createInferenceEngine({ forkWorker }), ...overrides };
  onTestFinished(() => engine.close());
  const runs = createRuns({ store, artifacts, system, processes });
  return { ledger, artifacts, engine, inspector: createDatasetInspector(forkWorker), system, runs };
}
