/** Calls that are run together: whatever comes, each gets its own rows, and nothing is lost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batcher, type BatcherOptions } from '../../../serving/inference/batcher.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { NamedTensor } from '../../../shared/node/onnx/named-tensor.ts';

/** A call of so many rows of a width; its values are its own and nobody else's. */
interface Call {
  readonly rows: number;
  readonly width: number;
  readonly poison: boolean;
}

const callArb: fc.Arbitrary<Call> = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 2 }),
  poison: fc.boolean(),
});

function inputOf({ rows, width, poison }: Call, id: number): NamedTensor {
  const data = Float32Array.from({ length: rows * width }, (_, place) => id * 1000 + place);
  if (poison) data[0] = -1;
  return { name: 'x', type: 'float32', dims: [rows, width], data };
}

const OPTIONS = { join: true, maxRows: 12, maxWaitMs: 0, queueRows: 100_000, deadlineMs: 60_000 };
const OUTPUTS = ['y'];

/** Doubles each value; where one is negative, it fails as the process does that died of it. */
function doubling(log: { rows: number; ids: number[]; joined: boolean }[]): BatcherOptions['run'] {
  return async ([input], _outputs, joined) => {
    const { dims, data } = input as NamedTensor & { data: Float32Array };
    const [rows = 0, width = 1] = dims;
    const starts = Array.from({ length: rows }, (_, row) => data[row * width] ?? 0);
    log.push({ rows, ids: starts.map((value) => Math.floor(value / 1000)), joined });
    if (data.some((value) => value < 0)) throw new SallyportError('engine.crashed', 'It ended.');
    return [{ name: 'y', type: 'float32', dims, data: data.map((value) => value * 2) }];
  };
}

async function settle(
  calls: readonly Call[],
  scheduler: fc.Scheduler,
  run: BatcherOptions['run'],
  options: Partial<BatcherOptions> = {},
): Promise<PromiseSettledResult<readonly NamedTensor[]>[]> {
  const batcher = new Batcher({ ...OPTIONS, run: scheduler.scheduleFunction(run), ...options });
  const answers = calls.map(async (call, id) => {
    await scheduler.schedule(Promise.resolve(), `call ${id}`);
    return batcher.run([inputOf(call, id)], OUTPUTS);
  });
  const all = Promise.allSettled(answers);
  await scheduler.waitFor(all);
  expect(batcher.waiting).toBe(0);
  return all;
}

test('each call gets its own rows, no joined run is larger than the limit, and none overtakes its like', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        callArb.map((call) => ({ ...call, poison: false })),
        { maxLength: 40 },
      ),
      fc.scheduler(),
      async (calls, scheduler) => {
        const log: { rows: number; ids: number[]; joined: boolean }[] = [];
        const order: number[] = [];
        const answers = await settle(calls, scheduler, doubling(log));
        for (const [id, call] of calls.entries()) {
          const { dims, data } = inputOf(call, id);
          const doubled = (data as Float32Array).map((value) => value * 2);
          expect(answers[id]).toEqual({
            status: 'fulfilled',
            value: [{ name: 'y', type: 'float32', dims, data: doubled }],
          });
        }
        for (const { rows, joined, ids } of log) {
          if (joined) expect(rows).toBeLessThanOrEqual(OPTIONS.maxRows);
          order.push(...new Set(ids));
        }
        // Every row ran once.
        expect(log.reduce((sum, { rows }) => sum + rows, 0)).toBe(
          calls.reduce((sum, { rows }) => sum + rows, 0),
        );
        expect(new Set(order).size).toBe(calls.length);
      },
    ),
    { numRuns: 150 },
  );
});

test('calls of one shape start in the order in which they came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 40 }), async (sizes) => {
      const log: { rows: number; ids: number[]; joined: boolean }[] = [];
      const batcher = new Batcher({ ...OPTIONS, run: doubling(log) });
      await Promise.all(
        sizes.map((rows, id) => batcher.run([inputOf({ rows, width: 1, poison: false }, id)], OUTPUTS)),
      );
      const ids = log.flatMap((each) => each.ids);
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});

test('a call that ends the process fails alone; those that were run with it are answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(callArb, { maxLength: 30 }), fc.scheduler(), async (calls, scheduler) => {
      const log: { rows: number; ids: number[]; joined: boolean }[] = [];
      const answers = await settle(calls, scheduler, doubling(log));
      expect(answers.map(({ status }) => status)).toEqual(
        calls.map(({ poison }) => (poison ? 'rejected' : 'fulfilled')),
      );
      // Each poisoned call was run alone once: there, and only there, its model is blamed.
      const blamed = log.filter(({ joined, ids }) => !joined && ids.includes(-1));
      expect(blamed).toHaveLength(calls.filter(({ poison }) => poison).length);
    }),
    { numRuns: 150 },
  );
});

