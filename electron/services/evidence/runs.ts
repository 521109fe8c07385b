/**
 * Runs that outlive the program: each is a row with its input from the first moment, and its answers are stored as they
 * come. A run ends by its report, by being cancelled or by failing. What ends in no other way (the program was closed,
 * the machine stopped, the disk filled up) can go on where it was.
 */
import { isDiskRefusal, SallyportError } from '../../../shared/domain/errors.ts';
import type { UnfinishedRun } from '../../../shared/domain/evidence/unfinished.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { ArtifactStore, StoredArtifact } from '../../ports/artifacts.ts';
import type { Checkpoint, ResumeFrom } from '../../ports/engine.ts';
import type { StoredRun } from '../../ports/evidence-store.ts';
import type { Store, StoreWriter } from '../../ports/stores.ts';
import type { JobContext, System } from '../../ports/system.ts';

/** Processes of this machine, as far as a run needs to know them. */
export interface RunProcesses {
  /** Number of this one. */
  readonly own: number;
  isAlive(process: number): boolean;
}

export interface RunsDeps {
  /** For how far a run is, which nobody decided: not for the log. */
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  readonly system: System;
  readonly processes: RunProcesses;
}

/** What a run is begun with. */
export interface RunStart {
  readonly kind: StoredRun['kind'];
  readonly title: string;
  readonly input: unknown;
  readonly digests: readonly string[];
}

/** A run this process works on. */
export interface RunHandle {
  /** Becomes that of the report. */
  readonly id: string;
  readonly resume: ResumeFrom | null;
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
  /** Milliseconds worked on it, also before it was interrupted. */
  elapsedMs(): number;
  /** Inside the transaction that stores the report. */
  finish(tx: StoreWriter): void;
}

export interface Runs {
  /**
   * Does `work` as a run. Where it throws, the run is over, unless the program is being closed or the disk takes
   * nothing: then it can go on later.
   */
  work<T>(
    start: RunStart | StoredRun,
    actor: Actor,
    job: JobContext,
    work: (run: RunHandle) => Promise<T>,
  ): Promise<T>;
  /** Newest first: those that no process works on. */
  interrupted(): StoredRun[];
  /** Throws `not-found`, and `conflict` for one that is being worked on. */
  require(id: string): StoredRun;
  /** Gives an interrupted run up, and removes its answers. */
  giveUp(id: string): Promise<void>;
}

