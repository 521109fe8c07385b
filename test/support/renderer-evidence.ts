/** Deep reports of the window's stand-in, realistic and extreme, made from the plain ones of renderer-data.ts. */
import type { FeatureDrift } from '../../shared/domain/evidence/drift.ts';
import type { Interval } from '../../shared/domain/evidence/interval.ts';
import type { RobustnessResult } from '../../shared/domain/evidence/robustness.ts';
import type { Slice, SliceFlip } from '../../shared/domain/evidence/slices.ts';
import {
  type ComparisonReport,
  type GateResult,
  plainValidation,
  type ValidationReport,
} from '../../shared/domain/metrics/report.ts';
import { type Clock, hex, minutesAgo, seeded } from './renderer-data.ts';

const KINDS = ['homograph', 'shortener', 'free-hosting', 'typosquat', 'data-uri', 'newsletter', 'intranet'];
const LONG = 'a very long name that somebody gave a column because nothing kept them from it';

function interval(value: number, half: number, method: Interval['method'] = 'bootstrap'): Interval {
  return { low: Math.max(0, value - half), high: Math.min(1, value + half), level: 0.95, method };
}

const artifact = (id: string) => ({
  artifactId: hex(id).slice(0, 32),
  digest: hex(`rows-${id}`),
  sizeBytes: 124_928,
});

export function slice(
  column: string,
  value: string,
  rows: number,
  recall: number,
  random: () => number,
): Slice {
  const tooFew = rows < 30;
  const rate = random() * 0.08;
  const half = Math.min(0.3, 1 / Math.sqrt(rows));
  return {
    column,
    value,
    rows,
    positives: Math.round(rows * 0.4),
    accuracy: recall * 0.4 + (1 - rate) * 0.6,
    recall,
    precision: recall / (recall + rate),
    false_positive_rate: rate,
    recallInterval: interval(recall, half, 'wilson'),
    falsePositiveInterval: interval(rate, half / 2, 'wilson'),
    tooFew,
    worst: !tooFew && recall < 0.8,
    adjustedP: tooFew ? null : recall < 0.8 ? 0.0002 : random(),
  };
}

function slices(seed: number, count = KINDS.length): Slice[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) =>
    count > 20
      ? slice(
          index % 3 === 0 ? LONG : `column_${index % 17}`,
          `${KINDS[index % 7]} ${index}`,
          Math.round(4 + random() ** 3 * 4_000),
          0.5 + random() * 0.5,
          random,
        )
      : slice(
          'kind',
          KINDS[index] ?? '',
          index === 4 ? 18 : Math.round(300 + random() * 3_000),
          index === 0 ? 0.712 : 0.88 + random() * 0.1,
          random,
        ),
  );
}

export function drift(count: number, seed: number): NonNullable<ValidationReport['drift']> {
  const random = seeded(seed);
  const feature = (name: string, psi: number): FeatureDrift => ({
    feature: name,
    kind: random() < 0.8 ? 'numeric' : 'categorical',
    psi,
    psiThreshold: 0.018,
    ks: psi / 3,
    ksP: psi > 0.02 ? 1e-9 : 0.4,
    jensenShannon: psi / 2,
    wasserstein: psi * 1.4,
    chiSquaredP: null,
    adjustedP: psi > 0.02 ? 0.0004 : 0.8,
    verdict: psi > 0.25 ? 'drift' : psi > 0.1 ? 'watch' : 'stable',
  });
  const features = Array.from({ length: count }, (_, index) =>
    feature(count > 100 && index % 9 === 0 ? `${LONG} ${index}` : `feature_${index}`, random() ** 6 * 1.2),
  );
  return {
    reference: {
      ref: { name: 'phish-url', version: '1.1.0' },
      datasetDigest: hex('june'),
      rows: 11_904,
    },
    rows: 12_480,
    features,
    score: feature('score', 0.043),
    driftedShare: features.filter(({ verdict }) => verdict === 'drift').length / count,
    estimatedAccuracy: { value: 0.9412, low: 0.931, high: 0.952, estimate: true },
  };
}

