import { SallyportError } from '../errors.ts';
import { type HashFunction, toHex, utf8 } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';
import { type AuditEntry, type AuditHead, auditEntrySchema } from './entry.ts';

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

/** The entry after `head` (null: the first one). `input.invalid` for details that have no canonical JSON. */
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
  return { entry: { ...unsealed, hash: hashOfLine(line, hash) }, line };
}

/** The head that a chain ending in this entry has. */
export function headOf(entry: AuditEntry): AuditHead {
  return { seq: entry.seq, hash: entry.hash };
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
  const parsed = auditEntrySchema.omit({ hash: true }).strict().safeParse(value);
  if (!parsed.success || lineOf(parsed.data) !== line) {
    throw new SallyportError('integrity.audit', 'A line of the audit log is not in its canonical form.', {
      hint: 'The log was edited; compare it with a backup.',
    });
  }
  return { ...parsed.data, hash: hashOfLine(line, hash) };
}

/** Something that does not hold; `seq` names the entry, or is null where no single one can be named. */
export interface ChainProblem {
  readonly seq: number | null;
  readonly problem: string;
}

export interface ChainResult {
  /** In order of sequence: the first names the first bad entry. */
  readonly problems: readonly ChainProblem[];
  readonly entries: number;
  readonly head: AuditHead | null;
}

/** Enough to see what happened to a log; a wholly rewritten one would name every entry. */
const MAX_PROBLEMS = 1000;

/**
 * Proves a chain, streamed: each entry's hash is that of its content, each follows the one before, none is missing.
 *
 * `witness` is a head kept elsewhere (keychain, agent): entries up to it must be there, and the one with its number
 * must have its hash. A chain that goes on after it is sound. Without a witness a cut-off end does not show.
 */
export function verifyChain(
  entries: Iterable<AuditEntry>,
  hash: HashFunction,
  witness: AuditHead | null = null,
): ChainResult {
  const problems: ChainProblem[] = [];
  const report = (seq: number | null, problem: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ seq, problem });
  };
  let count = 0;
  let head: AuditHead | null = null;
  let witnessed = witness === null || witness.seq === 0;

  for (const entry of entries) {
    count++;
    const expected: number = (head?.seq ?? 0) + 1;
    if (entry.seq > expected) {
      const gap =
        entry.seq === expected + 1 ? `entry ${expected} is` : `entries ${expected} to ${entry.seq - 1} are`;
      report(expected, `${gap} missing before entry ${entry.seq}`);
    } else if (entry.seq < expected) {
      report(entry.seq, `entry ${entry.seq} stands after entry ${head?.seq ?? 0}: it was inserted or moved`);
    } else if (entry.previous !== (head?.hash ?? ZERO_HASH)) {
      const before =
        head === null
          ? 'is the first, but names one before it'
          : `does not follow entry ${head.seq} as it stands: one of them was replaced`;
      report(entry.seq, `entry ${entry.seq} ${before}`);
    }
    const actual = actualHash(entry, hash);
    if (actual !== entry.hash)
      report(entry.seq, `entry ${entry.seq} was edited: its content does not have its hash`);
    if (witness !== null && entry.seq === witness.seq) {
      witnessed = true;
      if (entry.hash !== witness.hash)
        report(entry.seq, `entry ${entry.seq} is not the one the witness holds: the log was rewritten`);
    }
    // An entry out of its place does not move the place the next one is expected at.
    if (entry.seq >= expected) head = headOf(entry);
  }
  if (!witnessed && witness !== null && (head?.seq ?? 0) < witness.seq) {
    const from = (head?.seq ?? 0) + 1;
    report(from, `entries ${from} to ${witness.seq} are missing at the end: the log was cut off`);
  }
  // A stable sort: of two problems with one entry the first found stays first.
  return {
    problems: problems.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity)),
    entries: count,
    head,
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
