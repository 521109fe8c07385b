import { SallyportError } from '../errors.ts';
import { type HashFunction, toHex, utf8 } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';
import {
  type AuditEntry,
  type AuditHead,
  auditActionSchema,
  type ChainProblem,
  MAX_ENTRY_BYTES,
} from './entry.ts';
import { judgeHead } from './witness.ts';

/** `previous` of the first entry. */
export const ZERO_HASH = '0'.repeat(64);

/** An entry before it has its place in the chain. */
export type AuditEntryDraft = Pick<AuditEntry, 'at' | 'actor' | 'action' | 'subject'> & {
  readonly details: Readonly<Record<string, unknown>>;
};

/** An entry, and the line whose UTF-8 bytes were hashed: what is stored and exported. */
export interface SealedEntry {
  readonly entry: AuditEntry;
  /** RFC 8785 form of the entry without `hash`; never contains a line break. */
  readonly line: string;
}

/** The line of an entry: all of it but `hash`. */
export function lineOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { seq, at, actor, action, subject, details, previous } = entry;
  return canonicalJson({ seq, at, actor, action, subject, details, previous });
}

/** Hash of a line, hex: SHA-256 over its UTF-8 bytes. */
export function hashOfLine(line: string, hash: HashFunction): string {
  return toHex(hash(utf8(line)));
}

/** The entry after `head` (null: the first one). `input.invalid` for details that have no canonical JSON, or are too long. */
export function makeEntry(head: AuditHead | null, draft: AuditEntryDraft, hash: HashFunction): SealedEntry {
  const unsealed = {
    seq: (head?.seq ?? 0) + 1,
    at: draft.at,
    actor: draft.actor,
    action: draft.action,
    subject: draft.subject,
    details: draft.details as AuditEntry['details'],
    previous: head?.hash ?? ZERO_HASH,
  };
  const line = lineOf(unsealed);
  const bytes = utf8(line);
  if (bytes.length > MAX_ENTRY_BYTES)
    throw new SallyportError('input.invalid', 'This change is too large for one entry of the audit log.', {
      hint: 'Nothing was changed. An entry keeps before and after of what changed: say it in less.',
      facts: { bytes: bytes.length, most: MAX_ENTRY_BYTES },
    });
  return { entry: { ...unsealed, hash: toHex(hash(bytes)) }, line };
}

/** The head that a chain ending in this entry has. */
export function headOf(entry: AuditEntry): AuditHead {
  return { seq: entry.seq, hash: entry.hash };
}

const ACTIONS: ReadonlySet<string> = new Set(auditActionSchema.options);

/**
 * Whether parsed JSON has the fields of an entry without its hash, no more and no fewer. Written out because proving a
 * log asks it of every line; the values of `details` are JSON already.
 */
function isBody(value: unknown): value is Omit<AuditEntry, 'hash'> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 7) return false;
  const { seq, at, actor, action, subject, details, previous } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(seq) &&
    (seq as number) >= 1 &&
    typeof at === 'string' &&
    typeof actor === 'string' &&
    typeof action === 'string' &&
    ACTIONS.has(action) &&
    typeof subject === 'string' &&
    typeof details === 'object' &&
    details !== null &&
    !Array.isArray(details) &&
    typeof previous === 'string'
  );
}

/** Reads a stored or exported line back. `integrity.audit` where it is no entry, or not in its canonical form. */
export function parseLine(line: string, hash: HashFunction): AuditEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new SallyportError('integrity.audit', 'A line of the audit log is not JSON.', {
      hint: 'The log was edited; compare it with a backup.',
      cause,
    });
  }
  if (!isBody(value) || lineOf(value) !== line) {
    throw new SallyportError('integrity.audit', 'A line of the audit log is not in its canonical form.', {
      hint: 'The log was edited; compare it with a backup.',
    });
  }
  return { ...value, hash: hashOfLine(line, hash) };
}

export interface ChainResult {
  /** In order of sequence: the first names the first bad entry. */
  readonly problems: readonly ChainProblem[];
  readonly entries: number;
  readonly head: AuditHead | null;
}

/** Enough to see what happened to a log; a wholly rewritten one would name every entry. */
const MAX_PROBLEMS = 1000;

/** What the proof of a chain looks at, of one entry. */
export interface ChainLink extends AuditHead {
  readonly previous: string;
  /** Hash of the entry's content; '' where it could not be told. */
  readonly contentHash: string;
}

/**
 * Proves a chain link by link, so that the caller may pause between them: each entry's hash is that of its content,
 * each follows the one before, none is missing between them. `start` is the entry before the first, null for a whole
 * log. That nothing is missing at the end, only a witness shows: see `witness.ts`.
 */
export class ChainVerifier {
  readonly #problems: ChainProblem[] = [];
  #entries = 0;
  #head: AuditHead | null;

  constructor(start: AuditHead | null = null) {
    this.#head = start;
  }

  add(link: ChainLink): void {
    const { seq, hash } = link;
    this.#entries++;
    this.#checkPlace(link);
    if (link.contentHash !== hash)
      this.#report(seq, `entry ${seq} was edited: its content does not have its hash`);
    // An entry out of its place does not move the place the next one is expected at.
    if (seq > (this.#head?.seq ?? 0)) this.#head = { seq, hash };
  }

  finish(): ChainResult {
    return {
      // A stable sort: of two problems with one entry the first found stays first.
      problems: this.#problems.toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity)),
      entries: this.#entries,
      head: this.#head,
    };
  }

  #checkPlace({ seq, previous }: ChainLink): void {
    const before = this.#head;
    const expected = (before?.seq ?? 0) + 1;
    if (seq > expected) {
      const gap = seq === expected + 1 ? `entry ${expected} is` : `entries ${expected} to ${seq - 1} are`;
      this.#report(expected, `${gap} missing before entry ${seq}`);
    } else if (seq < expected) {
      this.#report(seq, `entry ${seq} stands after entry ${before?.seq ?? 0}: it was inserted or moved`);
    } else if (previous !== (before?.hash ?? ZERO_HASH)) {
      const wrong =
        before === null
          ? 'is the first, but names one before it'
          : `does not follow entry ${before.seq} as it stands: one of them was replaced`;
      this.#report(seq, `entry ${seq} ${wrong}`);
    }
  }

  #report(seq: number | null, problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ seq, problem });
  }
}

/** Proves a whole chain in one go, and that it is the one which `witness`, a head kept elsewhere, was taken from. */
export function verifyChain(
  entries: Iterable<AuditEntry>,
  hash: HashFunction,
  witness: AuditHead | null = null,
): ChainResult {
  const verifier = new ChainVerifier();
  const hashes = new Map<number, string>();
  for (const entry of entries) {
    const { seq, previous } = entry;
    hashes.set(seq, entry.hash);
    verifier.add({ seq, previous, hash: entry.hash, contentHash: actualHash(entry, hash) });
  }
  const result = verifier.finish();
  const found =
    witness && judgeHead(witness, { last: result.head?.seq ?? 0, hashAt: (seq) => hashes.get(seq) ?? null });
  const missing = found?.problem ? [found.problem] : [];
  return {
    ...result,
    problems: [...result.problems, ...missing].toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity)),
  };
}

/** Hash of an entry's content, or '' where the content cannot even be written down. */
function actualHash(entry: AuditEntry, hash: HashFunction): string {
  try {
    return hashOfLine(lineOf(entry), hash);
  } catch {
    return '';
  }
}
