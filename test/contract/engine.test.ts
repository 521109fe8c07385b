/** What every `InferenceEngine` does; the one there is runs real models in real worker processes. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { csv, engineModel, job, options, selection, startEngine as start } from '../support/engine.ts';
import { ANOMALY, CLASSIFIER, firstFeature, laborious, sha256 } from '../support/engine-models.ts';

// f0 decides; truth on the right. One false alarm (0.9, 0) and one miss (0.2, 1).
const DATA = [
  'f0,f1,f2,host,label',
  '0.1,0,0,a,0',
  '0.9,0,0,b,0',
  '0.2,0,0,c,1',
  '0.8,0,0,d,1',
  '0.7,0,0,e,1',
  '0.3,0,0,f,0',
];

describe('evaluating a model', () => {
  test('measures it on every row of the file', async () => {
    const { engine } = start();
    const path = csv(DATA);
    const watched = job();
    const { dataset, models, rowsPerSecond } = await engine.evaluate(
      [engineModel(firstFeature())],
      selection(path),
      options(),
      watched,
    );
    const [evaluation] = models;
    if (!evaluation) throw new Error('Nothing was measured.');
    expect(dataset).toEqual({
      fileName: 'data.csv',
      digest: sha256(readFileSync(path)),
      sizeBytes: readFileSync(path).length,
      rows: 6,
      labelColumn: 'label',
      featureColumns: 3,
      ignoredColumns: ['host'],
      format: 'csv',
      labelled: true,
      filter: null,
      rowsInFile: 6,
    });
    expect(evaluation.metrics).toMatchObject({
      rows: 6,
      positives: 3,
      confusion: { tn: 2, fp: 1, fn: 1, tp: 2 },
    });
    // Pairs (positive, negative) in the right order: 0.2 beats 0.1; 0.8 and 0.7 beat 0.1 and 0.3: 5 of 9.
    expect(evaluation.metrics.roc_auc).toBeCloseTo(5 / 9, 12);
    expect(evaluation.latency.samples).toBe(6);
    expect(rowsPerSecond).toBeGreaterThan(0);
    expect(evaluation.scoreHistogram?.negative.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(watched.phases).toEqual(expect.arrayContaining(['loading', 'measuring latency']));
  });

  test('finds columns by the names in the model, in any order', async () => {
    const { engine } = start();
    const shuffled = DATA.map((line) => line.split(',').reverse().join(','));
    const { dataset, models } = await engine.evaluate(
      [engineModel(firstFeature(), CLASSIFIER, ['f0', 'f1', 'f2'])],
      selection(csv(shuffled), { labelColumn: 'label' }),
      options(),
      job(),
    );
    expect(models[0]?.metrics.confusion).toEqual({ tn: 2, fp: 1, fn: 1, tp: 2 });
    expect(dataset.ignoredColumns).toEqual(['host']);
  });

  test('reads an anomaly detector whose low scores are positive', async () => {
    const { engine } = start();
    const lines = ['f0,f1,f2,label', '-1,0,0,1', '-0.5,0,0,1', '0.5,0,0,0', '1,0,0,0'];
    const { models } = await engine.evaluate(
      [engineModel(firstFeature(), ANOMALY)],
      selection(csv(lines)),
      options(),
      job(),
    );
    expect(models[0]?.metrics).toMatchObject({ confusion: { tn: 2, fp: 0, fn: 0, tp: 2 }, roc_auc: 1 });
  });

  test.each([
    [
      'a column the model needs is missing',
      ['f0,f1,label', '1,2,0'],
      null,
      ['f0', 'f1', 'f2'],
      'dataset.columns',
      {},
    ],
    ['too few columns', ['f0,f1,label', '1,2,0'], null, null, 'dataset.columns', {}],
    ['no label column', ['f0,f1,f2,verdict', '1,2,3,0'], null, null, 'dataset.label-missing', {}],
    ['another label column than named', DATA, 'truth', null, 'dataset.label-missing', {}],
    [
      'NaN in row 2',
      ['f0,f1,f2,label', '1,2,3,0', '1,NaN,3,0'],
      null,
      null,
      'dataset.non-finite',
      { row: 2, column: 'f1' },
    ],
    [
      'text in row 1',
      ['f0,f1,f2,label', '1,x,3,0'],
      null,
      null,
      'dataset.not-numeric',
      { row: 1, column: 'f1', value: 'x' },
    ],
    ['a header and no rows', ['f0,f1,f2,label'], null, null, 'dataset.invalid', {}],
  ])('refuses data where %s', async (_, lines, labelColumn, names, code, facts) => {
    const { engine } = start();
    await expect(
      engine.evaluate(
        [engineModel(firstFeature(), CLASSIFIER, names)],
        selection(csv(lines), { labelColumn }),
        options(),
        job(),
      ),
    ).rejects.toMatchObject({ code, facts });
  });

  test('a missing file is not found', async () => {
    const { engine } = start();
    await expect(
      engine.evaluate([engineModel(firstFeature())], selection('/nowhere/data.csv'), options(), job()),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('comparing two models', () => {
  test('counts where they differ, who is right, and keeps the rows with their other columns', async () => {
    const { engine } = start();
    const champion = engineModel(firstFeature());
    const challenger = engineModel(firstFeature({ positiveAbove: 0.75 }), CLASSIFIER, ['f0', 'f1', 'f2']);
    const { models, pair } = await engine.evaluate(
      [champion, challenger],
      selection(csv([...DATA, '0.6,0,0,g,0'])),
      options(),
      job(),
    );
    expect(pair).toMatchObject({ disagreements: 2, challengerFixes: 1, challengerBreaks: 1 });
    expect(pair?.disagreementRows).toEqual([
      {
        row: 5,
        label: 1,
        championLabel: 1,
        challengerLabel: 0,
        championScore: expect.closeTo(0.7, 6),
        challengerScore: expect.closeTo(0.7, 6),
        context: { host: 'e' },
      },
      {
        row: 7,
        label: 0,
        championLabel: 1,
        challengerLabel: 0,
        championScore: expect.closeTo(0.6, 6),
        challengerScore: expect.closeTo(0.6, 6),
        context: { host: 'g' },
      },
    ]);
    expect(models[0]?.metrics.confusion).toEqual({ tn: 2, fp: 2, fn: 1, tp: 2 });
    expect(models[1]?.metrics.confusion).toEqual({ tn: 3, fp: 1, fn: 2, tp: 1 });
  });

  test('keeps the first 1,000 disagreeing rows and counts all', async () => {
    const { engine } = start();
    const lines = ['f0,f1,f2,label', ...Array.from({ length: 5000 }, () => '0.6,0,0,1')];
    const { pair } = await engine.evaluate(
      [engineModel(firstFeature()), engineModel(firstFeature({ positiveAbove: 0.75 }))],
      selection(csv(lines)),
      options(),
      job(),
    );
    const kept = pair?.disagreementRows ?? [];
    expect([pair?.disagreements, kept.length, kept.at(-1)?.row]).toEqual([5000, 1000, 1000]);
  });
});

test('given very wide rows, then few of them make a batch, and every one is measured', async () => {
  const { engine } = start();
  const features = 3000;
  const names = Array.from({ length: features }, (_, at) => `f${at}`);
  const rest = ',0'.repeat(features - 1);
  const lines = Array.from({ length: 8 }, (_, row) => `${row % 2}${rest},${row % 2}`);
  const { execution, models } = await engine.evaluate(
    [engineModel(firstFeature({ features }))],
    selection(csv([`${names.join(',')},label`, ...lines])),
    options(),
    job(),
  );
  expect(execution.batchRows).toBe(87);
  expect(models[0]?.metrics).toMatchObject({ rows: 8, accuracy: 1 });
});

describe('when a run goes wrong', () => {
  // The second feature of the last row keeps the model busy far longer than any test.
  const endless = ['f0,f1,f2,label', '0.1,1,0,0', '0.9,200000000,0,1'];

  test('cancelling ends the process and is an error of its own', async () => {
    const { engine, workers } = start();
    const watched = job();
    const running = engine.evaluate([engineModel(laborious())], selection(csv(endless)), options(), watched);
    const exited = new Promise((resolve) => setTimeout(resolve, 300)).then(() => {
      const worker = workers[0];
      watched.cancel();
      return worker?.pid ?? 0;
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    const pid = await exited;
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('cancelled before it began, nothing is started', async () => {
    const { engine, workers } = start();
    const watched = job();
    watched.cancel();
    await expect(
      engine.evaluate([engineModel(firstFeature())], selection(csv(DATA)), options(), watched),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(workers).toHaveLength(0);
  });

  // Longer than a busy machine takes to start a process, and far shorter than the model.
  const STALL_MS = 6000;

  test('a model that says nothing for too long is ended; after the second time it is quarantined', async () => {
    const { engine } = start({ stallMs: STALL_MS });
    const model = engineModel(laborious());
    const data = selection(csv(endless));
    const easy = selection(csv(endless.slice(0, 2)));
    for (let round = 0; round < 2; round++)
      await expect(engine.evaluate([model], data, options(), job())).rejects.toMatchObject({
        code: 'engine.timeout',
      });
    await expect(engine.evaluate([model], easy, options(), job())).rejects.toMatchObject({
      code: 'engine.timeout',
      facts: { quarantined: true },
    });
    expect((await engine.evaluate([engineModel(firstFeature())], easy, options(), job())).dataset.rows).toBe(
      1,
    );

    // What is known of it outlives the engine, until somebody forgives it.
    const records = engine.quarantined();
    expect(records).toEqual([{ digest: model.digest, reason: 'engine.timeout', crashes: 2 }]);
    const { engine: next } = start();
    next.restore(records);
    await expect(next.evaluate([model], easy, options(), job())).rejects.toMatchObject({
      facts: { quarantined: true },
    });
    next.forgive(model.digest);
    expect((await next.evaluate([model], easy, options(), job())).dataset.rows).toBe(1);
  }, 60_000);

  test('in a comparison the model at work is blamed, not the other', async () => {
    const { engine } = start({ stallMs: STALL_MS });
    const steady = engineModel(firstFeature());
    const slow = engineModel(laborious());
    await expect(
      engine.evaluate([steady, slow], selection(csv(endless)), options(), job()),
    ).rejects.toMatchObject({ code: 'engine.timeout' });
    expect(engine.quarantined().map(({ digest }) => digest)).toEqual([slow.digest]);
    expect((await engine.evaluate([steady], selection(csv(DATA)), options(), job())).dataset.rows).toBe(6);
  }, 60_000);

  test('past its deadline a run is ended, and no model is blamed', async () => {
    const { engine } = start();
    await expect(
      engine.evaluate(
        [engineModel(laborious())],
        selection(csv(endless)),
        options({ deadlineMs: 3000 }),
        job(),
      ),
    ).rejects.toMatchObject({ code: 'engine.timeout', facts: { deadline: true } });
    expect(engine.quarantined()).toEqual([]);
  }, 60_000);

  test('kill -9 in the middle of a run is a typed error, and the next run works', async () => {
    const { engine, workers } = start();
    const model = engineModel(laborious());
    const running = engine.evaluate([model], selection(csv(endless)), options(), job());
    setTimeout(() => process.kill(workers[0]?.pid ?? 0, 'SIGKILL'), 400);
    await expect(running).rejects.toMatchObject({ code: 'engine.crashed' });
    const easy = selection(csv(endless.slice(0, 2)));
    expect((await engine.evaluate([model], easy, options(), job())).dataset.rows).toBe(1);
  });

  test('bytes that are not those of the digest are not run', async () => {
    const { engine } = start();
    const model = { ...engineModel(firstFeature()), digest: sha256(laborious()) };
    await expect(engine.evaluate([model], selection(csv(DATA)), options(), job())).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
