import { describe, expect, test } from 'vitest';
import { openStore } from '../../electron/adapters/sqlite/store.ts';
import {
  type ClassificationMetrics,
  type ComparisonReport,
  PLAIN_DATASET,
  plainComparison,
  plainValidation,
  UNMEASURED_METRICS,
  type ValidationReport,
} from '../../shared/domain/metrics/report.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import { openDatabase } from '../../shared/node/sqlite/database.ts';
import { AT, HASH, KEY, store, version } from '../support/store.ts';

const finding = (severity: 'low' | 'high') => ({
  ruleId: 'r',
  severity,
  title: 't',
  where: 'w',
  detail: 'd',
  reference: '',
});
const metrics: ClassificationMetrics = {
  rows: 10,
  positives: 5,
  confusion: { tn: 5, fp: 0, fn: 0, tp: 5 },
  accuracy: 1,
  balanced_accuracy: 1,
  precision: 1,
  recall: 1,
  f1: 0.97,
  mcc: 1,
  roc_auc: 0.99,
  false_positive_rate: 0,
  ...UNMEASURED_METRICS,
};
const latency = { p50: 1, p95: 2, p99: 3, samples: 10 };
const dataset = {
  fileName: 'd.csv',
  digest: HASH,
  sizeBytes: 10,
  rows: 10,
  labelColumn: 'label',
  ...PLAIN_DATASET,
  featureColumns: 3,
  ignoredColumns: [],
};

describe('versions', () => {
  test('come back as they went in', () => {
    const { read, transaction } = store();
    const full = version({
      metadata: {
        owner: 'SOC',
        tags: ['mail', 'Mail', 'edge'],
        trainingParameters: { depth: 3, name: 'x', flag: true },
        permittedToDeploy: false,
      },
      findings: [finding('low'), finding('high')],
      mapping: {
        kind: 'anomaly',
        input: 'x',
        labelOutput: null,
        scoreOutput: 's',
        scoreColumn: 0,
        positiveLabel: -1,
        threshold: 0.5,
        lowerIsPositive: true,
      },
      parent: '0.9.0',
    });
    transaction((tx) => tx.insertVersion(full));
    expect(read.version(full)).toEqual(full);
    expect(read.versionByDigest('phish', HASH)).toEqual(full);
    expect(read.versionsOf('phish')).toEqual([full]);
    expect(read.version({ name: 'phish', version: '9.9.9' })).toBeNull();
    expect(read.search({ text: '', limit: 10, offset: 0 }).rows[0]).toMatchObject({
      worstFinding: 'high',
      owner: 'SOC',
      tags: ['mail', 'Mail', 'edge'],
      rocAuc: null,
    });
  });

  test('are unique by name and version', () => {
    const { transaction } = store();
    const one = version();
    transaction((tx) => tx.insertVersion(one));
    expect(() => transaction((tx) => tx.insertVersion({ ...version(), version: one.version }))).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
  });

  test('change in state, mapping, metadata and alias, and in nothing else', () => {
    const { read, transaction } = store();
    const [one, two] = [version(), version({ name: 'dns' })];
    transaction((tx) => {
      tx.insertVersion(one);
      tx.insertVersion(two);
      tx.setState(one, 'validated');
      tx.setMetadata(one, { owner: 'red', tags: ['blue'] });
      tx.setAlias({ name: one.name, alias: 'champion', version: one.version });
      tx.setAlias({ name: two.name, alias: 'champion', version: two.version });
    });
    expect(read.version(one)).toEqual({
      ...one,
      state: 'validated',
      metadata: { owner: 'red', tags: ['blue'] },
    });
    expect(read.version(two)).toEqual(two);
    expect(read.aliased('champion').map(({ name }) => name)).toEqual(['dns', 'phish']);
    expect(read.aliasedVersion('dns', 'champion')).toEqual(two);
    expect(read.aliases('phish')).toEqual([{ name: 'phish', alias: 'champion', version: one.version }]);
    expect(read.names()).toEqual(['dns', 'phish']);
    expect(read.counts()).toEqual({ models: 2, versions: 2, artifactBytes: 200 });
    expect(() =>
      transaction((tx) => tx.setAlias({ name: 'phish', alias: 'champion', version: '9.9.9' })),
    ).toThrow();
  });

  test.each([
    `UPDATE version_details SET onnx = '{"irVersion":"eight"}'`,
    `UPDATE version_details SET findings = 'no JSON'`,
    `UPDATE versions SET state = 'trusted'`,
    `UPDATE versions SET digest = 'x'`,
  ])('edited by %s are an integrity error where they are read', (edit) => {
    const opened = store();
    const one = version();
    opened.transaction((tx) => tx.insertVersion(one));
    const db = openDatabase(opened.path, KEY);
    db.run(edit);
    db.close();
    expect(() => opened.read.version(one)).toThrow(expect.objectContaining({ code: 'integrity.vault' }));
  });
});

