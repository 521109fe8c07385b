/** A restore from a backup is lawful, and told apart from every other way to lose entries. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyAuditFile } from '../../../electron/services/audit/index.ts';
import { Checkpoints } from '../../../serving/checkpoints.ts';
import type { Trust } from '../../../serving/trust.ts';
import { noteOver } from '../../support/audit-attacks.ts';
import {
  backupOf,
  copyFrom,
  DatabaseVerifier,
  exportOf,
  FILE_DEPS,
  type OpenWorld,
  openWorld,
  seeded,
} from '../../support/audit-world.ts';
import { QUIET } from '../../support/console.ts';
import { temporaryDirectory } from '../../support/temp.ts';

const TRIALS = 60;

/** An agent's store of checkpoints, with the vault's key pinned. */
function agentFor({ vaultId, keys }: OpenWorld): Checkpoints {
  const trust = { vaultIds: [vaultId], checkpointKeys: new Map([[vaultId, keys.vkey]]) };
  return new Checkpoints(temporaryDirectory(), trust as unknown as Trust);
}

/** As the console does: the newest one, where the agent does not hold it. */
async function deliver(open: OpenWorld, agent: Checkpoints): Promise<void> {
  const newest = open.store.read.audit.newestCheckpoint();
  if (newest) await agent.store(open.vaultId, newest.note);
}

async function verify(open: OpenWorld, notes: readonly string[] | null) {
  const world = open.world();
  const database = new DatabaseVerifier(world);
  const verdict = await database.verify(copyFrom(world.log), { keychain: world.head, agent: notes });
  database.close();
  return verdict;
}

describe('no false alarm', () => {
  test('on 60 untouched logs, and on 60 that were restored once or twice, from one backup or two', async () => {
    const outcomes: Record<string, number> = { untouched: 0, restored: 0, told: 0 };
    for (let trial = 0; trial < TRIALS; trial++) {
      const random = seeded(trial);
      const open = await openWorld('vault-a');
      const agent = agentFor(open);
      await open.write(1 + random(15));
      await deliver(open, agent);
      if ((await verify(open, await agent.notes('vault-a'))).ok)
        outcomes.untouched = (outcomes.untouched ?? 0) + 1;
      const first = backupOf(open);
      const held: string[] = [];
      const times = 1 + random(2);
      for (let time = 0; time < times; time++) {
        for (let batch = 0; batch < 2; batch++) {
          await open.write(1 + random(9));
          await deliver(open, agent);
        }
        held.push(...(await agent.notes('vault-a')));
        // Every other time the same backup comes back again, and the entry of the first restore goes with it.
        await open.restoreFrom(random(2) === 0 ? first : backupOf(open));
        await deliver(open, agent);
      }
      await open.write(random(15));
      await deliver(open, agent);
      const notes = [...new Set([...held, ...(await agent.notes('vault-a'))])];
      const verdict = await verify(open, notes);
      if (verdict.ok) outcomes.restored = (outcomes.restored ?? 0) + 1;
      if (verdict.restores.length > 0) outcomes.told = (outcomes.told ?? 0) + 1;
      open.store.close();
    }
    expect(outcomes).toEqual({ untouched: TRIALS, restored: TRIALS, told: TRIALS });
  });
});

