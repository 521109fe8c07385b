import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchTerms } from '../../electron/adapters/sqlite/search.ts';
import type { Store } from '../../electron/ports/stores.ts';
import { store, version } from '../support/store.ts';

describe('search', () => {
  function filled(): Store {
    const opened = store();
    opened.transaction((tx) => {
      tx.insertVersion(
        version({
          name: 'phish-url',
          version: '1.0.0',
          metadata: { owner: 'Blue Team', tags: ['mail', '100%'] },
          state: 'validated',
        }),
      );
      tx.insertVersion(
        version({ name: 'phish-url', version: '1.1.0', metadata: { tags: ['mail', 'edge'] } }),
      );
      tx.insertVersion(
        version({
          name: 'dns_tunnel',
          version: '2.0.0',
          metadata: { owner: 'Red Team' },
          digest: 'b'.repeat(64),
        }),
      );
      tx.setAlias({ name: 'phish-url', alias: 'champion', version: '1.0.0' });
    });
    return opened;
  }

  test.each([
    ['', ['dns_tunnel@2.0.0', 'phish-url@1.1.0', 'phish-url@1.0.0']],
    ['phish', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['PHISH edge', ['phish-url@1.1.0']],
    ['phish-url@1.1', ['phish-url@1.1.0']],
    ['team', ['dns_tunnel@2.0.0', 'phish-url@1.0.0']],
    ['validated', ['phish-url@1.0.0']],
    ['state:draft', ['dns_tunnel@2.0.0', 'phish-url@1.1.0']],
    ['state:draft phish', ['phish-url@1.1.0']],
    ['name:_tunnel', ['dns_tunnel@2.0.0']],
    ['name:%', []],
    ['version:1.', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['tag:mail', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['tag:mai', []],
    ['tag:100%', ['phish-url@1.0.0']],
    ['owner:"blue team"', ['phish-url@1.0.0']],
    ['alias:champion', ['phish-url@1.0.0']],
    ['digest:sha256:bbbb', ['dns_tunnel@2.0.0']],
    ['unknown:field', []],
    [`' OR 1=1 --`, []],
  ])('%j finds %j', (text, found) => {
    const { rows, total } = filled().read.search({ text, limit: 10, offset: 0 });
    expect(rows.map(({ name, version: number }) => `${name}@${number}`)).toEqual(found);
    expect(total).toBe(found.length);
  });

  test('pages through everything once, newest first', () => {
    const { read } = filled();
    const pages = [0, 1, 2, 3].map((offset) => read.search({ text: '', limit: 1, offset }));
    expect(pages.flatMap(({ rows }) => rows.map(({ version: number }) => number))).toEqual([
      '2.0.0',
      '1.1.0',
      '1.0.0',
    ]);
    expect(pages.every(({ total }) => total === 3)).toBe(true);
  });

  test('takes any text, and a version is found by each part of its own name', () => {
    const opened = filled();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const { rows, total } = opened.read.search({ text, limit: 10, offset: 0 });
        expect(rows.length).toBe(total);
        if (searchTerms(text).length === 0) expect(total).toBe(3);
      }),
    );
    fc.assert(
      fc.property(fc.nat(8), fc.integer({ min: 1, max: 9 }), (from, length) => {
        const word = 'dns_tunnel'.slice(from, from + length);
        const names = opened.read.search({ text: word, limit: 10, offset: 0 }).rows.map(({ name }) => name);
        expect(names).toContain('dns_tunnel');
      }),
    );
  });
});
