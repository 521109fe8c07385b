/** One pass over a log, from a database or a file: everything that is judged afterwards is gathered here. */
import { type HashFunction, toHex } from './bytes.ts';
import { ChainVerifier, parseLine, ZERO_HASH } from './chain.ts';
import type { AuditEntry, AuditHead, ChainProblem } from './entry.ts';
import { appendEntryHash, EMPTY_FRONTIER, type MerkleFrontier, merkleRoot } from './merkle.ts';
import { type Restore, restoreOf } from './restore.ts';
import type { LogFacts } from './witness.ts';

/** A row of the log as it was found. */
export interface LogRow {
  readonly seq: number;
  readonly canonical: string;
  /** Stored beside the text; null where the text is all there is. */
  readonly hash: string | null;
}

/** What an entry `vault.*` wrote down of the vault's public keys. */
export interface VaultFact {
  readonly seq: number;
  readonly value: unknown;
}

export interface LogFindings extends LogFacts {
  readonly problems: readonly ChainProblem[];
  readonly entries: number;
  readonly head: AuditHead | null;
  /** Restores the log tells of, unjudged. */
  readonly restores: readonly Restore[];
  /** Newest value of each fact that the log wrote down of the vault. */
  readonly facts: ReadonlyMap<string, VaultFact>;
  /** Every checkpoint key the log has named, oldest first. */
  readonly checkpointKeys: readonly string[];
}

/** Enough to see what happened; a wholly rewritten log would name every entry. */
const MAX_PROBLEMS = 1000;

/**
 * Takes rows as they come and proves the chain over them. `start` is the entry before the first row (null: the log from
 * its beginning), `vaultId` the vault whose log it must be (null: not known).
 *
 * A row whose text is no entry is reported, and takes its place in the chain as something that fits nothing.
 */
export class LogProof {
  readonly #hash: HashFunction;
  readonly #vaultId: string | null;
  readonly #start: number;
  readonly #chain: ChainVerifier;
  readonly #problems: ChainProblem[] = [];
  readonly #hashes: string[] = [];
  readonly #seqs: number[] = [];
  readonly #restores: Restore[] = [];
  readonly #facts = new Map<string, VaultFact>();
  readonly #keys: string[] = [];

  constructor(options: {
    readonly hash: HashFunction;
    readonly vaultId: string | null;
    readonly start?: AuditHead | null;
  }) {
    this.#hash = options.hash;
    this.#vaultId = options.vaultId;
    this.#start = options.start?.seq ?? 0;
    this.#chain = new ChainVerifier(options.start ?? null);
  }

  add({ seq, canonical, hash }: LogRow): void {
    let entry: AuditEntry;
    try {
      entry = parseLine(canonical, this.#hash);
    } catch {
      this.#report(seq, `entry ${seq} was edited: its text is not that of an entry`);
      this.#keep(seq, hash ?? '');
      this.#chain.add({ seq, previous: '', hash: hash ?? '', contentHash: '' });
      return;
    }
    if (entry.seq !== seq)
      this.#report(seq, `entry ${seq} holds the text of entry ${entry.seq}: it was moved`);
    if (entry.action.startsWith('vault.')) this.#readVaultEntry(entry);
    else if (seq === 1) this.#report(1, 'entry 1 is not the creation of a vault: the beginning was replaced');
    this.#keep(seq, hash ?? entry.hash);
    // `parseLine` hashed the text itself.
    this.#chain.add({
      seq: entry.seq,
      previous: entry.previous,
      hash: hash ?? entry.hash,
      contentHash: entry.hash,
    });
  }

  finish(): LogFindings {
    const chain = this.#chain.finish();
    return {
      problems: [...this.#problems, ...chain.problems],
      entries: chain.entries,
      head: chain.head,
      last: chain.head?.seq ?? 0,
      hashAt: (seq) => this.#hashAt(seq),
      restores: this.#restores,
      facts: this.#facts,
      checkpointKeys: this.#keys,
    };
  }

  /**
   * Merkle roots of the log's first entries, for the sizes asked for, in steps: `pause` is awaited every `every`
   * entries. `from` is the tree before the first row.
   */
  async rootsAt(
    sizes: ReadonlySet<number>,
    every: number,
    pause: () => Promise<void>,
    from: MerkleFrontier = EMPTY_FRONTIER,
  ): Promise<{ readonly size: number; readonly rootAt: ReadonlyMap<number, string> }> {
    const rootAt = new Map<number, string>();
    const largest = [...sizes].reduce((a, b) => Math.max(a, b), 0);
    let frontier = from;
    const root = (): unknown =>
      sizes.has(frontier.size) && rootAt.set(frontier.size, toHex(merkleRoot(frontier, this.#hash)));
    root();
    for (const hash of this.#hashes) {
      if (frontier.size >= largest) break;
      // A stored hash that is none stands for 32 zero bytes: the chain names the entry, and no root agrees after it.
      frontier = appendEntryHash(frontier, /^[0-9a-f]{64}$/.test(hash) ? hash : ZERO_HASH, this.#hash);
      root();
      if (frontier.size % every === 0) await pause();
    }
    return { size: from.size + this.#hashes.length, rootAt };
  }

  #readVaultEntry(entry: AuditEntry): void {
    if (entry.seq === 1 && (entry.action !== 'vault.created' || !this.#isOf(entry.subject)))
      this.#report(1, 'entry 1 is not the creation of this vault: the log is another one’s');
    for (const [key, value] of Object.entries(entry.details)) this.#facts.set(key, { seq: entry.seq, value });
    const key = entry.details.checkpointKey;
    if (typeof key === 'string' && !this.#keys.includes(key)) this.#keys.push(key);
    const restore = restoreOf(entry);
    if (restore) this.#restores.push(restore);
    else if (entry.action === 'vault.restored')
      this.#report(entry.seq, `entry ${entry.seq} tells of a restore, but not of which`);
  }

  #isOf(subject: string): boolean {
    return this.#vaultId === null || this.#vaultId === subject;
  }

  #keep(seq: number, hash: string): void {
    this.#seqs.push(seq);
    this.#hashes.push(hash);
  }

  #hashAt(seq: number): string | null {
    const at = seq - this.#start - 1;
    if (this.#seqs[at] === seq) return this.#hashes[at] ?? null;
    // Rows out of their places: looked for, in a log that is not sound anyway.
    const found = this.#seqs.indexOf(seq);
    return found < 0 ? null : (this.#hashes[found] ?? null);
  }

  #report(seq: number, problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ seq, problem });
  }
}

/** In order of sequence, one problem per entry (the first that was found), those without a number last. */
export function firstPerEntry(problems: readonly ChainProblem[]): ChainProblem[] {
  const seen = new Set<number>();
  const kept = problems.filter(({ seq }) => {
    if (seq === null) return true;
    if (seen.has(seq)) return false;
    seen.add(seq);
    return true;
  });
  return kept.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity)).slice(0, MAX_PROBLEMS);
}
