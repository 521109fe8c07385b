/** What may be done to a log, each as a change of a copy: by somebody with the database's key, with or without the key that signs. */
import { hashOfLine, lineOf, makeEntry, ZERO_HASH } from '../../shared/domain/audit/chain.ts';
import { checkpointOrigin } from '../../shared/domain/audit/checkpoint.ts';
import type { AuditEntry } from '../../shared/domain/audit/entry.ts';
import { logRoot } from '../../shared/domain/audit/merkle.ts';
import { generateCheckpointKey, signCheckpoint } from '../../shared/node/checkpoint/index.ts';
import { type Copy, copyFrom, type Random, type Row, sha256, type World } from './audit-world.ts';

/** Where an attack may strike: numbers of entries from 2 (entry 1 makes the vault) up to `last`. */
export interface Scene {
  readonly world: World;
  /** The same vault at an earlier time. */
  readonly older: World;
  /** The same vault, gone another way after the earlier time: both were signed with the vault's key. */
  readonly fork: World;
  /** Another vault's log. */
  readonly other: World;
  readonly random: Random;
  /** Last entry that a witness of this scene covers; attacks that a witness must see strike up to here. */
  readonly covered: number;
}

export type Attack = (copy: Copy, scene: Scene) => void;

export function copyOf({ log }: World): Copy {
  return copyFrom(log);
}

const pick = ({ random, covered }: Scene, from = 2): number => from + random(covered - from + 1);
const at = ({ rows }: Copy, seq: number): Row => rows[seq - 1] as Row;
const bodyOf = (row: Row): AuditEntry => JSON.parse(row.canonical) as AuditEntry;

/** Writes an entry's fields into a row; its hash stays what it was. */
function write(row: Row, change: Partial<AuditEntry>): void {
  row.canonical = lineOf({ ...bodyOf(row), ...change });
}

/** Makes the chain hold again from entry `from` on, as anybody can who can write. */
function rechain(copy: Copy, from: number): void {
  copy.rows.forEach((row, index) => {
    row.seq = index + 1;
    if (index + 1 < from) return;
    const previous = copy.rows[index - 1]?.hash ?? ZERO_HASH;
    row.canonical = lineOf({ ...bodyOf(row), seq: index + 1, previous });
    row.hash = hashOfLine(row.canonical, sha256);
  });
}

/** Signs the copy's own checkpoints anew: with the vault's key, or one of the attacker's. */
function sign(copy: Copy, { vaultId }: World, skey: string): void {
  const sizes = new Set([...copy.notes.map(({ size }) => size), copy.rows.length]);
  copy.notes = [...sizes]
    .filter((size) => size <= copy.rows.length)
    .sort((a, b) => a - b)
    .map((size) => ({ size, note: noteOver(copy.rows, vaultId, size, skey) }));
}

export function noteOver(rows: readonly Row[], vaultId: string, size: number, skey: string): string {
  const hashes = rows.slice(0, size).map(({ hash }) => hash);
  return signCheckpoint({ origin: checkpointOrigin(vaultId), size, root: logRoot(hashes, sha256) }, skey);
}

/** The same vault gone another way after `older`: what the vault's keys can make of a copy of its database. */
export function forkOf(older: World, size: number): World {
  const rows = older.log.rows.map((row) => ({ ...row }));
  while (rows.length < size) {
    const last = rows.at(-1);
    const { entry, line } = makeEntry(
      last ? { seq: rows.length, hash: last.hash } : null,
      { at: '2026-02-02T00:00:00.000Z', actor: 'fork', action: 'model.described', subject: 'f', details: {} },
      sha256,
    );
    rows.push({ seq: entry.seq, canonical: line, hash: entry.hash });
  }
  const copy: Copy = { rows, notes: older.log.notes.slice(), key: older.log.key };
  for (let at = 10; at <= size; at += 10) copy.notes.push({ size: at, note: '' });
  sign(copy, older, older.keys.skey);
  return { ...older, log: copy, head: { seq: size, hash: rows.at(-1)?.hash ?? '' } };
}

const FIELDS: Readonly<Record<string, (entry: AuditEntry) => Partial<AuditEntry>>> = {
  at: ({ at: when }) => ({ at: when.replace(/^..../, '1999') }),
  actor: () => ({ actor: 'mallory' }),
  action: ({ action }) => ({ action: action === 'refused' ? 'model.added' : 'refused' }),
  subject: ({ subject }) => ({ subject: `${subject}!` }),
  details: ({ details }) => ({ details: { ...details, index: -1 } }),
  previous: () => ({ previous: 'f'.repeat(64) }),
  seq: ({ seq }) => ({ seq: seq + 1 }),
};

const edits = Object.fromEntries(
  Object.entries(FIELDS).map(([field, change]): [string, Attack] => [
    `edit of ${field}`,
    (copy, scene) => {
      const row = at(copy, pick(scene));
      write(row, change(bodyOf(row)));
    },
  ]),
);

const cut =
  (keep: (copy: Copy, scene: Scene) => number): Attack =>
  (copy, scene) => {
    copy.rows.length = keep(copy, scene);
    copy.notes = copy.notes.filter(({ size }) => size <= copy.rows.length);
  };

