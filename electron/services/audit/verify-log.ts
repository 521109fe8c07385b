import { type ChainProblem, parseLine, verifyChain } from '../../../shared/domain/audit/chain.ts';
import {
  type Checkpoint,
  checkpointOrigin,
  verifyCheckpoints,
} from '../../../shared/domain/audit/checkpoint.ts';
import type { AuditEntry, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import type { WitnessStatus } from '../ledger-impl.ts';
import type { AuditDeps } from './index.ts';

/** Enough to see what happened. */
const MAX_PROBLEMS = 1000;

/** Proves the whole log against itself and against everything that was kept outside of it. */
export async function verifyLog(deps: AuditDeps): Promise<AuditVerdict> {
  // The witness first: what is appended meanwhile is after it.
  const witness = await deps.ledger.witness();
  const unreadable: ChainProblem[] = [];
  const chain = verifyChain(storedEntries(deps, unreadable), deps.system.sha256, witness.head);
  const problems: ChainProblem[] = [...unreadable, ...chain.problems];
  if (
    witness.status === 'contradicts' &&
    !chain.problems.some(
      ({ problem }) => problem.includes('witness') || problem.includes('missing at the end'),
    )
  ) {
    problems.push({ seq: witness.head?.seq ?? null, problem: witness.detail });
  }
  const own = checkpointsOf(
    deps,
    'this vault',
    deps.store.read.audit.checkpoints().map(({ note }) => note),
  );
  problems.push(...own.problems);
  const endpoints = await judgeEndpoints(deps);
  for (const { problems: found } of endpoints) problems.push(...found);
  const signatures = await checkSignatures(deps);
  problems.push(...signatures.problems);

  return {
    ok: problems.length === 0,
    entries: chain.entries,
    head: chain.head,
    witnesses: [keychainWitness(witness), ...endpoints.map(({ witness: found }) => found)],
    problems: firstPerEntry(problems).slice(0, MAX_PROBLEMS),
    signaturesChecked: signatures.checked,
    checkpointsChecked: own.checked + endpoints.reduce((sum, { checked }) => sum + checked, 0),
  };
}

/**
 * Entries as they are stored, from the lowest number there is. A row whose text is no entry is reported, and takes
 * its place in the chain as something that fits nothing.
 */
function* storedEntries(deps: AuditDeps, unreadable: ChainProblem[]): IterableIterator<AuditEntry> {
  for (const row of deps.store.read.audit.rows(Number.MIN_SAFE_INTEGER)) {
    let entry: AuditEntry;
    try {
      entry = parseLine(row.canonical, deps.system.sha256);
    } catch {
      unreadable.push({
        seq: row.seq,
        problem: `entry ${row.seq} was edited: its text is not that of an entry`,
      });
      yield {
        seq: row.seq,
        at: '',
        actor: '',
        action: 'refused',
        subject: '',
        details: {},
        previous: '',
        hash: row.hash,
      };
      continue;
    }
    if (entry.seq !== row.seq)
      unreadable.push({
        seq: row.seq,
        problem: `entry ${row.seq} holds the text of entry ${entry.seq}: it was moved`,
      });
    yield { ...entry, hash: row.hash };
  }
}

function* hashes(deps: AuditDeps): IterableIterator<string> {
  for (const row of deps.store.read.audit.rows()) yield row.hash;
}

interface Checked {
  readonly checked: number;
  readonly problems: ChainProblem[];
}

/** Signatures of the notes, then their roots against the entries. */
function checkpointsOf(deps: AuditDeps, holder: string, notes: readonly string[]): Checked {
  const problems: ChainProblem[] = [];
  const verified: Checkpoint[] = [];
  for (const note of notes) {
    try {
      verified.push(deps.checkpoints.verify(note, deps.checkpointVerifier));
    } catch {
      problems.push({ seq: null, problem: `a checkpoint held by ${holder} is not signed by this vault` });
    }
  }
  if (verified.length > 0) {
    try {
      for (const { seq, problem } of verifyCheckpoints(
        hashes(deps),
        verified,
        checkpointOrigin(deps.vaultId),
        deps.system.sha256,
      )) {
        problems.push({ seq, problem: `${problem} (checkpoint held by ${holder})` });
      }
    } catch {
      // A stored hash that is no hash: the chain's own check has named the entry.
      problems.push({
        seq: null,
        problem: `the checkpoints held by ${holder} could not be compared: a stored hash is malformed`,
      });
    }
  }
  return { checked: notes.length, problems };
}

async function judgeEndpoints(
  deps: AuditDeps,
): Promise<(Checked & { readonly witness: AuditVerdict['witnesses'][number] })[]> {
  const answers = await deps.fetchCheckpoints();
  return answers.map(({ endpoint, notes, problem }) => {
    const name = `endpoint ${endpoint}`;
    // An endpoint that cannot be asked proves nothing and accuses nobody.
    if (problem !== undefined)
      return { checked: 0, problems: [], witness: { name, status: 'absent', detail: problem } };
    if (notes.length === 0)
      return {
        checked: 0,
        problems: [],
        witness: { name, status: 'absent', detail: 'it holds no checkpoint yet' },
      };
    const { checked, problems } = checkpointsOf(deps, endpoint, notes);
    const size = newestSize(deps, notes);
    const first = problems[0];
    if (first) return { checked, problems, witness: { name, status: 'contradicts', detail: first.problem } };
    const head = deps.store.read.audit.head()?.seq ?? 0;
    return {
      checked,
      problems,
      witness: {
        name,
        status: size < head ? 'behind' : 'agrees',
        detail: `${notes.length} checkpoints, the newest over ${size} of ${head} entries`,
      },
    };
  });
}

function newestSize(deps: AuditDeps, notes: readonly string[]): number {
  let size = 0;
  for (const note of notes) {
    try {
      size = Math.max(size, deps.checkpoints.verify(note, deps.checkpointVerifier).size);
    } catch {
      // Named as a problem where it was checked.
    }
  }
  return size;
}

async function checkSignatures(deps: AuditDeps): Promise<Checked> {
  const problems: ChainProblem[] = [];
  let checked = 0;
  for (const { subject, check } of deps.signatureChecks()) {
    checked++;
    try {
      await check();
    } catch (error) {
      problems.push({
        seq: null,
        problem: `${subject}: ${error instanceof Error ? error.message : 'its signature does not hold'}`,
      });
    }
  }
  return { checked, problems };
}

function keychainWitness({ status, detail }: WitnessStatus): AuditVerdict['witnesses'][number] {
  return { name: 'keychain', status, detail };
}

/** In order of sequence, one problem per entry (the first that was found), those without a number last. */
function firstPerEntry(problems: readonly ChainProblem[]): ChainProblem[] {
  const seen = new Set<number>();
  const kept = problems.filter(({ seq }) => {
    if (seq === null) return true;
    if (seen.has(seq)) return false;
    seen.add(seq);
    return true;
  });
  return kept.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity));
}
