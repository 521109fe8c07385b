import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AnswersWriter,
  joinAnswers,
  NO_ANSWER,
  readAnswers,
} from '../../../shared/domain/evidence/answers.ts';

/** Written by numpy 2 from a structured array with the same fields. */
const fixture = new Uint8Array(
  readFileSync(join(import.meta.dirname, '../../fixtures/evidence/answers-numpy.npy')),
);

describe('answers to every row', () => {
  it('are the bytes numpy writes', () => {
    const writer = new AnswersWriter(2);
    writer.add({
      rowNumbers: Uint32Array.of(1, 2),
      labels: Uint8Array.of(1, 0),
      models: [
        { predicted: Uint8Array.of(1, 1), scores: Float32Array.of(0.5, 0.25) },
        { predicted: Uint8Array.of(0, 0), scores: Float32Array.of(1e-3, 3.5) },
      ],
    });
    writer.add({
      rowNumbers: Uint32Array.of(70_000),
      labels: null,
      models: [
        { predicted: Uint8Array.of(0), scores: Float32Array.of(-1.5) },
        { predicted: null, scores: null },
      ],
    });
    expect([...writer.file()]).toEqual([...fixture]);
  });

  it('are read from what numpy wrote', () => {
    const answers = readAnswers(fixture);
    expect([...answers.rowNumbers]).toEqual([1, 2, 70_000]);
    expect([...answers.labels]).toEqual([1, 0, NO_ANSWER]);
    expect([...(answers.models[1]?.predicted ?? [])]).toEqual([0, 0, NO_ANSWER]);
    expect(answers.models[1]?.scores[2]).toBeNaN();
  });

  it('property: read as written, however they came in batches', () => {
    const batch = (models: number) =>
      fc.nat({ max: 40 }).chain((rows) =>
        fc.record({
          rowNumbers: fc.uint32Array({ minLength: rows, maxLength: rows }),
          labels: fc.option(fc.uint8Array({ minLength: rows, maxLength: rows })),
          models: fc.array(
            fc.record({
              predicted: fc.uint8Array({ minLength: rows, maxLength: rows }),
              scores: fc.float32Array({ minLength: rows, maxLength: rows }),
            }),
            { minLength: models, maxLength: models },
          ),
        }),
      );
    const run = fc
      .integer({ min: 1, max: 8 })
      .chain((models) => fc.tuple(fc.constant(models), fc.array(batch(models))));
    fc.assert(
      fc.property(run, ([models, batches]) => {
        const writer = new AnswersWriter(models);
        for (const each of batches) writer.add(each);
        const answers = readAnswers(writer.file());
        expect(answers.rows).toBe(writer.rows);
        expect([...answers.rowNumbers]).toEqual(batches.flatMap(({ rowNumbers }) => [...rowNumbers]));
        expect([...answers.labels]).toEqual(
          batches.flatMap(({ labels, rowNumbers }) => [
            ...(labels ?? new Uint8Array(rowNumbers.length).fill(255)),
          ]),
        );
        for (let model = 0; model < models; model++)
          expect([...(answers.models[model]?.scores ?? [])]).toEqual(
            batches.flatMap((each) => [...(each.models[model]?.scores ?? [])]),
          );
      }),
    );
  });

  it('property: a file with any byte of its header changed, cut or extended is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Uint8Array.from(fixture);
        changed[at] = ((changed[at] ?? 0) + by) & 0xff;
        expect(() => readAnswers(changed)).toThrow(expect.objectContaining({ code: 'integrity.artifact' }));
      }),
    );
    for (const cut of [0, 9, 10, 100, fixture.length - 1])
      expect(() => readAnswers(fixture.subarray(0, cut))).toThrow(
        expect.objectContaining({ code: 'integrity.artifact' }),
      );
    expect(() => readAnswers(Uint8Array.of(...fixture, 0))).toThrow();
  });

  it('property: files joined are the file that would have been written at once', () => {
    const sizes = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 3 }), (counts, models) => {
        const whole = new AnswersWriter(models);
        let row = 0;
        const parts = counts.map((count) => {
          const part = new AnswersWriter(models);
          const rowNumbers = Uint32Array.from({ length: count }, () => ++row);
          const answer = {
            predicted: Uint8Array.from(rowNumbers, (number) => number & 1),
            scores: Float32Array.from(rowNumbers, (number) => number / 7),
          };
          const batch = { rowNumbers, labels: null, models: Array.from({ length: models }, () => answer) };
          whole.add(batch);
          part.add(batch);
          return part.file();
        });
        expect(joinAnswers(models, parts)).toEqual(whole.file());
      }),
    );
    expect(() => joinAnswers(1, [fixture])).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
