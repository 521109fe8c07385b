/** What an evaluation says beyond plain figures: slices, findings, drift, robustness, going on, rows behind a figure. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Checkpoint, Evaluation, RowsRequest } from '../../electron/ports/engine.ts';
import { readAnswers } from '../../shared/domain/evidence/answers.ts';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import { createRandom } from '../../shared/domain/statistics/index.ts';
import { csv, engineModel, job, options, selection, startEngine } from '../support/engine.ts';
import { CLASSIFIER, firstFeature } from '../support/engine-models.ts';
import { temporaryDirectory } from '../support/temp.ts';

/** f0 is the score; truth follows it but for the rows of kind `odd`, which the model gets wrong. */
function data(rows: number, shift = 0): string[] {
  const random = createRandom(rows);
  const lines = ['f0,f1,f2,kind,at,label'];
  for (let row = 0; row < rows; row++) {
    const value = Math.min(1, random.uniform() + shift);
    const kind = row % 10 === 0 ? 'odd' : row % 2 === 0 ? 'mail' : 'web';
    const label = value > 0.5 !== (kind === 'odd') ? 1 : 0;
    const at = new Date(Date.UTC(2026, 0, 1) + row * 1000).toISOString();
    lines.push(`${value.toFixed(4)},${random.uniform().toFixed(3)},0,${kind},${at},${label}`);
  }
  return lines;
}

const first = () => engineModel(firstFeature());
const stricter = () => engineModel(firstFeature({ positiveAbove: 0.75 }));

/** Everything of an evaluation that the clock has no part in. */
function timeless({ models, pair, rowsPerSecond: _rate, ...rest }: Evaluation) {
  return {
    ...rest,
    models: models.map(({ latency: _latency, latencySamples: _samples, ...model }) => model),
    pair: pair && { ...pair, latencyHistogram: null, deltas: [] },
  };
}

