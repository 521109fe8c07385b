import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitCheckpoint, type Checkpoint, judgeCheckpoints } from '../../shared/domain/audit/checkpoint.ts';
import { splitNotes } from '../../shared/domain/audit/export-file.ts';
import { explains, judgeRestores, type LostRange } from '../../shared/domain/audit/restore.ts';
import { judgeHead } from '../../shared/domain/audit/witness.ts';
import {
  generateCheckpointKey,
  signCheckpoint,
  verifyCheckpoint,
} from '../../shared/node/checkpoint/index.ts';

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const range: fc.Arbitrary<LostRange> = fc
  .record({ restored: fc.nat(50), lost: fc.option(fc.nat(50)), lostHash: fc.option(digest) })
  .map(({ restored, lost, lostHash }) => ({
    restored,
    lost: lost === null ? null : restored + lost,
    lostHash: lost === null ? null : lostHash,
  }));
const ORIGIN = 'sallyport/v';
const checkpoint = fc.record({ size: fc.nat(60), root: digest }).map((each) => ({ origin: ORIGIN, ...each }));
/** A log of `size` entries whose root at each size is a letter of its own. */
const rootAt = (size: number) =>
  new Map(Array.from({ length: size + 1 }, (_, at) => [at, `${at}`.padStart(64, '0')]));
const fitting = (size: number): Checkpoint => ({ origin: ORIGIN, size, root: `${size}`.padStart(64, '0') });

describe('a restore', () => {
  it('explains what lies behind the backup up to what was lost, and nothing else', () =>
    fc.assert(
      fc.property(range, fc.nat(120), digest, (each, seq, hash) => {
        const inside = seq > each.restored && (each.lost === null || seq <= each.lost);
        expect(explains(each, seq)).toBe(inside);
        const last = each.lost !== null && seq === each.lost && each.lostHash !== null;
        expect(explains(each, seq, hash)).toBe(inside && (!last || hash === each.lostHash));
      }),
    ));

  it('counts only where the log has the entry it went back to', () =>
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.boolean(), (restored, seq, there) => {
        const restore = {
          seq,
          at: '',
          restored,
          restoredHash: 'h',
          lost: null,
          lostHash: null,
          backupAt: '',
        };
        const { lawful, problems } = judgeRestores([restore], (number) =>
          there && number === restored ? 'h' : null,
        );
        expect(lawful.length).toBe(there && restored < seq ? 1 : 0);
        expect(problems.length).toBe(1 - lawful.length);
      }),
    ));

  it('never makes a head that fits contradict, nor one outside its range agree', () =>
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.array(range), fc.boolean(), (last, seq, restores, fits) => {
        const log = { last, hashAt: (at: number) => (at >= 1 && at <= last ? `hash ${at}` : null) };
        const head = { seq, hash: fits ? `hash ${seq}` : 'another' };
        const { standing, problem } = judgeHead(head, log, restores);
        if (seq === 0 || (fits && seq <= last)) expect(standing).toBe(seq === last ? 'agrees' : 'behind');
        else {
          const explained = restores.some((each) => explains(each, seq, head.hash));
          expect(standing).toBe(explained ? 'lost' : 'contradicts');
        }
        expect(problem === null).toBe(standing !== 'contradicts');
      }),
    ));
});

describe('checkpoints of several holders', () => {
  it('of the log itself are never a problem, whatever was restored', () =>
    fc.assert(
      fc.property(fc.nat(60), fc.array(fc.nat(60)), fc.array(range), (size, sizes, restores) => {
        const held = sizes.filter((each) => each <= size).map(fitting);
        expect(judgeCheckpoints(held, ORIGIN, size, rootAt(size), restores).problems).toEqual([]);
      }),
    ));

  it('that do not fit are problems unless restores explain them, one history each', () =>
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.array(checkpoint, { minLength: 1, maxLength: 6 }),
        fc.array(range, { maxLength: 3 }),
        (size, held, restores) => {
          const unique = [
            ...new Map(
              restores.map((each) => [`${each.restored} ${each.lost} ${each.lostHash}`, each]),
            ).values(),
          ];
          const { outcomes } = judgeCheckpoints(held, ORIGIN, size, rootAt(size), unique);
          for (const each of held) {
            if (each.size <= size && each.root === fitting(each.size).root) continue;
            const rivals = new Set(
              held
                .filter((one) => one.size === each.size && one.root !== fitting(each.size).root)
                .map(({ root }) => root),
            ).size;
            const explained = unique.filter((one) => explains(one, each.size)).length;
            expect(outcomes.get(each) === 'lost').toBe(explained > 0 && rivals <= explained);
          }
        },
      ),
    ));

  it('a holder takes growing ones, and no second root of a size', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(checkpoint, { selector: ({ size }) => size, maxLength: 8 }),
        checkpoint,
        (all, next) => {
          const held = all.toSorted((a, b) => a.size - b.size);
          const newest = held.at(-1)?.size ?? 0;
          const same = held.find(({ size }) => size === next.size);
          const verdict = admitCheckpoint(held, next);
          const contradicted = same !== undefined && same.root !== next.root;
          expect(verdict.admitted).toBe(!contradicted && next.size >= newest);
        },
      ),
    ));

  it('a holder takes what a restore explains, and after it what grows from there', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 40 }),
        (restored, gone, more) => {
          const lost = restored + gone;
          const told = [{ restored, lost, lostHash: 'a'.repeat(64) }];
          const held: Checkpoint[] = [
            fitting(restored),
            { origin: ORIGIN, size: lost, root: 'b'.repeat(64) },
          ];
          const after: Checkpoint = { ...fitting(restored + more), restores: told };
          expect(admitCheckpoint(held, after).admitted).toBe(true);
          // The same explanation does not excuse a second history after the restore.
          const second: Checkpoint = { ...after, root: 'c'.repeat(64) };
          expect(admitCheckpoint([...held, after], second).admitted).toBe(false);
          expect(admitCheckpoint(held, fitting(restored + more)).admitted).toBe(restored + more > lost);
        },
      ),
    ));

  it('come back from their signed notes with the restores they tell of, one by one or several in a file', () => {
    const { skey, vkey } = generateCheckpointKey('v');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(checkpoint, fc.array(range, { minLength: 1, maxLength: 4 })), {
          minLength: 1,
          maxLength: 5,
        }),
        (all) => {
          const given = all.map(([each, restores]): Checkpoint => ({ ...each, restores }));
          const notes = given.map((each) => signCheckpoint(each, skey));
          expect(splitNotes(notes.join('\n')).map((note) => verifyCheckpoint(note, vkey))).toEqual(given);
          expect(splitNotes(notes.join(''))).toEqual(notes);
        },
      ),
      { numRuns: 30 },
    );
  });
});
