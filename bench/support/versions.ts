/** Made-up versions with the spread of a real registry: common and rare words, and figures that differ everywhere. */
import type { ModelVersion } from '../../shared/domain/model/version.ts';

const MODELS = 500;
const OWNERS = ['Blue Team', 'Red Team', 'SOC', 'Fraud', 'Data Science'] as const;
const STATES = ['draft', 'validated', 'validated', 'archived'] as const;
const LICENCES = ['MIT', 'Apache-2.0', 'proprietary'] as const;
const SEVERITIES = ['low', 'medium', 'high'] as const;
const DAY = 86_400_000;

/** The same sequence on every run. */
export function generatedVersions(): () => ModelVersion {
  let seed = 20_260_101;
  // Mulberry32.
  const random = (): number => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
  const one = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  // Few words are common and most are rare, as in any text.
  const word = (): string => `w${Math.floor(4000 * random() ** 3).toString(36)}x`;
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  let count = 0;
  return () => {
    const index = count++;
    const round = Math.floor(index / MODELS);
    const numbers = `${round % 3}.${Math.floor(round / 3)}.${index % 40}`;
    const severity = random() < 0.1 ? one(SEVERITIES) : null;
    return {
      id: `version-${index}`,
      name: `model-${index % MODELS}`,
      version: random() < 0.1 ? `${numbers}-rc.${1 + Math.floor(random() * 3)}` : numbers,
      digest: hex(64),
      sizeBytes: Math.floor(10_000 + 5_000_000 * random() ** 2),
      artifactId: hex(32),
      state: one(STATES),
      parent: null,
      metadata: {
        description: `${random() < 0.3 ? 'gradient boosted' : 'isolation forest'} detector of ${Array.from({ length: 14 }, word).join(' ')}`,
        owner: one(OWNERS),
        licence: one(LICENCES),
        tags: [`t${Math.floor(random() * 60)}`, ...(random() < 0.2 ? ['mail'] : [])],
        datasetDigest: `sha256:${hex(16)}`,
        codeReference: `git:${hex(12)}`,
        trainingParameters: {
          depth: Math.floor(random() * 20),
          trees: Math.floor(random() * 500),
          lr: random(),
          optimizer: one(['adam', 'sgd']),
        },
        metrics: {
          auc: 0.5 + random() / 2,
          f1: random(),
          recall: random(),
          ...(random() < 0.001 ? { rare: 1 } : {}),
        },
        permittedToDeploy: random() < 0.9,
      },
      onnx: {
        irVersion: 8,
        producerName: 'skl2onnx',
        producerVersion: '1.19.1',
        modelVersion: 0,
        docString: '',
        graphName: 'graph',
        opsets: [
          { domain: '', version: 15 },
          { domain: 'ai.onnx.ml', version: 3 },
        ],
        operators: [
          { domain: 'ai.onnx.ml', type: 'TreeEnsembleClassifier', count: 1 },
          { domain: '', type: 'Cast', count: 2 },
        ],
        nodeCount: 3,
        functionCount: 0,
        maxDepth: 0,
        inputs: [{ name: 'features', kind: 'tensor', elementType: 'float', shape: ['N', 40] }],
        outputs: [
          { name: 'label', kind: 'tensor', elementType: 'int64', shape: ['N'] },
          { name: 'probabilities', kind: 'tensor', elementType: 'float', shape: ['N', 2] },
        ],
        initializerCount: 0,
        parameterCount: Math.floor(random() * 100_000),
        metadata: {},
        externalData: [],
        sizeBytes: 100_000,
      },
      findings:
        severity === null
          ? []
          : [
              {
                ruleId: 'long-text',
                severity,
                title: 'A long text',
                where: 'metadata',
                detail: '',
                reference: '',
              },
            ],
      rulesRun: ['rules@1', 'structure', 'operators', 'texts'],
      mapping: null,
      addedBy: one(['ada', 'grace', 'ci']),
      addedAt: new Date(Date.UTC(2026, 0, 1) + Math.floor(index * (300 / 100_000) * DAY)).toISOString(),
    };
  };
}
