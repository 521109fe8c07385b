/** What every `InferenceEngine` does; the one there is runs real models in real worker processes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createInferenceEngine, type EngineOptions } from '../../electron/adapters/inference/engine.ts';
import type { EngineModel } from '../../electron/ports/engine.ts';
import type { WorkerHandle } from '../../electron/ports/processes.ts';
import type { JobContext } from '../../electron/ports/system.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { ANOMALY, CLASSIFIER, firstFeature, laborious, sha256 } from '../support/engine-models.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { forkWorker } from '../support/vault.ts';

function engineModel(
  bytes: Uint8Array,
  mapping: OutputMapping = CLASSIFIER,
  featureNames: string[] | null = null,
): EngineModel {
  return { bytes, digest: sha256(bytes), mapping, featureNames, featureCount: 3 };
}

function start(options: Partial<EngineOptions> = {}) {
  const workers: WorkerHandle[] = [];
  const engine = createInferenceEngine({
    forkWorker: (entry, forkOptions) => {
      const worker = forkWorker(entry, forkOptions);
      workers.push(worker);
      return worker;
    },
    ...options,
  });
  onTestFinished(() => engine.close());
  return { engine, workers };
}

function csv(lines: readonly string[]): string {
  const path = join(temporaryDirectory(), 'data.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

interface Watched extends JobContext {
  readonly phases: string[];
  readonly cancel: () => void;
}
function job(onProgress: (phase: string) => void = () => {}): Watched {
  const controller = new AbortController();
  const phases: string[] = [];
  return {
    signal: controller.signal,
    phases,
    cancel: () => controller.abort(),
    progress: (phase) => {
      if (phases.at(-1) !== phase) phases.push(phase);
      onProgress(phase);
    },
  };
}

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
    const { dataset, evaluation, rowsPerSecond } = await engine.evaluate(
      engineModel(firstFeature()),
      { path, labelColumn: null },
      watched,
    );
    expect(dataset).toEqual({
      fileName: 'data.csv',
      digest: sha256(readFileSync(path)),
      sizeBytes: readFileSync(path).length,
      rows: 6,
      labelColumn: 'label',
      featureColumns: 3,
      ignoredColumns: ['host'],
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
    const { dataset, evaluation } = await engine.evaluate(
      engineModel(firstFeature(), CLASSIFIER, ['f0', 'f1', 'f2']),
      { path: csv(shuffled), labelColumn: 'label' },
      job(),
    );
    expect(evaluation.metrics.confusion).toEqual({ tn: 2, fp: 1, fn: 1, tp: 2 });
    expect(dataset.ignoredColumns).toEqual(['host']);
  });

  test('reads an anomaly detector whose low scores are positive', async () => {
    const { engine } = start();
    const lines = ['f0,f1,f2,label', '-1,0,0,1', '-0.5,0,0,1', '0.5,0,0,0', '1,0,0,0'];
    const { evaluation } = await engine.evaluate(
      engineModel(firstFeature(), ANOMALY),
      { path: csv(lines), labelColumn: null },
      job(),
    );
    expect(evaluation.metrics).toMatchObject({ confusion: { tn: 2, fp: 0, fn: 0, tp: 2 }, roc_auc: 1 });
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
        engineModel(firstFeature(), CLASSIFIER, names),
        { path: csv(lines), labelColumn },
        job(),
      ),
    ).rejects.toMatchObject({ code, facts });
  });

  test('a missing file is not found', async () => {
    const { engine } = start();
    await expect(
      engine.evaluate(engineModel(firstFeature()), { path: '/nowhere/data.csv', labelColumn: null }, job()),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('comparing two models', () => {
  test('counts where they differ, who is right, and keeps the rows with their other columns', async () => {
    const { engine } = start();
    const champion = engineModel(firstFeature());
    const challenger = engineModel(firstFeature({ positiveAbove: 0.75 }), CLASSIFIER, ['f0', 'f1', 'f2']);
    const result = await engine.compare(
      champion,
      challenger,
      { path: csv([...DATA, '0.6,0,0,g,0']), labelColumn: null },
      job(),
    );
    expect(result).toMatchObject({ disagreements: 2, challengerFixes: 1, challengerBreaks: 1 });
    expect(result.rows).toEqual([
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
    expect(result.champion.metrics.confusion).toEqual({ tn: 2, fp: 2, fn: 1, tp: 2 });
    expect(result.challenger.metrics.confusion).toEqual({ tn: 3, fp: 1, fn: 2, tp: 1 });
  });

  test('keeps the first 1,000 disagreeing rows and counts all', async () => {
    const { engine } = start();
    const lines = ['f0,f1,f2,label', ...Array.from({ length: 5000 }, () => '0.6,0,0,1')];
    const result = await engine.compare(
      engineModel(firstFeature()),
      engineModel(firstFeature({ positiveAbove: 0.75 })),
      { path: csv(lines), labelColumn: null },
      job(),
    );
    expect([result.disagreements, result.rows.length, result.rows.at(-1)?.row]).toEqual([5000, 1000, 1000]);
  });
});

describe('when a run goes wrong', () => {
  // The second feature of the last row keeps the model busy far longer than any test.
  const endless = ['f0,f1,f2,label', '0.1,1,0,0', '0.9,200000000,0,1'];

  test('cancelling ends the process and is an error of its own', async () => {
    const { engine, workers } = start();
    const watched = job();
    const running = engine.evaluate(
      engineModel(laborious()),
      { path: csv(endless), labelColumn: null },
      watched,
    );
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
      engine.evaluate(engineModel(firstFeature()), { path: csv(DATA), labelColumn: null }, watched),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(workers).toHaveLength(0);
  });

  test('a model that says nothing for too long is ended; after the second time it is quarantined', async () => {
    const { engine } = start({ stallMs: 1200 });
    const model = engineModel(laborious());
    const data = { path: csv(endless), labelColumn: null };
    for (let round = 0; round < 2; round++)
      await expect(engine.evaluate(model, data, job())).rejects.toMatchObject({ code: 'engine.timeout' });
    const easy = { path: csv(endless.slice(0, 2)), labelColumn: null };
    await expect(engine.evaluate(model, easy, job())).rejects.toMatchObject({
      code: 'engine.timeout',
      facts: { quarantined: true },
    });
    expect((await engine.evaluate(engineModel(firstFeature()), easy, job())).dataset.rows).toBe(1);
  });

  test('in a comparison the model at work is blamed, not the other', async () => {
    const { engine } = start({ stallMs: 1200 });
    const steady = engineModel(firstFeature());
    const data = { path: csv(endless), labelColumn: null };
    for (let round = 0; round < 2; round++)
      await expect(engine.compare(steady, engineModel(laborious()), data, job())).rejects.toMatchObject({
        code: 'engine.timeout',
      });
    expect((await engine.evaluate(steady, { path: csv(DATA), labelColumn: null }, job())).dataset.rows).toBe(
      6,
    );
  });

  test('kill -9 in the middle of a run is a typed error, and the next run works', async () => {
    const { engine, workers } = start();
    const running = engine.evaluate(
      engineModel(laborious()),
      { path: csv(endless), labelColumn: null },
      job(),
    );
    setTimeout(() => process.kill(workers[0]?.pid ?? 0, 'SIGKILL'), 400);
    await expect(running).rejects.toMatchObject({ code: 'engine.crashed' });
    expect(
      (
        await engine.evaluate(
          engineModel(laborious()),
          { path: csv(endless.slice(0, 2)), labelColumn: null },
          job(),
        )
      ).dataset.rows,
    ).toBe(1);
  });

  test('bytes that are not those of the digest are not run', async () => {
    const { engine } = start();
    const model = { ...engineModel(firstFeature()), digest: sha256(laborious()) };
    await expect(engine.evaluate(model, { path: csv(DATA), labelColumn: null }, job())).rejects.toMatchObject(
      { code: 'integrity.artifact' },
    );
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
