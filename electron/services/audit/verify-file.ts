/** Proves an exported log: from the file alone, and from what else was kept of the log. No vault is opened. */
import { checkpointOrigin } from '../../../shared/domain/audit/checkpoint.ts';
import type { AuditHead, AuditVerdict, ChainProblem } from '../../../shared/domain/audit/entry.ts';
import {
  type ExportTrailer,
  exportTrailerSchema,
  frontierBefore,
  MAX_WITNESS_BYTES,
  parseHeadText,
  splitNotes,
} from '../../../shared/domain/audit/export-file.ts';
import { firstPerEntry, type LogFindings, LogProof } from '../../../shared/domain/audit/proof.ts';
import { judgeRestores, toAuditRestore } from '../../../shared/domain/audit/restore.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VerifyFileDeps } from './deps.ts';
import { SLICE } from './verify-log.ts';
import {
  type JudgedWitness,
  judgeHolders,
  judgeKeptHead,
  type NoteHolder,
  openNotes,
  unprovenBy,
} from './witnesses.ts';

export interface VerifyFileInput {
  readonly path: string;
  /** The vault's public checkpoint key, from elsewhere than the file. */
  readonly key?: string | null | undefined;
  readonly checkpointPath?: string | null | undefined;
  readonly headPath?: string | null | undefined;
}

const KEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/;
const NO_EXPORT = 'The last line of an export says what the file is; without it nothing can be proved.';

/**
 * What is wrong with the log is in the verdict. Errors: `not-found`, `input.invalid` (a file that is no export, or no
 * checkpoint, or too large for one), `cancelled`.
 */
export async function verifyAuditFile(
  deps: VerifyFileDeps,
  input: VerifyFileInput,
  job: JobContext,
): Promise<AuditVerdict> {
  const pause = async (): Promise<void> => {
    job.signal.throwIfAborted();
    await deps.system.sleep(0);
  };
  const key = input.key?.trim() ?? '';
  if (key !== '' && !KEY.test(key))
    throw new SallyportError('input.invalid', 'This is not a checkpoint key.', {
      hint: 'It reads NAME+HASH+KEY; `sallyport audit key` prints the vault’s.',
    });
  // Small and easily mistyped: read before the long work.
  const kept = await readKept(deps, input);
  const trailer = await readTrailer(deps, input.path);
  const start = trailer.before?.head ?? null;
  const proof = new LogProof({ hash: deps.system.sha256, vaultId: trailer.vaultId, start });
  await addLines(deps, input.path, proof, start, job, pause);
  const log = proof.finish();
  const { lawful, problems: restoreProblems } = judgeRestores(
    log.restores,
    // An entry that the file leaves out cannot be compared.
    (seq) =>
      start && seq < start.seq ? restoredHash(log, seq) : seq === start?.seq ? start.hash : log.hashAt(seq),
  );
  const opened = await openNotes(
    [
      { name: key === '' ? null : 'signature in the file', who: 'the file', notes: [trailer.checkpoint] },
      ...kept.holders,
    ],
    deps.checkpoints,
    key === '' ? [...new Set([trailer.checkpointKey, ...log.checkpointKeys])] : [key],
    pause,
  );
  const frontier = frontierBefore(trailer.before);
  const sizes = new Set(opened.flatMap(({ checkpoints }) => checkpoints.map(({ size }) => size)));
  const { size, rootAt } = await proof.rootsAt(sizes, SLICE, pause, frontier ?? undefined);
  // What covers only entries that are not in the file cannot be judged, and is left out.
  const judgeable = opened.map((holder) => ({
    ...holder,
    checkpoints: holder.checkpoints.filter((checkpoint) => checkpoint.size >= trailer.from),
  }));
  const holders = judgeHolders(judgeable, {
    origin: checkpointOrigin(trailer.vaultId),
    size,
    rootAt,
    restores: lawful,
  });
  const heads = kept.head === undefined ? [] : [judgeKeptHead('kept head', kept.head, log, lawful)];
  const witnesses = [...holders.flatMap(({ judged }) => judged ?? []), ...heads];
  const problems: ChainProblem[] = [
    ...log.problems,
    ...trailerProblems(trailer, log, frontier === null),
    ...keyProblems(trailer, log, key),
    ...restoreProblems,
    ...holders.flatMap((holder) => holder.problems),
    ...heads.flatMap((head) => head.problems),
  ];
  const signed = opened[0]?.checkpoints[0];
  if (signed !== undefined && signed.size !== log.last)
    problems.push({
      seq: Math.min(log.last, signed.size) + 1,
      problem: `the checkpoint in the file is over ${signed.size} entries, the file ends with entry ${log.last}: an export is signed to its end`,
    });
  return {
    ok: problems.length === 0,
    entries: log.entries,
    head: log.head,
    witnesses: witnesses.map(({ witness }) => witness),
    problems: firstPerEntry(problems),
    signaturesChecked: 0,
    checkpointsChecked: holders.reduce((sum, { checked }) => sum + checked, 0),
    restores: lawful.map(toAuditRestore),
    unproven: unprovenOfFile(trailer, witnesses, log, key),
  };
}

