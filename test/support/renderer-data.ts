/**
 * Realistic records for the window's tests, deterministic: every figure comes from a seeded generator and a fixed
 * `now`. Everything leaves through the contract's schemas (see renderer-fake.ts), so it cannot drift from them.
 */
import type { ApprovalRecord } from '../../shared/domain/approval/request.ts';
import type { AuditEntry } from '../../shared/domain/audit/entry.ts';
import {
  type ComparisonReport,
  type GateResult,
  PLAIN_DATASET,
  plainComparison,
  plainValidation,
  UNMEASURED_METRICS,
  type ValidationReport,
} from '../../shared/domain/metrics/report.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import type { Operator, Role } from '../../shared/domain/operator/operator.ts';
import type { Environment, Policy } from '../../shared/domain/policy/policy.ts';
import { DEFAULT_GUARDS } from '../../shared/domain/rollout/plan.ts';
import type { RolloutPhase, TrafficPoint, Verdict } from '../../shared/domain/rollout/state.ts';
import type { EndpointView, RequestView, RolloutView, VersionView } from '../../shared/domain/view/views.ts';

/** A small deterministic generator (mulberry32), so that pictures and tests do not change by themselves. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** 64 hex characters that look like a digest and depend on the text alone. */
export function hex(text: string): string {
  let seed = 7;
  for (const character of text) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) | 0;
  const random = seeded(seed);
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
}

export interface Clock {
  readonly now: number;
}

export function minutesAgo(clock: Clock, minutes: number): string {
  return new Date(clock.now - minutes * 60_000).toISOString();
}

export const POLICY: Policy = {
  version: 1,
  gates: [
    { metric: 'roc_auc', min: 0.95 },
    { metric: 'recall', min: 0.88 },
    { metric: 'false_positive_rate', max: 0.03 },
    { metric: 'latency_p95_ms', max: 5 },
    { metric: 'f1', maxRegression: 0.01 },
  ],
  minimumRows: 1000,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 2 },
  requestHours: 72,
};

export function environments(clock: Clock): Environment[] {
  return [
    {
      id: 'production-4f9c2ab81d7e4c0f9a3355b0c1d2e3f4',
      name: 'production',
      policy: POLICY,
      createdAt: minutesAgo(clock, 14_400),
    },
    {
      id: 'staging-90aa31c47be2471f8e0d66a7b8c9d0e1',
      name: 'staging',
      policy: { ...POLICY, quorum: { approvals: 1 }, gates: POLICY.gates.slice(0, 2) },
      createdAt: minutesAgo(clock, 14_400),
    },
  ];
}

export function operators(clock: Clock): Operator[] {
  const make = (name: string, person: string, roles: Role[]): Operator => ({
    id: `op-${name}`,
    name,
    person,
    roles,
    publicKeyPem: `-----BEGIN PUBLIC KEY-----\n${hex(name)}\n-----END PUBLIC KEY-----\n`,
    keyFingerprint: hex(`key-${name}`),
    createdAt: minutesAgo(clock, 14_400),
  });
  return [
    make('ada', 'Ada Lovelace', ['administrator', 'analyst']),
    make('grace', 'Grace Hopper', ['release-manager']),
    make('katherine', 'Katherine Johnson', ['release-manager']),
    make('audra', 'Audra Mensah-Oduya', ['auditor']),
  ];
}

function onnx(seed: number): ModelVersion['onnx'] {
  return {
    irVersion: 10,
    producerName: 'sallyport-samples',
    producerVersion: '1.0',
    modelVersion: 1,
    docString: '',
    graphName: 'phishing-url',
    opsets: [
      { domain: '', version: 21 },
      { domain: 'ai.onnx.ml', version: 5 },
    ],
    operators: [
      { domain: '', type: 'Gemm', count: 3 },
      { domain: '', type: 'Relu', count: 2 },
      { domain: '', type: 'Sub', count: 1 },
      { domain: '', type: 'Div', count: 1 },
      { domain: '', type: 'Softmax', count: 1 },
      { domain: '', type: 'ArgMax', count: 1 },
      { domain: '', type: 'Cast', count: 2 },
      { domain: 'ai.onnx.ml', type: 'ZipMap', count: 1 },
    ],
    nodeCount: 12,
    functionCount: 0,
    maxDepth: 1,
    inputs: [{ name: 'features', kind: 'tensor', elementType: 'float', shape: ['N', 34] }],
    outputs: [
      { name: 'label', kind: 'tensor', elementType: 'int64', shape: ['N'] },
      { name: 'probabilities', kind: 'tensor', elementType: 'float', shape: ['N', 2] },
    ],
    initializerCount: 8,
    parameterCount: 21_442 + seed * 512,
    metadata: {
      features: 'url_length,host_length,path_depth,digits,entropy,subdomains,tld_risk,has_ip',
      task: 'phishing-url',
    },
    externalData: [],
    sizeBytes: 88_412 + seed * 2048,
  };
}

