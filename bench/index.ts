/**
 * `npm run bench [-- NAME…] [--json] [--write]`: measures the program beside what limits it and beside its peers.
 * Each bench runs in a process of its own, one after the other. Loopback only, bounded in time and size.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './support/machine.ts';
import { ROOT } from './support/program.ts';
import type { Bench, BenchRow } from './support/row.ts';
import { markdownPage, textTable } from './support/table.ts';

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).start,
  vault: async () => (await import('./vault.ts')).vault,
  validate: async () => (await import('./validate.ts')).validate,
  agent: async () => (await import('./agent.ts')).agent,
  rollout: async () => (await import('./rollout.ts')).rollout,
  window: async () => (await import('./window.ts')).window,
};

type Answer = { readonly rows: BenchRow[] } | { readonly problem: string };

/** The child's side: runs one bench and sends its rows. */
async function runHere(name: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `sallyport-bench-${name}-`));
  let answer: Answer;
  try {
    const bench = await BENCHES[name]?.();
    if (bench === undefined) throw new Error(`There is no bench called ${name}.`);
    answer = { rows: await bench({ directory, say: (text) => process.stderr.write(`${name}: ${text}\n`) }) };
  } catch (error) {
    answer = { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.send?.(answer, () => process.exit(0));
}

function runInChild(name: string): Promise<Answer> {
  return new Promise((resolve) => {
    const child = fork(import.meta.filename, ['--child', name], { stdio: ['ignore', 2, 2, 'ipc'] });
    let answer: Answer = { problem: 'it ended without an answer' };
    child.on('message', (message) => {
      answer = message as Answer;
    });
    child.once('exit', () => resolve(answer));
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, write: { type: 'boolean' }, child: { type: 'string' } },
  });
  if (values.child !== undefined) {
    await runHere(values.child);
    return 0;
  }
  const unknown = positionals.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(
      `There is no bench called ${unknown.join(', ')}. Names: ${Object.keys(BENCHES).join(', ')}`,
    );
    return 2;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  if (values.write && names.length < Object.keys(BENCHES).length) {
    console.error('--write replaces the whole page, so it runs every bench: give no names.');
    return 2;
  }
  const rows: BenchRow[] = [];
  const problems: string[] = [];
  for (const name of names) {
    const answer = await runInChild(name);
    if ('rows' in answer) rows.push(...answer.rows);
    else problems.push(`${name}: ${answer.problem}`);
  }
  const on = machine();
  if (values.json) console.log(JSON.stringify({ machine: on, rows, problems }, null, 2));
  else if (rows.length > 0) console.log(textTable(rows));
  for (const problem of problems) console.error(problem);
  if (values.write && problems.length === 0) {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(join(ROOT, 'docs/benchmarks.md'), markdownPage(rows, on, date));
  }
  return problems.length > 0 ? 1 : 0;
}

process.exitCode = await main();