describe('reports', () => {
  const validation = (id: string, one: ModelVersion, f1: number): ValidationReport => ({
    id,
    ref: { name: one.name, version: one.version },
    digest: HASH,
    dataset,
    metrics: { ...metrics, f1 },
    latency,
    ...plainValidation(),
    rowsPerSecond: 100,
    roc: [{ x: 0, y: 1 }],
    precisionRecall: [],
    mapping: {
      kind: 'classifier',
      input: 'x',
      labelOutput: 'l',
      scoreOutput: null,
      scoreColumn: 0,
      positiveLabel: 1,
      threshold: 0.5,
      lowerIsPositive: false,
    },
    scoreHistogram: null,
    environmentId: null,
    environmentName: null,
    gates: [],
    passed: true,
    runBy: 'ada',
    createdAt: AT,
    durationMs: 5,
  });

  test('are kept, newest first, and the newest measures the row of its version', () => {
    const { read, transaction } = store();
    const [one, two] = [version(), version()];
    const reports = [
      validation('r1', one, 0.5),
      validation('r2', one, 0.9),
      validation('r3', two, 0.7),
    ] as const;
    transaction((tx) => {
      tx.insertVersion(one);
      tx.insertVersion(two);
      for (const report of reports) tx.insertValidation(report);
    });
    expect(read.validation('r1')).toEqual(reports[0]);
    expect(read.validations(one).map(({ id }) => id)).toEqual(['r2', 'r1']);
    expect(read.validations(null).map(({ id }) => id)).toEqual(['r3', 'r2', 'r1']);
    expect(read.search({ text: '', limit: 9, offset: 0 }).rows.map(({ f1 }) => f1)).toEqual([0.7, 0.9]);
  });

  test('of a comparison are found by either side', () => {
    const { read, transaction } = store();
    const ref = (number: string) => ({ name: 'phish', version: number });
    const report: ComparisonReport = {
      id: 'c1',
      champion: ref('1.0.0'),
      challenger: ref('1.1.0'),
      championDigest: HASH,
      challengerDigest: HASH,
      dataset,
      championMetrics: metrics,
      challengerMetrics: metrics,
      championLatency: latency,
      challengerLatency: latency,
      deltas: [],
      disagreements: 0,
      challengerFixes: 0,
      challengerBreaks: 0,
      ...plainComparison(),
      disagreementRows: [],
      runBy: 'ada',
      createdAt: AT,
      durationMs: 1,
    };
    transaction((tx) => tx.insertComparison(report));
    expect(read.comparison('c1')).toEqual(report);
    expect(
      [ref('1.0.0'), ref('1.1.0'), ref('2.0.0'), null].map((each) => read.comparisons(each).length),
    ).toEqual([1, 1, 0, 1]);
  });
});

describe('a transaction', () => {
  test('that throws leaves nothing, and cannot be nested', () => {
    const { read, transaction } = store();
    expect(() =>
      transaction((tx) => {
        tx.setSetting('a', '1');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(read.setting('a')).toBeNull();
    expect(() => transaction(() => transaction(() => undefined))).toThrow(
      expect.objectContaining({ code: 'unexpected' }),
    );
  });

  test('is seen by another connection once it is committed, and not before', () => {
    const one = store();
    const two = openStore(one.path, KEY);
    one.transaction((tx) => {
      tx.setSetting('a', '1');
      expect(two.read.setting('a')).toBeNull();
    });
    expect(two.read.setting('a')).toBe('1');
    expect([two.changedElsewhere(), two.changedElsewhere(), one.changedElsewhere()]).toEqual([
      true,
      false,
      false,
    ]);
    two.close();
  });

  test('a database of a newer program is refused and stays as it is', () => {
    const one = store();
    const db = openDatabase(one.path, KEY);
    db.pragma('user_version=99');
    db.close();
    expect(() => openStore(one.path, KEY)).toThrow(expect.objectContaining({ code: 'vault.newer' }));
    const again = openDatabase(one.path, KEY);
    expect(again.pragma('user_version')).toBe(99);
    again.close();
  });
});