function robustness(seed: number): RobustnessResult[] {
  const random = seeded(seed);
  const kinds: readonly (readonly [RobustnessResult['kind'], string, string, string | null])[] = [
    ['noise', 'noise-0.1', 'Noise of a tenth of each standard deviation', null],
    ['noise', 'noise-0.5', 'Noise of half of each standard deviation', null],
    ['missing', 'missing-mean', 'One value in ten missing, the mean in its place', null],
    ['out-of-range', 'out-of-range', 'One value in ten far out of its range', null],
    ['permutation', 'permutation:entropy', 'Values shuffled between rows', 'entropy'],
    ['permutation', 'permutation:tld_risk', 'Values shuffled between rows', 'tld_risk'],
    ['constant', 'constant:digits', 'Held at its median', 'digits'],
  ];
  return kinds.map(([kind, id, description, feature]) => {
    const fall = random() * 0.12;
    return {
      kind,
      id,
      description,
      feature,
      rows: 5_000,
      recall: 0.9317 - fall,
      recallDelta: -fall,
      falsePositiveRate: 0.0162 + fall / 3,
      falsePositiveDelta: fall / 3,
      rocAuc: 0.9824 - fall / 4,
      rocAucDelta: -fall / 4,
      flipRate: fall * 0.7,
      failures: 0,
    };
  });
}

/** What a deeper run adds to a plain report. */
export function deepValidation(report: ValidationReport): ValidationReport {
  const { metrics } = report;
  const at = (name: string, half: number, method: Interval['method'] = 'bootstrap') => {
    const value = (metrics as unknown as Record<string, number | null>)[name] ?? null;
    return value === null ? {} : { [name]: interval(value, half, method) };
  };
  const found = slices(Number(report.ref.version.replaceAll('.', '')));
  const worst = found[0] as Slice;
  const failing = report.ref.version === '1.0.0';
  const sliceGate: GateResult = {
    gate: 'recall in every kind at least 0.8',
    metric: 'recall',
    bound: 'min',
    limit: 0.8,
    measured: failing ? worst.recall : 0.894,
    baseline: null,
    passed: !failing,
    verdict: failing ? 'fail' : 'pass',
    reason: failing
      ? '0.712 in kind=homograph is below 0.8 (the worst; 6 slices judged, 1 with too few rows)'
      : '0.894 in kind=shortener is at least 0.8 (the worst; 6 slices judged, 1 with too few rows)',
    rows: worst.rows,
    slice: { column: 'kind', value: worst.value },
  };
  const gates =
    report.gates.length === 0
      ? []
      : [...report.gates.map((gate) => ({ ...gate, rows: metrics.rows })), sliceGate];
  return {
    ...report,
    metrics: {
      ...metrics,
      pr_auc: 0.9712,
      log_loss: 0.1432,
      brier: 0.0381,
      ece: 0.0124,
      tpr_at_fpr_0_01: 0.8842,
      tpr_at_fpr_0_001: 0.6127,
      positive_rate: 0.387,
    },
    intervals: {
      ...at('roc_auc', 0.0031, 'delong'),
      ...at('f1', 0.005),
      ...at('precision', 0.004, 'wilson'),
      ...at('recall', 0.007, 'wilson'),
      ...at('accuracy', 0.004, 'wilson'),
      ...at('false_positive_rate', 0.003, 'wilson'),
      ...at('mcc', 0.006),
    },
    reliability: Array.from({ length: 15 }, (_, bin) => ({
      low: bin / 15,
      high: (bin + 1) / 15,
      rows: bin === 0 || bin === 14 ? 4_800 : 220,
      confidence: (bin + 0.5) / 15,
      frequency: Math.min(1, Math.max(0, (bin + 0.5) / 15 + Math.sin(bin) * 0.06)),
    })),
    sweep: Array.from({ length: 101 }, (_, step) => ({
      threshold: step / 100,
      recall: 1 - (step / 100) ** 3,
      precision: 0.4 + 0.6 * (step / 100) ** 0.4,
      false_positive_rate: (1 - step / 100) ** 4,
      decision: step === 50,
    })),
    scoreQuantiles: [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999].map((q) => ({
      q,
      value: q ** 2,
    })),
    slices: found,
    outputFindings: failing
      ? [
          {
            id: 'label-contradicts-probability',
            severity: 'medium',
            title: 'The label contradicts the probabilities',
            rows: 14,
            of: metrics.rows,
            examples: [118, 946, 2_011, 3_407, 5_220, 7_001],
            detail: 'On these rows the label is not the class with the larger probability.',
          },
        ]
      : [],
    drift: failing ? null : drift(34, 5),
    robustness: failing ? [] : robustness(9),
    execution: { threads: 2, batchRows: 4_096, seed: 48_112_003 },
    rowsArtifact: artifact(report.id),
    gates,
    passed: gates.every((gate) => gate.passed),
  };
}

