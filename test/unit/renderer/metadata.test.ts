import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParameters, writeParameters } from '../../../renderer/features/models/guess-ref.ts';
import { draftOf, readDraft } from '../../../renderer/features/models/metadata-draft.ts';

describe('what is said of a version, while it is typed', () => {
  it('is kept as it was by opening the form and closing it', () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    const value = fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(text, value), (record) => {
        // A negative zero is written as 0, as JSON does.
        const expected = Object.fromEntries(
          Object.entries(record).map(([name, given]) => [name, Object.is(given, -0) ? 0 : given]),
        );
        expect(Object.entries(parseParameters(writeParameters(expected)).values)).toEqual(
          Object.entries(expected),
        );
      }),
    );
  });
  it('takes a text that looks like a number for a text where it is quoted', () => {
    expect(parseParameters('depth = 12\nbuild = "12"\n"a = b" = true').values).toEqual({
      depth: 12,
      build: '12',
      'a = b': true,
    });
  });
  it('leaves out what nobody has said, and says “no” apart from nothing', () => {
    const draft = draftOf({});
    expect(readDraft(draft).metadata).toEqual({});
    expect(readDraft({ ...draft, permitted: false, owner: ' Blue ' }).metadata).toEqual({
      owner: 'Blue',
      permittedToDeploy: false,
    });
  });
  it('names the line it cannot read, and the figure that is none', () => {
    const draft = draftOf({});
    expect(readDraft({ ...draft, parameters: 'trees 100' })).toMatchObject({
      metadata: null,
      issues: { parameters: 'Not “name = value”: trees 100' },
    });
    expect(readDraft({ ...draft, metrics: 'auc = high' })).toMatchObject({
      metadata: null,
      issues: { metrics: 'auc is not a number.' },
    });
  });
});
