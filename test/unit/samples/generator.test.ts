import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { scoreBoosting, trainBoosting } from '../../../resources/samples/generator/boosting.ts';
import { treesToOnnx } from '../../../resources/samples/generator/detectors.ts';
import { FAMILIES } from '../../../resources/samples/generator/families.ts';
import { extractFeatures, FEATURE_NAMES } from '../../../resources/samples/generator/features.ts';
import { type Matrix, scoreLogistic, trainLogistic } from '../../../resources/samples/generator/logistic.ts';
import { rocAuc } from '../../../resources/samples/generator/measure.ts';
import { exp, log2 } from '../../../resources/samples/generator/numeric.ts';
import { buildOnnxModel } from '../../../resources/samples/generator/onnx.ts';
import { Random } from '../../../resources/samples/generator/random.ts';
import '../../../shared/node/onnx/no-telemetry.ts';

const scratch = mkdtempSync(join(tmpdir(), 'samples-generator-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const generator = fileURLToPath(new URL('../../../resources/samples/generator/generate.ts', import.meta.url));

const feature = (url: string, name: string): number | undefined =>
  extractFeatures(url)[FEATURE_NAMES.indexOf(name)];

/** Rows of uniform values with the label that `rule` gives them. */
function synthetic(
  rows: number,
  columns: number,
  rule: (row: readonly number[]) => boolean,
): { x: Matrix; labels: Uint8Array } {
  const random = new Random('synthetic');
  const data = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => Math.fround(2 * random.unit() - 1)),
  );
  return {
    x: { rows, columns, values: Float32Array.from(data.flat()) },
    labels: Uint8Array.from(data, (row) => (rule(row) ? 1 : 0)),
  };
}
const accuracy = (scores: Float64Array, labels: Uint8Array): number =>
  labels.filter((label, i) => label === ((scores[i] ?? 0) >= 0.5 ? 1 : 0)).length / labels.length;

describe('deterministic arithmetic', () => {
  it('exp agrees with Math.exp to 1e-14, relatively', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -600, max: 600, noNaN: true }),
        (x) => Math.abs(exp(x) / Math.exp(x) - 1) < 1e-14,
      ),
    );
  });

  it('log2 agrees with Math.log2 to 1e-14, and is exact on powers of two', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
        (x) => Math.abs(log2(x) - Math.log2(x)) <= 1e-14 * Math.max(1, Math.abs(Math.log2(x))),
      ),
    );
    for (let k = -20; k <= 20; k++) expect(log2(2 ** k)).toBe(k);
  });

  it('a stream depends on its name alone', () => {
    const draw = (name: string): number[] => {
      const r = new Random(name);
      return Array.from({ length: 5 }, () => r.uint32());
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
  });
});

describe('features', () => {
  it('read what the URL says', () => {
    expect(feature('http://203.0.113.7:8080/login', 'has_ip')).toBe(1);
    expect(feature('http://203.0.113.7:8080/login', 'has_port')).toBe(1);
    expect(feature('https://quorvia.example@evil.test/', 'has_at')).toBe(1);
    expect(feature('https://quorvia.example@evil.test/', 'brand_outside_domain')).toBe(1);
    expect(feature('https://www.quorvia.example/', 'brand_outside_domain')).toBe(0);
    expect(feature('https://www.quorvia.example/', 'brand_domain')).toBe(1);
    expect(feature('https://www.quorvla.example/', 'brand_distance')).toBe(1);
    expect(feature('https://a.b.quorvia.shop.example/', 'subdomains')).toBe(2);
    expect(
      feature('https://quorvia.example/out?url=https%3A%2F%2Fx.xyz.test%2Flogin', 'redirect_target'),
    ).toBe(1);
    expect(feature('https://quorvia.example/out?url=https%3A%2F%2Fx.xyz.test%2Flogin', 'target_risk')).toBe(
      0.9,
    );
    expect(feature('https://quorvia.example/out?url=winter', 'redirect_target')).toBe(0);
    expect(feature('https://quorvia.example/account/login', 'suspicious_words')).toBe(2);
    expect(feature('https://aabb.test/', 'host_entropy')).toBe(2.503);
  });

  it('refuse what is no URL', () => {
    expect(() => extractFeatures('quorvia.example')).toThrow(RangeError);
  });

  it('are finite and short for every family', () => {
    const random = new Random('every family');
    for (const family of FAMILIES) {
      for (let i = 0; i < 200; i++) {
        const values = extractFeatures(family.make(random));
        expect(values.length).toBe(FEATURE_NAMES.length);
        for (const value of values) expect(String(value)).toMatch(/^\d+(?:\.\d{1,3})?$/);
      }
    }
  });
});

