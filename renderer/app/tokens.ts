/** Colours of the window, by what they mean. Text tones hold 4.5:1 on every surface they are used on (tested). */
export interface Tokens {
  readonly ground: string;
  readonly surface: string;
  readonly sunken: string;
  readonly raised: string;
  readonly hover: string;
  readonly border: string;
  readonly borderStrong: string;
  readonly text: string;
  readonly dim: string;
  readonly faint: string;
  readonly accent: string;
  readonly accentText: string;
  readonly accentSoft: string;
  readonly ok: string;
  readonly okSoft: string;
  readonly warn: string;
  readonly warnSoft: string;
  readonly bad: string;
  readonly badSoft: string;
  readonly idle: string;
  readonly idleSoft: string;
  /** Charts: the version under test, the version it is held against, a limit. */
  readonly series1: string;
  readonly series2: string;
  readonly limit: string;
  readonly grid: string;
}

export const LIGHT: Tokens = {
  ground: '#f6f7f9',
  surface: '#ffffff',
  sunken: '#f0f2f5',
  raised: '#ffffff',
  hover: '#eef0f4',
  border: '#e2e5ea',
  borderStrong: '#c9ced7',
  text: '#15181e',
  dim: '#555e6d',
  faint: '#8a93a2',
  accent: '#3d5bd9',
  accentText: '#2f4cc4',
  accentSoft: '#e9edfd',
  ok: '#14683e',
  okSoft: '#e0f3e8',
  warn: '#7d5100',
  warnSoft: '#fcf0d6',
  bad: '#ab1f2d',
  badSoft: '#fce8e9',
  idle: '#4b5463',
  idleSoft: '#eceef2',
  series1: '#3d5bd9',
  series2: '#8a93a2',
  limit: '#c8323f',
  grid: '#e8ebef',
};

export const DARK: Tokens = {
  ground: '#0d0f13',
  surface: '#14171d',
  sunken: '#101318',
  raised: '#1a1e26',
  hover: '#1d222b',
  border: '#262b34',
  borderStrong: '#3b4250',
  text: '#e7e9ee',
  dim: '#9ba4b3',
  faint: '#697282',
  accent: '#4c68e6',
  accentText: '#93a8ff',
  accentSoft: '#1a2348',
  ok: '#55c990',
  okSoft: '#11281e',
  warn: '#e8b04a',
  warnSoft: '#2b2110',
  bad: '#ff8589',
  badSoft: '#34171a',
  idle: '#aab2bf',
  idleSoft: '#20252e',
  series1: '#7d95ff',
  series2: '#7f8898',
  limit: '#ff6b70',
  grid: '#20242c',
};

/** `accentSoft` becomes `--sp-accent-soft`. */
export function variablesOf(tokens: Tokens): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tokens).map(([name, value]) => [
      `--sp-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
      value,
    ]),
  );
}
