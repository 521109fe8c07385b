/** Calls of a model that has several processes: shared out, never too many at once, and each with its own rows. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Batcher, type BatcherOptions } from '../../../serving/inference/batcher.ts';
import { ModelProcesses, planProcesses } from '../../../serving/inference/processes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { InferenceHost } from '../../../shared/node/onnx/inference-host.ts';
import type { NamedTensor } from '../../../shared/node/onnx/named-tensor.ts';

const OPTIONS = { join: true, maxRows: 1024, maxWaitMs: 0, queueRows: 100_000, deadlineMs: 60_000 };
const OUTPUTS = ['y'];

function inputOf(rows: number, from: number): NamedTensor {
  return {
    name: 'x',
    type: 'float32',
    dims: [rows, 1],
    data: Float32Array.from({ length: rows }, (_, row) => from + row),
  };
}

const doubled: BatcherOptions['run'] = async ([input]) => {
  const { dims, data } = input as NamedTensor & { data: Float32Array };
  return [{ name: 'y', type: 'float32', dims, data: data.map((value) => 2 * value) }];
};

/** Runs that end when they are told to. */
function held(): {
  readonly run: BatcherOptions['run'];
  readonly rows: () => number[];
  end(place: number, error?: Error): void;
} {
  const open: { readonly rows: number; end(error?: Error): void }[] = [];
  return {
    run: (inputs, outputs, joined) =>
      new Promise((resolve, reject) => {
        const rows = inputs[0]?.dims[0] ?? 0;
        open.push({
          rows,
          end: (error) => (error ? reject(error) : resolve(doubled(inputs, outputs, joined))),
        });
      }),
    rows: () => open.map(({ rows }) => rows),
    end: (place, error) => open[place]?.end(error),
  };
}

