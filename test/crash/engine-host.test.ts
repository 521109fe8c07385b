/** Real worker processes that are killed, hang and eat memory. */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { forkProcess } from '../../shared/node/onnx/fork-process.ts';
import {
  type CrashEvent,
  createInferenceHost,
  type HostOptions,
  type InferenceWorker,
} from '../../shared/node/onnx/inference-host.ts';
import { firstFeature, laborious, sha256 } from '../support/engine-models.ts';

const root = (path: string): string => resolve(import.meta.dirname, '../..', path);
/** Both kinds of process that this code is the parent of, with the channels they have. */
const KINDS: readonly (readonly [string, () => InferenceWorker])[] = [
  ['the console’s process', () => forkProcess(root('electron/workers/inference.ts'))],
  ['the agent’s process', () => forkInferenceWorker(root('serving/index.ts'))],
];
const MODEL = firstFeature();
const SLOW = laborious();
const good = { key: 'good', bytes: MODEL, digest: sha256(MODEL) };
const slow = { key: 'slow', bytes: SLOW, digest: sha256(SLOW) };

/** One row that keeps the laborious model busy: `elements` sines 40 times, 4 bytes each. */
const work = (elements: number): Float32Array => Float32Array.of(0.75, elements, 0);
const FOREVER = 200_000_000;

function startWith(fork: () => InferenceWorker, options: Partial<HostOptions>) {
  const pids: number[] = [];
  const events: CrashEvent[] = [];
  const host = createInferenceHost({
    fork: () => {
      const worker = fork();
      pids.push(worker.pid ?? 0);
      return worker;
    },
    deadlineMs: 60_000,
    maxRssBytes: 8 * 2 ** 30,
    ...options,
  });
  host.onCrash((event) => events.push(event));
  onTestFinished(() => host.close());
  const kill = (): void => {
    process.kill(pids.at(-1) ?? 0, 'SIGKILL');
  };
  const predict = async (key: string, rows: Float32Array, count: number) => {
    const dims = [count, rows.length / count];
    const [label, score] = await host.run(
      key,
      [{ name: 'features', type: 'float32', dims, data: rows }],
      ['label', 'score'],
    );
    return {
      labels: Float64Array.from((label?.data ?? []) as ArrayLike<unknown>, Number),
      scores: score?.data as Float32Array,
    };
  };
  return { host, predict, pids, events, kill };
}

