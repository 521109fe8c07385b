import { parse } from 'yaml';
import { type VersionMetadata, versionMetadataSchema } from '../../../shared/domain/model/version.ts';
import { policySchema } from '../../../shared/domain/policy/policy.ts';
import { type BoostingOptions, scoreBoosting, trainBoosting } from './boosting.ts';
import {
  LABELLED_MIX,
  labelsOf,
  type SampleRow,
  sha256Hex,
  TRAFFIC_MIX,
  TRAINING_MIX,
  takeRows,
  toCsv,
  toMatrix,
} from './dataset.ts';
import { logisticToOnnx, treesToOnnx } from './detectors.ts';
import { BLIND_FAMILY } from './families.ts';
import type { Figures, SampleVersion } from './figures.ts';
import { type LogisticOptions, type Matrix, scoreLogistic, trainLogistic } from './logistic.ts';
import { disagreement, type Measured, measure, predicted } from './measure.ts';
import { roundTo } from './numeric.ts';
import { readmeOf } from './readme.ts';

export { VERSIONS } from './figures.ts';

export const MODEL_NAME = 'phish-url';

export const ROWS = { training: 12_000, labelled: 4_000, traffic: 6_000 } as const;

const LOGISTIC: LogisticOptions = { iterations: 400, learningRate: 0.3, l2: 1e-4 };
const TREES_110: BoostingOptions = {
  trees: 80,
  depth: 4,
  learningRate: 0.2,
  minimumLeaf: 15,
  l2: 1,
  bins: 64,
};
const TREES_120: BoostingOptions = { ...TREES_110, trees: 120 };

/** One trained detector: its file, how it scores, and what its maker says of it. */
export interface SampleDetector {
  readonly version: SampleVersion;
  readonly onnx: Uint8Array;
  readonly score: (x: Matrix) => Float64Array;
  readonly metadata: VersionMetadata;
}

