import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sha256Hex, toMatrix } from '../../../resources/samples/generator/dataset.ts';
import { BLIND_FAMILY } from '../../../resources/samples/generator/families.ts';
import { FEATURE_NAMES } from '../../../resources/samples/generator/features.ts';
import { DATA_DIRECTORY, writeWorkspace } from '../../../resources/samples/generator/generate.ts';
import {
  makeWorkspace,
  type SampleWorkspace,
  VERSIONS,
} from '../../../resources/samples/generator/workspace.ts';
import { versionMetadataSchema } from '../../../shared/domain/model/version.ts';
import { type Policy, policySchema } from '../../../shared/domain/policy/policy.ts';
import { DEFAULT_GUARDS } from '../../../shared/domain/rollout/plan.ts';
import '../../../shared/node/onnx/no-telemetry.ts';

/** A committed CSV, read back as any consumer would: by header, in text. */
interface CsvFile {
  readonly header: readonly string[];
  readonly features: Float32Array;
  readonly families: readonly string[];
  readonly labels: readonly number[];
}

function readCsv(name: string): CsvFile {
  const [head = '', ...lines] = readFileSync(join(DATA_DIRECTORY, name), 'utf8').trimEnd().split('\n');
  const cells = lines.map((line) => line.split(','));
  return {
    header: head.split(','),
    features: Float32Array.from(cells.flatMap((row) => row.slice(0, FEATURE_NAMES.length).map(Number))),
    families: cells.map((row) => row.at(-2) ?? ''),
    labels: cells.map((row) => Number(row.at(-1))),
  };
}

