/** The search as anybody would write it first: a loop over records. What the index is held against. */
import fc from 'fast-check';
import { FINDING_ORDER, type SearchCondition } from '../../shared/domain/model/search/grammar.ts';
import { parseSearch } from '../../shared/domain/model/search/parse.ts';
import { compareSemver } from '../../shared/domain/model/semver.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import { version } from './store.ts';

export interface Registered {
  readonly version: ModelVersion;
  readonly aliases: readonly string[];
}

/** Newest first. */
export function naiveSearch(registered: readonly Registered[], text: string): ModelVersion[] {
  const { terms } = parseSearch(text);
  return registered
    .filter((one) => terms.every(({ negated, condition }) => matches(one, condition) !== negated))
    .map((one) => one.version)
    .reverse();
}

/** ASCII only, which is all these registries hold. */
const wordsIn = (text: string): string[] => text.toLowerCase().match(/\d+(?:\.\d+)+|[a-z0-9]+/g) ?? [];

function hasWords(texts: readonly string[], wanted: string, whole: boolean): boolean {
  const words = texts.flatMap(wordsIn);
  const asked = wordsIn(wanted);
  return asked.every((word, index) =>
    whole || index < asked.length - 1 ? words.includes(word) : words.some((one) => one.startsWith(word)),
  );
}

function matches({ version: v, aliases }: Registered, condition: SearchCondition): boolean {
  const { metadata } = v;
  const compare = (value: number | undefined, sign: string, bound: number): boolean =>
    value !== undefined &&
    {
      '=': value === bound,
      '<': value < bound,
      '<=': value <= bound,
      '>': value > bound,
      '>=': value >= bound,
    }[sign] === true;
  const same = (value: string | undefined, text: string): boolean =>
    value?.toLowerCase() === text.toLowerCase();
  switch (condition.kind) {
    case 'words':
      return hasWords(
        [
          `${v.name}@${v.version}`,
          v.state,
          v.addedBy,
          ...aliases,
          ...(metadata.tags ?? []),
          metadata.description ?? '',
          metadata.owner ?? '',
          metadata.licence ?? '',
          ...Object.entries(metadata.trainingParameters ?? {}).map(([name, value]) =>
            typeof value === 'number' ? name : `${name} ${value}`,
          ),
          ...Object.keys(metadata.metrics ?? {}),
          'Gemm',
          v.onnx.producerName,
          ...v.findings.map(({ title }) => title),
        ],
        condition.text,
        condition.whole,
      );
    case 'text': {
      const value =
        { name: v.name, owner: metadata.owner, licence: metadata.licence }[condition.field as string] ?? '';
      return condition.match === 'equals'
        ? same(value, condition.text)
        : hasWords([value], condition.text, condition.match === 'words');
    }
    case 'exact':
      switch (condition.field) {
        case 'state':
          return v.state === condition.text;
        case 'tag':
          return (metadata.tags ?? []).some((tag) => same(tag, condition.text));
        case 'alias':
          return aliases.includes(condition.text);
        case 'parent':
          return v.parent === condition.text;
        case 'deployable':
          return (metadata.permittedToDeploy === false ? 'no' : 'yes') === condition.text;
      }
      break;
    case 'digest':
      return v.digest.startsWith(condition.start);
    case 'version':
      return versionIs(v.version, condition.comparison, condition.version);
    case 'finding':
      return compare(
        Math.max(0, ...v.findings.map(({ severity }) => FINDING_ORDER.indexOf(severity))),
        condition.comparison,
        FINDING_ORDER.indexOf(condition.worst),
      );
    case 'figure': {
      const value = (condition.of === 'metric' ? metadata.metrics : metadata.trainingParameters)?.[
        condition.name
      ];
      return compare(typeof value === 'number' ? value : undefined, condition.comparison, condition.value);
    }
    case 'param-text':
      return same(String(metadata.trainingParameters?.[condition.name]), condition.text);
    case 'size':
      return compare(v.sizeBytes, condition.comparison, condition.bytes);
    case 'added':
      // ISO texts in UTC: cut to the period's length they compare as the periods do.
      return (
        { '=': 0, '<': -1, '>': 1 }[condition.comparison as '=' | '<' | '>'] ===
        Math.sign(v.addedAt.slice(0, condition.period.length).localeCompare(condition.period))
      );
    case 'deployed':
      break;
  }
  throw new Error(`The filter in memory does not know ${condition.kind}.`);
}

