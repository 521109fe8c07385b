import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TokenFile } from '../../../serving/tokens.ts';

test('given a record whose hash begins like that of a token and ends otherwise, then it does not let the token in', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tokens-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'tokens.json');
  const now = new Date();
  const { token, record } = await new TokenFile(path).add('sensor', ['predict'], 1, now);
  const kindNow = (): string => new TokenFile(path).check(`Bearer ${token}`, ['predict'], now).kind;
  expect(kindNow()).toBe('accepted');
  const other = record.hash.slice(0, -1) + (record.hash.endsWith('0') ? '1' : '0');
  writeFileSync(path, readFileSync(path, 'utf8').replace(record.hash, other));
  expect(kindNow()).toBe('unknown');
});
