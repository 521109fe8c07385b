import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DARK, LIGHT, type Tokens, variablesOf } from '../../../renderer/app/tokens.ts';
import {
  formatAgo,
  formatBytes,
  formatDelta,
  formatDuration,
  formatMs,
  formatShare,
  groupedDigest,
  shortDigest,
} from '../../../renderer/ui/format.ts';
import { formatMetricValue, higherIsBetter, judgeDelta } from '../../../renderer/ui/metrics.ts';

describe('figures', () => {
  it('writes sizes with a unit and at most four characters of figure', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 50 }),
        (bytes) => /^\d{1,4}(\.\d{1,2})? (B|KiB|MiB|GiB|TiB)$/.test(formatBytes(bytes)) || bytes >= 2 ** 50,
      ),
    );
    expect(formatBytes(0)).toBe('0 B');
    expect(formatBytes(1536)).toBe('1.50 KiB');
    expect(formatBytes(104_857_600)).toBe('100 MiB');
  });

  it('never hides the sign of a difference, and never claims one that vanishes when written', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (delta) => {
        const text = formatDelta(delta);
        if (text.startsWith('±')) return Math.abs(delta) < 0.00005 + 1e-12;
        return delta > 0 ? text.startsWith('+') : text.startsWith('−');
      }),
    );
    expect(formatDelta(null)).toBe('–');
  });

  it('writes what was not measured as a dash, never as zero', () => {
    expect([
      formatMs(null),
      formatShare(null),
      formatMetricValue('f1', null),
      formatMetricValue('latency_p95_ms', null),
    ]).toEqual(['–', '–', '–', '–']);
  });

  it('writes lengths of time in the two largest units that matter', () => {
    expect([
      formatDuration(84),
      formatDuration(45_000),
      formatDuration(90_000),
      formatDuration(3_600_000),
      formatDuration(72 * 3_600_000),
    ]).toEqual(['84 ms', '45 s', '1 min 30 s', '1 h', '3 d']);
  });

  it('says how long ago and how far ahead', () => {
    const now = Date.parse('2026-01-01T12:00:00Z');
    expect(formatAgo('2026-01-01T11:57:00Z', now)).toBe('3 min ago');
    expect(formatAgo('2026-01-01T14:00:00Z', now)).toBe('in 2 h');
    expect(formatAgo('2026-01-01T12:00:04Z', now)).toBe('just now');
  });

  it('keeps the beginning and the end of a digest', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{64}$/), (digest) => {
        const short = shortDigest(digest);
        return (
          short.length === 15 &&
          digest.startsWith(short.slice(0, 8)) &&
          digest.endsWith(short.slice(-6)) &&
          groupedDigest(digest).replaceAll(' ', '') === digest
        );
      }),
    );
  });
});

describe('judging a change', () => {
  it('turns better into worse when champion and challenger change places', () => {
    const opposite = { better: 'worse', worse: 'better', same: 'same', unknown: 'unknown' } as const;
    fc.assert(
      fc.property(
        fc.constantFrom('roc_auc', 'false_positive_rate', 'latency_p95_ms', 'f1'),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (metric, delta) => judgeDelta(metric, -delta) === opposite[judgeDelta(metric, delta)],
      ),
    );
  });

  it('knows that fewer false alarms and less latency are better', () => {
    expect(['false_positive_rate', 'latency_p99_ms'].map(higherIsBetter)).toEqual([false, false]);
    expect(judgeDelta('false_positive_rate', -0.01)).toBe('better');
    expect(judgeDelta('recall', -0.01)).toBe('worse');
  });
});

/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r, g, bl] = [1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
] as const)('the %s theme', (name, tokens: Tokens) => {
  const surfaces = ['ground', 'surface', 'sunken', 'raised', 'hover'] as const;
  it('holds 4.5:1 for text on every surface', () => {
    for (const surface of surfaces)
      for (const text of ['text', 'dim', 'accentText', 'ok', 'warn', 'bad'] as const)
        expect(contrast(tokens[text], tokens[surface]), `${text} on ${surface}`).toBeGreaterThanOrEqual(4.5);
  });
  it('holds 4.5:1 for a badge on its own ground', () => {
    for (const tone of ['ok', 'warn', 'bad', 'idle'] as const)
      expect(contrast(tokens[tone], tokens[`${tone}Soft`]), tone).toBeGreaterThanOrEqual(4.5);
    expect(contrast(tokens.accentText, tokens.accentSoft)).toBeGreaterThanOrEqual(4.5);
  });
  it('holds 3:1 for the lines of charts', () => {
    for (const line of ['series1', 'series2', 'limit'] as const)
      expect(contrast(tokens[line], tokens.surface), line).toBeGreaterThanOrEqual(3);
  });
  it('paints the same ground before any script has run', () => {
    const css = readFileSync(new URL('../../../renderer/app/first-paint.css', import.meta.url), 'utf8');
    const rule =
      name === 'dark'
        ? /data-mantine-color-scheme=['"]dark['"]\] \{\s*background: (#\w+)/
        : /^html \{\s*background: (#\w+)/m;
    expect(rule.exec(css)?.[1]).toBe(tokens.ground);
  });
  it('names its variables as the stylesheets write them', () => {
    expect(Object.keys(variablesOf(tokens))).toEqual(
      expect.arrayContaining(['--sp-accent-soft', '--sp-series1', '--sp-border-strong']),
    );
  });
});
