import { toHex } from '../../../shared/domain/audit/bytes.ts';
import {
  type ChainProblem,
  type ChainResult,
  ChainVerifier,
  parseLine,
  ZERO_HASH,
} from '../../../shared/domain/audit/chain.ts';
import {
  type Checkpoint,
  checkpointOrigin,
  judgeCheckpoints,
} from '../../../shared/domain/audit/checkpoint.ts';
import type { AuditEntry, AuditHead, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import { appendEntryHash, EMPTY_FRONTIER, merkleRoot } from '../../../shared/domain/audit/merkle.ts';
import type { WitnessStatus } from '../ledger-impl.ts';
import { SETTINGS } from '../vault/vault-keys.ts';
import type { AuditDeps } from './deps.ts';

/** Enough to see what happened. */
const MAX_PROBLEMS = 1000;

/** Proves the whole log against itself and against everything that was kept outside of it. */
export async function verifyLog(deps: AuditDeps): Promise<AuditVerdict> {
  // The witness first: what is appended meanwhile is after it.
  const witness = await deps.ledger.witness();
  const unreadable: ChainProblem[] = [];
  const recorded = new Map<string, VaultFact>();
  const chain = await proveChain(deps, witness.head, unreadable, recorded);
  const problems: ChainProblem[] = [...unreadable, ...chain.problems, ...changedSettings(deps, recorded)];
  if (
    witness.status === 'contradicts' &&
    !chain.problems.some(
      ({ problem }) => problem.includes('witness') || problem.includes('missing at the end'),
    )
  ) {
    problems.push({ seq: witness.head?.seq ?? null, problem: witness.detail });
  }
  const checkpoints = await judgeHolders(deps);
  problems.push(...checkpoints.flatMap((holder) => holder.problems));
  const signatures = await checkSignatures(deps);
  problems.push(...signatures.problems);

  return {
    ok: problems.length === 0,
    entries: chain.entries,
    head: chain.head,
    witnesses: [keychainWitness(witness), ...checkpoints.flatMap((holder) => holder.witness ?? [])],
    problems: firstPerEntry(problems).slice(0, MAX_PROBLEMS),
    signaturesChecked: signatures.checked,
    checkpointsChecked: checkpoints.reduce((sum, { checked }) => sum + checked, 0),
  };
}

/** Rows between two pauses: about 10 ms of work, so that the window stays alive over a long log. */
const SLICE = 200;

/**
 * Proves the rows as they are stored, from the lowest number there is. A row whose text is no entry is reported, and
 * takes its place in the chain as something that fits nothing.
 */
async function proveChain(
  deps: AuditDeps,
  witness: AuditHead | null,
  unreadable: ChainProblem[],
  recorded: Map<string, VaultFact>,
): Promise<ChainResult> {
  const verifier = new ChainVerifier(witness);
  let count = 0;
  for (const row of deps.store.read.audit.rows(Number.MIN_SAFE_INTEGER)) {
    if (++count % SLICE === 0) await deps.system.sleep(0);
    let entry: AuditEntry;
    try {
      entry = parseLine(row.canonical, deps.system.sha256);
    } catch {
      unreadable.push({
        seq: row.seq,
        problem: `entry ${row.seq} was edited: its text is not that of an entry`,
      });
      verifier.add({ seq: row.seq, previous: '', hash: row.hash, contentHash: '' });
      continue;
    }
    if (entry.seq !== row.seq)
      unreadable.push({
        seq: row.seq,
        problem: `entry ${row.seq} holds the text of entry ${entry.seq}: it was moved`,
      });
    if (entry.action.startsWith('vault.')) {
      for (const [key, value] of Object.entries(entry.details)) recorded.set(key, { seq: entry.seq, value });
    }
    // `parseLine` hashed the text itself.
    verifier.add({ seq: entry.seq, previous: entry.previous, hash: row.hash, contentHash: entry.hash });
  }
  return verifier.finish();
}

/** Something an entry about the vault itself wrote down; later entries take the place of earlier ones. */
interface VaultFact {
  readonly seq: number;
  readonly value: unknown;
}

/**
 * The vault's public keys are settings in the database. Whoever exchanged one (a recovery key of their own would open
 * every later artifact) left what the log says of it.
 */
function changedSettings(deps: AuditDeps, recorded: ReadonlyMap<string, VaultFact>): ChainProblem[] {
  const facts = [
    ['recipient', SETTINGS.recipient],
    ['recoveryRecipient', SETTINGS.recoveryRecipient],
    ['checkpointKey', SETTINGS.checkpointKey],
  ] as const;
  return facts.flatMap(([key, setting]) => {
    const fact = recorded.get(key);
    if (fact === undefined || fact.value === deps.store.read.setting(setting)) return [];
    return [
      {
        seq: fact.seq,
        problem: `the setting ${setting} is not the one that entry ${fact.seq} wrote down: it was exchanged`,
      },
    ];
  });
}

/** Merkle roots of the log's first entries, for the sizes that are asked for. */
async function rootsOf(
  deps: AuditDeps,
  sizes: ReadonlySet<number>,
): Promise<{ size: number; rootAt: Map<number, string> }> {
  const { sha256 } = deps.system;
  const rootAt = new Map([[0, toHex(merkleRoot(EMPTY_FRONTIER, sha256))]]);
  let frontier = EMPTY_FRONTIER;
  for (const { hash } of deps.store.read.audit.rows()) {
    // A stored hash that is none stands for 32 zero bytes: the chain names the entry, and no root agrees after it.
    const leaf = /^[0-9a-f]{64}$/.test(hash) ? hash : ZERO_HASH;
    frontier = appendEntryHash(frontier, leaf, sha256);
    if (sizes.has(frontier.size)) rootAt.set(frontier.size, toHex(merkleRoot(frontier, sha256)));
    if (frontier.size % SLICE === 0) await deps.system.sleep(0);
  }
  return { size: frontier.size, rootAt };
}

interface Checked {
  readonly checked: number;
  readonly problems: ChainProblem[];
}

interface Holder extends Checked {
  /** The vault itself is no witness of its own log. */
  readonly witness: AuditVerdict['witnesses'][number] | null;
}

interface OpenedNotes {
  readonly checkpoints: Checkpoint[];
  /** Notes that this vault did not sign. */
  readonly foreign: number;
}

/** Signatures of the notes; about 0.1 ms each. */
async function openNotes(deps: AuditDeps, notes: readonly string[]): Promise<OpenedNotes> {
  const checkpoints: Checkpoint[] = [];
  let foreign = 0;
  for (const [index, note] of notes.entries()) {
    if (index % 50 === 49) await deps.system.sleep(0);
    try {
      checkpoints.push(deps.checkpoints.verify(note, deps.checkpointVerifier));
    } catch {
      foreign++;
    }
  }
  return { checkpoints, foreign };
}

/** Checkpoints of the vault and of every endpoint, judged in one pass over the log. */
async function judgeHolders(deps: AuditDeps): Promise<Holder[]> {
  const answers = await deps.fetchCheckpoints();
  const own = { endpoint: null, notes: deps.store.read.audit.checkpoints().map(({ note }) => note) };
  const holders = [];
  for (const answer of [own, ...answers])
    holders.push({ ...answer, opened: await openNotes(deps, answer.notes) });
  const sizes = new Set(holders.flatMap(({ opened }) => opened.checkpoints.map(({ size }) => size)));
  const log = await rootsOf(deps, sizes);
  return holders.map(({ endpoint, notes, opened, ...rest }) => {
    const problem = 'problem' in rest ? rest.problem : undefined;
    const who = endpoint ?? 'this vault';
    const problems = judgeCheckpoints(
      opened.checkpoints,
      checkpointOrigin(deps.vaultId),
      log.size,
      log.rootAt,
    ).map((found) => ({
      ...found,
      problem: `${found.problem} (checkpoint held by ${who})`,
    }));
    if (opened.foreign > 0) {
      problems.push({
        seq: null,
        problem: `${opened.foreign} of the checkpoints held by ${who} are not signed by this vault`,
      });
    }
    const newest = Math.max(0, ...opened.checkpoints.map(({ size }) => size));
    return {
      checked: notes.length,
      problems,
      witness:
        endpoint === null
          ? null
          : endpointWitness(endpoint, notes.length, newest, log.size, problem, problems[0]),
    };
  });
}

function endpointWitness(
  endpoint: string,
  notes: number,
  newest: number,
  logSize: number,
  unreachable: string | undefined,
  found: ChainProblem | undefined,
): AuditVerdict['witnesses'][number] {
  const name = `endpoint ${endpoint}`;
  // An endpoint that cannot be asked proves nothing and accuses nobody.
  if (unreachable !== undefined) return { name, status: 'absent', detail: unreachable };
  if (found) return { name, status: 'contradicts', detail: found.problem };
  if (notes === 0) return { name, status: 'absent', detail: 'it holds no checkpoint yet' };
  const detail = `${notes} checkpoints, the newest over ${newest} of ${logSize} entries`;
  return { name, status: newest < logSize ? 'behind' : 'agrees', detail };
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
