/** Order of semantic versions, as semver.org 2.0.0 section 11 defines it. Build metadata does not count. */
export interface Semver {
  /** Major, minor, patch. */
  readonly numbers: readonly [number, number, number];
  /** Dot-separated identifiers after the hyphen; empty for a release. */
  readonly prerelease: readonly string[];
}

/** Of a text that `semverSchema` accepts. */
export function parseSemver(text: string): Semver {
  const [core = '', ...rest] = (text.split('+')[0] ?? '').split('-');
  const [major = 0, minor = 0, patch = 0] = core.split('.').map(Number);
  const prerelease = rest.join('-');
  return { numbers: [major, minor, patch], prerelease: prerelease === '' ? [] : prerelease.split('.') };
}

/** Negative where `a` comes before `b`, 0 where they have the same precedence. */
export function compareSemver(a: string, b: string): number {
  const left = parseSemver(a);
  const right = parseSemver(b);
  for (const index of [0, 1, 2] as const) {
    const order = left.numbers[index] - right.numbers[index];
    if (order !== 0) return order;
  }
  // A release comes after its own pre-releases.
  if (left.prerelease.length === 0 || right.prerelease.length === 0)
    return right.prerelease.length - left.prerelease.length;
  return comparePrerelease(left.prerelease, right.prerelease);
}

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by value and before words; words by ASCII. */
function compareIdentifiers(a: string, b: string): number {
  const left = /^\d+$/.test(a);
  const right = /^\d+$/.test(b);
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
