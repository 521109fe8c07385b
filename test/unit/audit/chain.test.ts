import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MAX_LINE } from '../../../electron/adapters/vault/read-lines.ts';
import {
  hashOfLine,
  makeEntry,
  parseLine,
  type SealedEntry,
  verifyChain,
  ZERO_HASH,
} from '../../../shared/domain/audit/chain.ts';
import { type AuditEntry, type AuditHead, MAX_ENTRY_BYTES } from '../../../shared/domain/audit/entry.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

function chainOf(count: number): SealedEntry[] {
  const sealed: SealedEntry[] = [];
  let head: AuditHead | null = null;
  for (let at = 1; at <= count; at++) {
    const next: SealedEntry = makeEntry(
      head,
      {
        at: `2026-01-01T00:00:${String(at % 60).padStart(2, '0')}.000Z`,
        actor: 'ada',
        action: 'model.added',
        subject: `phish@1.${at}.0`,
        details: { n: at },
      },
      sha256,
    );
    sealed.push(next);
    head = { seq: next.entry.seq, hash: next.entry.hash };
  }
  return sealed;
}

const entries = chainOf(9).map(({ entry }) => entry);
const head: AuditHead = { seq: 9, hash: entries[8]?.hash ?? '' };
const problems = (chain: readonly AuditEntry[], witness: AuditHead | null = null) =>
  verifyChain(chain, sha256, witness).problems;

/** The entry as an attacker writes it who knows how hashes are made. */
function resealed(entry: AuditEntry, change: Partial<AuditEntry>): AuditEntry {
  const { hash: _hash, ...rest } = { ...entry, ...change };
  return makeEntry({ seq: rest.seq - 1, hash: rest.previous }, rest, sha256).entry;
}

describe('the audit chain', () => {
  it('begins with zeros, and each entry names the one before', () => {
    expect(entries[0]?.previous).toBe(ZERO_HASH);
    expect(entries[4]?.previous).toBe(entries[3]?.hash);
  });

  it('hashes the bytes of the line, which anybody can hash', () => {
    const [first] = chainOf(1);
    expect(first?.line).toBe(
      `{"action":"model.added","actor":"ada","at":"2026-01-01T00:00:01.000Z","details":{"n":1},"previous":"${ZERO_HASH}","seq":1,"subject":"phish@1.1.0"}`,
    );
    expect(
      createHash('sha256')
        .update(first?.line ?? '', 'utf8')
        .digest('hex'),
    ).toBe(first?.entry.hash);
    expect(hashOfLine(first?.line ?? '', sha256)).toBe(first?.entry.hash);
  });

  it('holds, with and without a witness, and when it went on after the witness', () => {
    expect(verifyChain(entries, sha256, head)).toEqual({ problems: [], entries: 9, head });
    expect(problems(entries)).toEqual([]);
    expect(problems(entries, { seq: 4, hash: entries[3]?.hash ?? '' })).toEqual([]);
    expect(verifyChain([], sha256)).toEqual({ problems: [], entries: 0, head: null });
  });

  it('given an edited entry, it is named', () => {
    const edited = entries.with(4, { ...(entries[4] as AuditEntry), actor: 'eve' });
    expect(problems(edited, head)).toEqual([{ seq: 5, problem: expect.stringContaining('edited') }]);
  });

  it('given an edited and rehashed entry, its successor no longer follows', () => {
    const edited = entries.with(4, resealed(entries[4] as AuditEntry, { actor: 'eve' }));
    expect(problems(edited, head)).toEqual([
      { seq: 6, problem: expect.stringContaining('does not follow entry 5') },
    ]);
  });

  it('given a chain rewritten to its end, only the witness tells', () => {
    let previous = entries[3]?.hash ?? '';
    const rewritten = entries.map((entry, at) => {
      if (at < 4) return entry;
      const next = resealed(entry, { actor: 'eve', previous });
      previous = next.hash;
      return next;
    });
    expect(problems(rewritten)).toEqual([]);
    expect(problems(rewritten, head)).toEqual([{ seq: 9, problem: expect.stringContaining('rewritten') }]);
  });

  it('given a deleted entry, the gap is named', () => {
    expect(problems(entries.toSpliced(4, 1), head)[0]).toEqual({
      seq: 5,
      problem: 'entry 5 is missing before entry 6',
    });
    expect(problems(entries.toSpliced(0, 2), head)[0]).toEqual({
      seq: 1,
      problem: 'entries 1 to 2 are missing before entry 3',
    });
  });

  it('given an inserted or swapped entry, the first one out of place is named', () => {
    const extra = resealed(entries[3] as AuditEntry, { subject: 'evil@1.0.0' });
    expect(problems(entries.toSpliced(4, 0, extra), head)[0]).toEqual({
      seq: 4,
      problem: expect.stringContaining('inserted or moved'),
    });
    const swapped = entries.with(4, entries[5] as AuditEntry).with(5, entries[4] as AuditEntry);
    expect(problems(swapped, head)[0]?.seq).toBe(5);
  });

  it('given an old entry repeated at the end, only that is wrong, and the head stays', () => {
    const result = verifyChain([...entries, entries[2] as AuditEntry], sha256, head);
    expect(result).toMatchObject({ head, problems: [{ seq: 3 }] });
    expect(result.problems).toHaveLength(1);
  });

  it('given a cut-off end, the witness tells how much is missing', () => {
    expect(problems(entries.slice(0, 6))).toEqual([]);
    expect(problems(entries.slice(0, 6), head)).toEqual([
      { seq: 7, problem: expect.stringContaining('entries 7 to 9 are missing at the end') },
    ]);
    expect(problems([], head)[0]?.seq).toBe(1);
  });

  it('takes no entry that no reader of an export would take', () => {
    const draft = { at: '', actor: 'ada', action: 'model.described', subject: 'x' } as const;
    const made = (length: number) =>
      makeEntry(null, { ...draft, details: { text: 'ä'.repeat(length) } }, sha256);
    expect(made(MAX_ENTRY_BYTES / 2 - 1000).line).toContain('ä');
    expect(() => made(MAX_ENTRY_BYTES / 2)).toThrowError(expect.objectContaining({ code: 'input.invalid' }));
    expect(MAX_ENTRY_BYTES).toBeLessThan(MAX_LINE);
  });

  it('reads its own lines back, and only in their canonical form', () => {
    for (const { entry, line } of chainOf(3)) expect(parseLine(line, sha256)).toEqual(entry);
    const [first] = chainOf(1);
    const line = first?.line ?? '';
    for (const changed of [
      ` ${line}`,
      line.replace('"ada"', '"\\u0061da"'),
      `${line.slice(0, -1)},"x":1}`,
      '{}',
      'no',
    ]) {
      expect(() => parseLine(changed, sha256)).toThrowError(
        expect.objectContaining({ code: 'integrity.audit' }),
      );
    }
  });
});
