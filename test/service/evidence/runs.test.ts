import { describe, expect, test } from 'vitest';
import type { Evaluation, EvaluationOptions, InferenceEngine } from '../../../electron/ports/engine.ts';
import { namedArtifacts } from '../../../electron/ports/named-artifacts.ts';
import { createRuns } from '../../../electron/services/evidence/runs.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import { evidenceHome } from '../../support/evidence-home.ts';
import { testMeasuring } from '../../support/measuring.ts';
import { actorWith } from '../../support/vault.ts';

const SEGMENT = new Uint8Array([1, 2, 3]);
const CHECKPOINT = { rows: 3, expectedRows: 5, answers: SEGMENT, state: '{"version":1}' };
const cancelled = () => new SallyportError('cancelled', 'The run was cancelled.');

/** An engine that stores one checkpoint and then ends by `how`; unless told to go on as the real one does. */
async function interruptedHome(how: (abort: AbortController) => unknown) {
  const controller = new AbortController();
  const seen: { options?: EvaluationOptions; real?: InferenceEngine['evaluate'] } = {};
  let interrupt = true;
  const at = await evidenceHome({
    evaluate: async (models, data, options, job): Promise<Evaluation> => {
      seen.options = options;
      if (interrupt) {
        await options.onCheckpoint?.(CHECKPOINT);
        throw how(controller);
      }
      if (!seen.real) throw new Error('no engine');
      return seen.real(models, data, { ...options, resume: null }, job);
    },
  });
  seen.real = testMeasuring(at).engine.evaluate;
  const job = { signal: controller.signal, progress: () => {} };
  const run = () =>
    at.validation.run(
      at.admin,
      {
        ...at.ref('1.0.0'),
        data: labelledFile(at.path),
        environmentId: null,
        policy: null,
      },
      job,
    );
  const segments = async () => {
    const named = namedArtifacts(at.store.read).filter(({ what }) => what.includes('unfinished'));
    return named.length;
  };
  return { ...at, run, seen, segments, goOn: () => (interrupt = false) };
}

const closing = (abort: AbortController) => {
  abort.abort(new SallyportError('cancelled', 'The program is closing.', { facts: { closing: true } }));
  return cancelled();
};

