import { describe, expect, it } from 'vitest';
import { AUDIT_FIELDS, parseAuditQuery } from '../../../shared/domain/audit/query.ts';

describe('a query of the audit log', () => {
  it('is fields and words, all of which must hold', () => {
    expect(parseAuditQuery('actor:ada action:model.* subject:phish-url "blue team" -rows')).toEqual({
      terms: [
        { negated: false, condition: { kind: 'actor', text: 'ada', begins: false } },
        { negated: false, condition: { kind: 'action', text: 'model.', begins: true } },
        { negated: false, condition: { kind: 'words', field: 'subject', text: 'phish-url', whole: false } },
        { negated: false, condition: { kind: 'words', field: null, text: 'blue team', whole: true } },
        { negated: true, condition: { kind: 'words', field: null, text: 'rows', whole: false } },
      ],
      after: null,
      before: null,
    });
  });

  it('has one span of time: the narrowest of those given', () => {
    expect(parseAuditQuery('after:2026-01 after:2026-01-15 before:2026-03 before:2026-02-01T10:30Z')).toEqual(
      {
        terms: [],
        after: '2026-01-15',
        before: '2026-02-01T10:30Z',
      },
    );
  });

  it('takes a colon that follows no field for a part of the word', () => {
    expect(parseAuditQuery('sha256:9f86').terms[0]?.condition).toMatchObject({ text: 'sha256:9f86' });
    expect(parseAuditQuery('  ').terms).toEqual([]);
  });

  it.each([
    ['actor:', 'nothing after actor'],
    ['action:model.flown', 'no action is called so'],
    ['action:flown.*', 'no action is called so'],
    ['after:yesterday', 'no year, month'],
    ['before:2026-13', 'no year, month'],
    ['-after:2026', 'instead of the minus'],
    ['---', 'no letter or digit'],
    ['subject:"…"', 'no letter or digit'],
  ])('%s is refused, and says why', (text, why) => {
    expect(() => parseAuditQuery(text)).toThrowError(
      expect.objectContaining({ code: 'input.invalid', message: expect.stringContaining(why) }),
    );
  });

  it('knows every example of its own help', () => {
    for (const { example } of AUDIT_FIELDS) expect(() => parseAuditQuery(example)).not.toThrow();
  });
});
