/** Two versions side by side, field by field. */
import { z } from 'zod';
import type { ValidationReport } from '../metrics/report.ts';
import type { OnnxValue } from '../onnx/summary.ts';
import { type Finding, ruleCount } from '../scan/finding.ts';
import { formatRef, type ModelVersion, type OutputMapping } from './version.ts';

export const versionDifferenceSchema = z.object({
  /** Heading the field stands under: identity, lineage, training, metrics, interface, operators, findings, evidence. */
  group: z.string(),
  field: z.string(),
  a: z.string(),
  b: z.string(),
  differs: z.boolean(),
});
export type VersionDifference = z.infer<typeof versionDifferenceSchema>;

/** One side of a comparison: the version with what else is known of it. */
export interface ComparedVersion {
  readonly version: ModelVersion;
  readonly aliases: readonly string[];
  /** Its newest validation, or null. */
  readonly validation: ValidationReport | null;
}

type Fields = Readonly<Record<string, string>>;
/** What stands where there is nothing. */
const NOTHING = '–';

/**
 * Two versions field by field, in the order a person reads them: what either has, with an en dash where the other has
 * nothing. Values are the texts that are shown, so that two fields differ exactly where a reader sees it.
 */
export function compareVersions(a: ComparedVersion, b: ComparedVersion): VersionDifference[] {
  const left = groupsOf(a);
  const right = groupsOf(b);
  return Object.entries(left).flatMap(([group, fields]) => {
    const others: Fields = right[group] ?? {};
    const names = [...new Set([...Object.keys(fields), ...Object.keys(others)])];
    return names.map((field) => {
      const [one, two] = [fields[field] ?? NOTHING, others[field] ?? NOTHING];
      return { group, field, a: one, b: two, differs: one !== two };
    });
  });
}

function groupsOf(side: ComparedVersion): Readonly<Record<string, Fields>> {
  const { version, aliases, validation } = side;
  const { metadata, onnx } = version;
  return {
    identity: {
      version: formatRef(version),
      digest: version.digest,
      size: `${version.sizeBytes} bytes`,
      state: version.state,
      aliases: list(aliases),
      owner: metadata.owner ?? NOTHING,
      licence: metadata.licence ?? NOTHING,
      tags: list(metadata.tags ?? []),
      description: metadata.description ?? NOTHING,
      'permission to deploy': metadata.permittedToDeploy === false ? 'no' : 'yes',
      added: `${version.addedAt} by ${version.addedBy}`,
    },
    lineage: {
      parent: version.parent ?? NOTHING,
      dataset: metadata.datasetDigest ?? NOTHING,
      code: metadata.codeReference ?? NOTHING,
    },
    training: sorted(metadata.trainingParameters ?? {}),
    metrics: sorted(metadata.metrics ?? {}),
    interface: {
      ...values('input', onnx.inputs),
      ...values('output', onnx.outputs),
      mapping: describeMapping(version.mapping),
    },
    operators: {
      producer: `${onnx.producerName} ${onnx.producerVersion}`.trim() || NOTHING,
      'IR version': String(onnx.irVersion),
      nodes: String(onnx.nodeCount),
      parameters: String(onnx.parameterCount),
      ...Object.fromEntries(
        onnx.opsets.map((opset) => [`opset ${domainName(opset.domain)}`, String(opset.version)]),
      ),
      ...Object.fromEntries(
        [...onnx.operators]
          .map(
            ({ domain, type, count }) => [domain === '' ? type : `${domain}.${type}`, `× ${count}`] as const,
          )
          .sort(([x], [y]) => (x < y ? -1 : 1)),
      ),
    },
    findings: {
      rules: version.rulesRun.find((rule) => rule.includes('@')) ?? NOTHING,
      'rules run': String(ruleCount(version.rulesRun)),
      ...findingCounts(version.findings),
    },
    evidence: evidenceOf(validation),
  };
}

function evidenceOf(validation: ValidationReport | null): Fields {
  if (!validation) return { validation: NOTHING };
  return {
    validation: validation.createdAt,
    dataset: validation.dataset.digest,
    environment: validation.environmentName ?? NOTHING,
    gates: validation.gates.length === 0 ? NOTHING : validation.passed ? 'passed' : 'failed',
    ...Object.fromEntries(
      Object.entries(validation.metrics).flatMap(([name, value]) =>
        typeof value === 'object' && value !== null ? [] : [[name, value === null ? NOTHING : String(value)]],
      ),
    ),
    'latency p95': `${validation.latency.p95} ms`,
  };
}

function findingCounts(findings: readonly Finding[]): Fields {
  const counts = new Map<string, number>();
  for (const { severity, ruleId } of findings)
    counts.set(`${severity}: ${ruleId}`, (counts.get(`${severity}: ${ruleId}`) ?? 0) + 1);
  return Object.fromEntries(
    [...counts].sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, n]) => [name, `× ${n}`]),
  );
}

function values(role: string, found: readonly OnnxValue[]): Fields {
  return Object.fromEntries(
    found.map(({ name, elementType, shape }) => [
      `${role} ${name}`,
      `${elementType}[${(shape ?? ['?']).map((dimension) => dimension ?? '?').join(', ')}]`,
    ]),
  );
}

function describeMapping(mapping: OutputMapping | null): string {
  if (!mapping) return NOTHING;
  const label = mapping.labelOutput === null ? [] : [`label ${mapping.labelOutput}`];
  const score =
    mapping.scoreOutput === null
      ? []
      : [
          `score ${mapping.scoreOutput}[${mapping.scoreColumn}] ${mapping.lowerIsPositive ? '≤' : '≥'} ${mapping.threshold}`,
        ];
  return [mapping.kind, ...label, ...score, `positive ${mapping.positiveLabel}`].join(', ');
}

const list = (items: readonly string[]): string =>
  items.length === 0 ? NOTHING : [...items].sort().join(', ');
const domainName = (domain: string): string => (domain === '' ? 'ai.onnx' : domain);
const sorted = (record: Readonly<Record<string, string | number | boolean>>): Fields =>
  Object.fromEntries(
    Object.entries(record)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([name, value]) => [name, String(value)]),
  );