describe('measuring one model', () => {
  test('finds the slice where it fails, and keeps every answer', async () => {
    const { engine } = startEngine();
    const { models, answers, execution, profile } = await engine.evaluate(
      [first()],
      selection(csv(data(2000))),
      options(),
      job(),
    );
    const [model] = models;
    const odd = model?.slices.find(({ column, value }) => column === 'kind' && value === 'odd');
    expect(odd).toMatchObject({ rows: 200, accuracy: 0, worst: true, tooFew: false });
    expect(model?.slices.filter(({ column, worst }) => column === 'kind' && worst)).toHaveLength(1);
    // `at` differs on every row, so it slices nothing; features are sliced in ranges.
    expect(new Set(model?.slices.map(({ column }) => column))).toEqual(new Set(['kind', 'f0', 'f1', 'f2']));
    expect(model?.outputFindings).toEqual([]);
    expect(Object.keys(model?.intervals ?? {})).toEqual(expect.arrayContaining(['recall', 'roc_auc', 'mcc']));
    expect(execution).toEqual({ threads: 2, batchRows: 2048, seed: 1 });
    expect(profile).toMatchObject({ rows: 2000, features: [{ feature: 'f0' }, {}, {}] });
    const kept = readAnswers(answers);
    expect(kept.rows).toBe(2000);
    const flagged = kept.models[0]?.predicted.reduce((sum, one) => sum + one, 0);
    expect(flagged).toBe((model?.metrics.confusion.fp ?? 0) + (model?.metrics.confusion.tp ?? 0));
  });

  test('without truth says only what needs none', async () => {
    const { engine } = startEngine();
    const { models, dataset } = await engine.evaluate(
      [first()],
      selection(csv(data(500)), { labelled: false }),
      options(),
      job(),
    );
    expect(dataset).toMatchObject({ labelled: false, labelColumn: '', rows: 500 });
    const [model] = models;
    expect(model?.metrics).toMatchObject({ rows: 500, accuracy: null, recall: null, roc_auc: null });
    expect(model?.metrics.positive_rate).toBeGreaterThan(0.3);
    expect(Object.keys(model?.intervals ?? {})).toEqual(['positive_rate']);
    expect(model?.slices).toEqual([]);
  });

  test('rows without a number are a finding and in no figure', async () => {
    const { engine } = startEngine();
    // The logarithm of a negative number is none.
    const model = engineModel(firstFeature({ scoreOp: 'Log' }));
    const lines = ['f0,f1,f2,label', '0.9,0,0,1', '-1,0,0,0', '0.1,0,0,0', '-2,0,0,1'];
    const { models, answers } = await engine.evaluate([model], selection(csv(lines)), options(), job());
    expect(models[0]?.metrics).toMatchObject({ rows: 2, confusion: { tn: 1, fp: 0, fn: 0, tp: 1 } });
    expect(models[0]?.outputFindings).toContainEqual(
      expect.objectContaining({ id: 'non-finite-output', severity: 'critical', rows: 2, examples: [2, 4] }),
    );
    expect([...(readAnswers(answers).models[0]?.predicted ?? [])]).toEqual([1, 255, 0, 255]);
  });

  test('a label that contradicts the model’s own score is a finding, and so is a constant answer', async () => {
    const { engine } = startEngine();
    const path = csv(data(400));
    // Labels from 0.75, scores read at 0.5: rows between the two contradict themselves.
    const { models } = await engine.evaluate([stricter()], selection(path), options(), job());
    const between = data(400).filter(
      (line) => Number(line.split(',')[0]) > 0.5 && Number(line.split(',')[0]) <= 0.75,
    );
    expect(models[0]?.outputFindings).toMatchObject([
      { id: 'label-contradicts-probability', severity: 'high', rows: between.length, of: 400 },
    ]);
    const constant = engineModel(firstFeature({ positiveAbove: 9 }), { ...CLASSIFIER, threshold: 9 });
    const { models: silent } = await engine.evaluate([constant], selection(path), options(), job());
    expect(silent[0]?.outputFindings.map(({ id }) => id)).toEqual(['constant-label']);
  });

  test('data that moved away from the reference is drift, the reference itself is not', async () => {
    const { engine } = startEngine();
    const path = csv(data(3000));
    const base = await engine.evaluate([first()], selection(path), options(), job());
    const reference = {
      profile: base.profile,
      ref: { name: 'phish', version: '1.0.0' },
      datasetDigest: base.dataset.digest,
    };
    const against = (file: string) =>
      engine.evaluate([first()], selection(file, { labelled: false }), options({ reference }), job());
    const same = (await against(path)).models[0]?.drift;
    const moved = (await against(csv(data(3000, 0.3)))).models[0]?.drift;
    expect(same).toMatchObject({ driftedShare: 0, score: { verdict: 'stable' } });
    expect(moved?.features.find(({ feature }) => feature === 'f0')?.verdict).toBe('drift');
    expect(moved?.score?.verdict).toBe('drift');
    expect(moved?.estimatedAccuracy?.estimate).toBe(true);
  });

  test('damage to the feature that decides costs detection, to the others nothing', async () => {
    const { engine } = startEngine();
    const { models } = await engine.evaluate(
      [first()],
      selection(csv(data(1000))),
      options({ robustness: true }),
      job(),
    );
    const results = new Map(models[0]?.robustness.map((result) => [result.id, result]));
    expect(results.get('permutation:f0')?.recallDelta).toBeLessThan(-0.2);
    expect(results.get('permutation:f1')).toMatchObject({ recallDelta: 0, flipRate: 0 });
    expect(results.get('noise-0.2')?.flipRate).toBeGreaterThan(results.get('noise-0.05')?.flipRate ?? 1);
    expect(results.get('out-of-range-nan')).toMatchObject({ rows: 1000, failures: 1000 });
  });
});

