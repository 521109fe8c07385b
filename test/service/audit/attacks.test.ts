/**
 * Everything that can be done to a log against every witness there is: which attack is found by whom, 60 seeded trials
 * each, and said as plainly, which attack nothing of what is at hand can show.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyAuditFile } from '../../../electron/services/audit/index.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type Attack,
  CONTRADICTIONS,
  CUTS,
  copyOf,
  FORGED,
  forkOf,
  noteOver,
  PLAIN,
  type Scene,
} from '../../support/audit-attacks.ts';
import {
  type Copy,
  DatabaseVerifier,
  exportOf,
  FILE_DEPS,
  makeWorld,
  openWorld,
  seeded,
  type World,
} from '../../support/audit-world.ts';
import { QUIET } from '../../support/console.ts';
import { temporaryDirectory } from '../../support/temp.ts';

const TRIALS = 60;
/** Entries of the log, of its older copy; a checkpoint stands at every tenth. */
const SIZE = 40;
const OLDER = 20;

type Stage = Omit<Scene, 'random' | 'covered'>;

/** A vault of `size` entries, an older copy and a fork of it, and another vault. */
async function stage(size = SIZE): Promise<Stage> {
  const open = await openWorld('vault-a');
  await open.write(OLDER - 1);
  const older = open.world();
  await open.write(size - OLDER);
  const world = open.world();
  open.store.close();
  return { world, older, fork: forkOf(older, SIZE), other: await makeWorld('vault-b', size) };
}

type Verify = (copy: Copy, scene: Scene) => Promise<boolean>;

/** Of 60 trials of each attack, in how many the verdict says that the log is not sound. */
async function found(
  attacks: Readonly<Record<string, Attack>>,
  staged: Stage,
  covered: number,
  sound: Verify,
): Promise<Record<string, number>> {
  const table: Record<string, number> = {};
  for (const [index, [name, attack]] of Object.entries(attacks).entries()) {
    table[name] = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const scene = { ...staged, covered, random: seeded(1000 * index + trial) };
      const copy = copyOf(staged.world);
      attack(copy, scene);
      if (!(await sound(copy, scene))) table[name] += 1;
    }
  }
  return table;
}

const each = (attacks: object, times: number): Record<string, number> =>
  Object.fromEntries(Object.keys(attacks).map((name) => [name, times]));
const ALL = { ...PLAIN, ...CUTS, ...FORGED };
const notesOf = (world: World): string[] => world.log.notes.map(({ note }) => note);

describe('in the database', () => {
  test('beside a keychain that holds the head, everything is found', async () => {
    const staged = await stage(SIZE + 3);
    const database = new DatabaseVerifier(staged.world);
    const sound: Verify = async (copy) =>
      (await database.verify(copy, { keychain: staged.world.head, agent: null })).ok;
    expect(await sound(copyOf(staged.world), {} as Scene)).toBe(true);
    expect(await found(ALL, staged, SIZE + 3, sound)).toEqual(each(ALL, TRIALS));
  });

  test('beside an agent that holds the checkpoints, everything up to the newest one is found', async () => {
    const staged = await stage();
    const database = new DatabaseVerifier(staged.world);
    const agent = notesOf(staged.world);
    const sound: Verify = async (copy) => (await database.verify(copy, { keychain: null, agent })).ok;
    expect(await sound(copyOf(staged.world), {} as Scene)).toBe(true);
    expect(await found(ALL, staged, SIZE, sound)).toEqual(each(ALL, TRIALS));
  });

  test('behind the newest checkpoint an agent sees nothing, and the verdict says so', async () => {
    const staged = await stage(SIZE + 7);
    const database = new DatabaseVerifier(staged.world);
    const agent = notesOf(staged.world);
    const tail: Record<string, Attack> = {
      'the last entries cut off': (copy, { random }) => void copy.rows.splice(SIZE + random(7)),
      'an edit in the tail, hashed anew': (copy, scene) => {
        const cut = copy.rows.slice(0, SIZE);
        const forged = forkOf({ ...staged.world, log: { ...copy, rows: cut } }, SIZE + 1 + scene.random(6));
        copy.rows = forged.log.rows;
      },
    };
    const unproven: string[] = [];
    const sound: Verify = async (copy) => {
      const verdict = await database.verify(copy, { keychain: null, agent });
      if (copy.rows.length > SIZE) unproven.push(...verdict.unproven);
      return verdict.ok;
    };
    expect(await found(tail, staged, SIZE, sound)).toEqual(each(tail, 0));
    expect(unproven.filter((sentence) => /no witness has seen/.test(sentence)).length).toBeGreaterThan(60);
  });

  test('without any witness the chain finds edits, and cannot find a cut-off end or a log written anew', async () => {
    const staged = await stage();
    const database = new DatabaseVerifier(staged.world);
    const unproven = new Set<string>();
    const sound: Verify = async (copy) => {
      const verdict = await database.verify(copy, { keychain: null, agent: null });
      unproven.add(verdict.unproven[0] ?? '');
      return verdict.ok;
    };
    expect(await found(ALL, staged, SIZE, sound)).toEqual({
      ...each(PLAIN, TRIALS),
      ...each(CUTS, 0),
      ...each(FORGED, 0),
    });
    expect([...unproven]).toEqual([expect.stringContaining('No witness outside the log')]);
  });

  test('checkpoints that an honest log cannot have signed are found in an agent and in the vault itself', async () => {
    const staged = await stage();
    const database = new DatabaseVerifier(staged.world);
    const table: Record<string, number> = {};
    for (const [name, contradiction] of Object.entries(CONTRADICTIONS)) {
      for (const place of ['agent', 'vault'] as const) {
        let count = 0;
        for (let trial = 0; trial < TRIALS; trial++) {
          const scene = { ...staged, covered: SIZE, random: seeded(trial) };
          const notes = contradiction(notesOf(staged.world), scene);
          const copy = copyOf(staged.world);
          // The vault keeps one a size: the contradicting one takes its place.
          if (place === 'vault')
            copy.notes = [...new Map(notes.map((note) => [Number(note.split('\n')[1]), note]))].map(
              ([size, note]) => ({ size, note }),
            );
          const held = { keychain: staged.world.head, agent: place === 'agent' ? notes : null };
          if (!(await database.verify(copy, held)).ok) count++;
        }
        table[`${name}, held by the ${place}`] = count;
      }
    }
    expect(new Set(Object.values(table))).toEqual(new Set([TRIALS]));
  });

  test('the key in the settings exchanged alone is found, whoever witnesses', async () => {
    const staged = await stage();
    const database = new DatabaseVerifier(staged.world);
    const key = (await makeWorld('vault-a', 2)).keys.vkey;
    const verdict = await database.verify(
      { ...copyOf(staged.world), key },
      { keychain: staged.world.head, agent: notesOf(staged.world) },
    );
    expect(verdict).toMatchObject({ ok: false, problems: [{ seq: 1 }] });
    expect(verdict.problems[0]?.problem).toContain('checkpoint-key');
  });
});

