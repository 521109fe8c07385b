/** What was kept outside of a log, judged, and put into the words of a verdict. */
import type { Checkpoint } from '../../../shared/domain/audit/checkpoint.ts';
import { judgeCheckpoints } from '../../../shared/domain/audit/checkpoint.ts';
import type { AuditHead, AuditVerdict, ChainProblem } from '../../../shared/domain/audit/entry.ts';
import type { LostRange } from '../../../shared/domain/audit/restore.ts';
import { judgeHead, type LogFacts } from '../../../shared/domain/audit/witness.ts';
import type { CheckpointTools } from '../../ports/vault.ts';

export type Witness = AuditVerdict['witnesses'][number];

/** A witness with how far it vouches: entries up to `covers` are those it saw. */
export interface JudgedWitness {
  readonly witness: Witness;
  readonly covers: number;
  readonly problems: readonly ChainProblem[];
}

/** Somebody who holds signed checkpoints of the log. */
export interface NoteHolder {
  /** As the list of witnesses names it; null for the log's own notes, which are no witness. */
  readonly name: string | null;
  /** As a problem names it. */
  readonly who: string;
  readonly notes: readonly string[];
  /** Why it could not be asked. */
  readonly problem?: string | undefined;
}

export interface JudgedHolder {
  readonly judged: JudgedWitness | null;
  readonly problems: readonly ChainProblem[];
  readonly checked: number;
}

interface OpenedHolder extends NoteHolder {
  readonly checkpoints: readonly Checkpoint[];
  /** Notes that none of the keys signed. */
  readonly foreign: number;
}

/** Signatures of the notes; about 0.1 ms each, so `pause` is awaited between them. */
export async function openNotes(
  holders: readonly NoteHolder[],
  tools: CheckpointTools,
  keys: readonly string[],
  pause: () => Promise<void>,
): Promise<OpenedHolder[]> {
  const opened: OpenedHolder[] = [];
  for (const holder of holders) {
    const checkpoints: Checkpoint[] = [];
    let foreign = 0;
    for (const [index, note] of holder.notes.entries()) {
      if (index % 20 === 19) await pause();
      const checkpoint = openNote(note, tools, keys);
      if (checkpoint) checkpoints.push(checkpoint);
      else foreign++;
    }
    opened.push({ ...holder, checkpoints, foreign });
  }
  return opened;
}

function openNote(note: string, tools: CheckpointTools, keys: readonly string[]): Checkpoint | null {
  for (const key of keys) {
    try {
      return tools.verify(note, key);
    } catch {
      // Not signed by this key; a log that was given a new one has notes of both.
    }
  }
  return null;
}

/** Judges all holders together, so that what one holds is compared with what another does. */
export function judgeHolders(
  opened: readonly OpenedHolder[],
  log: {
    readonly origin: string;
    readonly size: number;
    readonly rootAt: ReadonlyMap<number, string>;
    readonly restores: readonly LostRange[];
  },
): JudgedHolder[] {
  const { outcomes } = judgeCheckpoints(
    opened.flatMap(({ checkpoints }) => checkpoints),
    log.origin,
    log.size,
    log.rootAt,
    log.restores,
  );
  return opened.map((holder) => {
    const { who, checkpoints, foreign } = holder;
    const found = checkpoints.map((checkpoint) => outcomes.get(checkpoint));
    const wrong = new Set(found.filter((outcome) => typeof outcome === 'object'));
    const problems = [...wrong].map(({ seq, problem }) => ({
      seq,
      problem: `${problem} (checkpoint held by ${who})`,
    }));
    if (foreign > 0)
      problems.push({
        seq: null,
        problem: `${foreign} of the checkpoints held by ${who} are not signed by this vault`,
      });
    const fitting = checkpoints.filter((_, at) => found[at] === 'fits');
    const covers = fitting.reduce((most, { size }) => Math.max(most, size), 0);
    const lost = found.filter((outcome) => outcome === 'lost').length;
    return {
      checked: holder.notes.length,
      problems,
      judged:
        holder.name === null
          ? null
          : {
              witness: holderWitness(holder, holder.name, covers, lost, log.size, problems[0]),
              covers,
              problems,
            },
    };
  });
}

function holderWitness(
  { notes, problem }: OpenedHolder,
  name: string,
  covers: number,
  lost: number,
  size: number,
  found: ChainProblem | undefined,
): Witness {
  // One that cannot be asked proves nothing and accuses nobody.
  if (problem !== undefined) return { name, status: 'absent', detail: problem, proves: '' };
  if (found)
    return {
      name,
      status: 'contradicts',
      detail: found.problem,
      proves: 'A log that was signed before is not this one.',
    };
  if (notes.length === 0) return { name, status: 'absent', detail: 'it holds no checkpoint yet', proves: '' };
  const replaced =
    lost === 0 ? '' : `; ${lost} more are of entries that a restore replaced, which the log tells of`;
  return {
    name,
    status: covers < size ? 'behind' : 'agrees',
    detail: `${notes.length} checkpoints, the newest over ${covers} of ${size} entries${replaced}`,
    proves: provesUpTo(covers, 'when it was given the checkpoint'),
  };
}

/** A head that a person or a file kept. */
export function judgeKeptHead(
  name: string,
  head: AuditHead | null,
  log: LogFacts,
  restores: readonly LostRange[],
): JudgedWitness {
  if (!head) {
    const problem = `${name} is not a head of a log`;
    return {
      witness: { name, status: 'contradicts', detail: problem, proves: '' },
      covers: 0,
      problems: [{ seq: null, problem }],
    };
  }
  const { standing, problem } = judgeHead(head, log, restores);
  if (standing === 'lost') {
    return {
      witness: {
        name,
        status: 'behind',
        detail: `it holds entry ${head.seq}, which a restore replaced, as the log tells`,
        proves: '',
      },
      covers: 0,
      problems: [],
    };
  }
  if (standing === 'contradicts') {
    return {
      witness: {
        name,
        status: 'contradicts',
        detail: problem?.problem ?? '',
        proves: 'The log it was taken from is not this one.',
      },
      covers: 0,
      problems: problem ? [problem] : [],
    };
  }
  return {
    witness: {
      name,
      status: standing,
      detail: `entry ${head.seq} of ${log.last}`,
      proves: provesUpTo(head.seq, 'when it was kept'),
    },
    covers: head.seq,
    problems: [],
  };
}

export function provesUpTo(seq: number, when: string): string {
  if (seq === 0) return '';
  return seq === 1
    ? `Entry 1 is as it was ${when}.`
    : `Entries 1 to ${seq} are all there, in the words they had ${when}.`;
}

/** What no witness shows of a log of `last` entries, in sentences. */
export function unprovenBy(witnesses: readonly JudgedWitness[], last: number): string[] {
  const covered = witnesses.reduce((most, { covers }) => Math.max(most, covers), 0);
  const sentences: string[] = [];
  if (covered === 0) {
    sentences.push(
      'No witness outside the log speaks for it: a cut-off end, an older copy, or a log that was written and signed anew with the vault’s keys does not show.',
    );
  } else if (covered < last) {
    const range = covered + 1 === last ? `Entry ${last} is` : `Entries ${covered + 1} to ${last} are`;
    sentences.push(
      `${range} held together by hashes alone: no witness has seen them, so writing them anew or cutting them off does not show.`,
    );
  }
  for (const { witness } of witnesses)
    if (witness.status === 'absent') sentences.push(`${witness.name} said nothing: ${witness.detail}.`);
  return sentences;
}
