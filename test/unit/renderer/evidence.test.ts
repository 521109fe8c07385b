import type { InfiniteData } from '@tanstack/react-query';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binNames, flipsByChange, headlineOf } from '../../../renderer/features/compare/comparison-words.ts';
import {
  dataRefusal,
  EMPTY_DRAFT,
  selectionOf,
  unmapped,
} from '../../../renderer/features/evidence/data-choice.ts';
import { firstColumns, outcomeOf } from '../../../renderer/features/evidence/row-columns.tsx';
import {
  presetsOf,
  readChoice,
  rowsOfGate,
  rowsPath,
  writeChoice,
} from '../../../renderer/features/evidence/rows-choice.ts';
import { withLabel } from '../../../renderer/features/evidence/rows-data.ts';
import { mostMoved } from '../../../renderer/features/validate/drift-tab.tsx';
import { worstFirst } from '../../../renderer/features/validate/slices-tab.tsx';
import { decidingGates, verdictOfReport, verdictTitle } from '../../../renderer/features/validate/verdict.ts';
import { higherIsBetter, judgeDelta } from '../../../renderer/ui/metrics.ts';
import {
  chanceText,
  differenceText,
  intervalShort,
  judgeDifference,
} from '../../../renderer/ui/significance.ts';
import { dataSelectionSchema } from '../../../shared/domain/evidence/dataset.ts';
import { type EvidenceRows, rowPresetSchema } from '../../../shared/domain/evidence/rows.ts';
import type { GateResult } from '../../../shared/domain/metrics/report.ts';
import { comparison, validation } from '../../support/renderer-data.ts';
import {
  deepComparison,
  deepValidation,
  drift,
  replayedComparison,
  slice,
} from '../../support/renderer-evidence.ts';
import { inspect } from '../../support/renderer-rows.ts';

const clock = { now: Date.parse('2026-06-01T12:00:00Z') };
const interval = (low: number, high: number) => ({ low, high, level: 0.95, method: 'bootstrap' as const });
const compared = deepComparison(comparison(clock));

describe('a difference in words', () => {
  it('reads in the direction of its word, with its interval and test', () => {
    expect(
      differenceText({
        metric: 'roc_auc',
        delta: 0.021,
        interval: interval(0.012, 0.03),
        test: { name: 'McNemar', p: 0.0001 },
      }),
    ).toBe('0.021 better, 95 % interval 0.012 to 0.030, McNemar p < 0.001');
    expect(differenceText({ metric: 'roc_auc', delta: -0.021, interval: interval(-0.03, -0.012) })).toBe(
      '0.021 worse, 95 % interval 0.012 to 0.030',
    );
    expect(
      differenceText({ metric: 'false_positive_rate', delta: -0.021, interval: interval(-0.03, -0.012) }),
    ).toBe('0.021 better, 95 % interval 0.012 to 0.030');
  });
  it('may be chance where the interval holds zero, and says so', () => {
    const open = { metric: 'f1', delta: 0.002, interval: interval(-0.003, 0.007) };
    expect(judgeDifference(open)).toBe('chance');
    expect(differenceText(open)).toBe('0.002 better, 95 % interval −0.003 to 0.007: may be chance');
    expect(judgeDifference({ metric: 'f1', delta: null, interval: undefined })).toBe('unknown');
  });
  it('turns round when the two change places', () => {
    const opposite = { better: 'worse', worse: 'better', chance: 'chance', same: 'same', unknown: 'unknown' };
    fc.assert(
      fc.property(
        fc.constantFrom('roc_auc', 'log_loss', 'false_positive_rate'),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (metric, delta, half) => {
          const there = judgeDifference({ metric, delta, interval: interval(delta - half, delta + half) });
          const back = judgeDifference({
            metric,
            delta: -delta,
            interval: interval(-delta - half, -delta + half),
          });
          expect(back).toBe(opposite[there]);
        },
      ),
    );
  });
  it('knows of every metric which end is better, not only of two', () => {
    expect(['log_loss', 'brier', 'ece', 'mae', 'rmse'].map(higherIsBetter)).toEqual(Array(5).fill(false));
    expect(judgeDelta('log_loss', 0.1)).toBe('worse');
    expect(judgeDelta('tpr_at_fpr_0_001', 0.1)).toBe('better');
  });
  it('writes chances and short intervals as people read them', () => {
    expect([0.0004, 0.043, 0.4].map(chanceText)).toEqual(['p < 0.001', 'p = 0.043', 'p = 0.40']);
    expect(intervalShort(interval(0.97119, 0.9824))).toBe('0.971–0.982');
  });
});

