import { describe, expect, test } from 'vitest';
import { mapColumns } from '../../../shared/domain/model/feature-columns.ts';

const file = (names: string, named = true) => ({
  columns: names.split(' ').map((name) => ({ name })),
  named,
});
const guessed = { labelled: true, labelColumn: null, columns: null };
const unlabelled = { ...guessed, labelled: false };

describe('which columns feed a model', () => {
  test("those of equal names, in the model's order", () => {
    expect(mapColumns({ names: ['b', 'a'], width: 2 }, file('a x b label'), guessed)).toEqual({
      columns: ['b', 'a'],
      labelColumn: 'label',
      ignored: ['x'],
    });
  });

  test('those a person mapped, equal names for the rest; one column may feed two features', () => {
    const choice = { ...guessed, labelColumn: 'truth', columns: { a: 'first', c: 'first', unknown: 'x' } };
    expect(mapColumns({ names: ['a', 'b', 'c'], width: null }, file('first b truth'), choice)).toEqual({
      columns: ['first', 'b', 'first'],
      labelColumn: 'truth',
      ignored: [],
    });
  });

  test('by position where the model or the file has no names', () => {
    expect(mapColumns({ names: null, width: 2 }, file('label p q r'), guessed).columns).toEqual(['p', 'q']);
    expect(
      mapColumns({ names: ['a', 'b'], width: 2 }, file('column_1 column_2 label', false), guessed).columns,
    ).toEqual(['column_1', 'column_2']);
  });

  test('without truth a column that looks like one is left out, unless the model needs them all', () => {
    const model = { names: null, width: 2 };
    expect(mapColumns(model, file('p label q'), unlabelled)).toEqual({
      columns: ['p', 'q'],
      labelColumn: null,
      ignored: ['label'],
    });
    expect(mapColumns(model, file('p y'), unlabelled).columns).toEqual(['p', 'y']);
    expect(mapColumns({ names: ['y'], width: 1 }, file('p y'), unlabelled).columns).toEqual(['y']);
  });

  test.each([
    [
      'a mapping to a column that is not there',
      { names: ['a'], width: 1 },
      file('a label'),
      { ...guessed, columns: { a: 'z' } },
      'dataset.columns',
    ],
    [
      'a mapping to the label',
      { names: ['a'], width: 1 },
      file('a label'),
      { ...guessed, columns: { a: 'label' } },
      'dataset.columns',
    ],
    ['too few columns', { names: null, width: 3 }, file('a b label'), guessed, 'dataset.columns'],
    [
      'too few of a file without names',
      { names: ['a', 'b', 'c'], width: 3 },
      file('x y', false),
      unlabelled,
      'dataset.columns',
    ],
    ['a column twice', { names: ['a'], width: 1 }, file('a a label'), guessed, 'dataset.columns'],
    ['no label', { names: ['a'], width: 1 }, file('a b'), guessed, 'dataset.label-missing'],
    [
      "a prototype's name as a feature",
      { names: ['constructor'], width: 1 },
      file('a label'),
      { ...guessed, columns: {} },
      'dataset.columns',
    ],
  ] as const)('refused: %s', (_, model, columns, choice, code) => {
    expect(() => mapColumns(model, columns, choice)).toThrow(expect.objectContaining({ code }));
  });
});
