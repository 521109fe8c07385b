import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');

/** Cells of the tables that name tests, by row; the head of each says where. */
const rows = text
  .split('\n\n')
  .map((block) => block.split('\n').filter((line) => line.startsWith('|')))
  .filter(([head]) => head?.includes('shown by'))
  .flatMap(([head = '', , ...lines]) => {
    const names = cellsOf(head);
    return lines.map((line) => {
      const cells = cellsOf(line);
      return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
    });
  });

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe('the threat model', () => {
  it('says for each threat what is done, what shows it and what is not covered', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const row of rows)
      for (const name of ['threat', 'control', 'shown by', 'not covered'])
        expect(row[name], `${row.threat}: ${name}`).not.toBe('');
  });

  it('names tests that exist', () => {
    for (const row of rows) {
      const named = [...(row['shown by'] ?? '').matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1] ?? '');
      expect(named.length, row.threat).toBeGreaterThan(0);
      expect(
        named.filter((path) => !path.endsWith('.test.ts') || !existsSync(join(ROOT, path))),
        row.threat,
      ).toEqual([]);
    }
  });

  it('has all ten of OWASP, and ids in the form of ATLAS', () => {
    const ids = rows.flatMap((row) => (row.id ?? '').split(', ').filter((id) => id !== ''));
    for (const id of ids) expect(id).toMatch(/^(AML\.T\d{4}(\.\d{3})?|ML(0[1-9]|10))$/);
    const owasp = Array.from({ length: 10 }, (_, index) => `ML${String(index + 1).padStart(2, '0')}`);
    expect(owasp.filter((id) => !ids.includes(id))).toEqual([]);
  });
});