export const RULES_RUN = [
  'external-data@1',
  'memory-marker@1',
  'custom-domain@1',
  'python-op@1',
  'graph-depth@1',
  'dimension-bomb@1',
  'function-cycle@1',
  'dangling-name@1',
  'opset-range@1',
  'metadata-suspicious@1',
];
const MAPPING: NonNullable<ModelVersion['mapping']> = {
  kind: 'classifier',
  input: 'features',
  labelOutput: 'label',
  scoreOutput: 'probabilities',
  scoreColumn: 1,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
};

export function version(
  clock: Clock,
  name: string,
  number: string,
  state: ModelVersion['state'],
  minutes: number,
  extra: Partial<ModelVersion> = {},
): ModelVersion {
  const seed = Number(number.split('.')[1] ?? 0);
  const summary = onnx(seed);
  return {
    id: `v-${name}-${number}`,
    name,
    version: number,
    digest: hex(`${name}@${number}`),
    sizeBytes: summary.sizeBytes,
    artifactId: `a-${name}-${number}`,
    state,
    parent: seed === 0 ? null : `1.${seed - 1}.0`,
    metadata: {
      description:
        'Small dense network over lexical features of the address. Trained on the June feed; judged on July.',
      owner: 'Mail security',
      licence: 'Apache-2.0',
      tags: ['url', 'mail'],
      permittedToDeploy: true,
      datasetDigest: `sha256:${hex('training').slice(0, 32)}`,
      codeReference: 'detectors/phish-url@4be1f0c',
      trainingParameters: { epochs: 40, hidden: '64, 32', learning_rate: 0.002 },
    },
    onnx: summary,
    findings: [],
    rulesRun: RULES_RUN,
    mapping: MAPPING,
    addedBy: 'ada',
    addedAt: minutesAgo(clock, minutes),
    ...extra,
  };
}

export function versions(clock: Clock): ModelVersion[] {
  return [
    version(clock, 'phish-url', '1.2.0', 'validated', 95),
    version(clock, 'phish-url', '1.1.0', 'validated', 2_900),
    version(clock, 'phish-url', '1.0.0', 'validated', 11_000),
    version(clock, 'malware-static-imports-and-section-entropy-detector', '3.0.0-rc.1', 'draft', 400, {
      mapping: null,
      findings: [
        {
          ruleId: 'custom-domain@1',
          severity: 'medium',
          title: 'Operators of a custom domain',
          where: 'graph/node[7] "HashEmbed_0"',
          detail:
            'The domain com.vendor.embed is not part of ONNX. The runtime will refuse to load it without a library of its own.',
          reference: '',
        },
      ],
    }),
    version(clock, 'dns-tunnel', '2.4.1', 'validated', 30_000, {
      findings: [
        {
          ruleId: 'metadata-suspicious@1',
          severity: 'low',
          title: 'A web address in the metadata',
          where: 'metadata "homepage"',
          detail: 'https://intranet.example/detectors. It is shown, never opened.',
          reference: '',
        },
      ],
    }),
    version(clock, 'dns-tunnel', '2.3.0', 'archived', 60_000),
    version(clock, 'login-anomaly', '0.9.0', 'revoked', 80_000),
  ];
}

