import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ComparisonReport,
  PLAIN_DATASET,
  plainComparison,
  plainValidation,
  UNMEASURED_METRICS,
  type ValidationReport,
} from '../../../shared/domain/metrics/report.ts';
import {
  curveChart,
  escapeHtml,
  histogramChart,
  html,
  renderComparisonReport,
  renderHtmlReport,
  renderValidationReport,
} from '../../../shared/node/report/index.ts';
import { CLASSIFIER } from '../../support/engine-models.ts';

const METRICS = {
  ...UNMEASURED_METRICS,
  rows: 8,
  positives: 4,
  confusion: { tn: 3, fp: 1, fn: 1, tp: 3 },
  accuracy: 0.75,
  balanced_accuracy: 0.75,
  precision: 0.75,
  recall: 0.75,
  f1: 0.75,
  mcc: 0.5,
  roc_auc: null,
  false_positive_rate: 0.25,
};
const LATENCY = { p50: 0.1, p95: 0.2, p99: 0.3, samples: 8 };
const DATASET = {
  fileName: 'data.csv',
  digest: 'd'.repeat(64),
  sizeBytes: 100,
  rows: 8,
  labelColumn: 'label',
  ...PLAIN_DATASET,
  featureColumns: 3,
  ignoredColumns: ['url'],
};

const VALIDATION: ValidationReport = {
  id: 'v',
  ref: { name: 'phish', version: '1.0.0' },
  digest: 'a'.repeat(64),
  dataset: DATASET,
  mapping: CLASSIFIER,
  metrics: METRICS,
  latency: LATENCY,
  ...plainValidation(),
  rowsPerSecond: 1000,
  roc: [
    { x: 0, y: 0 },
    { x: 0.5, y: 1 },
    { x: 1, y: 1 },
  ],
  precisionRecall: [
    { x: 0, y: 1 },
    { x: 1, y: 0.5 },
  ],
  scoreHistogram: { min: 0, max: 1, negative: [3, 1], positive: [1, 3] },
  environmentId: 'production-1',
  environmentName: 'production',
  gates: [
    {
      gate: 'accuracy at least 0.9',
      metric: 'accuracy',
      bound: 'min',
      limit: 0.9,
      measured: 0.75,
      baseline: null,
      passed: false,
      reason: '0.75 is below 0.9',
    },
  ],
  passed: false,
  runBy: 'ada',
  createdAt: '2026-01-01T00:00:00.000Z',
  durationMs: 5,
};

const COMPARISON: ComparisonReport = {
  id: 'c',
  champion: VALIDATION.ref,
  challenger: { name: 'phish', version: '1.1.0' },
  championDigest: 'a'.repeat(64),
  challengerDigest: 'b'.repeat(64),
  dataset: DATASET,
  championMetrics: METRICS,
  challengerMetrics: METRICS,
  championLatency: LATENCY,
  challengerLatency: LATENCY,
  ...plainComparison(),
  deltas: [{ metric: 'accuracy', champion: 0.75, challenger: 0.8, delta: 0.05 }],
  disagreements: 2,
  challengerFixes: 1,
  challengerBreaks: 1,
  disagreementRows: [
    {
      row: 2,
      label: 1,
      championLabel: 0,
      challengerLabel: 1,
      championScore: 0.2,
      challengerScore: 0.9,
      context: { url: '<img src=x onerror=alert(1)>' },
    },
  ],
  runBy: 'ada',
  createdAt: '2026-01-01T00:00:00.000Z',
  durationMs: 5,
};

/** Nothing that runs or loads. */
function expectInert(page: string): void {
  expect(page).not.toMatch(/<(script|img|link|iframe|object|embed|base|form)\b/i);
  expect(page).not.toMatch(/\s(on\w+|src|href)\s*=\s*["']/i);
  expect(page).not.toMatch(/url\(|@import|https?:/i);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
}

describe('escaping', () => {
  test('what is inserted is text, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { markup } = html`<b title="${text}">${text}</b>`;
        expect(markup.replace(/^<b title="/, '').replace(/<\/b>$/, '')).not.toMatch(
          /[<']|(?![\t\n\r])\p{Cc}/u,
        );
        expect(markup.split('"')).toHaveLength(3);
        expect(escapeHtml(text).isWellFormed()).toBe(true);
      }),
    );
  });

  test('no text of a story gets out of its element', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        const hostile = `"><script>${one}</script><img src="x" onerror="${two}">`;
        const page = renderHtmlReport({
          title: hostile,
          subtitle: hostile,
          sections: [
            {
              heading: hostile,
              text: hostile,
              code: hostile,
              facts: [{ name: hostile, value: hostile }],
              table: { columns: [hostile], rows: [[hostile]] },
              figures: [
                curveChart(hostile, hostile, hostile, [{ name: hostile, points: [] }], true),
                histogramChart(hostile, { min: 0, max: 1, negative: [], positive: [] }),
              ],
            },
          ],
        });
        expect(page).not.toMatch(/<(script|img)/i);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the page of a validation', () => {
  test('is inert, names its verdict and draws its curves', () => {
    const page = renderValidationReport(VALIDATION);
    expectInert(page);
    expect(page).toContain('Not passed: 1 of 1 gates');
    expect(page).toContain('0.75 is below 0.9');
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page).toContain('prefers-color-scheme:dark');
    // An undefined metric is a dash, never 0.
    expect(page).toContain('<td>ROC AUC</td><td>–</td>');
  });

  test('does not call a run without gates a pass', () => {
    const page = renderValidationReport({
      ...VALIDATION,
      gates: [],
      passed: true,
      environmentId: null,
      environmentName: null,
    });
    expect(page).toContain('Measured, not judged');
    expect(page).not.toContain('>Passed<');
  });
});

test('the page of a comparison shows the rows as text', () => {
  const page = renderComparisonReport(COMPARISON);
  expectInert(page);
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(page).toContain('+0.05');
  expect(page).toContain('The first 1 of 2.');
});