describe.each(KINDS)('%s', (_kind, fork) => {
  const start = (options: Partial<HostOptions> = {}) => startWith(fork, options);

  describe('a host of models', () => {
    test('serves several models from one process', async () => {
      const { host, predict, pids } = start();
      const strict = firstFeature({ positiveAbove: 10 });
      expect(await host.load(good)).toMatchObject({
        batch: 'open',
        inputs: [{ name: 'features', type: 'float32', shape: ['N', 3] }],
      });
      await host.load({ key: 'strict', bytes: strict, digest: sha256(strict) });
      const rows = Float32Array.of(2, 0, 0, 20, 0, 0);
      expect(await predict('good', rows, 2)).toEqual({
        labels: Float64Array.of(1, 1),
        scores: Float32Array.of(2, 20),
      });
      expect((await predict('strict', rows, 2)).labels).toEqual(Float64Array.of(0, 1));
      expect(pids).toHaveLength(1);
      await host.unload('strict');
      await expect(predict('strict', rows, 2)).rejects.toMatchObject({ code: 'not-found' });
      expect(host.loaded()).toEqual(['good']);
    });

    test('many requests at once are each answered with their own rows, also from views into a larger buffer', async () => {
      const { host, predict } = start();
      await host.load(good);
      const all = Float32Array.from({ length: 3 * 500 }, (_, index) => index);
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, index) => predict('good', all.subarray(index * 3, index * 3 + 3), 1)),
      );
      expect(answers.map(({ scores }) => scores?.[0])).toEqual(
        Array.from({ length: 500 }, (_, index) => index * 3),
      );
    });

    test('refuses bytes that are not those of the digest, in the worker too', async () => {
      const { host, predict } = start();
      const changed = Uint8Array.from(MODEL);
      changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
      await expect(host.load({ ...good, bytes: changed })).rejects.toMatchObject({
        code: 'integrity.artifact',
      });
      await expect(predict('good', work(1), 1)).rejects.toMatchObject({ code: 'not-found' });
    });

    test('an input that the runtime refuses is an error of that request alone', async () => {
      const { host, predict, events } = start();
      await host.load(good);
      const [bad, fine] = await Promise.allSettled([
        predict('good', new Float32Array(4), 1),
        predict('good', work(1), 1),
      ]);
      expect(bad).toMatchObject({
        status: 'rejected',
        reason: { code: 'model.unsupported' },
      });
      expect(fine.status).toBe('fulfilled');
      expect(events).toEqual([]);
    });
  });

  describe('a worker that dies', () => {
    test('kill -9 in the middle of a run is a typed error, and the next run works in a new process', async () => {
      const { host, predict, pids, events, kill } = start();
      await host.load(good);
      await host.load(slow);
      const running = predict('slow', work(FOREVER), 1);
      const waiting = predict('good', work(1), 1);
      await delay(100);
      kill();
      await expect(running).rejects.toMatchObject({ code: 'engine.crashed' });
      // It was only waiting for its turn, so it is asked again.
      expect((await waiting).labels).toEqual(Float64Array.of(1));
      expect((await predict('slow', work(1), 1)).labels).toEqual(Float64Array.of(1));
      expect(pids).toHaveLength(2);
      expect(events).toMatchObject([{ key: 'slow', digest: slow.digest, quarantined: false }]);
    });

    test('a model that was only being loaded then is loaded again, and not blamed', async () => {
      const { host, predict, events, kill } = start();
      await host.load(slow);
      const running = predict('slow', work(FOREVER), 1);
      running.catch(() => {});
      const loading = host.load(good);
      await delay(100);
      kill();
      await expect(running).rejects.toMatchObject({ code: 'engine.crashed' });
      expect(await loading).toMatchObject({ batch: 'open' });
      expect(events.map(({ key }) => key)).toEqual(['slow']);
    });

    test('killed while idle, a request that came before the news of it is asked again, and nobody is blamed', async () => {
      const { host, predict, pids, events, kill } = start();
      await host.load(good);
      for (let round = 0; round < 3; round++) {
        kill();
        // No turn of the event loop between the two: the request goes to a process that will never see it.
        const sent = [predict('good', work(1), 1), predict('good', work(2), 1)];
        expect((await Promise.all(sent)).map(({ scores }) => scores?.[0])).toEqual([0.75, 0.75]);
      }
      expect(events).toEqual([]);
      expect(pids).toHaveLength(4);
    });

    test('killed while idle, a model that was sent then is sent again, and not blamed', async () => {
      const { host, events, kill } = start();
      await host.load(good);
      kill();
      expect(await host.load(slow)).toMatchObject({ batch: 'open' });
      expect(events).toEqual([]);
    });

    test('killed while idle, nobody is blamed and the next request starts it again', async () => {
      const { host, predict, pids, events, kill } = start();
      let asked = 0;
      await host.load({
        ...good,
        bytes: async () => {
          asked++;
          return MODEL;
        },
      });
      for (let round = 0; round < 3; round++) {
        kill();
        await delay(50);
        expect((await predict('good', work(1), 1)).scores).toEqual(Float32Array.of(0.75));
      }
      expect(events).toEqual([]);
      expect([pids.length, asked]).toEqual([4, 4]);
    });

    test('a model that ended its process twice is quarantined, the others go on', async () => {
      const { host, predict, events, kill } = start();
      await host.load(good);
      await host.load(slow);
      for (let round = 0; round < 2; round++) {
        // Loaded again first, so that the kill meets it at work.
        await predict('slow', work(1), 1);
        const running = predict('slow', work(FOREVER), 1);
        running.catch(() => {});
        await delay(150);
        kill();
        await expect(running).rejects.toMatchObject({ code: 'engine.crashed' });
      }
      await expect(predict('slow', work(1), 1)).rejects.toMatchObject({
        code: 'engine.crashed',
        facts: { quarantined: true },
      });
      await expect(host.load({ ...slow, key: 'again' })).rejects.toMatchObject({
        facts: { quarantined: true },
      });
      expect((await predict('good', work(1), 1)).labels).toEqual(Float64Array.of(1));
      expect(events.map(({ quarantined }) => quarantined)).toEqual([false, true]);
    });
  });

  describe('a worker that does not come back', () => {
    test('past the deadline it is ended, and what waited is answered by a new one', async () => {
      const { host, predict, pids, events } = start({ deadlineMs: 1500 });
      await host.load(good);
      await host.load(slow);
      const running = predict('slow', work(FOREVER), 1);
      await expect(running).rejects.toMatchObject({ code: 'engine.timeout', facts: { queued: false } });
      expect((await predict('good', work(1), 1)).labels).toEqual(Float64Array.of(1));
      expect(pids).toHaveLength(2);
      expect(events).toMatchObject([{ key: 'slow' }]);
    });

    test('above the memory cap it is ended, with the figure', async () => {
      const { host, predict, events } = start({ maxRssBytes: 500 * 2 ** 20 });
      await host.load(slow);
      await expect(predict('slow', work(FOREVER), 1)).rejects.toMatchObject({ code: 'engine.memory' });
      expect(events).toMatchObject([{ key: 'slow', error: { code: 'engine.memory' } }]);
      expect(host.peakRssBytes).toBeGreaterThan(500 * 2 ** 20);
      expect((await predict('slow', work(1), 1)).labels).toEqual(Float64Array.of(1));
    });

    test('closing tells those who wait', async () => {
      const { host, predict } = start();
      await host.load(slow);
      const running = predict('slow', work(FOREVER), 1);
      running.catch(() => {});
      await host.close();
      await expect(running).rejects.toMatchObject({ code: 'cancelled' });
      await expect(host.load(good)).rejects.toMatchObject({ code: 'cancelled' });
    });
  });
});
