/** Scores as callers see them: rounded or noisy, and never against their label. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScoreGuard, type ScoresConfig, type ScoreTensor } from '../../serving/guard/scores.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { temporaryDirectory } from '../support/temp.ts';

const CLASSIFIER: OutputMapping = {
  kind: 'classifier',
  input: 'x',
  labelOutput: 'label',
  scoreOutput: 'score',
  scoreColumn: 1,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
};
const ANOMALY: OutputMapping = {
  ...CLASSIFIER,
  kind: 'anomaly',
  labelOutput: null,
  scoreColumn: 0,
  threshold: 0.7,
  lowerIsPositive: true,
};
const KEY = 'a key of at least thirty-two characters';

async function guard(config: { round?: number; scale?: number; key?: string }): Promise<ScoreGuard> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'noise.key'), config.key ?? KEY, { mode: 0o600 });
  const made = await ScoreGuard.open(
    {
      ...(config.round === undefined ? {} : { round: config.round }),
      ...(config.scale === undefined ? {} : { noise: { scale: config.scale, key: { file: 'noise.key' } } }),
    } satisfies ScoresConfig,
    directory,
  );
  if (!made) throw new Error('nothing is guarded');
  return made;
}

const tensor = (name: string, columns: number, data: readonly number[]): ScoreTensor => ({
  name,
  type: 'float32',
  dims: columns === 0 ? [data.length] : [data.length / columns, columns],
  data: Float32Array.from(data),
});
const show = (
  by: ScoreGuard,
  mapping: OutputMapping,
  rows: readonly number[],
  output: ScoreTensor,
  digest = 'd',
) =>
  by
    .shown({ digest, mapping }, [tensor('x', 1, rows)], [output])
    .map((each) => Array.from(each.data as Float32Array, (value) => Math.round(value * 1e6) / 1e6))[0];

describe('rounding', () => {
  test('shows as many places as it says, and no label on the wrong side of its threshold', async () => {
    const two = await guard({ round: 2 });
    const rows = [1, 2, 3];
    expect(show(two, ANOMALY, rows, tensor('score', 0, [0.123456, 0.69999, 0.70001]))).toEqual([
      0.12, 0.7, 0.71,
    ]);
    expect(show(two, CLASSIFIER, [1, 2], tensor('score', 2, [0.4967, 0.5033, 0.503, 0.497]))).toEqual([
      0.49, 0.51, 0.51, 0.49,
    ]);
    expect(show(two, CLASSIFIER, [1], tensor('score', 3, [0.3341, 0.3338, 0.3321]))).toEqual([
      0.34, 0.33, 0.33,
    ]);
  });

  test('leaves what is no score: labels, text, and a number that is none', async () => {
    const one = await guard({ round: 1 });
    const label: ScoreTensor = { name: 'label', type: 'int64', dims: [1], data: BigInt64Array.of(3n) };
    const text: ScoreTensor = { name: 'class', type: 'string', dims: [1], data: ['benign'] };
    expect(one.shown({ digest: 'd', mapping: CLASSIFIER }, [tensor('x', 1, [1])], [label, text])).toEqual([
      label,
      text,
    ]);
    expect(show(one, ANOMALY, [1], tensor('score', 0, [Number.NaN]))).toEqual([Number.NaN]);
  });

  test('takes 16-bit floats for what they are', async () => {
    const one = await guard({ round: 1 });
    const bits = new Uint16Array(Float16Array.of(0.234, 0.91).buffer);
    const [shown] = one.shown(
      { digest: 'd', mapping: ANOMALY },
      [tensor('x', 1, [1, 2])],
      [{ name: 'score', type: 'float16', dims: [2], data: bits }],
    );
    expect(shown?.data).toBeInstanceOf(Uint16Array);
    expect(
      Array.from(new Float16Array((shown as { data: Uint16Array }).data.buffer), (value) => value.toFixed(2)),
    ).toEqual(['0.20', '0.90']);
  });
});

describe('noise', () => {
  test('is the same for the same row whenever and wherever in a call it is asked, so that nothing can be averaged', async () => {
    const by = await guard({ scale: 0.05 });
    const again = await guard({ scale: 0.05 });
    const [alone] = show(by, ANOMALY, [7], tensor('score', 0, [0.4])) ?? [];
    expect(alone).not.toBe(0.4);
    expect(Math.abs((alone ?? 0) - 0.4)).toBeLessThanOrEqual(0.05);
    const among = show(again, ANOMALY, [1, 7, 7], tensor('score', 0, [0.4, 0.4, 0.4])) ?? [];
    expect(among.slice(1)).toEqual([alone, alone]);
    expect(among[0]).not.toBe(alone);
    // −0 and 0 are the same to a model.
    expect(show(by, ANOMALY, [-0], tensor('score', 0, [0.4]))).toEqual(
      show(by, ANOMALY, [0], tensor('score', 0, [0.4])),
    );
  });

  test('is another one under another key, and for another version', async () => {
    const output = tensor('score', 0, [0.4]);
    const one = show(await guard({ scale: 0.05 }), ANOMALY, [7], output);
    expect(show(await guard({ scale: 0.05, key: `${KEY}!` }), ANOMALY, [7], output)).not.toEqual(one);
    expect(show(await guard({ scale: 0.05 }), ANOMALY, [7], output, 'e')).not.toEqual(one);
  });

  test('is spread evenly about the true score', async () => {
    const by = await guard({ scale: 0.1 });
    const rows = Array.from({ length: 2000 }, (_, row) => row);
    const shown =
      show(
        by,
        ANOMALY,
        rows,
        tensor(
          'score',
          0,
          rows.map(() => 0.3),
        ),
      ) ?? [];
    const mean = shown.reduce((sum, value) => sum + value, 0) / shown.length;
    // The standard deviation of the mean is 0.1 / √3 / √2000 = 0.0013.
    expect(Math.abs(mean - 0.3)).toBeLessThan(0.007);
    expect(shown.filter((value) => value < 0.25).length).toBeGreaterThan(350);
  });
});

test('whatever the score, threshold, places and noise, the shown score is on its label’s side and within bounds', async () => {
  const guards = await Promise.all([
    guard({ round: 0 }),
    guard({ round: 2 }),
    guard({ scale: 0.2 }),
    guard({ round: 1, scale: 0.3 }),
  ]);
  const probability = fc.float({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.constantFrom(...guards),
      probability,
      fc.double({ min: Math.fround(0.01), max: 0.99, noNaN: true }),
      fc.boolean(),
      fc.float({ noNaN: true }),
      (by, score, threshold, lowerIsPositive, row) => {
        const mapping = { ...ANOMALY, threshold, lowerIsPositive };
        const data = (columns: number, values: number[]) =>
          by.shown(
            { digest: 'd', mapping: columns === 0 ? mapping : CLASSIFIER },
            [tensor('x', 1, [row])],
            [tensor('score', columns, values)],
          )[0]?.data as Float32Array;
        const positive = (value: number) => (lowerIsPositive ? value <= threshold : value >= threshold);
        const [single = Number.NaN] = data(0, [score]);
        expect(positive(single)).toBe(positive(score));
        expect(single).toBeGreaterThanOrEqual(0);
        expect(single).toBeLessThanOrEqual(1);
        const [no = 0, yes = 0] = data(2, [1 - score, score]);
        expect(Math.sign(yes - no)).toBe(Math.sign(Math.fround(score) - Math.fround(1 - score)));
        expect(no + yes).toBeCloseTo(1, 6);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a key that is too short to be one stops the agent', async () => {
  await expect(guard({ scale: 0.1, key: 'short' })).rejects.toMatchObject({ code: 'usage' });
});
