/**
 * The search language of the registry, one for window and command line.
 *
 *     query = { ["-"] term }                     all must hold; "-" turns one round
 *     term  = word | '"' words '"' | field ":" [comparison] value | field comparison value
 *     field = name | … | metric.NAME | param.NAME
 *
 * A bare word is looked for in everything that is written about a version; its last part may be a beginning. In
 * quotes it is taken whole, spaces and all; `\"` and `\\` inside them are a quote and a backslash.
 */
import type { Severity } from '../../scan/finding.ts';
import type { VersionState } from '../version.ts';

export type Comparison = '=' | '<' | '<=' | '>' | '>=';
export const COMPARISONS: readonly Comparison[] = ['>=', '<=', '>', '<', '='];

/** Fields whose words are searched: `owner:blue`. `:=` compares the whole text. */
export const TEXT_FIELDS = ['name', 'owner', 'licence', 'dataset', 'code', 'by', 'operator'] as const;
export type TextField = (typeof TEXT_FIELDS)[number];
/** Fields with one or several values of which one is named in full: `tag:mail`. */
export const EXACT_FIELDS = ['state', 'tag', 'alias', 'parent', 'deployable'] as const;
export type ExactField = (typeof EXACT_FIELDS)[number];

/** Worst finding of a scan, least first. */
export const FINDING_ORDER = ['none', 'info', 'low', 'medium', 'high', 'critical'] as const;
export type WorstFinding = 'none' | Severity;

export type SearchCondition =
  | { readonly kind: 'words'; readonly text: string; readonly whole: boolean }
  | {
      readonly kind: 'text';
      readonly field: TextField;
      readonly text: string;
      /** `begins`: the last word may be a beginning; `words`: whole words; `equals`: the whole text. */
      readonly match: 'begins' | 'words' | 'equals';
    }
  | { readonly kind: 'exact'; readonly field: ExactField; readonly text: string }
  /** First hex digits. */
  | { readonly kind: 'digest'; readonly start: string }
  | { readonly kind: 'version'; readonly comparison: Comparison | 'begins'; readonly version: string }
  | { readonly kind: 'finding'; readonly comparison: Comparison; readonly worst: WorstFinding }
  | {
      readonly kind: 'figure';
      readonly of: 'metric' | 'param';
      readonly name: string;
      readonly comparison: Comparison;
      readonly value: number;
    }
  /** A training parameter that is a text or a truth value. */
  | { readonly kind: 'param-text'; readonly name: string; readonly text: string }
  | { readonly kind: 'size'; readonly comparison: Comparison; readonly bytes: number }
  /** `2026`, `2026-01`, `2026-01-31` or a moment; UTC. */
  | { readonly kind: 'added'; readonly comparison: Comparison; readonly period: string }
  /** `yes`, `no`, or the name of an environment or endpoint. */
  | { readonly kind: 'deployed'; readonly where: string };

export interface SearchTerm {
  readonly negated: boolean;
  readonly condition: SearchCondition;
}

/** Where a term stands in the text: characters from `start` up to `end`. */
export interface SearchSpan {
  readonly start: number;
  readonly end: number;
}

export interface SearchQuery {
  readonly terms: readonly SearchTerm[];
  /** One per term. */
  readonly spans: readonly SearchSpan[];
}

export const STATES: readonly VersionState[] = ['draft', 'validated', 'archived', 'revoked'];

export interface SearchField {
  /** As it is written; `metric.` and `param.` are followed by a name. */
  readonly name: string;
  readonly example: string;
  readonly meaning: string;
  /** Whether `<`, `<=`, `>` and `>=` make sense. */
  readonly ordered: boolean;
  /** Values to choose from, where there are only these. */
  readonly values?: readonly string[];
}

/** Every field there is, in the order help shows them. */
export const SEARCH_FIELDS: readonly SearchField[] = [
  {
    name: 'name',
    example: 'name:phish',
    meaning: 'words of the name; name:=phish-url for all of it',
    ordered: false,
  },
  {
    name: 'version',
    example: 'version:>=1.2',
    meaning: 'semantic version; version:1.2 for all 1.2.x',
    ordered: true,
  },
  {
    name: 'state',
    example: 'state:validated',
    meaning: 'draft, validated, archived, revoked',
    ordered: false,
    values: STATES,
  },
  { name: 'alias', example: 'alias:champion', meaning: 'carries this alias', ordered: false },
  { name: 'tag', example: 'tag:email', meaning: 'carries this tag', ordered: false },
  {
    name: 'owner',
    example: 'owner:"blue team"',
    meaning: 'words of the owner; quotes keep spaces',
    ordered: false,
  },
  { name: 'licence', example: 'licence:apache', meaning: 'words of the licence', ordered: false },
  { name: 'digest', example: 'digest:9f86d0', meaning: 'beginning of the digest', ordered: false },
  {
    name: 'dataset',
    example: 'dataset:9c1185',
    meaning: 'words of the training data’s digest or reference',
    ordered: false,
  },
  { name: 'code', example: 'code:a94a8fe', meaning: 'words of the code reference', ordered: false },
  { name: 'parent', example: 'parent:1.0.0', meaning: 'derived from this version', ordered: false },
  { name: 'metric.', example: 'metric.auc>0.98', meaning: 'a figure, measured or declared', ordered: true },
  { name: 'param.', example: 'param.depth=12', meaning: 'a training parameter', ordered: true },
  {
    name: 'finding',
    example: 'finding:>=high',
    meaning: 'worst finding of the scan: none to critical',
    ordered: true,
    values: FINDING_ORDER,
  },
  {
    name: 'size',
    example: 'size:>1MB',
    meaning: 'size of the file: B, kB, MB, GB, KiB, MiB, GiB',
    ordered: true,
  },
  {
    name: 'added',
    example: 'added:>2026-01-01',
    meaning: 'day, month or year it was added (UTC)',
    ordered: true,
  },
  { name: 'by', example: 'by:ada', meaning: 'operator who added it', ordered: false },
  { name: 'operator', example: 'operator:Gemm', meaning: 'ONNX operators in it', ordered: false },
  {
    name: 'deployable',
    example: 'deployable:yes',
    meaning: 'permission to deploy: yes or no',
    ordered: false,
    values: ['yes', 'no'],
  },
  {
    name: 'deployed',
    example: 'deployed:production',
    meaning: 'served there now: yes, no, an environment or endpoint',
    ordered: false,
  },
];

/** Examples of everything that is no field. */
export const SEARCH_EXAMPLES: readonly (readonly [string, string])[] = [
  ['phish url', 'both words, in anything written about a version'],
  ['"blue team"', 'whole words only'],
  ['-state:archived', 'not this'],
];