export function createRuns(deps: RunsDeps): Runs {
  const { store, artifacts, system, processes } = deps;
  const own = new Set<string>();

  const isActive = (run: StoredRun): boolean =>
    // Our own number on a run that is not ours is that of an earlier process.
    run.process === processes.own ? own.has(run.id) : processes.isAlive(run.process);

  const remove = (tx: StoreWriter, id: string): StoredArtifact[] => {
    const files = tx.runSegments(id);
    tx.removeRun(id);
    return files;
  };

  /** While the database is being exchanged, what is written to the old one would be lost. */
  async function write<T>(change: (tx: StoreWriter) => T): Promise<T> {
    for (let held = store.held(); held !== null; held = store.held()) await held;
    return store.transaction(change);
  }

  /** Files go after the rows that named them: a stop in between leaves what the next sweep removes. */
  async function forget(files: readonly StoredArtifact[]): Promise<void> {
    for (const { artifactId } of files) await artifacts.discard(artifactId);
  }

  async function begin(start: RunStart, actor: Actor): Promise<StoredRun> {
    const run: StoredRun = {
      id: system.newId(),
      kind: start.kind,
      title: start.title,
      input: start.input,
      digests: [...start.digests],
      startedAt: system.now().toISOString(),
      startedBy: actor.name,
      process: processes.own,
      rowsDone: 0,
      rowsTotal: null,
      elapsedMs: 0,
      state: null,
    };
    await write((tx) => tx.insertRun(run));
    return run;
  }

  /** Takes an interrupted run over, once: another process may be doing the same. */
  function take(id: string): Promise<StoredRun> {
    return write((tx) => {
      const run = tx.run(id);
      if (run === null) throw noRun(id);
      if (isActive(run)) throw beingWorkedOn(run);
      tx.setRunProcess(id, processes.own);
      return run;
    });
  }

  async function resumeOf(run: StoredRun): Promise<ResumeFrom | null> {
    if (run.state === null) return null;
    const answers: Uint8Array[] = [];
    for (const { artifactId, digest } of store.read.runSegments(run.id))
      answers.push(await artifacts.getBytes(artifactId, digest));
    return { answers, state: run.state };
  }

  async function giveUp(id: string): Promise<void> {
    await forget(await write((tx) => remove(tx, id)));
  }

  return {
    async work(start, actor, job, work) {
      const run = 'id' in start ? await take(start.id) : await begin(start, actor);
      own.add(run.id);
      const startedAt = system.now().getTime();
      const elapsedMs = (): number => run.elapsedMs + Math.max(0, system.now().getTime() - startedAt);
      let finished: readonly StoredArtifact[] | null = null;
      let stored = Promise.resolve();
      const keep = async ({ rows, expectedRows, answers, state }: Checkpoint): Promise<void> => {
        const segment = await artifacts.putBytes(answers);
        system.reached('run.answers-stored');
        const rowsTotal = Math.max(rows, expectedRows);
        await write((tx) =>
          tx.addRunSegment(run.id, segment, { rowsDone: rows, rowsTotal, elapsedMs: elapsedMs(), state }),
        );
        system.reached('run.checkpointed');
      };
      try {
        system.reached('run.begun');
        const result = await work({
          id: run.id,
          resume: await resumeOf(run),
          elapsedMs,
          onCheckpoint: (checkpoint) => {
            // One after the other: a small one that overtook its predecessor would leave a gap behind it.
            stored = stored.then(() => keep(checkpoint));
            return stored;
          },
          finish: (tx) => {
            finished = remove(tx, run.id);
          },
        });
        system.reached('run.reported');
        await forget(finished ?? []);
        return result;
      } catch (error) {
        // What it failed by is told. The row stays where the disk takes nothing, and can be given up later.
        if (!mayGoOn(error, job, run)) await giveUp(run.id).catch(() => undefined);
        throw error;
      } finally {
        own.delete(run.id);
      }
    },
    interrupted: () => store.read.runs().filter((run) => !isActive(run)),
    require(id) {
      const run = store.read.run(id);
      if (run === null) throw noRun(id);
      if (isActive(run)) throw beingWorkedOn(run);
      return run;
    },
    giveUp,
  };
}

/** As people are shown it. */
export function unfinishedOf({
  id,
  kind,
  title,
  rowsDone,
  rowsTotal,
  startedAt,
  startedBy,
}: StoredRun): UnfinishedRun {
  return { id, kind, title, rowsDone, rowsTotal, startedAt, startedBy };
}

function mayGoOn(error: unknown, job: JobContext, run: StoredRun): boolean {
  if (isDiskRefusal(error)) return true;
  if (!(error instanceof SallyportError)) return false;
  // Data on a disk that is not there today may be there tomorrow; what was answered by then is worth waiting for.
  if (error.code === 'not-found') return run.state !== null;
  if (error.code !== 'cancelled') return false;
  // Ended by nobody's wish but the end of the program.
  const reason: unknown = job.signal.reason;
  return !job.signal.aborted || (reason instanceof SallyportError && reason.facts.closing === true);
}

function noRun(id: string): SallyportError {
  return new SallyportError('not-found', 'There is no such unfinished run.', {
    hint: 'It went on and ended, or was given up.',
    facts: { id },
  });
}

function beingWorkedOn(run: StoredRun): SallyportError {
  return new SallyportError('conflict', `${run.title} is being worked on.`, {
    hint: 'Nothing was changed. Wait until it ends, or cancel it where it runs.',
    facts: { id: run.id },
  });
}