describe('going on after an interruption', () => {
  test('gives the very report of an uninterrupted run', async () => {
    // A checkpoint after every batch of 2,048 rows.
    const { engine } = startEngine({ checkpointMs: 0 });
    const chosen = selection(csv(data(9000)), { timeColumn: 'at' });
    const models = [first(), stricter()];
    const checkpoints: Checkpoint[] = [];
    const onCheckpoint = (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
    const whole = await engine.evaluate(models, chosen, options({ onCheckpoint }), job());
    expect(checkpoints.map(({ rows }) => rows)).toEqual([2048, 4096, 6144, 8192, 9000]);
    for (const count of [2, 5]) {
      const kept = checkpoints.slice(0, count);
      const later: number[] = [];
      const resumed = await engine.evaluate(
        models,
        chosen,
        options({
          resume: { answers: kept.map(({ answers }) => answers), state: kept.at(-1)?.state ?? '' },
          onCheckpoint: ({ rows }) => void later.push(rows),
        }),
        job(),
      );
      expect(later).toEqual(checkpoints.slice(count).map(({ rows }) => rows));
      expect(timeless(resumed)).toEqual(timeless(whole));
    }
  });

  test('refuses other models and other data', async () => {
    const { engine } = startEngine();
    const path = csv(data(100));
    const checkpoints: Checkpoint[] = [];
    const onCheckpoint = (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
    await engine.evaluate([first()], selection(path), options({ onCheckpoint }), job());
    const state = checkpoints.at(-1)?.state ?? '';
    const resume = { answers: checkpoints.map(({ answers }) => answers), state };
    await expect(
      engine.evaluate([stricter()], selection(path), options({ resume }), job()),
    ).rejects.toMatchObject({ code: 'conflict' });
    await expect(
      engine.evaluate([first()], selection(csv(data(101))), options({ resume }), job()),
    ).rejects.toMatchObject({ code: 'dataset.invalid' });
  });

  test('a checkpoint that cannot be kept fails the run', async () => {
    const { engine } = startEngine();
    const onCheckpoint = () => Promise.reject(new Error('disk'));
    await expect(
      engine.evaluate([first()], selection(csv(data(50))), options({ onCheckpoint }), job()),
    ).rejects.toThrow('disk');
  });
});

describe('comparing two models', () => {
  test('tests the difference, by slice and over time', async () => {
    const { engine } = startEngine();
    const { pair, models } = await engine.evaluate(
      [first(), stricter()],
      selection(csv(data(4000)), { timeColumn: 'at' }),
      options(),
      job(),
    );
    const matrix = pair?.disagreementMatrix.flat() ?? [];
    expect(matrix.reduce((sum, count) => sum + count, 0)).toBe(4000);
    expect(matrix[2]).toBe(pair?.disagreements);
    expect(pair?.significance?.mcnemarP).toBeLessThan(1e-6);
    expect(pair?.sliceFlips.find(({ value }) => value === 'odd')).toMatchObject({ rows: 400, broken: 0 });
    expect(pair?.series.reduce((sum, { rows }) => sum + rows, 0)).toBe(4000);
    expect(pair?.series.length).toBeLessThanOrEqual(500);
    expect(pair?.scatter.length).toBe(2000);
    expect(pair?.latencyHistogram?.champion.reduce((sum, count) => sum + count, 0)).toBe(
      models[0]?.latency.samples,
    );
    expect(models[1]?.slices.find(({ value }) => value === 'mail')?.recall).toBeLessThan(1);
  });
});

test('given a third version, then it is held against the first as the second one is', async () => {
  const { engine } = startEngine();
  const { pair, further } = await engine.evaluate(
    [first(), stricter(), first()],
    selection(csv(data(1200))),
    options(),
    job(),
  );
  const { engine: alone } = startEngine();
  const reversed = await alone.evaluate(
    [first(), first(), stricter()],
    selection(csv(data(1200))),
    options(),
    job(),
  );
  expect(further).toHaveLength(1);
  expect(further[0]).toMatchObject({ disagreements: 0, challengerFixes: 0, challengerBreaks: 0 });
  const { disagreements, disagreementMatrix, sliceFlips, scoreShift, significance } = pair ?? {};
  expect(disagreements).toBeGreaterThan(0);
  expect(reversed.further[0]).toMatchObject({ disagreements, disagreementMatrix, sliceFlips, scoreShift });
  expect(reversed.further[0]?.significance?.mcnemarP).toBe(significance?.mcnemarP);
});

describe('rows behind a figure', () => {
  async function evidence(changes: Partial<DataSelection> = {}) {
    const { engine } = startEngine();
    const chosen = selection(csv(data(1000)), changes);
    const { answers, dataset } = await engine.evaluate([first(), stricter()], chosen, options(), job());
    const ask = (query: Partial<RowsRequest['query']>): RowsRequest => ({
      data: chosen,
      datasetDigest: dataset.digest,
      answers,
      regression: false,
      findingRows: [3, 5],
      query: { preset: 'all', slice: null, filter: null, order: 'row', limit: 10, offset: 0, ...query },
    });
    return { engine, ask };
  }

  test('are chosen by preset, slice and expression, in the order asked for', async () => {
    const { engine, ask } = await evidence();
    const broken = await engine.rows(ask({ preset: 'broken', order: 'score-descending' }), job());
    expect(broken.columns).toEqual(['f0', 'f1', 'f2', 'kind', 'at', 'label']);
    for (const { label, answers } of broken.rows)
      expect([label, answers[0]?.predicted, answers[1]?.predicted]).toEqual([1, 1, 0]);
    const scores = broken.rows.map(({ answers }) => answers[1]?.score ?? 0);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));

    const odd = await engine.rows(ask({ preset: 'errors', slice: { column: 'kind', value: 'odd' } }), job());
    expect(odd.rows.every(({ cells }) => cells[3] === 'odd')).toBe(true);
    const filtered = await engine.rows(ask({ filter: "score_a > 0.9 AND kind = 'web'", offset: 5 }), job());
    expect(filtered.total).toBeGreaterThan(10);
    for (const { cells } of filtered.rows) expect([Number(cells[0]) > 0.9, cells[3]]).toEqual([true, 'web']);
    const named = await engine.rows(ask({ preset: 'output-findings' }), job());
    expect(named.rows.map(({ row }) => row)).toEqual([3, 5]);
    const range = await engine.rows(ask({ slice: { column: 'f0', value: '[0.2, 0.4)' } }), job());
    expect(range.total).toBe(
      data(1000)
        .slice(1)
        .map((line) => Number(line.split(',')[0]))
        .filter((value) => value >= 0.2 && value < 0.4).length,
    );
  });

  test('an expression that is none, or another file, is refused', async () => {
    const { engine, ask } = await evidence();
    for (const filter of ['f0 >', 'f0 + 1', "read_text('/etc/passwd') = ''", '(SELECT true)', 'nothing > 1'])
      await expect(engine.rows(ask({ filter }), job())).rejects.toMatchObject({ code: 'input.invalid' });
    const other = { ...ask({}), data: selection(csv(data(999))) };
    await expect(engine.rows(other, job())).rejects.toMatchObject({ code: 'dataset.invalid' });
  });

  test('go into a file with their answers and verdicts, once', async () => {
    const { engine, ask } = await evidence();
    const path = join(temporaryDirectory(), 'rows.csv');
    const file = {
      path,
      format: 'csv' as const,
      verdicts: { 3: { verdict: 'benign', note: 'a "test", yes' } },
    };
    expect(await engine.exportRows(ask({ preset: 'output-findings', limit: 1 }), file, job())).toEqual({
      rows: 2,
    });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^evidence_row,evidence_label,evidence_predicted_a,evidence_score_a,/);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(',benign,"a ""test"", yes",');
    await expect(engine.exportRows(ask({}), file, job())).rejects.toMatchObject({ code: 'conflict' });
  });
});
