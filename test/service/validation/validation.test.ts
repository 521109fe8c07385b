import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createInferenceEngine } from '../../../electron/adapters/inference/engine.ts';
import type { InferenceEngine } from '../../../electron/ports/engine.ts';
import { createEnvironmentsService } from '../../../electron/services/environments/index.ts';
import { createRegistryService } from '../../../electron/services/registry/index.ts';
import { createValidationService, type ValidationInput } from '../../../electron/services/validation.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import type { Policy } from '../../../shared/domain/policy/policy.ts';
import { CLASSIFIER, firstFeature, sha256 } from '../../support/engine-models.ts';
import { testMeasuring } from '../../support/measuring.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, forkWorker, testVault } from '../../support/vault.ts';

// f0 decides; truth on the right: tn 3, fp 1, fn 1, tp 3.
const DATA =
  'f0,f1,f2,label\n0.1,0,0,0\n0.2,0,0,0\n0.3,0,0,0\n0.9,0,0,0\n0.2,0,0,1\n0.8,0,0,1\n0.7,0,0,1\n0.6,0,0,1\n';
const POLICY: Policy = {
  version: 1,
  gates: [
    { metric: 'accuracy', min: 0.7 },
    { metric: 'recall', maxRegression: 0.1 },
  ],
  minimumRows: 8,
  datasets: [],
  maximumSeverity: 'high',
  quorum: { approvals: 1 },
  requestHours: 24,
};

async function home(overrides: Partial<InferenceEngine> = {}) {
  const at = await testVault();
  const { ledger, artifacts, store } = at.vault;
  const { system } = at.adapters;
  const measuring = testMeasuring(at, overrides);
  const registry = createRegistryService({ ledger, artifacts, inspector: at.inspector, system });
  const environments = createEnvironmentsService({ ledger, system });
  const validation = createValidationService(measuring);
  const folder = temporaryDirectory();
  const path = join(folder, 'data.csv');
  writeFileSync(path, DATA);
  const add = async (version: string, bytes: Uint8Array): Promise<void> => {
    const file = join(folder, `${version}.onnx`);
    writeFileSync(file, bytes);
    await registry.add(at.admin, { path: file, name: 'phish', version, parent: null, metadata: {} });
    await registry.setMapping(at.admin, { name: 'phish', version, mapping: CLASSIFIER });
  };
  await add('1.0.0', firstFeature());
  const environment = (policy: Partial<Policy> = {}) =>
    environments.add(at.admin, { name: 'production', policy: { ...POLICY, ...policy } });
  const input = (change: Partial<ValidationInput> = {}): ValidationInput => ({
    name: 'phish',
    version: '1.0.0',
    data: labelledFile(path),
    environmentId: null,
    policy: null,
    ...change,
  });
  const stateOf = (version: string) => store.read.version({ name: 'phish', version })?.state;
  const lastEntry = () => store.read.audit.page({ before: null, limit: 1, text: '' }).entries[0];
  return { ...at, registry, validation, add, environment, input, stateOf, lastEntry, store, path };
}

describe('validating a version', () => {
  test('for an environment whose policy it meets makes it validated, and the log has the figures', async () => {
    const at = await home();
    const { id } = await at.environment();
    const report = await at.validation.run(at.admin, at.input({ environmentId: id }));
    expect(report).toMatchObject({
      ref: { name: 'phish', version: '1.0.0' },
      passed: true,
      environmentId: id,
      environmentName: 'production',
      runBy: 'ada',
      metrics: { rows: 8, confusion: { tn: 3, fp: 1, fn: 1, tp: 3 }, accuracy: 0.75 },
      dataset: { digest: sha256(Buffer.from(DATA)), rows: 8 },
    });
    expect(report.gates.map(({ metric, passed }) => [metric, passed])).toEqual([
      ['accuracy', true],
      ['recall', true],
      ['rows', true],
      ['evidence_problems', true],
      ['output_findings', true],
    ]);
    expect(at.stateOf('1.0.0')).toBe('validated');
    expect(at.validation.get(at.admin, { id: report.id })).toEqual(report);
    expect(at.validation.list(at.admin, { ref: { name: 'phish', version: '1.0.0' } })).toEqual([report]);
    expect(at.lastEntry()).toMatchObject({
      action: 'validation.run',
      subject: 'phish@1.0.0',
      details: { report: report.id, accuracy: 0.75, passed: true, whatIf: false, environment: id },
    });
  });

  test('that misses a gate keeps the report and the draft', async () => {
    const at = await home();
    const { id } = await at.environment({ gates: [{ metric: 'accuracy', min: 0.9 }] });
    const report = await at.validation.run(at.admin, at.input({ environmentId: id }));
    expect(report.passed).toBe(false);
    expect(at.stateOf('1.0.0')).toBe('draft');
    expect(at.validation.get(at.admin, { id: report.id }).gates[0]).toMatchObject({
      passed: false,
      measured: 0.75,
    });
  });

  test.each([
    ['too few rows', { minimumRows: 9 }, 'rows'],
    ['a dataset that does not count', { datasets: ['a'.repeat(64)] }, 'evidence_problems'],
  ])('fails on %s, whatever the gates say', async (_, change, metric) => {
    const at = await home();
    const { id } = await at.environment(change);
    const report = await at.validation.run(at.admin, at.input({ environmentId: id }));
    expect(report.gates.filter(({ passed }) => !passed).map((gate) => gate.metric)).toEqual([metric]);
    expect([report.passed, at.stateOf('1.0.0')]).toEqual([false, 'draft']);
  });

  test('by a given policy is what-if: kept, judged, and no state changes', async () => {
    const at = await home();
    const report = await at.validation.run(at.admin, at.input({ policy: POLICY }));
    expect(report).toMatchObject({ passed: true, environmentId: null, environmentName: null });
    expect(at.stateOf('1.0.0')).toBe('draft');
    expect(at.lastEntry()).toMatchObject({ details: { whatIf: true } });
  });

  test('without a policy judges nothing and says so in the log', async () => {
    const at = await home();
    const report = await at.validation.run(at.admin, at.input());
    expect(report.gates).toEqual([]);
    expect(at.stateOf('1.0.0')).toBe('draft');
    expect(at.lastEntry()).toMatchObject({ details: { passed: null } });
  });
});

