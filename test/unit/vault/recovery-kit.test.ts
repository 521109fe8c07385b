import { expect, test } from 'vitest';
import {
  normalizeRecoveryKey,
  recoveryKeyGroups,
  renderRecoveryKit,
} from '../../../shared/domain/vault/recovery-kit.ts';
import { rekeySummary } from '../../../shared/domain/vault/rekey-words.ts';

const KEY = `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`;
const KIT = {
  vaultId: 'ab'.repeat(16),
  path: `/home/o'hara/<vault> & "more"`,
  recoveryKey: KEY,
  recoveryRecipient: 'age1publichalf',
  vaultCreatedAt: '2026-01-01T00:00:00.000Z',
  madeAt: '2026-02-01T00:00:00.000Z',
};

test('a key in groups of four is the same key when it is typed with spaces, line ends and small letters', () => {
  const groups = recoveryKeyGroups(KEY);
  expect(groups.join('')).toBe(KEY);
  expect(groups[0]).toBe(KEY.slice(0, 18));
  for (const group of groups.slice(1)) expect(group).toHaveLength(4);
  expect(normalizeRecoveryKey(`  ${groups.join(' ').toLowerCase()}\n`)).toBe(KEY);
  expect(normalizeRecoveryKey(groups.join('\n'))).toBe(KEY);
});

test('the kit is one page by itself: nothing is loaded, nothing runs', () => {
  const html = renderRecoveryKit(KIT);
  expect(html).toContain(`default-src 'none'`);
  expect(html).not.toMatch(/<script|<img|<link|<iframe|src=|href=|url\(|@import/i);
  // Other people's words are text, also in the places where a shell reads them.
  expect(html).not.toContain('<vault>');
  expect(html).toContain('&lt;vault&gt; &amp; &quot;more&quot;');
});

test('the kit holds the key once, in one piece for who copies it, and says which vault and what to do', () => {
  const html = renderRecoveryKit(KIT);
  const text = html.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<[^>]+>/g, '');
  expect(text.split(KEY)).toHaveLength(2);
  for (const words of [
    KIT.vaultId,
    KIT.recoveryRecipient,
    'sallyport recover',
    'age -d -i key.txt',
    'PRAGMA key',
  ])
    expect(text).toContain(words);
});

test('a plain rekey says that file keys are unchanged, a full one does not claim what old copies are', () => {
  const plain = rekeySummary({ artifacts: 3, full: false }).join(' ');
  expect(plain).toContain('file keys of artifacts are unchanged');
  expect(plain).toContain('whoever had the old keys and an old copy of a file can still read that copy');
  expect(plain).not.toContain('encrypted again, each');
  const full = rekeySummary({ artifacts: 1, full: true, damaged: 2 }).join(' ');
  expect(full).toContain('1 stored file encrypted again');
  expect(full).toContain('2 stored files were damaged');
  for (const said of [plain, full])
    expect(said).toContain('backups made before open with the keys of their time');
});