test('whatever comes, each call gets its own rows, each row runs once, and no process has more than two runs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      fc.scheduler(),
      async (sizes, processes, scheduler) => {
        let running = 0;
        let most = 0;
        let ran = 0;
        const slow = scheduler.scheduleFunction(doubled);
        const run: BatcherOptions['run'] = async (inputs, outputs, joined) => {
          running++;
          most = Math.max(most, running);
          ran += inputs[0]?.dims[0] ?? 0;
          return slow(inputs, outputs, joined).finally(() => running--);
        };
        const batcher = new Batcher({ ...OPTIONS, run, processes: () => processes });
        const answers = Promise.all(
          sizes.map(async (rows, id) => {
            await scheduler.schedule(Promise.resolve(), `call ${id}`);
            return batcher.run([inputOf(rows, 10_000 * id)], OUTPUTS);
          }),
        );
        await scheduler.waitFor(answers);
        for (const [id, rows] of sizes.entries()) {
          const [answer] = (await answers)[id] ?? [];
          expect(answer?.dims).toEqual([rows, 1]);
          expect(answer?.data).toEqual(
            Float32Array.from({ length: rows }, (_, row) => 2 * (10_000 * id + row)),
          );
        }
        expect(most).toBeLessThanOrEqual(2 * processes);
        expect(ran).toBe(sizes.reduce((sum, rows) => sum + rows, 0));
        expect(batcher.waiting).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

test.each([
  [1, 1024, [1024]],
  [2, 1024, [512, 512]],
  [3, 1024, [341, 341, 342]],
  [16, 1024, Array<number>(8).fill(128)],
  [2, 200, [200]],
])('of %i processes, a call of %i rows that comes alone asks %j', (processes, rows, asked) => {
  const runs = held();
  const batcher = new Batcher({ ...OPTIONS, run: runs.run, processes: () => processes });
  void batcher.run([inputOf(rows, 0)], OUTPUTS);
  expect(runs.rows()).toEqual(asked);
});

test('a call is not shared out where its rows depend on one another, nor where others wait', async () => {
  const runs = held();
  const bound = new Batcher({ ...OPTIONS, run: runs.run, processes: () => 2, join: false });
  void bound.run([inputOf(1024, 0)], OUTPUTS);
  const busy = new Batcher({ ...OPTIONS, run: runs.run, processes: () => 2 });
  for (let call = 0; call < 5; call++) void busy.run([inputOf(1024, 0)], OUTPUTS);
  // The first found nobody else; the next ones have one process each, and those after them wait.
  expect(runs.rows()).toEqual([1024, 512, 512, 1024, 1024]);
  expect(busy.waiting).toBe(2);
  runs.end(1);
  await expect.poll(() => runs.rows()).toHaveLength(6);
});

test('few rows wait for the process at work, many ask another, and so do few when the first takes long', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  try {
    const runs = held();
    const batcher = new Batcher({ ...OPTIONS, run: runs.run, processes: () => 2 });
    const call = async (rows: number): Promise<void> => {
      void batcher.run([inputOf(rows, 0)], OUTPUTS);
      await turn();
      await turn();
    };
    await call(1);
    await call(1);
    expect(runs.rows()).toEqual([1]);
    vi.advanceTimersByTime(10);
    expect(runs.rows()).toEqual([1, 1]);
    await call(3);
    vi.advanceTimersByTime(10);
    expect(runs.rows()).toEqual([1, 1]);
    runs.end(0);
    await turn();
    expect(runs.rows()).toEqual([1, 1, 3]);
    runs.end(1);
    await turn();
    await call(130);
    expect(runs.rows()).toEqual([1, 1, 3, 130]);
  } finally {
    vi.useRealTimers();
  }
});

test('small calls that are read in one turn of the event loop and the next go together; a large one asks at once', async () => {
  const runs = held();
  const batcher = new Batcher({ ...OPTIONS, run: runs.run, processes: () => 2 });
  const call = (rows: number): void => void batcher.run([inputOf(rows, 0)], OUTPUTS);
  call(1);
  call(2);
  expect(runs.rows()).toEqual([]);
  await turn();
  call(3);
  expect(runs.rows()).toEqual([]);
  await turn();
  expect(runs.rows()).toEqual([6]);
  call(200);
  expect(runs.rows()).toEqual([6, 200]);
});

test('a share that fails is the call’s failure, once, and the other process goes on', async () => {
  const runs = held();
  const batcher = new Batcher({ ...OPTIONS, run: runs.run, processes: () => 2 });
  const call = batcher.run([inputOf(1024, 0)], OUTPUTS);
  runs.end(0, new SallyportError('engine.crashed', 'It ended.'));
  await expect(call).rejects.toMatchObject({ code: 'engine.crashed' });
  const next = batcher.run([inputOf(300, 7)], OUTPUTS);
  expect(runs.rows()).toEqual([512, 512, 300]);
  runs.end(2);
  expect((await next)[0]?.data[0]).toBe(14);
  runs.end(1);
});

test('a model that answers no row for a row is run whole, and not shared out again', async () => {
  const asked: number[] = [];
  const sum: BatcherOptions['run'] = async ([input]) => {
    const { data, dims } = input as NamedTensor & { data: Float32Array };
    asked.push(dims[0] ?? 0);
    return [
      { name: 'y', type: 'float32', dims: [1], data: Float32Array.of(data.reduce((a, b) => a + b, 0)) },
    ];
  };
  const batcher = new Batcher({ ...OPTIONS, run: sum, processes: () => 2 });
  for (let round = 0; round < 2; round++) {
    const [answer] = await batcher.run([inputOf(256, 0)], OUTPUTS);
    expect(answer?.data[0]).toBe((255 * 256) / 2);
  }
  expect(asked).toEqual([128, 128, 256, 256]);
});

const CPU = { processes: 0, threads: 0, executionProviders: ['cpu'], cacheBytes: 1 };
const MIB = 2 ** 20;

test.each([
  ['two halves of the machine', CPU, MIB, 2, { processes: 2, threads: 1, threadsAlone: 2 }],
  ['of a larger one, too', CPU, MIB, 8, { processes: 2, threads: 4, threadsAlone: 8 }],
  ['no more than 16 cores', CPU, MIB, 64, { processes: 2, threads: 8, threadsAlone: 16 }],
  ['one core', CPU, MIB, 1, { processes: 1, threads: 1, threadsAlone: 1 }],
  ['a large model', CPU, 65 * MIB, 4, { processes: 1, threads: 4, threadsAlone: 4 }],
  ['threads that were set', { ...CPU, threads: 3 }, MIB, 4, { processes: 1, threads: 3, threadsAlone: 3 }],
  [
    'processes that were set',
    { ...CPU, processes: 4 },
    65 * MIB,
    8,
    { processes: 4, threads: 2, threadsAlone: 8 },
  ],
  [
    'another device',
    { ...CPU, executionProviders: ['cuda', 'cpu'] },
    MIB,
    8,
    { processes: 1, threads: 8, threadsAlone: 8 },
  ],
])('processes and threads: %s', (_case, engine, sizeBytes, cores, plan) => {
  expect(planProcesses(engine, sizeBytes, cores)).toEqual(plan);
});

test('the process with the fewest runs is asked, and one that comes when all is over is closed', async () => {
  const host = (name: string, log: string[]): InferenceHost =>
    ({
      rssBytes: 10,
      run: async () => {
        log.push(name);
        return [];
      },
      close: async () => {
        log.push(`${name} closed`);
      },
    }) as unknown as InferenceHost;
  const log: string[] = [];
  const processes = new ModelProcesses(host('a', log));
  await processes.add(host('b', log));
  expect(processes.count).toBe(2);
  expect(processes.rssBytes).toBe(20);
  await Promise.all([1, 2, 3].map(() => processes.run([], [])));
  expect(log).toEqual(['a', 'b', 'a']);
  await processes.close();
  await processes.add(host('c', log));
  expect(log.slice(3)).toEqual(['a closed', 'b closed', 'c closed']);
});

test('given a process ends, then the others answer until the next one has made its first runs', async () => {
  const log: string[] = [];
  const end: Record<string, () => void> = {};
  const host = (name: string): InferenceHost =>
    ({
      run: async () => {
        log.push(name);
        return [];
      },
      onGone: (listener: () => void) => {
        end[name] = listener;
      },
    }) as unknown as InferenceHost;
  const warming: { readonly name: string; readonly done: (problem?: Error) => void }[] = [];
  const hosts = new Map(['a', 'b'].map((name) => [host(name), name]));
  const warm = (restarted: InferenceHost): Promise<void> =>
    new Promise((resolve, reject) => {
      const name = hosts.get(restarted) ?? '';
      warming.push({ name, done: (problem) => (problem ? reject(problem) : resolve()) });
    });
  const [a, b] = [...hosts.keys()] as [InferenceHost, InferenceHost];
  const processes = new ModelProcesses(a, warm);
  await processes.add(b);
  const answers = async (): Promise<string> => {
    log.length = 0;
    await Promise.all([1, 2].map(() => processes.run([], [])));
    return log.join('');
  };
  expect(await answers()).toBe('ab');
  end.a?.();
  // It ends in its first runs, too: it is started once more, but not for ever.
  end.a?.();
  expect(warming.map(({ name }) => name)).toEqual(['a']);
  expect(await answers()).toBe('bb');
  warming.shift()?.done(new Error('ended again'));
  await expect.poll(() => warming.map(({ name }) => name)).toEqual(['a']);
  end.a?.();
  expect(await answers()).toBe('bb');
  // Nobody else is up: then calls wait for whoever comes first.
  end.b?.();
  expect(await answers()).toBe('ab');
  for (const { done } of warming) done(new Error('ended again'));
  await new Promise(setImmediate);
  expect(warming.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(await answers()).toBe('ab');
  end.b?.();
  expect(await answers()).toBe('aa');
});
