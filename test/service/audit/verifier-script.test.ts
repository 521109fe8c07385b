/** The short verifier in `docs`, which uses none of our code, on the same attacks as ours. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { CUTS, copyOf, FORGED, forkOf, noteOver, PLAIN, type Scene } from '../../support/audit-attacks.ts';
import { exportOf, makeWorld, openWorld, seeded } from '../../support/audit-world.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, testVault } from '../../support/vault.ts';
import { auditOf, write } from './support.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../docs/verify-audit-export.mjs');
const TRIALS = 60;
const run = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

test('has at most 40 lines, and imports nothing but what Node brings', () => {
  const text = readFileSync(SCRIPT, 'utf8');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  const imports = [...text.matchAll(/^import .* from '(.*)';$/gm)].map(([, from]) => from);
  expect(imports.every((from) => from?.startsWith('node:'))).toBe(true);
  expect(text).not.toMatch(/import\(|require/);
});

test('accepts genuine exports, whole and from an entry on, and exits with 1 on an edited one', async () => {
  const home = await testVault();
  await write(home, 30);
  const folder = temporaryDirectory();
  const whole = join(folder, 'whole.jsonl');
  const part = join(folder, 'part.jsonl');
  const audit = auditOf(home);
  const { head } = await audit.export(actorWith('auditor'), { path: whole });
  await audit.export(actorWith('auditor'), { path: part, from: 14 });
  const key = home.vault.checkpointVerifier;
  expect(run(whole)).toMatch(/^intact: 33 entries, head [0-9a-f]{64}; a log signed anew would not show\n$/);
  expect(run(whole, key, head)).toBe(`intact: 33 entries, head ${head}\n`);
  expect(run(part, key, head)).toMatch(/^intact: 34 entries/);
  writeFileSync(whole, readFileSync(whole, 'utf8').replace('"ada"', '"eve"'));
  expect(() => run(whole, key, head)).toThrowError(expect.objectContaining({ status: 1 }));
  writeFileSync(part, readFileSync(part, 'utf8').replace('"peaks":["', '"peaks":["00'));
  expect(() => run(part)).toThrowError(expect.objectContaining({ status: 1 }));
});

test('finds every attack, 60 of 60, beside a key and a head that were noted; and raises no alarm on 60 others', async () => {
  const open = await openWorld('vault-a');
  await open.write(19);
  const older = open.world();
  await open.write(20);
  const base = open.world();
  const signed = { size: 40, note: noteOver(base.log.rows, 'vault-a', 40, base.keys.skey) };
  const world = { ...base, log: { ...base.log, notes: [...base.log.notes, signed] } };
  const staged = {
    world,
    older,
    fork: forkOf(older, 40),
    other: await makeWorld('vault-b', 40),
    covered: 40,
  };
  const folder = temporaryDirectory();
  const names: string[] = [];
  const files: string[] = [];
  const add = (name: string, text: string): void => {
    const path = join(folder, `${files.length}.jsonl`);
    writeFileSync(path, text);
    names.push(name);
    files.push(path);
  };
  for (const [index, [name, attack]] of Object.entries({ ...PLAIN, ...CUTS, ...FORGED }).entries()) {
    for (let trial = 0; trial < TRIALS; trial++) {
      const scene: Scene = { ...staged, random: seeded(1000 * index + trial) };
      const copy = copyOf(world);
      attack(copy, scene);
      add(name, exportOf(world, copy));
    }
  }
  for (let trial = 0; trial < TRIALS; trial++) add('untouched', exportOf(world, world.log));
  // The script as it is, once for each file, in one process of its own.
  const runner = `
    const [files, key, head] = ${JSON.stringify([files, world.keys.vkey, world.head.hash])};
    const answers = [];
    console.log = () => {};
    for (const [index, file] of files.entries()) {
      process.argv = [process.argv[0], 'script', file, key, head];
      answers.push(await import(${JSON.stringify(pathToFileURL(SCRIPT).href)} + '?' + index).then(() => true, () => false));
    }
    process.stdout.write(JSON.stringify(answers));`;
  const answers = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', runner], { encoding: 'utf8' }),
  ) as boolean[];
  const refused: Record<string, number> = {};
  for (const [index, name] of names.entries())
    refused[name] = (refused[name] ?? 0) + (answers[index] === true ? 0 : 1);
  expect(refused).toEqual({
    ...Object.fromEntries(Object.keys({ ...PLAIN, ...CUTS, ...FORGED }).map((name) => [name, TRIALS])),
    untouched: 0,
  });
});