describe('the headline of a comparison', () => {
  it('says who is better by the area under the curve, and on how many rows they differ', () => {
    const { judgement, title, detail } = headlineOf(compared);
    expect([judgement, title]).toEqual(['better', 'The challenger is better']);
    expect(detail).toMatch(
      /^ROC AUC: 0\.009 better, 95 % interval .* DeLong p < 0\.001\. They disagree on 214 /,
    );
  });
  it('calls nobody better without labels', () => {
    expect(headlineOf(replayedComparison(clock, comparison(clock))).judgement).toBe('unknown');
  });
  it('names bins by their edges, and puts the worst balance of a slice first', () => {
    expect(binNames([0.1, 0.15, 0.2])).toEqual(['0.1–0.15', '0.15–0.2']);
    const balances = flipsByChange(compared.sliceFlips).map(({ broken, fixed }) => broken - fixed);
    expect(balances).toEqual([...balances].sort((a, b) => b - a));
  });
});

describe('the verdict of a report', () => {
  const gate = (verdict: GateResult['verdict']): GateResult => ({
    gate: 'recall',
    metric: 'recall',
    bound: 'min',
    limit: 0.8,
    measured: 0.7,
    baseline: null,
    passed: verdict === 'pass',
    verdict,
    reason: 'a reason',
  });
  it('is a failure before it is open, and open before it is a pass', () => {
    const report = (gates: GateResult[], passed = false) => ({
      gates,
      passed,
      environmentName: 'production',
    });
    expect(verdictOfReport(report([]))).toBe('none');
    expect(verdictOfReport(report([gate('pass')], true))).toBe('pass');
    expect(verdictOfReport(report([gate('pass'), gate('inconclusive')]))).toBe('inconclusive');
    const mixed = report([gate('inconclusive'), gate('fail'), gate('pass')]);
    expect(verdictOfReport(mixed)).toBe('fail');
    expect(decidingGates(mixed.gates)).toHaveLength(1);
    expect(verdictTitle(mixed)).toBe('Fails the policy of production: 1 of 3 gates');
    // Refused as evidence though each gate passed: never shown as a pass.
    expect(verdictOfReport(report([gate('pass')], false))).toBe('fail');
  });
});

describe('the way from a figure to its rows', () => {
  it('leads from a gate over a slice to the rows it missed there, by one link', () => {
    const failed = deepValidation(validation(clock, '1.0.0', null, 5));
    const link = rowsOfGate(
      { metric: 'recall', measured: 0.7, slice: { column: 'kind', value: 'a&b=c' } },
      failed.id,
    );
    expect(link?.text).toBe('rows it missed');
    const [path = '', search = ''] = (link?.to ?? '').split('?');
    expect(path).toBe(`/validate/${failed.id}/rows`);
    expect(readChoice(new URLSearchParams(search))).toEqual({
      preset: 'false-negatives',
      slice: { column: 'kind', value: 'a&b=c' },
      filter: null,
      order: 'score-ascending',
    });
    expect(rowsOfGate({ metric: 'latency_p95_ms', measured: 9, slice: null }, failed.id)).toBeNull();
    const flaws = { metric: 'output_findings', slice: null };
    expect(rowsOfGate({ ...flaws, measured: 3 }, failed.id)?.to).toContain('output-findings');
    expect(rowsOfGate({ ...flaws, measured: 0 }, failed.id)).toBeNull();
  });
  it('keeps every choice in the address', () => {
    fc.assert(
      fc.property(
        fc.record({
          preset: fc.constantFrom(...rowPresetSchema.options),
          slice: fc.option(fc.record({ column: fc.string(), value: fc.string() })),
          filter: fc.option(fc.string({ maxLength: 200 })),
          order: fc.constantFrom('row', 'score-ascending', 'score-descending', 'difference'),
        }),
        (choice) => {
          const filter = choice.filter === null || choice.filter.trim() === '' ? null : choice.filter.trim();
          const back = readChoice(new URLSearchParams(writeChoice(choice).toString()));
          expect(back).toEqual({ ...choice, filter });
        },
      ),
    );
  });
  it('reads an address of nonsense as the plain choice', () => {
    const read = readChoice(new URLSearchParams('show=nothing&order=sideways&where=%20'));
    expect(read).toEqual({ preset: 'all', slice: null, filter: null, order: 'row' });
    expect(rowsPath({ kind: 'comparison', id: 'c/1' })).toBe('/compare/c%2F1/rows');
  });
  it('offers no errors where there is no truth', () => {
    expect(presetsOf('validation', false)).not.toContain('errors');
    expect(presetsOf('comparison', false)).toContain('disagreements');
  });
});