/** Written out for the shapes the queries use: `1`, `1.2` and `1.2.0`. */
function versionIs(version: string, comparison: string, asked: string): boolean {
  const cut = asked.split('.').length;
  const [core = ''] = version.split('-');
  const head = core.split('.').slice(0, cut).map(Number);
  const bound = asked.split('.').map(Number);
  const order =
    head.map((part, index) => Math.sign(part - (bound[index] ?? 0))).find((sign) => sign !== 0) ?? 0;
  if (comparison === 'begins') return order === 0;
  const exact = cut === 3 ? Math.sign(compareSemver(version, asked)) : order;
  return (
    { '=': exact === 0, '<': exact < 0, '<=': exact <= 0, '>': exact > 0, '>=': exact >= 0 }[comparison] ??
    false
  );
}

/** Small registries with much in common. */
export function registryOf(): fc.Arbitrary<Registered[]> {
  const one = fc.record({
    name: fc.constantFrom('alpha', 'alpha-beta', 'beta', 'albatross'),
    number: fc.constantFrom(
      '1.0.0',
      '1.1.9',
      '1.2.0-rc.1',
      '1.2.0',
      '1.2.7',
      '1.20.0',
      '2.0.0-0',
      '2.0.0',
      '300000.1.1',
    ),
    state: fc.constantFrom('draft' as const, 'validated' as const, 'archived' as const),
    parent: fc.constantFrom(null, '1.0.0'),
    owner: fc.constantFrom('Blue Team', 'team blue', 'Red', undefined),
    licence: fc.constantFrom('MIT', undefined),
    tags: fc.subarray(['mail', 'Edge', 'alpha']),
    auc: fc.constantFrom(0.25, 0.5, 0.75, undefined),
    f1: fc.constantFrom(0.25, undefined),
    depth: fc.constantFrom(3, 4, 'gini', undefined),
    severity: fc.constantFrom('low' as const, 'medium' as const, 'critical' as const, undefined),
    size: fc.constantFrom(999, 1000, 1001),
    day: fc.constantFrom('2026-01-15', '2026-01-31', '2026-02-01'),
    deploy: fc.constantFrom(true, false, undefined),
    digest: fc.constantFrom('0', 'f'),
    champion: fc.boolean(),
  });
  return fc
    .uniqueArray(one, { selector: ({ name, number }) => `${name}@${number}`, maxLength: 36 })
    .map((found) => {
      const championOf = new Map(
        found.filter(({ champion }) => champion).map((each) => [each.name, each.number]),
      );
      return found.map((each) => ({
        version: version({
          name: each.name,
          version: each.number,
          state: each.state,
          parent: each.parent,
          sizeBytes: each.size,
          addedAt: `${each.day}T12:00:00.000Z`,
          digest: each.digest.repeat(64),
          findings: each.severity
            ? [
                {
                  ruleId: 'rule',
                  severity: each.severity,
                  title: 'beta',
                  where: '',
                  detail: '',
                  reference: '',
                },
              ]
            : [],
          metadata: {
            tags: each.tags,
            ...(each.owner === undefined ? {} : { owner: each.owner }),
            ...(each.licence === undefined ? {} : { licence: each.licence }),
            ...(each.deploy === undefined ? {} : { permittedToDeploy: each.deploy }),
            metrics: {
              ...(each.auc === undefined ? {} : { auc: each.auc }),
              ...(each.f1 === undefined ? {} : { f1: each.f1 }),
            },
            trainingParameters: {
              ...(each.depth === undefined
                ? {}
                : { [typeof each.depth === 'number' ? 'depth' : 'kind']: each.depth }),
            },
          },
        }),
        aliases: championOf.get(each.name) === each.number ? ['champion'] : [],
      }));
    });
}