describe('a run that the end of the program interrupts', () => {
  test('is listed with how far it came, and goes on into the report it would have made', async () => {
    const at = await interruptedHome(closing);
    await expect(at.run()).rejects.toMatchObject({ code: 'cancelled' });
    const [unfinished] = at.evidence.unfinished(at.admin);
    expect(unfinished).toMatchObject({
      kind: 'validation',
      title: 'phish@1.0.0 on data.csv',
      rowsDone: 3,
      rowsTotal: 5,
      startedBy: 'ada',
    });
    // Its answers are the vault's, not an orphan.
    expect(await at.segments()).toBe(1);
    const id = unfinished?.id ?? '';
    await expect(at.evidence.resume(actorWith('auditor'), { id })).rejects.toMatchObject({
      code: 'refused.role',
    });
    at.goOn();
    expect(await at.evidence.resume(at.admin, { id })).toEqual({ kind: 'validation', id });
    const resume = at.seen.options?.resume;
    expect(resume?.state).toBe(CHECKPOINT.state);
    expect(resume?.answers.map((answers) => [...answers])).toEqual([[...SEGMENT]]);
    expect(at.validation.get(at.admin, { id }).metrics.rows).toBe(5);
    expect(at.evidence.unfinished(at.admin)).toEqual([]);
    expect(at.store.read.runSegments(id)).toEqual([]);
    expect(await at.segments()).toBe(0);
    await expect(at.evidence.resume(at.admin, { id })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is given up with its answers, and the log says so', async () => {
    const at = await interruptedHome(closing);
    await expect(at.run()).rejects.toMatchObject({ code: 'cancelled' });
    const [segment] = at.store.read.evidenceArtifacts();
    const [unfinished] = at.evidence.unfinished(at.admin);
    await at.evidence.discard(at.admin, { id: unfinished?.id ?? '' });
    expect(at.evidence.unfinished(at.admin)).toEqual([]);
    expect(await at.artifacts.list()).not.toContain(segment?.artifactId);
    expect(at.entries()[0]).toMatchObject({ action: 'run.discarded', details: { rows: 3 } });
  });

  test('goes on only in one process, and not while another works on it', async () => {
    const at = await interruptedHome(closing);
    await expect(at.run()).rejects.toMatchObject({ code: 'cancelled' });
    const [run] = at.store.read.runs();
    const id = run?.id ?? '';
    const { system } = at.adapters;
    const seenBy = (own: number, isAlive: boolean) =>
      createRuns({
        store: at.store,
        artifacts: at.artifacts,
        system,
        processes: { own, isAlive: () => isAlive },
      });
    // The process that began it lives: it may be working on it.
    expect(seenBy(1, true).interrupted()).toEqual([]);
    expect(() => seenBy(1, true).require(id)).toThrow(/is being worked on/);
    expect(seenBy(1, false).interrupted()).toHaveLength(1);
    // The same number again, after a restart of the machine.
    expect(seenBy(run?.process ?? 0, true).interrupted()).toHaveLength(1);
  });
});

test('answers that come faster than they are stored keep their order', async () => {
  const sizes = [400_000, 1];
  const at = await evidenceHome({
    evaluate: async (_models, _data, { onCheckpoint }) => {
      const kept = sizes.map((size, index) =>
        onCheckpoint?.({ ...CHECKPOINT, rows: index + 1, answers: new Uint8Array(size) }),
      );
      await Promise.all(kept);
      throw new SallyportError('disk.full', 'The disk is full.');
    },
  });
  await expect(at.validate()).rejects.toMatchObject({ code: 'disk.full' });
  const [run] = at.store.read.runs();
  expect(at.store.read.runSegments(run?.id ?? '').map(({ sizeBytes }) => sizeBytes)).toEqual(sizes);
  expect(run?.rowsDone).toBe(2);
});

test.each([
  [
    'cancelled by a person',
    (abort: AbortController) => {
      abort.abort(cancelled());
      return cancelled();
    },
  ],
  ['failed', () => new SallyportError('dataset.invalid', 'Row 4 is broken.')],
])('a run that is %s leaves nothing behind', async (_, how) => {
  const at = await interruptedHome(how);
  const before = await at.artifacts.list();
  await expect(at.run()).rejects.toBeInstanceOf(SallyportError);
  expect(at.store.read.runs()).toEqual([]);
  expect(await at.artifacts.list()).toEqual(before);
});

test('a full disk interrupts a run, and does not end it', async () => {
  const at = await interruptedHome(() => new SallyportError('disk.full', 'The disk is full.'));
  await expect(at.run()).rejects.toMatchObject({ code: 'disk.full' });
  expect(at.evidence.unfinished(at.admin)).toHaveLength(1);
});

test('a model that ended its process is remembered by the vault until somebody lifts that', async () => {
  const record = (digest: string) => ({ digest, reason: 'engine.crashed' as const, crashes: 2 });
  let crashed: ReturnType<typeof record>[] = [];
  const restored: string[][] = [];
  const at = await evidenceHome({
    evaluate: async ([model]) => {
      crashed = [record(model?.digest ?? '')];
      throw new SallyportError('engine.crashed', 'It crashed.');
    },
    quarantined: () => crashed,
    restore: (records) => restored.push(records.map(({ digest }) => digest)),
    forgive: (digest) => {
      crashed = crashed.filter((each) => each.digest !== digest);
    },
  });
  await expect(at.validate()).rejects.toMatchObject({ code: 'engine.crashed' });
  const [kept] = at.evidence.quarantined(at.admin);
  expect(kept).toMatchObject({ crashes: 2, reason: 'engine.crashed' });
  expect(at.entries()[0]).toMatchObject({ action: 'model.crashed', subject: 'phish@1.0.0' });
  await expect(at.validate()).rejects.toMatchObject({ code: 'engine.crashed' });
  expect(restored.at(-1)).toEqual([kept?.digest]);
  const digest = kept?.digest ?? '';
  await expect(at.evidence.liftQuarantine(actorWith('analyst'), { digest })).rejects.toMatchObject({
    code: 'refused.role',
  });
  await at.evidence.liftQuarantine(at.admin, { digest });
  expect(at.evidence.quarantined(at.admin)).toEqual([]);
  await expect(at.validate()).rejects.toMatchObject({ code: 'engine.crashed' });
  expect(restored.at(-1)).toEqual([]);
});