test('a model that does not answer a row for a row is run call by call from then on', async () => {
  const sums: BatcherOptions['run'] = async ([input]) => {
    const { data } = input as NamedTensor & { data: Float32Array };
    return [
      { name: 'y', type: 'float32', dims: [1], data: Float32Array.of(data.reduce((a, b) => a + b, 0)) },
    ];
  };
  const batcher = new Batcher({ ...OPTIONS, run: sums });
  const call = { rows: 2, width: 1, poison: false };
  const answers = await Promise.all([1, 2, 3, 4].map((id) => batcher.run([inputOf(call, id)], OUTPUTS)));
  expect(answers.map(([answer]) => answer?.data[0])).toEqual([2001, 4001, 6001, 8001]);
  expect(batcher.joins).toBe(false);
});

test('joined runs that fail, of calls that do not, are given up', async () => {
  const run: BatcherOptions['run'] = async (inputs, _outputs, joined) => {
    if (joined) throw new SallyportError('model.unsupported', 'Too many rows for it.');
    return inputs;
  };
  const batcher = new Batcher({ ...OPTIONS, run });
  for (let round = 0; round < 3; round++) {
    const calls = [1, 2, 3].map((id) =>
      batcher.run([inputOf({ rows: 1, width: 1, poison: false }, id)], OUTPUTS),
    );
    expect(await Promise.all(calls)).toHaveLength(3);
  }
  expect(batcher.joins).toBe(false);
});

test('a full queue refuses at once, and one that waits too long is told', async () => {
  let free = (): void => {};
  const blocked = new Promise<void>((resolve) => {
    free = resolve;
  });
  const run: BatcherOptions['run'] = async (inputs) => {
    await blocked;
    return inputs;
  };
  const batcher = new Batcher({ ...OPTIONS, run, join: false, maxRows: 1000, queueRows: 3, deadlineMs: 30 });
  const one = { rows: 2, width: 1, poison: false };
  const first = batcher.run([inputOf(one, 1)], OUTPUTS);
  const waiting = batcher.run([inputOf(one, 2)], OUTPUTS);
  await expect(batcher.run([inputOf(one, 3)], OUTPUTS)).rejects.toMatchObject({
    code: 'engine.timeout',
    facts: { queued: true },
  });
  await expect(waiting).rejects.toMatchObject({ code: 'engine.timeout', facts: { queued: true } });
  free();
  await expect(first).resolves.toHaveLength(1);
});

test('an idle process is asked for all that has arrived; given a wait, a call stays for company, and no longer', async () => {
  const log: { rows: number; ids: number[]; joined: boolean }[] = [];
  const idle = new Batcher({ ...OPTIONS, run: doubling(log) });
  await Promise.all(
    [0, 1].map((id) => idle.run([inputOf({ rows: 1, width: 1, poison: false }, id)], OUTPUTS)),
  );
  expect(log).toEqual([{ rows: 2, ids: [0, 1], joined: true }]);
  const patient = new Batcher({ ...OPTIONS, run: doubling(log), maxWaitMs: 5 });
  const one = { rows: 1, width: 1, poison: false };
  await Promise.all([2, 3].map((id) => patient.run([inputOf(one, id)], OUTPUTS)));
  await patient.run([inputOf(one, 4)], OUTPUTS);
  expect(log.slice(1).map(({ ids }) => ids)).toEqual([[2, 3], [4]]);
});

test('many calls are not kept waiting while more are read: the others go when they are back', async () => {
  const log: { rows: number; ids: number[]; joined: boolean }[] = [];
  const batcher = new Batcher({ ...OPTIONS, maxRows: 1024, run: doubling(log) });
  const ask = (id: number): Promise<unknown> =>
    batcher.run([inputOf({ rows: 1, width: 1, poison: false }, id)], OUTPUTS);
  const answers = Array.from({ length: 15 }, (_, id) => ask(id));
  expect(log).toEqual([]);
  answers.push(ask(15));
  expect(log.map(({ rows }) => rows)).toEqual([16]);
  for (let id = 16; id < 50; id++) answers.push(ask(id));
  expect(log).toHaveLength(1);
  await Promise.all(answers);
  expect(log.map(({ rows }) => rows)).toEqual([16, 34]);
});
