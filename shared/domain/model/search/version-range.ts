/** Versions as ranges, and as numbers that keep their order. */
import { compareSemver, parseSemver } from '../semver.ts';
import type { SearchCondition } from './grammar.ts';

export interface VersionBound {
  readonly comparison: '=' | '<' | '<=' | '>' | '>=';
  readonly version: string;
}

type VersionCondition = Extract<SearchCondition, { kind: 'version' }>;

/**
 * What a version has to be: all bounds hold. A partial version stands for everything that begins with it, so that
 * `1.2` is [1.2.0-0, 1.3.0-0) (`-0` is the lowest pre-release) and `>1.2` begins where that ends.
 */
export function versionBounds({ comparison, version }: VersionCondition): VersionBound[] {
  const parts = (version.split(/[-+]/)[0] ?? '').split('.').map(Number);
  const partial = parts.length < 3;
  const whole = partial || (comparison === 'begins' && !version.includes('-'));
  if (!whole) return [{ comparison: comparison === 'begins' ? '=' : comparison, version }];
  const low = `${[...parts, 0, 0].slice(0, 3).join('.')}-0`;
  const next = parts.map((part, index) => (index === parts.length - 1 ? part + 1 : part));
  const high = `${[...next, 0, 0].slice(0, 3).join('.')}-0`;
  switch (comparison) {
    case 'begins':
    case '=':
      return [
        { comparison: '>=', version: low },
        { comparison: '<', version: high },
      ];
    case '>':
      return [{ comparison: '>=', version: high }];
    case '<=':
      return [{ comparison: '<', version: high }];
    case '>=':
      return [{ comparison: '>=', version: low }];
    case '<':
      return [{ comparison: '<', version: low }];
  }
}

export function versionHolds(version: string, bounds: readonly VersionBound[]): boolean {
  return bounds.every((bound) => holds(compareSemver(version, bound.version), bound.comparison));
}

/** Whether `order` (negative, 0, positive) is what `comparison` asks for. */
export function holds(order: number, comparison: VersionBound['comparison']): boolean {
  switch (comparison) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Bits of major, minor and patch: with the release bit 53, what a double holds exactly. */
const MAJOR = 2 ** 17;
const MINOR = 2 ** 18;
const PATCH = 2 ** 17;

/**
 * A number per version, in the order of precedence. `exact` false: others with another precedence share it (pre-releases,
 * and numbers too large for their bits), so that equal numbers say nothing.
 */
export function versionKey(version: string): { readonly key: number; readonly exact: boolean } {
  const { numbers, prerelease } = parseSemver(version);
  const [major, minor, patch] = numbers;
  if (major >= MAJOR - 1) return { key: join(MAJOR - 1, MINOR - 1, PATCH - 1, 1), exact: false };
  if (minor >= MINOR - 1) return { key: join(major, MINOR - 1, PATCH - 1, 1), exact: false };
  if (patch >= PATCH - 1) return { key: join(major, minor, PATCH - 1, 1), exact: false };
  const release = prerelease.length === 0 ? 1 : 0;
  return { key: join(major, minor, patch, release), exact: release === 1 };
}

function join(major: number, minor: number, patch: number, release: number): number {
  return ((major * MINOR + minor) * PATCH + patch) * 2 + release;
}