/** Reports no design should break on. */
export function extremeValidations(clock: Clock, plain: ValidationReport): ValidationReport[] {
  const deep = deepValidation(plain);
  const none = Object.fromEntries(Object.keys(plain.metrics).map((name) => [name, null]));
  const at = (id: string): Pick<ValidationReport, 'id' | 'createdAt'> => ({
    id: `val-${id}`,
    createdAt: minutesAgo(clock, 4),
  });
  const open = (gate: GateResult): GateResult => ({
    ...gate,
    verdict: 'inconclusive',
    passed: false,
    rows: 12,
    reason: '12 rows are fewer than the 500 the gate asks for',
  });
  return [
    {
      ...deep,
      ...at('unlabelled'),
      dataset: { ...deep.dataset, labelled: false, labelColumn: '', format: 'parquet' },
      metrics: {
        ...deep.metrics,
        ...none,
        rows: deep.metrics.rows,
        positives: 0,
        confusion: { tn: 0, fp: 0, fn: 0, tp: 0 },
        positive_rate: 0.31,
      } as ValidationReport['metrics'],
      intervals: {},
      roc: [],
      precisionRecall: [],
      reliability: [],
      sweep: [],
      slices: [],
      gates: [],
      passed: true,
      environmentId: null,
      environmentName: null,
    },
    {
      ...deep,
      ...at('one-class'),
      ...plainValidation(),
      metrics: {
        ...plain.metrics,
        positives: 0,
        recall: null,
        roc_auc: null,
        precision: 0,
        f1: null,
        mcc: null,
      },
      roc: [],
      precisionRecall: [],
      rowsArtifact: artifact('one-class'),
      gates: plain.gates.map(open),
      passed: false,
    },
    {
      ...deep,
      ...at('wide'),
      ref: { name: `detector-${'of-everything-'.repeat(4)}x`.slice(0, 60), version: '12.345.6789-rc.1' },
      dataset: {
        ...deep.dataset,
        fileName: `${'a-file-with-a-very-long-name-'.repeat(4)}.parquet`,
        filter: `protocol = 'tcp' AND (${'bytes > 0 OR '.repeat(20)}true)`,
        rowsInFile: 31_202_118,
        rows: 12_480_331,
        ignoredColumns: Array.from({ length: 80 }, (_, index) => `unused_${index}`),
      },
      slices: slices(77, 400),
      drift: drift(500, 31),
      gates: [
        ...deep.gates.map((gate) => ({
          ...gate,
          verdict: 'fail' as const,
          passed: false,
          reason: `the measured value lies on the wrong side of what the policy allows, ${LONG}`,
          slice: { column: LONG, value: `${LONG} 2` },
        })),
        open(deep.gates[0] as GateResult),
      ],
      passed: false,
    },
    {
      ...deep,
      ...at('regression'),
      regression: {
        rows: 12_480,
        mae: 3.812,
        rmse: 5.119,
        r2: 0.8127,
        max_error: 61.4,
        median_absolute_error: 2.71,
      },
      intervals: { mae: { low: 3.74, high: 3.88, level: 0.95, method: 'bootstrap' } },
      slices: [],
      gates: [],
      passed: true,
    },
  ];
}