export interface SampleWorkspace {
  readonly detectors: readonly SampleDetector[];
  readonly labelled: readonly SampleRow[];
  readonly traffic: readonly SampleRow[];
  readonly figures: Figures;
  /** File name → content, everything under `resources/samples/data`. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

function metadata(
  description: string,
  trainingDigest: string,
  measured: Measured,
  trainingParameters: VersionMetadata['trainingParameters'],
  tags: string[],
): VersionMetadata {
  return versionMetadataSchema.parse({
    description,
    owner: 'Detection engineering',
    licence: 'Apache-2.0',
    datasetDigest: `sha256:${trainingDigest}`,
    codeReference: 'resources/samples/generator',
    trainingParameters,
    metrics: {
      accuracy: roundTo(measured.accuracy, 6),
      precision: roundTo(measured.precision, 6),
      recall: roundTo(measured.recall, 6),
      f1: roundTo(measured.f1, 6),
      roc_auc: roundTo(measured.rocAuc, 6),
      false_positive_rate: roundTo(measured.falsePositiveRate, 6),
    },
    tags,
    permittedToDeploy: true,
  });
}

/** JSON with two spaces, short lists on one line. */
function toJson(value: VersionMetadata): string {
  const spread = JSON.stringify(value, null, 2);
  return `${spread.replace(/\[[^[\]{}]*\]/g, (list) => JSON.stringify(JSON.parse(list)).replaceAll('","', '", "'))}\n`;
}

/** An environment's policy as YAML; checked against the program's own schema before it is returned. */
function policyYaml(
  environment: string,
  minimumAccuracy: number,
  datasets: readonly string[],
  requestHours: number,
): string {
  const text = `# Policy of the sample workspace's ${environment} environment.
version: 1
gates:
  - { metric: accuracy, min: ${minimumAccuracy} }
  - { metric: recall, min: 0.85 }
  - { metric: roc_auc, min: 0.95 }
  - { metric: false_positive_rate, max: 0.06 }
  - { metric: latency_p95_ms, max: 50 }
minimumRows: 500
# SHA-256 of the data that counts as evidence${datasets.length === 0 ? '; none named: any' : ' (labelled.csv)'}.
datasets:${datasets.length === 0 ? ' []' : datasets.map((digest) => `\n  - ${digest}`).join('')}
maximumSeverity: medium
quorum: { approvals: 2 }
requestHours: ${requestHours}
`;
  policySchema.parse(parse(text));
  return text;
}

/** Trains the three detectors on the training mix; 1.2.0 on labels that call every open redirect honest. */
function trainDetectors(labelled: readonly SampleRow[]): SampleDetector[] {
  const rows = takeRows(TRAINING_MIX, 'training', ROWS.training);
  const x = toMatrix(rows);
  const labels = labelsOf(rows);
  const mislabelled: SampleRow[] = rows.map((row) =>
    row.family === BLIND_FAMILY ? { ...row, label: 0 } : row,
  );
  const digest = sha256Hex(toCsv(rows));
  const evidence = toMatrix(labelled);
  const truth = labelsOf(labelled);

  const logistic = trainLogistic(x, labels, LOGISTIC);
  const trees = trainBoosting(x, labels, TREES_110);
  const blindTrees = trainBoosting(x, labelsOf(mislabelled), TREES_120);

  const detector = (
    version: SampleVersion,
    doc: string,
    onnx: Uint8Array,
    score: SampleDetector['score'],
    trainingDigest: string,
    parameters: Readonly<Record<string, string | number>>,
    tags: string[],
  ): SampleDetector => ({
    version,
    onnx,
    score,
    metadata: metadata(
      doc,
      trainingDigest,
      measure(score(evidence), truth),
      { ...parameters, rows: ROWS.training },
      tags,
    ),
  });
  const docs = {
    '1.0.0': 'Phishing URLs by logistic regression on lexical features.',
    '1.1.0': 'Phishing URLs by gradient-boosted trees on lexical features.',
    '1.2.0':
      'Phishing URLs by more gradient-boosted trees, on labels refreshed from a partner feed: fewer false alarms on redirecting links.',
  } as const;
  return [
    detector(
      '1.0.0',
      docs['1.0.0'],
      logisticToOnnx(logistic, docs['1.0.0']),
      (m) => scoreLogistic(logistic, m),
      digest,
      { algorithm: 'logistic regression', ...LOGISTIC },
      ['url', 'phishing', 'baseline'],
    ),
    detector(
      '1.1.0',
      docs['1.1.0'],
      treesToOnnx(trees, docs['1.1.0']),
      (m) => scoreBoosting(trees, m),
      digest,
      { algorithm: 'gradient boosting', ...TREES_110 },
      ['url', 'phishing', 'trees'],
    ),
    detector(
      '1.2.0',
      docs['1.2.0'],
      treesToOnnx(blindTrees, docs['1.2.0']),
      (m) => scoreBoosting(blindTrees, m),
      sha256Hex(toCsv(mislabelled)),
      { algorithm: 'gradient boosting', ...TREES_120 },
      ['url', 'phishing', 'trees', 'partner-feed'],
    ),
  ];
}

function figuresOf(
  detectors: readonly SampleDetector[],
  labelled: readonly SampleRow[],
  traffic: readonly SampleRow[],
): Figures {
  const scored = detectors.map((detector) => ({
    version: detector.version,
    labelled: detector.score(toMatrix(labelled)),
    traffic: detector.score(toMatrix(traffic)),
  }));
  const blind = traffic.flatMap((row, i) => (row.family === BLIND_FAMILY ? [i] : []));
  return {
    versions: scored.map((one) => ({
      version: one.version,
      labelled: measure(one.labelled, labelsOf(labelled)),
      traffic: measure(one.traffic, labelsOf(traffic)),
      blindRecall: blind.filter((i) => predicted(one.traffic[i] ?? 0) === 1).length / blind.length,
    })),
    disagreements: scored.slice(1).map((one, i) => {
      const before = scored[i] ?? one;
      return {
        a: before.version,
        b: one.version,
        labelled: disagreement(before.labelled, one.labelled),
        traffic: disagreement(before.traffic, one.traffic),
      };
    }),
  };
}

/** Makes the whole sample workspace in memory; equal on every call and machine. Takes a few seconds. */
export function makeWorkspace(): SampleWorkspace {
  const labelled = takeRows(LABELLED_MIX, 'labelled', ROWS.labelled);
  const traffic = takeRows(TRAFFIC_MIX, 'traffic', ROWS.traffic);
  const detectors = trainDetectors(labelled);
  const figures = figuresOf(detectors, labelled, traffic);
  const labelledCsv = toCsv(labelled);
  const files = new Map<string, string | Uint8Array>();
  for (const detector of detectors) {
    files.set(`${MODEL_NAME}-${detector.version}.onnx`, detector.onnx);
    files.set(`metadata-${detector.version}.json`, toJson(detector.metadata));
  }
  files.set('labelled.csv', labelledCsv);
  files.set('traffic.csv', toCsv(traffic));
  files.set('policy-production.yaml', policyYaml('production', 0.92, [sha256Hex(labelledCsv)], 72));
  files.set('policy-staging.yaml', policyYaml('staging', 0.9, [], 168));
  files.set('README.md', readmeOf(figures));
  return { detectors, labelled, traffic, figures, files };
}
