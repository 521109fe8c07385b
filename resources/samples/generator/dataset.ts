import { createHash } from 'node:crypto';
import { FAMILIES } from './families.ts';
import { extractFeatures, FEATURE_NAMES } from './features.ts';
import type { Matrix } from './logistic.ts';
import { Random } from './random.ts';

/** Share of each family; shares are relative, a family that is not named is absent. */
export type Mix = Readonly<Record<string, number>>;

export interface SampleRow {
  readonly url: string;
  readonly family: string;
  readonly label: 0 | 1;
  readonly features: readonly number[];
}

/** Everything a detector is trained on: the full mix, in equal parts honest and not. */
export const TRAINING_MIX: Mix = {
  'brand-site': 14,
  'deep-link': 12,
  cdn: 8,
  'tracked-link': 8,
  'short-link': 4,
  'idn-legit': 3,
  institution: 7,
  'sign-in': 7,
  'device-console': 4,
  'personal-page': 5,
  'small-site': 10,
  'typo-squat': 9,
  'brand-subdomain': 8,
  'ip-host': 5,
  'broken-in': 8,
  homoglyph: 4,
  'free-hosting': 6,
  'user-info': 3,
  'data-exfil': 6,
  'short-phish': 1.5,
  'open-redirect': 10,
};

/** The labelled benchmark: rich in hard kinds, and gathered before open redirects were seen. */
export const LABELLED_MIX: Mix = { ...TRAINING_MIX, 'open-redirect': 0 };

/** What the agent is asked: mostly everyday pages, and a campaign of open redirects. */
export const TRAFFIC_MIX: Mix = {
  'brand-site': 20,
  'deep-link': 16,
  cdn: 12,
  'tracked-link': 2.5,
  'short-link': 3,
  'idn-legit': 0.6,
  institution: 8,
  'sign-in': 3,
  'device-console': 0.5,
  'personal-page': 2,
  'small-site': 3,
  'typo-squat': 2.5,
  'brand-subdomain': 3,
  'ip-host': 1,
  'broken-in': 1.4,
  homoglyph: 0.7,
  'free-hosting': 1.2,
  'user-info': 0.6,
  'data-exfil': 1.5,
  'short-phish': 0.5,
  'open-redirect': 14,
};

/**
 * Endless rows of a mix. Families are dealt in proportion from a shuffled deck of about `deck` cards, so that every
 * stretch of that many rows has the mix's shares (no run of one kind by chance).
 */
export function* rowsOf(mix: Mix, seed: string, deck = 200): Generator<SampleRow, never, undefined> {
  const random = new Random(seed);
  const present = FAMILIES.filter((family) => (mix[family.name] ?? 0) > 0);
  const total = present.reduce((sum, family) => sum + (mix[family.name] ?? 0), 0);
  const owed = new Map(present.map((family) => [family.name, 0]));
  while (true) {
    const cards = present.flatMap((family) => {
      const due = (owed.get(family.name) ?? 0) + ((mix[family.name] ?? 0) / total) * deck;
      const now = Math.floor(due);
      owed.set(family.name, due - now);
      return Array.from({ length: now }, () => family);
    });
    for (const family of random.shuffle(cards)) {
      const url = family.make(random);
      yield { url, family: family.name, label: family.label, features: extractFeatures(url) };
    }
  }
}

/** The first `count` rows of a mix. */
export function takeRows(mix: Mix, seed: string, count: number): SampleRow[] {
  const rows: SampleRow[] = [];
  for (const row of rowsOf(mix, seed)) {
    rows.push(row);
    if (rows.length === count) break;
  }
  return rows;
}

export function toMatrix(rows: readonly SampleRow[]): Matrix {
  const columns = FEATURE_NAMES.length;
  const values = new Float32Array(rows.length * columns);
  for (const [i, row] of rows.entries()) values.set(row.features, i * columns);
  return { rows: rows.length, columns, values };
}

export function labelsOf(rows: readonly SampleRow[]): Uint8Array {
  return Uint8Array.from(rows, (row) => row.label);
}

export const CSV_HEADER = `${[...FEATURE_NAMES, 'url', 'family', 'label'].join(',')}\n`;

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One CSV line (RFC 4180, LF): the features in order, then url, family and label. */
export function csvLine(row: SampleRow): string {
  return `${row.features.join(',')},${quoted(row.url)},${row.family},${row.label}\n`;
}

export function toCsv(rows: readonly SampleRow[]): string {
  return CSV_HEADER + rows.map(csvLine).join('');
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