function restoredHash(log: LogFindings, seq: number): string | null {
  return log.restores.find(({ restored }) => restored === seq)?.restoredHash ?? null;
}

async function readKept(
  deps: VerifyFileDeps,
  { checkpointPath, headPath }: VerifyFileInput,
): Promise<{ readonly holders: readonly NoteHolder[]; readonly head: AuditHead | null | undefined }> {
  const holders: NoteHolder[] = [];
  if (checkpointPath) {
    const notes = splitNotes(await deps.readText(checkpointPath, MAX_WITNESS_BYTES));
    if (notes.length === 0)
      throw new SallyportError('input.invalid', `${checkpointPath} holds no checkpoint.`, {
        hint: 'A checkpoint is a signed note: origin, size, root, an empty line, a signature.',
      });
    holders.push({ name: 'kept checkpoint', who: checkpointPath, notes });
  }
  // Undefined: none was given; null: the file holds none.
  const head = headPath ? parseHeadText(await deps.readText(headPath, MAX_WITNESS_BYTES)) : undefined;
  return { holders, head };
}

/** The last line, read before the others: it says where they begin. */
async function readTrailer(deps: VerifyFileDeps, path: string): Promise<ExportTrailer> {
  let last = '';
  for await (const { lines } of deps.readLines(path)) last = lines.at(-1) ?? last;
  let value: unknown = null;
  try {
    value = JSON.parse(last);
  } catch {
    // Not JSON: refused below like any other line that is no trailer.
  }
  const parsed = exportTrailerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SallyportError('integrity.audit', `${path} does not end as an export of an audit log does.`, {
    hint: `${NO_EXPORT} Its end was cut off or edited, or it is another file.`,
  });
}

/** All lines but the last, in order. */
async function addLines(
  deps: VerifyFileDeps,
  path: string,
  proof: LogProof,
  start: AuditHead | null,
  job: JobContext,
  pause: () => Promise<void>,
): Promise<void> {
  let held: string | null = null;
  let seq = start?.seq ?? 0;
  for await (const { lines, done, total } of deps.readLines(path)) {
    for (const line of lines) {
      // A line's number is its place: what stands in the wrong one is found by that.
      if (held !== null) proof.add({ seq: ++seq, canonical: held, hash: null });
      held = line;
      if (seq % SLICE === 0) await pause();
    }
    job.progress('proving', done, total);
  }
}

/** The last line claims; the lines above decide. */
function trailerProblems(trailer: ExportTrailer, log: LogFindings, noTree: boolean): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const { from, before, head, entries } = trailer;
  if (noTree || (before?.head.seq ?? 0) !== from - 1)
    problems.push({ seq: from, problem: 'the last line does not fit where the file begins: it was edited' });
  if (entries !== log.entries || head.seq !== log.last || head.hash !== log.head?.hash)
    problems.push({
      seq: Math.min(log.last, head.seq) + 1,
      problem: `the last line names ${entries} entries up to ${head.seq}, the file has ${log.entries} up to ${log.last}, or another last one`,
    });
  return problems;
}

/** The key in the file, the one given by hand and the one the log wrote down are the same. */
function keyProblems(trailer: ExportTrailer, log: LogFindings, key: string): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const fact = log.facts.get('checkpointKey');
  if (fact !== undefined && fact.value !== trailer.checkpointKey)
    problems.push({
      seq: fact.seq,
      problem: `the checkpoint key in the last line is not the one that entry ${fact.seq} wrote down: it was exchanged`,
    });
  if (key !== '' && key !== trailer.checkpointKey)
    problems.push({ seq: null, problem: 'the checkpoint key in the file is not the one that was given' });
  return problems;
}

function unprovenOfFile(
  trailer: ExportTrailer,
  witnesses: readonly JudgedWitness[],
  log: LogFindings,
  key: string,
): string[] {
  const sentences = unprovenBy(witnesses, log.last);
  if (key === '')
    sentences.push(
      'The key that signed the checkpoint is known from the file alone: whoever wrote the file could have made it. Give the vault’s key, noted elsewhere, with --key.',
    );
  else
    sentences.push(
      'Whoever had the vault’s checkpoint key could have signed another log: only a head or checkpoint kept elsewhere shows that.',
    );
  if (trailer.from > 1)
    sentences.push(
      `The file begins with entry ${trailer.from}; what entries 1 to ${trailer.from - 1} say is not in it.`,
    );
  sentences.push(`What was written after entry ${log.last} is not in the file.`);
  return sentences;
}