describe('in an exported file', () => {
  /** As the program exports: signed to the last line. */
  function exported(world: World): World {
    const { rows, notes, key } = world.log;
    const note = noteOver(rows, world.vaultId, rows.length, world.keys.skey);
    return { ...world, log: { rows, notes: [...notes, { size: rows.length, note }], key } };
  }

  async function fileStage(): Promise<Stage> {
    const { world, ...rest } = await stage(SIZE + 4);
    return { ...rest, world: exported(world) };
  }

  /** Whether the file is sound, with what was kept elsewhere. */
  function verifier(kept: { key?: string; notes?: readonly string[]; head?: object }): Verify {
    const folder = temporaryDirectory();
    const path = join(folder, 'audit.jsonl');
    const checkpointPath = kept.notes ? join(folder, 'held.note') : null;
    const headPath = kept.head ? join(folder, 'head.json') : null;
    if (checkpointPath) writeFileSync(checkpointPath, (kept.notes ?? []).join('\n'));
    if (headPath) writeFileSync(headPath, JSON.stringify(kept.head));
    return async (copy, scene) => {
      writeFileSync(path, exportOf(scene.world, copy));
      try {
        const input = { path, key: kept.key ?? null, checkpointPath, headPath };
        return (await verifyAuditFile(FILE_DEPS, input, QUIET)).ok;
      } catch (error) {
        if (error instanceof SallyportError && error.code === 'integrity.audit') return false;
        throw error;
      }
    };
  }

  test('beside a checkpoint that was kept, everything is found', async () => {
    const staged = await fileStage();
    const sound = verifier({ notes: notesOf(staged.world) });
    expect(await sound(copyOf(staged.world), staged as Scene)).toBe(true);
    expect(await found(ALL, staged, SIZE + 4, sound)).toEqual(each(ALL, TRIALS));
  });

  test('beside a head that was kept, everything is found', async () => {
    const staged = await fileStage();
    const sound = verifier({ head: staged.world.head });
    expect(await sound(copyOf(staged.world), staged as Scene)).toBe(true);
    expect(await found(ALL, staged, SIZE + 4, sound)).toEqual(each(ALL, TRIALS));
  });

  test('with the key alone, only what was signed with that key is not found', async () => {
    const staged = await fileStage();
    const sound = verifier({ key: staged.world.keys.vkey });
    expect(await found(ALL, staged, SIZE + 4, sound)).toEqual({
      ...each(ALL, TRIALS),
      'cut back to a checkpoint': 0,
      'an older database put back': 0,
      'an edit, hashed and signed anew with the stolen key': 0,
      'an entry deleted, hashed and signed anew with the stolen key': 0,
      'the database of a fork': 0,
      // Where the cut happens to be at a checkpoint, its signature is there for the taking.
      'the last entries cut off': expect.toSatisfy((count: number) => count > 40 && count < TRIALS),
    });
  });

  test('with nothing kept, a file signed anew with any key holds, and the verdict says what that means', async () => {
    const staged = await fileStage();
    const sound = verifier({});
    const attack = 'everything signed anew with a key of their own';
    expect(await found({ [attack]: FORGED[attack] as Attack }, staged, SIZE, sound)).toEqual({ [attack]: 0 });
    const path = join(temporaryDirectory(), 'audit.jsonl');
    writeFileSync(path, exportOf(staged.world, staged.world.log));
    const { ok, unproven } = await verifyAuditFile(FILE_DEPS, { path }, QUIET);
    expect(ok).toBe(true);
    expect(unproven.join(' ')).toMatch(/No witness outside the log.*known from the file alone/);
  });

  test('checkpoints that an honest log cannot have signed are found', async () => {
    const staged = await fileStage();
    const table: Record<string, number> = {};
    for (const [name, contradiction] of Object.entries(CONTRADICTIONS)) {
      table[name] = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const scene = { ...staged, covered: SIZE, random: seeded(trial) };
        const sound = verifier({ notes: contradiction(notesOf(staged.world), scene) });
        if (!(await sound(copyOf(staged.world), scene))) table[name] += 1;
      }
    }
    expect(table).toEqual(each(CONTRADICTIONS, TRIALS));
  });
});