describe('a restored log', () => {
  /** 24 entries, a backup, 36 more that an agent saw, then the backup again and some entries more. */
  async function restored(more = 12): Promise<{ open: OpenWorld; agent: Checkpoints; before: string[] }> {
    const open = await openWorld('vault-a');
    const agent = agentFor(open);
    await open.write(23);
    await deliver(open, agent);
    const backup = backupOf(open);
    await open.write(36);
    await deliver(open, agent);
    const before = open.world().log.notes.map(({ note }) => note);
    await open.restoreFrom(backup);
    await deliver(open, agent);
    await open.write(more);
    return { open, agent, before };
  }

  test('says when it was restored and how much was lost, and what an old witness says of it', async () => {
    const { open, before } = await restored();
    const verdict = await verify(open, before);
    expect(verdict).toMatchObject({ ok: true, entries: 37, problems: [] });
    expect(verdict.restores).toEqual([
      { seq: 25, at: expect.any(String), restoredTo: 24, lost: 36, backupAt: '2026-01-01T00:00:00.000Z' },
    ]);
    expect(verdict.witnesses[1]).toMatchObject({
      status: 'behind',
      detail: expect.stringContaining('restore replaced'),
    });
  });

  test('is accepted by an agent, which keeps what it held; another history of the same size is not', async () => {
    const { open, agent } = await restored(10);
    await deliver(open, agent);
    const notes = await agent.notes('vault-a');
    // 20, 60 of the history that is gone, and what came after the restore.
    expect(notes.map((note) => note.split('\n')[1])).toEqual(['20', '60', '25', '35']);
    expect(notes.at(-1)).toMatch(/\nsallyport-restored 24 60 [0-9a-f]{64}\n/);
    expect((await verify(open, notes)).ok).toBe(true);
    const { log, keys } = open.world();
    const forged = noteOver(log.rows.slice(1), 'vault-a', 29, keys.skey);
    await expect(agent.store('vault-a', forged)).rejects.toMatchObject({ code: 'conflict' });
    const other = noteOver([...log.rows.slice(0, 33), ...log.rows.slice(0, 2)], 'vault-a', 35, keys.skey);
    await expect(agent.store('vault-a', other)).rejects.toMatchObject({ code: 'integrity.audit' });
    expect(await agent.notes('vault-a')).toEqual(notes);
  });

  test('without the entry that tells of it, the same log is a log that was cut off', async () => {
    const { open, before } = await restored();
    const world = open.world();
    const copy = copyFrom(world.log);
    copy.rows.length = 24;
    copy.notes = copy.notes.filter(({ size }) => size <= 24);
    const verdict = await new DatabaseVerifier(world).verify(copy, { keychain: null, agent: before });
    expect(verdict).toMatchObject({ ok: false, restores: [], problems: [{ seq: 25 }] });
  });

  test('explains one other history, not two: a second one signed for the lost entries is found', async () => {
    const { open, before } = await restored();
    const { log, keys } = open.world();
    const forged = noteOver([...log.rows, ...log.rows], 'vault-a', 60, keys.skey);
    const verdict = await verify(open, [...before, forged]);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems[0]?.problem).toContain('contradict each other');
  });

  test('explains nothing beyond what was lost, and nothing before the backup', async () => {
    const { open, before } = await restored();
    const { log, keys } = open.world();
    const beyond = noteOver([...log.rows, ...log.rows], 'vault-a', 61, keys.skey);
    expect((await verify(open, [...before, beyond])).ok).toBe(false);
    const earlier = noteOver(log.rows.slice(1), 'vault-a', 23, keys.skey);
    expect((await verify(open, [...before, earlier])).ok).toBe(false);
  });

  test('cut off after the restore, is found by what an agent heard since', async () => {
    const { open, agent } = await restored(30);
    await deliver(open, agent);
    const notes = await agent.notes('vault-a');
    const world = open.world();
    const copy = copyFrom(world.log);
    copy.rows.length = 40;
    copy.notes = copy.notes.filter(({ size }) => size <= 40);
    const verdict = await new DatabaseVerifier(world).verify(copy, { keychain: null, agent: notes });
    // The agent's 55 lies among the numbers that were lost, but tells of the restore itself: it came after.
    expect(notes.map((note) => note.split('\n')[1])).toEqual(['20', '60', '25', '55']);
    expect(verdict).toMatchObject({ ok: false, problems: [{ seq: 41 }] });
  });

  test('is told apart in an export, beside checkpoints of the history that is gone', async () => {
    const { open, before } = await restored();
    const world = open.world();
    const rows = world.log.rows;
    const note = noteOver(rows, 'vault-a', rows.length, world.keys.skey);
    const folder = temporaryDirectory();
    const path = join(folder, 'audit.jsonl');
    const checkpointPath = join(folder, 'held.note');
    writeFileSync(path, exportOf(world, { ...world.log, notes: [{ size: rows.length, note }] }));
    writeFileSync(checkpointPath, before.join('\n'));
    const verdict = await verifyAuditFile(FILE_DEPS, { path, checkpointPath }, QUIET);
    expect(verdict).toMatchObject({ ok: true, restores: [{ seq: 25, lost: 36 }] });
  });
});