interface Answers {
  readonly labels: readonly number[];
  /** P(phishing) and P(honest), float32 as the runtime answers them. */
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

async function ask(file: string, features: Float32Array): Promise<Answers> {
  const session = await InferenceSession.create(readFileSync(join(DATA_DIRECTORY, file)));
  const rows = features.length / FEATURE_NAMES.length;
  const out = await session.run({ features: new Tensor('float32', features, [rows, FEATURE_NAMES.length]) });
  await session.release();
  expect(out.label?.dims).toEqual([rows]);
  expect(out.probabilities?.dims).toEqual([rows, 2]);
  const probabilities = out.probabilities?.data as Float32Array;
  return {
    labels: Array.from(out.label?.data as BigInt64Array, Number),
    positive: Array.from({ length: rows }, (_, i) => probabilities[2 * i + 1] ?? Number.NaN),
    negative: Array.from({ length: rows }, (_, i) => probabilities[2 * i] ?? Number.NaN),
  };
}

const shareDiffering = (a: readonly number[], b: readonly number[]): number =>
  a.filter((label, i) => label !== b[i]).length / a.length;
const accuracy = (answered: readonly number[], truth: readonly number[]): number =>
  1 - shareDiffering(answered, truth);

/** Exact two-sided McNemar test: probability of a split at least as uneven under "both equally good". */
function mcnemar(fixes: number, breaks: number): number {
  const n = fixes + breaks;
  let term = 0.5 ** n;
  let tail = 0;
  for (let k = 0; k <= Math.min(fixes, breaks); k++) {
    tail += term;
    term *= (n - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}

const labelled = readCsv('labelled.csv');
const traffic = readCsv('traffic.csv');
const files = new Map(VERSIONS.map((version) => [version, `phish-url-${version}.onnx`]));
let workspace: SampleWorkspace;
let onLabelled: Answers[];
let onTraffic: Answers[];
const scratch = mkdtempSync(join(tmpdir(), 'samples-'));

beforeAll(async () => {
  workspace = makeWorkspace();
  onLabelled = await Promise.all(Array.from(files.values(), (file) => ask(file, labelled.features)));
  onTraffic = await Promise.all(Array.from(files.values(), (file) => ask(file, traffic.features)));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Answers of the version at `index` of VERSIONS. */
function of(answers: readonly Answers[], index: number): Answers {
  const found = answers[index];
  if (found === undefined) throw new Error(`no answers at ${index}`);
  return found;
}

describe('given the generator', () => {
  it('when it runs twice, then both runs and the committed files are the same bytes', () => {
    const digest = (path: string): string => sha256Hex(readFileSync(path));
    const written = writeWorkspace(scratch);
    const committed = readdirSync(DATA_DIRECTORY).sort();
    expect(readdirSync(scratch).sort()).toEqual(committed);
    expect(written.length).toBe(committed.length);
    for (const name of committed) {
      expect(digest(join(scratch, name)), name).toBe(digest(join(DATA_DIRECTORY, name)));
      const first = workspace.files.get(name);
      expect(first === undefined ? null : sha256Hex(first), name).toBe(digest(join(DATA_DIRECTORY, name)));
    }
  });

  it('then the committed data stays under 4 MB', () => {
    const total = readdirSync(DATA_DIRECTORY).reduce(
      (sum, name) => sum + statSync(join(DATA_DIRECTORY, name)).size,
      0,
    );
    expect(total).toBeLessThan(4_000_000);
  });
});

describe('given the committed CSV files', () => {
  it('then the columns are the features in order, url, family and label, and every feature is finite', () => {
    for (const file of [labelled, traffic]) {
      expect(file.header).toEqual([...FEATURE_NAMES, 'url', 'family', 'label']);
      expect(file.features.every(Number.isFinite)).toBe(true);
      expect(new Set(file.labels)).toEqual(new Set([0, 1]));
      expect(file.features.length).toBe(file.labels.length * FEATURE_NAMES.length);
    }
  });

  it('then the decimals of the CSV are exactly what the models were measured on', () => {
    expect(labelled.features).toEqual(toMatrix(workspace.labelled).values);
    expect(traffic.features).toEqual(toMatrix(workspace.traffic).values);
  });

  it('then no URL points at a name or address that somebody could own', () => {
    for (const row of [...workspace.labelled, ...workspace.traffic]) {
      const host = new URL(row.url).hostname;
      expect(host, row.url).toMatch(
        /(?:\.(?:example|test|invalid)|^(?:10|192\.168)\.[\d.]+|^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+)$/,
      );
    }
  });

  it('then labelled.csv lacks the kind that the traffic has', () => {
    expect(labelled.families).not.toContain(BLIND_FAMILY);
    expect(traffic.families.filter((family) => family === BLIND_FAMILY).length).toBeGreaterThan(600);
  });
});

describe('given the committed models in onnxruntime', () => {
  it('then probabilities equal our own arithmetic, and the label is the likelier class', () => {
    for (const [data, answers] of [
      [workspace.labelled, onLabelled],
      [workspace.traffic, onTraffic],
    ] as const) {
      for (const [at, detector] of workspace.detectors.entries()) {
        const own = detector.score(toMatrix(data));
        const { labels, positive, negative } = of(answers, at);
        const worst = own.reduce(
          (most, p, i) => Math.max(most, Math.abs(p - (positive[i] ?? Number.NaN))),
          0,
        );
        expect(worst, detector.version).toBeLessThan(1e-5);
        expect(labels, detector.version).toEqual(positive.map((p) => (p >= 0.5 ? 1 : 0)));
        expect(positive.every((p, i) => Math.abs(p + (negative[i] ?? 0) - 1) < 1e-6)).toBe(true);
      }
    }
  });

  it('then they say which columns they take', async () => {
    for (const file of files.values()) {
      const session = await InferenceSession.create(readFileSync(join(DATA_DIRECTORY, file)));
      expect(session.inputNames).toEqual(['features']);
      expect(session.outputNames).toEqual(['label', 'probabilities']);
      await session.release();
    }
  });

  it('then the figures in the README are what the runtime answers', () => {
    for (const [at, version] of workspace.figures.versions.entries()) {
      expect(accuracy(of(onLabelled, at).labels, labelled.labels)).toBeCloseTo(version.labelled.accuracy, 12);
      expect(accuracy(of(onTraffic, at).labels, traffic.labels)).toBeCloseTo(version.traffic.accuracy, 12);
    }
    for (const [at, pair] of workspace.figures.disagreements.entries()) {
      expect(shareDiffering(of(onLabelled, at).labels, of(onLabelled, at + 1).labels)).toBeCloseTo(
        pair.labelled,
        12,
      );
      expect(shareDiffering(of(onTraffic, at).labels, of(onTraffic, at + 1).labels)).toBeCloseTo(
        pair.traffic,
        12,
      );
    }
  });
});

describe('given the story the samples tell', () => {
  const fixesAndBreaks = (
    before: readonly number[],
    after: readonly number[],
    truth: readonly number[],
  ): [number, number] => [
    truth.filter((label, i) => before[i] !== label && after[i] === label).length,
    truth.filter((label, i) => before[i] === label && after[i] !== label).length,
  ];

  it('then 1.1.0 is better than 1.0.0 on both files, beyond chance', () => {
    for (const [truth, answers] of [
      [labelled.labels, onLabelled],
      [traffic.labels, onTraffic],
    ] as const) {
      const [fixes, breaks] = fixesAndBreaks(of(answers, 0).labels, of(answers, 1).labels, truth);
      expect(fixes).toBeGreaterThan(breaks);
      expect(mcnemar(fixes, breaks)).toBeLessThan(1e-6);
    }
  });

  it('then 1.2.0 looks better than 1.1.0 on labelled.csv, beyond chance, and is worse on the traffic', () => {
    const [fixes, breaks] = fixesAndBreaks(
      of(onLabelled, 1).labels,
      of(onLabelled, 2).labels,
      labelled.labels,
    );
    expect(fixes).toBeGreaterThan(breaks);
    expect(mcnemar(fixes, breaks)).toBeLessThan(1e-6);
    expect(accuracy(of(onTraffic, 2).labels, traffic.labels)).toBeLessThan(
      accuracy(of(onTraffic, 1).labels, traffic.labels) - 0.1,
    );
  });

  it('then 1.2.0 is wrong on the blind kind and on little else', () => {
    const blind = traffic.families.map((family) => family === BLIND_FAMILY);
    const found = (index: number): number => {
      const answered = of(onTraffic, index).labels.filter((_, i) => blind[i]);
      return answered.filter((label) => label === 1).length / answered.length;
    };
    expect(found(1)).toBeGreaterThan(0.9);
    expect(found(2)).toBeLessThan(0.05);
    const rest = <T>(list: readonly T[]): T[] => list.filter((_, i) => !blind[i]);
    expect(accuracy(rest(of(onTraffic, 2).labels), rest(traffic.labels))).toBeGreaterThan(0.97);
  });

  it('then any 500 pairs in a row let 1.1.0 through the default guard and stop 1.2.0', () => {
    const limit = DEFAULT_GUARDS.maxDisagreement ?? 0;
    const window = DEFAULT_GUARDS.minimumPairs;
    const shares = (a: number, b: number): number[] => {
      const left = of(onTraffic, a).labels;
      const right = of(onTraffic, b).labels;
      return Array.from({ length: left.length - window + 1 }, (_, i) =>
        shareDiffering(left.slice(i, i + window), right.slice(i, i + window)),
      );
    };
    expect(Math.max(...shares(0, 1))).toBeLessThan(limit);
    expect(Math.min(...shares(1, 2))).toBeGreaterThan(2 * limit);
    expect(shareDiffering(of(onTraffic, 0).labels, of(onTraffic, 1).labels)).toBeLessThan(0.035);
    const blindShare = shareDiffering(of(onTraffic, 1).labels, of(onTraffic, 2).labels);
    expect(blindShare).toBeGreaterThan(0.12);
    expect(blindShare).toBeLessThan(0.2);
  });

  it('then detectors are good but not perfect', () => {
    for (const { labelled: m } of workspace.figures.versions) {
      expect(m.rocAuc).toBeGreaterThan(0.93);
      expect(m.rocAuc).toBeLessThan(0.995);
      expect(m.accuracy).toBeLessThan(0.98);
    }
  });
});

describe('given metadata and policies', () => {
  it('then every metadata file fits the schema and states what was measured', () => {
    for (const { version, labelled: measured } of workspace.figures.versions) {
      const metadata = versionMetadataSchema.parse(
        JSON.parse(readFileSync(join(DATA_DIRECTORY, `metadata-${version}.json`), 'utf8')),
      );
      expect(metadata.metrics?.accuracy).toBeCloseTo(measured.accuracy, 6);
      expect(metadata.permittedToDeploy).toBe(true);
    }
  });

  it.each(['production', 'staging'])(
    'then all three versions pass the gates of %s on labelled.csv',
    (environment) => {
      const policy: Policy = policySchema.parse(
        parse(readFileSync(join(DATA_DIRECTORY, `policy-${environment}.yaml`), 'utf8')),
      );
      expect(policy.minimumRows).toBe(500);
      expect(policy.quorum.approvals).toBe(2);
      if (environment === 'production')
        expect(policy.datasets).toEqual([sha256Hex(readFileSync(join(DATA_DIRECTORY, 'labelled.csv')))]);
      for (const { labelled: m } of workspace.figures.versions) {
        const measured: Readonly<Record<string, number>> = {
          accuracy: m.accuracy,
          recall: m.recall,
          roc_auc: m.rocAuc,
          false_positive_rate: m.falsePositiveRate,
        };
        // Latency depends on the machine; the other gates must all be ones that were measured here.
        const gates = policy.gates.filter((gate) => !gate.metric.startsWith('latency'));
        expect(gates.length).toBeGreaterThan(0);
        for (const gate of gates) {
          const value = measured[gate.metric] ?? Number.NaN;
          expect(value).toBeGreaterThanOrEqual(gate.min ?? Number.NEGATIVE_INFINITY);
          expect(value).toBeLessThanOrEqual(gate.max ?? Number.POSITIVE_INFINITY);
        }
      }
    },
  );
});
