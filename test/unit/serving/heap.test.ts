/** When the young generation is collected, and that it is. */
import { expect, test } from 'vitest';
import { QuietCollector, type YoungGeneration, youngGeneration } from '../../../serving/heap.ts';

interface Fake extends YoungGeneration {
  part: number;
  looks: number;
  collections: number;
}

const fake = (part: number): Fake => ({
  part,
  looks: 0,
  collections: 0,
  used() {
    this.looks++;
    return this.part;
  },
  collect() {
    this.collections++;
    this.part = 0;
  },
});

/** What was read by then is read. */
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((next) => setImmediate(next));
};

const moments = (collector: QuietCollector, count: number, isQuiet = true): void => {
  for (let each = 0; each < count; each++) collector.offer(() => isQuiet);
};

test('given a young generation that is nearly full, when nobody waits, then it is collected once', async () => {
  const young = fake(0.95);
  moments(new QuietCollector(young), 20);
  expect(young.collections).toBe(0);
  await turns(3);
  expect([young.collections, young.looks]).toEqual([1, 1]);
});

test('given one that has room, then it is left alone, and looked at now and then', async () => {
  const young = fake(0.5);
  moments(new QuietCollector(young), 80);
  await turns(3);
  expect([young.collections, young.looks]).toEqual([0, 20]);
});

test('given a request that came meanwhile, then the next quiet moment will do', async () => {
  const young = fake(0.95);
  const collector = new QuietCollector(young);
  moments(collector, 4, false);
  await turns(3);
  expect(young.collections).toBe(0);
  moments(collector, 1);
  await turns(3);
  expect(young.collections).toBe(1);
});

test('the engine’s own is emptied of what nobody holds', () => {
  const young = youngGeneration() ?? fake(0);
  expect(young).not.toHaveProperty('part');
  young.collect();
  let kept: readonly unknown[] = [];
  // Until a good part of it is in use, whatever its size is by now.
  for (let each = 0; young.used() < 0.4 && each < 10_000_000; each++) kept = Array(100).fill(each);
  const before = young.used();
  young.collect();
  expect(before).toBeGreaterThanOrEqual(0.4);
  expect(young.used()).toBeLessThan(before / 2);
  expect(kept).toHaveLength(100);
});

test('the engine leaves it to whoever asks for it, until it is full', async () => {
  const young = youngGeneration() ?? fake(0);
  expect(young).not.toHaveProperty('part');
  let kept: readonly unknown[] = [];
  for (let each = 0; young.used() < 0.85 && each < 10_000_000; each++) kept = Array(20).fill(each);
  const before = young.used();
  // In which the engine does what it has put off, and next to nothing is allocated.
  await turns(5);
  expect(before).toBeGreaterThanOrEqual(0.85);
  expect(young.used()).toBeGreaterThanOrEqual(before);
  expect(kept).toHaveLength(20);
});