describe('rows', () => {
  const answer = (predicted: number) => ({ predicted, score: 0.5 });
  const row = (label: number | null, ...predicted: number[]) => ({
    row: 1,
    label,
    answers: predicted.map(answer),
    cells: [],
    verdict: null,
  });
  it('say in a word what a row is to one model and to two', () => {
    const words = [
      row(1, 0),
      row(0, 1),
      row(1, 1),
      row(1, 0, 1),
      row(1, 1, 0),
      row(1, 0, 0),
      row(1, 1, 1),
    ].map((one) => outcomeOf(one, false)?.text);
    expect(words).toEqual(['missed', 'false alarm', 'right', 'fixed', 'broken', 'both wrong', 'both right']);
    expect(outcomeOf(row(null, 1), false)).toBeNull();
  });
  it('show the slice first, then what no model reads, each once', () => {
    expect(firstColumns(['a', 'b', 'url', 'kind'], ['url', 'kind', 'gone'], 'kind')).toEqual([
      'kind',
      'url',
      'a',
      'b',
    ]);
  });
  it('take a label at their place, leaving every other page as it is', () => {
    const page = (from: number): EvidenceRows => ({
      columns: [],
      total: 4,
      rows: [from, from + 1].map((number) => ({ ...row(1, 0), row: number })),
    });
    const data: InfiniteData<EvidenceRows> = { pages: [page(1), page(3)], pageParams: [0, 2] };
    const label = { row: 3, verdict: 'benign', note: 'seen', by: 'ada', at: '2026-06-01T12:00:00Z' } as const;
    const labelled = withLabel(data, 3, label);
    expect(labelled.pages[1]?.rows.map(({ verdict }) => verdict)).toEqual([label, null]);
    expect(labelled.pages[0]).toBe(data.pages[0]);
    expect(withLabel(labelled, 3, null).pages[1]?.rows[0]?.verdict).toBeNull();
  });
});

describe('tables of a report', () => {
  it('put the worst slices first and those nobody can judge last', () => {
    const random = () => 0.3;
    const order = worstFirst([
      slice('k', 'few', 9, 0.1, random),
      slice('k', 'good', 900, 0.99, random),
      slice('k', 'fair', 900, 0.85, random),
      slice('k', 'bad', 900, 0.7, random),
    ]);
    expect(order.map(({ value }) => value)).toEqual(['bad', 'fair', 'good', 'few']);
  });
  it('put what moved most first', () => {
    const verdicts = mostMoved(drift(60, 4).features).map(({ verdict }) => verdict);
    expect(verdicts.lastIndexOf('drift')).toBeLessThan(verdicts.indexOf('stable'));
  });
});

describe('the choice of data', () => {
  const path = '/data/renamed.csv';
  const found = inspect({ path, ref: { name: 'phish-url', version: '1.0.0' }, filter: null });
  it('asks for a column of every feature, and gives the whole mapping once one was chosen', () => {
    const draft = { ...EMPTY_DRAFT, path };
    expect(unmapped(draft, found)).toHaveLength(3);
    expect(dataRefusal(draft, found)).toContain('3 features of the model have no column: url_length');
    expect(selectionOf(draft, found)?.columns).toBeNull();
    const mapped = { ...draft, columns: { url_length: 'col0', host_length: 'col1', path_depth: 'col2' } };
    expect(dataRefusal(mapped, found)).toBeNull();
    const selection = selectionOf(mapped, found);
    expect(dataSelectionSchema.parse(selection).columns).toMatchObject({
      url_length: 'col0',
      digits: 'digits',
    });
  });
  it('needs a truth, or the word that there is none', () => {
    const file = inspect({ path: '/data/unlabelled.csv', ref: null, filter: null });
    const draft = { ...EMPTY_DRAFT, path: '/data/unlabelled.csv' };
    expect(dataRefusal(draft, file)).toContain('holds the truth');
    expect(dataRefusal({ ...draft, labelled: false }, file)).toBeNull();
    expect(selectionOf({ ...draft, labelled: false, labelColumn: 'kind' }, file)?.labelColumn).toBeNull();
  });
  it('stops at a filter that is none, or that leaves nothing', () => {
    const draft = { ...EMPTY_DRAFT, path, columns: { url_length: 'a', host_length: 'b', path_depth: 'c' } };
    expect(dataRefusal(draft, { ...found, filterProblem: 'no' })).toBe('The filter cannot be used.');
    expect(dataRefusal(draft, { ...found, rows: 0 })).toBe('No row is left by the filter.');
  });
});