const METRICS_OF: Readonly<Record<string, readonly [auc: number, recall: number, fpr: number]>> = {
  '1.0.0': [0.9412, 0.861, 0.0381],
  '1.1.0': [0.9731, 0.9142, 0.0214],
  '1.2.0': [0.9824, 0.9317, 0.0162],
  '2.4.1': [0.9655, 0.902, 0.0241],
  '2.3.0': [0.951, 0.88, 0.029],
};
const ROWS = 12_480;
const POSITIVES = 4_992;

export function metricsOf(number: string): ValidationReport['metrics'] {
  const [auc, recall, fpr] = METRICS_OF[number] ?? [0.9, 0.85, 0.05];
  const tp = Math.round(POSITIVES * recall);
  const fp = Math.round((ROWS - POSITIVES) * fpr);
  const fn = POSITIVES - tp;
  const tn = ROWS - POSITIVES - fp;
  const precision = tp / (tp + fp);
  return {
    rows: ROWS,
    positives: POSITIVES,
    confusion: { tn, fp, fn, tp },
    accuracy: (tp + tn) / ROWS,
    balanced_accuracy: (tp / POSITIVES + tn / (tn + fp)) / 2,
    precision,
    recall: tp / POSITIVES,
    f1: (2 * precision * recall) / (precision + recall),
    mcc: (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    roc_auc: auc,
    false_positive_rate: fp / (fp + tn),
    ...UNMEASURED_METRICS,
  };
}

export function gatesOf(number: string, champion: string | null): GateResult[] {
  const metrics = metricsOf(number);
  const base = champion === null ? null : metricsOf(champion).f1;
  const f1 = metrics.f1 ?? 0;
  const gate = (
    metric: string,
    bound: GateResult['bound'],
    limit: number,
    measured: number | null,
    baseline: number | null,
    passed: boolean,
    reason: string,
  ): GateResult => ({ gate: `${metric} ${bound}`, metric, bound, limit, measured, baseline, passed, reason });
  return [
    gate(
      'roc_auc',
      'min',
      0.95,
      metrics.roc_auc,
      null,
      (metrics.roc_auc ?? 0) >= 0.95,
      (metrics.roc_auc ?? 0) >= 0.95 ? '' : 'Below the limit.',
    ),
    gate(
      'recall',
      'min',
      0.88,
      metrics.recall,
      null,
      (metrics.recall ?? 0) >= 0.88,
      (metrics.recall ?? 0) >= 0.88 ? '' : 'Below the limit.',
    ),
    gate(
      'false_positive_rate',
      'max',
      0.03,
      metrics.false_positive_rate,
      null,
      (metrics.false_positive_rate ?? 1) <= 0.03,
      (metrics.false_positive_rate ?? 1) <= 0.03 ? '' : 'Above the limit.',
    ),
    gate('latency_p95_ms', 'max', 5, 0.31, null, true, ''),
    ...(base === null ? [] : [gate('f1', 'maxRegression', 0.01, f1, base, f1 >= base - 0.01, '')]),
  ];
}

export const DATASET: ValidationReport['dataset'] = {
  fileName: 'phish-july-labelled.csv',
  digest: hex('july'),
  sizeBytes: 4_812_330,
  rows: ROWS,
  labelColumn: 'label',
  ...PLAIN_DATASET,
  featureColumns: 34,
  ignoredColumns: ['url', 'kind'],
};

export function validation(
  clock: Clock,
  number: string,
  environment: Environment | null,
  minutes: number,
): ValidationReport {
  const metrics = metricsOf(number);
  const auc = metrics.roc_auc ?? 0.9;
  // A curve of the family y = x^k has the area 1/(k+1): the drawn curve fits the written figure.
  const k = 1 / auc - 1;
  const points = Array.from({ length: 101 }, (_, index) => index / 100);
  const random = seeded(Number(number.replaceAll('.', '')));
  const bell = (bin: number, centre: number, spread: number): number =>
    Math.round(1400 * Math.exp(-(((bin - centre) / spread) ** 2)) * (0.9 + random() * 0.2));
  const gates = environment === null ? [] : gatesOf(number, number === '1.0.0' ? null : '1.0.0');
  return {
    id: `val-${number}-${environment?.name ?? 'what-if'}`,
    ref: { name: 'phish-url', version: number },
    digest: hex(`phish-url@${number}`),
    dataset: DATASET,
    mapping: MAPPING,
    metrics,
    latency: { p50: 0.18, p95: 0.31, p99: 0.52, samples: 1000 },
    ...plainValidation(),
    rowsPerSecond: 214_000,
    roc: points.map((x) => ({ x, y: x ** k })),
    precisionRecall: points.map((x) => ({ x, y: 1 - 0.6 * x ** 14 - 0.02 * x })),
    scoreHistogram: {
      min: 0,
      max: 1,
      negative: Array.from({ length: 20 }, (_, bin) => bell(bin, 1, 3.2) + 4),
      positive: Array.from({ length: 20 }, (_, bin) => bell(bin, 18, 3.6) + 6),
    },
    environmentId: environment?.id ?? null,
    environmentName: environment?.name ?? null,
    gates,
    passed: gates.every((gate) => gate.passed),
    runBy: 'ada',
    createdAt: minutesAgo(clock, minutes),
    durationMs: 1_840,
  };
}

export function comparison(clock: Clock): ComparisonReport {
  const champion = metricsOf('1.1.0');
  const challenger = metricsOf('1.2.0');
  const random = seeded(3);
  const kinds = ['homograph', 'shortener', 'free-hosting', 'typosquat'];
  const names = [
    'roc_auc',
    'f1',
    'precision',
    'recall',
    'accuracy',
    'balanced_accuracy',
    'mcc',
    'false_positive_rate',
  ] as const;
  return {
    id: 'cmp-1',
    champion: { name: 'phish-url', version: '1.1.0' },
    challenger: { name: 'phish-url', version: '1.2.0' },
    championDigest: hex('phish-url@1.1.0'),
    challengerDigest: hex('phish-url@1.2.0'),
    dataset: DATASET,
    championMetrics: champion,
    challengerMetrics: challenger,
    championLatency: { p50: 0.18, p95: 0.31, p99: 0.52, samples: 1000 },
    challengerLatency: { p50: 0.2, p95: 0.36, p99: 0.61, samples: 1000 },
    deltas: [
      ...names.map((metric) => ({
        metric,
        champion: champion[metric],
        challenger: challenger[metric],
        delta: (challenger[metric] ?? 0) - (champion[metric] ?? 0),
      })),
      { metric: 'latency_p95_ms', champion: 0.31, challenger: 0.36, delta: 0.05 },
    ],
    ...plainComparison(),
    disagreements: 214,
    challengerFixes: 151,
    challengerBreaks: 63,
    disagreementRows: Array.from({ length: 214 }, (_, index) => {
      const label = random() > 0.4 ? 1 : 0;
      const fixed = index % 214 < 151;
      return {
        row: 17 + index * 58,
        label,
        championLabel: fixed ? 1 - label : label,
        challengerLabel: fixed ? label : 1 - label,
        championScore: fixed ? 0.5 - (label - 0.5) * random() * 0.8 : 0.5 + (label - 0.5) * random() * 0.8,
        challengerScore: fixed ? 0.5 + (label - 0.5) * random() : 0.5 - (label - 0.5) * random(),
        context: {
          url: `https://${['secure-paypa1.com', 'bit.ly', 'docs.sites-free.net', 'login.micros0ft-support.org'][index % 4]}/${hex(String(index)).slice(0, 12 + (index % 30))}`,
          kind: kinds[index % 4] ?? '',
        },
      };
    }),
    runBy: 'ada',
    createdAt: minutesAgo(clock, 80),
    durationMs: 3_420,
  };
}

export function request(
  clock: Clock,
  id: string,
  number: string,
  state: RequestView['record']['state'],
  approvers: readonly ('grace' | 'katherine')[],
  minutes: number,
): RequestView {
  const production = environments(clock)[0] as Environment;
  const people = { ada: 'Ada Lovelace', grace: 'Grace Hopper', katherine: 'Katherine Johnson' };
  const sign = (
    operator: keyof typeof people,
    kind: ApprovalRecord['kind'],
    ago: number,
  ): Omit<ApprovalRecord, 'bundle'> => ({
    requestId: id,
    operator,
    person: people[operator],
    keyFingerprint: hex(`key-${operator}`),
    kind,
    createdAt: minutesAgo(clock, ago),
  });
  const report = validation(clock, number, production, minutes + 10);
  const { disagreementRows: _, ...compared } = comparison(clock);
  const record = version(clock, 'phish-url', number, 'validated', minutes + 20);
  return {
    record: {
      id,
      environmentName: 'production',
      root: hex(`root-${id}`),
      state,
      reason: '',
      quorum: 2,
      createdAt: minutesAgo(clock, minutes),
      request: {
        vaultId: 'vault-1',
        requestId: id,
        name: 'phish-url',
        version: number,
        digest: record.digest,
        environmentId: production.id,
        serial: Number(number.split('.')[1]) + 1,
        submitter: { name: 'ada', person: 'Ada Lovelace', keyFingerprint: hex('key-ada') },
        createdAt: minutesAgo(clock, minutes),
        notAfter: new Date(clock.now + (72 * 60 - minutes) * 60_000).toISOString(),
      },
    },
    approvals: [
      sign('ada', 'submission', minutes),
      ...approvers.map((name, index) => sign(name, 'approval', Math.max(1, minutes - 12 - index * 9))),
    ],
    plan: {
      strategy: 'canary',
      steps: [10, 50, 100],
      bakeMs: 30_000,
      maxStepMs: 600_000,
      mirrorSample: 1,
      guards: DEFAULT_GUARDS,
      salt: 'c2FsbHlwb3J0',
    },
    policy: POLICY,
    dossier: {
      onnx: record.onnx,
      scan: { rulesRun: RULES_RUN, findings: [] },
      validation: report,
      comparison: number === '1.2.0' ? compared : null,
      gates: report.gates,
      lineage: {
        parent: record.parent,
        datasetDigest: record.metadata.datasetDigest ?? null,
        codeReference: record.metadata.codeReference ?? null,
      },
      mapping: MAPPING,
    },
    files: ['dossier.json', 'model.onnx', 'plan.json', 'policy.yaml', 'request.json'].map((name, index) => ({
      name,
      digest: hex(`${id}-${name}`),
      sizeBytes: name === 'model.onnx' ? record.sizeBytes : 900 + index * 340,
    })),
    allowedActions: [],
    refusals: {},
    rolloutIds: [],
  };
}

export function trafficPoints(clock: Clock, count: number, breaks: boolean): TrafficPoint[] {
  const random = seeded(11);
  return Array.from({ length: count }, (_, index) => {
    const percent = index < count * 0.45 ? 10 : 50;
    const rps = 480 + random() * 40;
    const drift = breaks && index > count * 0.75 ? (index - count * 0.75) * 0.006 : 0;
    return {
      at: new Date(clock.now - (count - index) * 2000).toISOString(),
      percent,
      canaryRps: (rps * percent) / 100,
      stableRps: (rps * (100 - percent)) / 100,
      canaryErrorRate: random() > 0.9 ? 0.001 : 0,
      stableErrorRate: random() > 0.94 ? 0.001 : 0,
      canaryP95Ms: 1.9 + random() * 0.7,
      stableP95Ms: 1.6 + random() * 0.5,
      disagreement: 0.014 + random() * 0.008 + drift,
      pairs: Math.round((rps * percent) / 50),
    };
  });
}

export function rollout(
  clock: Clock,
  id: string,
  number: string,
  phase: RolloutPhase,
  step: number,
  minutes: number,
): RolloutView {
  const source = request(clock, `req-${number}`, number, 'approved', ['grace', 'katherine'], minutes + 60);
  const broke = phase === 'rolled-back';
  const points = trafficPoints({ now: clock.now - minutes * 60_000 + 180_000 }, 90, broke);
  const at = (index: number): string => points[index]?.at ?? minutesAgo(clock, minutes);
  const judged = (
    index: number,
    atStep: number,
    verdict: Verdict['verdict'],
    reason: string,
    disagreement: number,
    pairs: number,
  ): Verdict => ({
    at: at(index),
    step: atStep,
    verdict,
    reason,
    measurements: [
      {
        guard: 'error-rate',
        measured: 0.0002,
        limit: 0.01,
        samples: pairs * 2,
        minimumSamples: 200,
        outcome: 'pass',
        note: '',
      },
      {
        guard: 'p95',
        measured: 2.3,
        limit: 50,
        samples: pairs * 2,
        minimumSamples: 200,
        outcome: 'pass',
        note: '',
      },
      {
        guard: 'disagreement',
        measured: pairs < 500 ? null : disagreement,
        limit: 0.05,
        samples: pairs,
        minimumSamples: 500,
        outcome: pairs < 500 ? 'insufficient' : disagreement > 0.05 ? 'breach' : 'pass',
        note: '',
      },
    ],
  });
  const verdicts: Verdict[] = [
    judged(6, 0, 'hold', 'It has not baked yet.', 0.017, 310),
    judged(12, 0, 'hold', 'It has not baked yet.', 0.018, 470),
    judged(40, 0, 'promote', 'Every guard held for the whole step.', 0.018, 3_120),
    ...(step >= 1 ? [judged(55, 1, 'hold', 'It has not baked yet.', 0.019, 1_400)] : []),
    ...(broke
      ? [
          judged(
            84,
            1,
            'roll-back',
            'The disagreement guard broke: 7.81 % of answers differ, 5.00 % are allowed.',
            0.0781,
            6_204,
          ),
        ]
      : []),
  ];
  const reasons: Partial<Record<RolloutPhase, string>> = {
    stepping: `Watching ${source.plan.steps[step] ?? 0} % of the traffic.`,
    paused: 'Paused by grace.',
    completed: 'Every step held its guards; it serves as stable.',
    'rolled-back':
      'The disagreement guard broke: 7.81 % of answers differ from stable, 5.00 % are allowed. Stable took all traffic again.',
  };
  return {
    state: {
      id,
      requestId: `req-${number}`,
      name: 'phish-url',
      version: number,
      digest: hex(`phish-url@${number}`),
      root: source.record.root,
      environmentId: source.record.request.environmentId,
      target: 'production',
      plan: source.plan,
      phase,
      step,
      reason: reasons[phase] ?? '',
      endpoints: [
        {
          endpointId: 'ep-1',
          endpointName: 'mail-gateway-1',
          stableVersion: number === '1.1.0' ? '1.0.0' : '1.1.0',
          pushed: true,
          confirmedPercent: phase === 'completed' ? 100 : broke ? 0 : (source.plan.steps[step] ?? 0),
          generation: 3,
          baseline: null,
          latest: null,
          consecutiveErrors: 0,
          blindSince: null,
        },
      ],
      pending: [],
      stableP95Ms: 1.9,
      resumePhase: phase === 'paused' ? 'stepping' : null,
      sequence: 7,
      verdicts,
      startedBy: 'grace',
      startedAt: minutesAgo(clock, minutes),
      stepStartedAt: new Date(clock.now - 20_000).toISOString(),
      updatedAt: minutesAgo(clock, Math.max(0, minutes - 3)),
    },
    points,
    allowedActions: [],
  };
}

export function endpointViews(clock: Clock): EndpointView[] {
  const [production, staging] = environments(clock) as [Environment, Environment];
  const slot = (number: string): { version: string; digest: string; root: string } => ({
    version: number,
    digest: hex(`phish-url@${number}`),
    root: hex(`root-${number}`),
  });
  const make = (
    id: string,
    name: string,
    environment: Environment,
    status: EndpointView['status'],
  ): EndpointView => ({
    endpoint: {
      id,
      name,
      environmentId: environment.id,
      kind: 'agent',
      adminUrl: 'https://10.0.4.7:8443/',
      predictUrl: 'https://10.0.4.7:8080/',
      fingerprint: hex(`agent-${id}`),
      signingKeyPem: 'PEM',
      ageRecipient: 'age1qqqq',
      addedAt: minutesAgo(clock, 9_000),
    },
    environmentName: environment.name,
    status,
  });
  return [
    make('ep-1', 'mail-gateway-1', production, {
      endpointId: 'ep-1',
      reachable: true,
      checkedAt: minutesAgo(clock, 0.4),
      latencyMs: 3.4,
      problem: null,
      models: [
        {
          name: 'phish-url',
          generation: 3,
          stable: slot('1.1.0'),
          canary: { ...slot('1.2.0'), percent: 50, mirrorSample: 1 },
          previous: slot('1.0.0'),
        },
      ],
    }),
    make('ep-2', 'mail-gateway-standby-frankfurt-2', production, {
      endpointId: 'ep-2',
      reachable: false,
      checkedAt: minutesAgo(clock, 6),
      latencyMs: null,
      models: [],
      problem: {
        code: 'endpoint.unreachable',
        message: 'mail-gateway-standby-frankfurt-2 does not answer.',
        hint: 'What it serves goes on. Check that the agent runs and that its admin address is reachable from here.',
      },
    }),
    make('ep-3', 'lab', staging, {
      endpointId: 'ep-3',
      reachable: true,
      checkedAt: minutesAgo(clock, 2),
      latencyMs: 1.1,
      problem: null,
      models: [],
    }),
  ];
}

export function auditEntries(clock: Clock, count: number): AuditEntry[] {
  const story: readonly (readonly [string, AuditEntry['action'], string, AuditEntry['details']])[] = [
    ['system', 'rollout.verdict', 'phish-url@1.2.0 to production', { verdict: 'hold', step: 1 }],
    ['system', 'rollout.advanced', 'phish-url@1.2.0 to production', { percent: 50 }],
    ['grace', 'rollout.started', 'phish-url@1.2.0 to production', { requestId: 'req-1.2.0' }],
    ['katherine', 'request.approved', 'req-1.2.0', { keyFingerprint: hex('key-katherine') }],
    ['grace', 'request.approved', 'req-1.2.0', { keyFingerprint: hex('key-grace') }],
    ['ada', 'request.submitted', 'phish-url@1.2.0', { environment: 'production', serial: 3 }],
    ['ada', 'comparison.run', 'phish-url@1.2.0', { champion: '1.1.0', disagreements: 214 }],
    ['ada', 'validation.run', 'phish-url@1.2.0', { passed: true, rows: ROWS }],
    ['ada', 'model.added', 'phish-url@1.2.0', { digest: hex('phish-url@1.2.0'), sizeBytes: 92_508 }],
    ['ada', 'session.signed-in', 'ada', {}],
    ['grace', 'session.refused', 'grace', { failures: 1 }],
    ['system', 'audit.checkpointed', `${count - 12}`, { size: count - 12 }],
  ];
  return Array.from({ length: count }, (_, index) => {
    const seq = count - index;
    const [actor, action, subject, details] = story[index % story.length] as (typeof story)[number];
    return {
      seq,
      at: minutesAgo(clock, 2 + index * 7),
      actor,
      action,
      subject,
      details,
      previous: seq === 1 ? '0'.repeat(64) : hex(`entry-${seq - 1}`),
      hash: hex(`entry-${seq}`),
    };
  });
}

/** `1.2.0` comes from `1.1.0`, that from `1.0.0`; 1.2.0 is the newest. */
function lineage(record: ModelVersion): Pick<VersionView, 'ancestors' | 'children'> {
  const minor = Number(record.version.split('.')[1]);
  if (record.name !== 'phish-url') return { ancestors: [], children: [] };
  return {
    ancestors: Array.from({ length: minor }, (_, index) => `1.${minor - 1 - index}.0`),
    children: minor < 2 ? [`1.${minor + 1}.0`] : [],
  };
}

export function versionView(record: ModelVersion): VersionView {
  const ref = `${record.name}@${record.version}`;
  return {
    version: record,
    aliases: ref === 'phish-url@1.1.0' ? ['champion'] : ref === 'phish-url@1.2.0' ? ['challenger'] : [],
    deployedOn:
      ref === 'phish-url@1.1.0'
        ? [{ endpoint: 'mail-gateway-1', role: 'stable', percent: 50 }]
        : ref === 'phish-url@1.2.0'
          ? [{ endpoint: 'mail-gateway-1', role: 'canary', percent: 50 }]
          : ref === 'phish-url@1.0.0'
            ? [{ endpoint: 'mail-gateway-1', role: 'previous', percent: 0 }]
            : [],
    allowedActions: [],
    ...lineage(record),
  };
}