describe('judging against the champion', () => {
  test('uses its validation on the same dataset, and refuses where there is none', async () => {
    const at = await home();
    await at.add('1.1.0', firstFeature({ positiveAbove: 0.75 }));
    await at.registry.alias(actorWith('release-manager'), {
      name: 'phish',
      alias: 'champion',
      version: '1.0.0',
    });
    const { id } = await at.environment({ gates: [{ metric: 'recall', maxRegression: 0.1 }] });
    const challenger = at.input({ version: '1.1.0', environmentId: id });
    expect((await at.validation.run(at.admin, challenger)).gates[0]).toMatchObject({
      passed: false,
      baseline: null,
    });
    await at.validation.run(at.admin, at.input());
    // Recall of the champion 0.75, of the challenger 0.25.
    expect((await at.validation.run(at.admin, challenger)).gates[0]).toMatchObject({
      passed: false,
      baseline: 0.75,
      measured: 0.25,
    });
    expect(at.stateOf('1.1.0')).toBe('draft');
    // Its labels are not those its own probabilities say, which fails by itself.
    const lenient: Policy = { ...POLICY, gates: [{ metric: 'recall', maxRegression: 0.5 }] };
    const judged = await at.validation.run(at.admin, at.input({ version: '1.1.0', policy: lenient }));
    expect(judged.gates.filter(({ passed }) => !passed).map(({ metric }) => metric)).toEqual([
      'output_findings',
    ]);
    lenient.outputFindings = 'allow';
    expect(await at.validation.run(at.admin, at.input({ version: '1.1.0', policy: lenient }))).toMatchObject({
      passed: true,
    });
  });
});

describe('refusing to validate', () => {
  test('who may not', async () => {
    const at = await home();
    await expect(at.validation.run(actorWith('auditor'), at.input())).rejects.toMatchObject({
      code: 'refused.role',
    });
  });

  test.each([
    ['an unknown version', { version: '9.9.9' }, 'not-found'],
    ['an unknown environment', { environmentId: 'nowhere' }, 'not-found'],
    ['both an environment and a policy', { environmentId: 'x', policy: POLICY }, 'input.invalid'],
    ['a name that is a path', { name: '../phish' }, 'input.invalid'],
  ])('%s', async (_, change, code) => {
    const at = await home();
    await expect(at.validation.run(at.admin, at.input(change))).rejects.toMatchObject({ code });
    expect(at.validation.list(at.admin, { ref: null })).toEqual([]);
  });

  test('an archived version, and one revoked', async () => {
    const at = await home();
    await at.registry.archive(at.admin, { name: 'phish', version: '1.0.0' });
    await expect(at.validation.run(at.admin, at.input())).rejects.toMatchObject({ code: 'refused.state' });
    await at.registry.revoke(actorWith('release-manager'), {
      name: 'phish',
      version: '1.0.0',
      reason: 'poisoned',
    });
    await expect(at.validation.run(at.admin, at.input())).rejects.toMatchObject({ code: 'refused.state' });
  });

  test('bad data leaves no report and no entry', async () => {
    const at = await home();
    writeFileSync(at.path, DATA.replace('0.3', 'NaN'));
    const before = at.lastEntry();
    await expect(at.validation.run(at.admin, at.input())).rejects.toMatchObject({
      code: 'dataset.non-finite',
      facts: { row: 3, column: 'f0' },
    });
    expect(at.validation.list(at.admin, { ref: null })).toEqual([]);
    expect(at.lastEntry()).toEqual(before);
  });

  test('a version that is revoked while it is measured keeps its state', async () => {
    let revoke = async (): Promise<void> => {};
    const real = createInferenceEngine({ forkWorker });
    const at = await home({
      evaluate: async (...args) => {
        const result = await real.evaluate(...args);
        await revoke();
        return result;
      },
    });
    onTestFinished(() => real.close());
    revoke = async () => {
      await at.registry.revoke(actorWith('release-manager'), {
        name: 'phish',
        version: '1.0.0',
        reason: 'poisoned',
      });
    };
    const { id } = await at.environment();
    await expect(at.validation.run(at.admin, at.input({ environmentId: id }))).rejects.toMatchObject({
      code: 'refused.state',
    });
    expect(at.stateOf('1.0.0')).toBe('revoked');
    expect(at.validation.list(at.admin, { ref: null })).toEqual([]);
  });
});