/** Attacks without the key that signs, which leave the stored checkpoints in place. */
export const PLAIN: Readonly<Record<string, Attack>> = {
  ...edits,
  'text that is no entry': (copy, scene) => {
    at(copy, pick(scene)).canonical = '{}';
  },
  'one bit of a text': (copy, scene) => {
    const row = at(copy, pick(scene));
    const where = scene.random(row.canonical.length);
    const code = row.canonical.charCodeAt(where) ^ (1 << scene.random(4));
    row.canonical = `${row.canonical.slice(0, where)}${String.fromCharCode(code)}${row.canonical.slice(where + 1)}`;
  },
  'first entry deleted': (copy) => void copy.rows.shift(),
  'an entry in the middle deleted': (copy, { random, covered }) =>
    void copy.rows.splice(1 + random(covered - 2), 1),
  'an entry deleted, the rest chained anew': (copy, scene) => {
    const seq = pick(scene);
    copy.rows.splice(seq - 1, 1);
    rechain(copy, seq);
  },
  'an entry inserted': (copy, scene) => {
    const seq = pick(scene);
    copy.rows.splice(seq - 1, 0, { ...at(copy, seq) });
    copy.rows.forEach((row, index) => {
      row.seq = index + 1;
    });
  },
  'an entry inserted, the rest chained anew': (copy, scene) => {
    const seq = pick(scene);
    copy.rows.splice(seq - 1, 0, { ...at(copy, seq) });
    write(at(copy, seq), { subject: 'forged@1.0.0' });
    rechain(copy, seq);
  },
  'two entries swapped': (copy, scene) => {
    const first = at(copy, pick(scene));
    let second = first;
    while (second === first) second = at(copy, pick(scene));
    [first.canonical, second.canonical] = [second.canonical, first.canonical];
    [first.hash, second.hash] = [second.hash, first.hash];
  },
  'an edit, all after it hashed anew': (copy, scene) => {
    const seq = pick(scene);
    write(at(copy, seq), { actor: 'mallory' });
    rechain(copy, seq);
  },
  'entries of another vault spliced in': (copy, scene) => {
    const seq = pick(scene);
    at(copy, seq).canonical = at(scene.other.log, seq).canonical;
    at(copy, seq).hash = at(scene.other.log, seq).hash;
  },
  'entries of another vault spliced in, hashed anew': (copy, scene) => {
    const seq = pick(scene);
    at(copy, seq).canonical = at(scene.other.log, seq).canonical;
    rechain(copy, seq);
  },
  "another vault's whole log": (copy, scene) => Object.assign(copy, copyOf(scene.other)),
  'the checkpoint key exchanged': (copy, { world }) => {
    copy.key = generateCheckpointKey(world.vaultId).vkey;
  },
};

/** Ends that are taken off a log together with its own checkpoints over them: nothing in what is left is wrong. */
export const CUTS: Readonly<Record<string, Attack>> = {
  'the last entry cut off': cut((copy) => copy.rows.length - 1),
  'the last entries cut off': cut((copy, { random }) => copy.rows.length - 1 - random(9)),
  'cut back to a checkpoint': cut(
    (copy, { random }) => 10 * (1 + random(Math.floor((copy.rows.length - 1) / 10))),
  ),
  'an older database put back': (copy, { older }) => Object.assign(copy, copyOf(older)),
};

/** Logs written anew with everything that can be stolen from the vault: they hold in themselves. */
export const FORGED: Readonly<Record<string, Attack>> = {
  'an edit, hashed and signed anew with the stolen key': (copy, scene) => {
    PLAIN['an edit, all after it hashed anew']?.(copy, scene);
    sign(copy, scene.world, scene.world.keys.skey);
  },
  'an entry deleted, hashed and signed anew with the stolen key': (copy, scene) => {
    PLAIN['an entry deleted, the rest chained anew']?.(copy, scene);
    sign(copy, scene.world, scene.world.keys.skey);
  },
  'everything signed anew with a key of their own': (copy, scene) => {
    const own = generateCheckpointKey(scene.world.vaultId);
    write(at(copy, 1), { details: { checkpointKey: own.vkey } });
    write(at(copy, pick(scene)), { actor: 'mallory' });
    rechain(copy, 1);
    copy.key = own.vkey;
    sign(copy, scene.world, own.skey);
  },
  'an edit hashed anew, own checkpoints deleted': (copy, scene) => {
    PLAIN['an edit, all after it hashed anew']?.(copy, scene);
    copy.notes = [];
  },
  'the database of a fork': (copy, { fork }) => Object.assign(copy, copyOf(fork)),
};

/** Checkpoints that a holder has and an honest log cannot have signed; the log itself is untouched. */
export const CONTRADICTIONS: Readonly<Record<string, (notes: readonly string[], scene: Scene) => string[]>> =
  {
    'two contradicting checkpoints of one size': (notes, { world, fork }) => [
      ...notes,
      noteOver(
        fork.log.rows,
        world.vaultId,
        Math.min(fork.log.rows.length, world.log.rows.length),
        world.keys.skey,
      ),
    ],
    'checkpoints of two sizes that do not fit each other': (notes, { world, fork, older, random }) => [
      ...notes,
      noteOver(fork.log.rows, world.vaultId, older.log.rows.length + 1 + random(5), world.keys.skey),
    ],
    'a checkpoint over more entries than there are': (notes, { world, random }) => {
      const rows = [...world.log.rows, ...world.log.rows.slice(0, 1 + random(9))];
      return [...notes, noteOver(rows, world.vaultId, rows.length, world.keys.skey)];
    },
    'a checkpoint of another vault': (notes, { other }) => [...notes, other.log.notes[0]?.note ?? ''],
  };