describe('trainers', () => {
  it('logistic regression finds a plane', () => {
    const { x, labels } = synthetic(2000, 3, ([a = 0, b = 0]) => a + 2 * b > 0.1);
    const model = trainLogistic(x, labels, { iterations: 500, learningRate: 0.5, l2: 0 });
    expect(accuracy(scoreLogistic(model, x), labels)).toBeGreaterThan(0.99);
    // The third column has no say.
    expect(Math.abs(model.weights[2] ?? 9)).toBeLessThan(0.05 * Math.abs(model.weights[1] ?? 0));
  });

  it('boosted trees find an exclusive or, which no plane separates', () => {
    const { x, labels } = synthetic(2000, 2, ([a = 0, b = 0]) => a > 0 !== b > 0);
    const trees = trainBoosting(x, labels, {
      trees: 40,
      depth: 3,
      learningRate: 0.3,
      minimumLeaf: 5,
      l2: 1,
      bins: 64,
    });
    expect(accuracy(scoreBoosting(trees, x), labels)).toBeGreaterThan(0.97);
    const plane = trainLogistic(x, labels, { iterations: 200, learningRate: 0.5, l2: 0 });
    expect(accuracy(scoreLogistic(plane, x), labels)).toBeLessThan(0.6);
  });

  it('refuse rows of one class', () => {
    const { x } = synthetic(50, 2, () => true);
    expect(() =>
      trainBoosting(x, new Uint8Array(50), {
        trees: 1,
        depth: 1,
        learningRate: 1,
        minimumLeaf: 1,
        l2: 1,
        bins: 8,
      }),
    ).toThrow(/both classes/);
  });

  it('trees in onnxruntime answer as our own, for unbalanced classes too', async () => {
    for (const cut of [-0.8, 0, 0.8]) {
      const { x, labels } = synthetic(600, 3, ([a = 0, b = 0]) => a * b + a > cut);
      const trees = trainBoosting(x, labels, {
        trees: 12,
        depth: 3,
        learningRate: 0.4,
        minimumLeaf: 5,
        l2: 1,
        bins: 32,
      });
      const session = await InferenceSession.create(treesToOnnx(trees, '', ['a', 'b', 'c']));
      const out = await session.run({ features: new Tensor('float32', x.values, [x.rows, 3]) });
      const probabilities = out.probabilities?.data as Float32Array;
      const answered = Array.from(out.label?.data as BigInt64Array, Number);
      scoreBoosting(trees, x).forEach((p, i) => {
        expect(Math.abs(p - (probabilities[2 * i + 1] ?? Number.NaN))).toBeLessThan(1e-5);
        expect(answered[i]).toBe(p >= 0.5 ? 1 : 0);
      });
    }
  });
});

describe('rocAuc', () => {
  it('is the share of pairs in order, ties counted half', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 2, maxLength: 40 }),
        (rows) => {
          const positives = rows.filter(([, label]) => label);
          const negatives = rows.filter(([, label]) => !label);
          fc.pre(positives.length > 0 && negatives.length > 0);
          let won = 0;
          for (const [p] of positives) for (const [n] of negatives) won += p > n ? 1 : p === n ? 0.5 : 0;
          const auc = rocAuc(
            Float64Array.from(rows, ([score]) => score),
            Uint8Array.from(rows, ([, label]) => (label ? 1 : 0)),
          );
          expect(auc).toBeCloseTo(won / (positives.length * negatives.length), 12);
        },
      ),
    );
  });
});

describe('buildOnnxModel', () => {
  it('refuses a tensor whose values do not fill its shape', () => {
    expect(() =>
      buildOnnxModel({
        graphName: 'g',
        doc: '',
        producer: 'p',
        producerVersion: '1',
        opsets: [{ domain: '', version: 17 }],
        inputs: [],
        outputs: [],
        nodes: [],
        initializers: [{ name: 'w', dims: [2, 2], data: new Float32Array(3) }],
      }),
    ).toThrow(/3 values for a shape of 4/);
  });
});

describe('the command', () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [generator, '--out', scratch, ...args], { encoding: 'utf8' }).trim();

  it('--size-mb writes a model of that size that loads and answers', async () => {
    const path = run('--size-mb', '3');
    expect(Math.abs(statSync(path).size / 2 ** 20 - 3)).toBeLessThan(0.3);
    const session = await InferenceSession.create(readFileSync(path));
    const rows = 4;
    const out = await session.run({
      features: new Tensor('float32', new Float32Array(rows * FEATURE_NAMES.length).fill(0.5), [
        rows,
        FEATURE_NAMES.length,
      ]),
    });
    expect(out.label?.dims).toEqual([rows]);
    expect(out.probabilities?.dims).toEqual([rows, 2]);
    expect(Array.from(out.probabilities?.data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  it('--rows writes that many labelled rows', () => {
    const lines = readFileSync(run('--rows', '12345'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.length).toBe(12346);
    expect(lines[0]).toBe([...FEATURE_NAMES, 'url', 'family', 'label'].join(','));
    expect(new Set(lines.slice(1).map((line) => line.split(',').length))).toEqual(
      new Set([FEATURE_NAMES.length + 3]),
    );
  });

  it.each([
    ['--size-mb', '0'],
    ['--size-mb', 'many'],
    ['--rows', '-5'],
    ['--rows', '1.5'],
    ['--size-mb', '5000'],
  ])('refuses %s %s with exit code 2', (flag, value) => {
    const result = spawnSync(process.execPath, [generator, '--out', scratch, `${flag}=${value}`], {
      encoding: 'utf8',
    });
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/whole number/);
  });
});