function flips(count: number, seed: number): SliceFlip[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => ({
    column: count > 20 && index % 3 === 0 ? LONG : 'kind',
    value: `${KINDS[index % 7]}${index < 7 ? '' : ` ${index}`}`,
    rows: Math.round(40 + random() * 3_000),
    fixed: Math.round(random() * 40),
    broken: Math.round(random() * 18),
    recallDelta: (random() - 0.3) * 0.08,
    falsePositiveDelta: (random() - 0.6) * 0.02,
    adjustedP: random() < 0.3 ? null : random() ** 4,
  }));
}

/** What a deeper run adds to a plain comparison. */
export function deepComparison(report: ComparisonReport): ComparisonReport {
  const random = seeded(11);
  const around = (delta: number, half: number): Interval => ({
    low: delta - half,
    high: delta + half,
    level: 0.95,
    method: 'bootstrap',
  });
  const auc = report.deltas.find(({ metric }) => metric === 'roc_auc')?.delta ?? 0;
  return {
    ...report,
    significance: {
      mcnemarP: 0.0000004,
      mcnemarMethod: 'chi-squared',
      aucDelta: auc,
      aucDeltaInterval: around(auc, 0.002),
      aucP: 0.00002,
      kappa: 0.9641,
    },
    deltaIntervals: Object.fromEntries(
      report.deltas.flatMap(({ metric, delta }) =>
        delta === null || metric.startsWith('latency_')
          ? []
          : [[metric, around(delta, metric === 'precision' ? 0.02 : 0.003)]],
      ),
    ),
    disagreementMatrix: [
      [7_512, 88],
      [126, 4_754],
    ],
    sliceFlips: flips(7, 3),
    scoreShift: { psi: 0.0213, ks: 0.031, wasserstein: 0.014, meanDelta: -0.0061, correlation: 0.971 },
    scatter: Array.from({ length: 2_000 }, (_, index) => {
      const label = random() < 0.4 ? 1 : 0;
      const a = label === 1 ? 1 - random() ** 3 : random() ** 3;
      const b = Math.min(1, Math.max(0, a + (random() - 0.5) * (index < 214 ? 0.9 : 0.12)));
      return { row: index * 6 + 1, a, b, label };
    }),
    latencyHistogram: {
      edgesMs: [0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2],
      champion: [12, 410, 331, 140, 61, 28, 11, 5, 2],
      challenger: [4, 288, 372, 192, 88, 33, 15, 6, 2],
    },
    rowsArtifact: artifact(report.id),
  };
}

/** Replayed traffic of many versions, without a label. */
export function replayedComparison(clock: Clock, plain: ComparisonReport): ComparisonReport {
  const random = seeded(23);
  const deep = deepComparison(plain);
  return {
    ...deep,
    id: 'cmp-replay',
    createdAt: minutesAgo(clock, 3),
    dataset: { ...deep.dataset, labelled: false, labelColumn: '', format: 'jsonl', rows: 1_204_118 },
    significance: { ...deep.significance, kappa: 0.93 } as ComparisonReport['significance'],
    scatter: deep.scatter.map((point) => ({ ...point, label: null })),
    sliceFlips: flips(400, 5),
    series: Array.from({ length: 288 }, (_, index) => ({
      at: new Date(clock.now - (288 - index) * 300_000).toISOString(),
      rows: 4_000 + Math.round(random() * 400),
      disagreements: Math.round(40 + 30 * Math.sin(index / 20) + random() * 20),
      positiveRates: [0.3 + 0.03 * Math.sin(index / 30), 0.31 + 0.03 * Math.sin(index / 30 + 0.3)],
      meanScores: [0.34, 0.35],
    })),
    others: Array.from({ length: 6 }, (_, index) => ({
      ref: { name: 'phish-url', version: `0.${9 - index}.0` },
      digest: hex(`phish-url@0.${9 - index}.0`),
      metrics: plain.championMetrics,
      against: {
        disagreements: 4_000 + 900 * index,
        fixes: 0,
        breaks: 0,
        significance: null,
        deltaIntervals: {},
        disagreementMatrix: [],
        sliceFlips: [],
        scoreShift: null,
      },
      outputFindings: [],
    })),
  };
}
