/**
 * `npm run bench [-- NAME…] [--json] [--write] [--minutes N] [--peer URL[,URL] [--peer-model FILE]]`: measures the program
 * beside what limits it and beside its peers.
 * Each bench runs in a process of its own, one after the other. Loopback only, bounded in time and size.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './support/machine.ts';
import { ROOT } from './support/program.ts';
import type { Bench, BenchRow } from './support/row.ts';
import { markdownPage, soakOf, soakSection, textTable, withSection } from './support/table.ts';

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).start,
  vault: async () => (await import('./vault.ts')).vault,
  validate: async () => (await import('./validate.ts')).validate,
  agent: async () => (await import('./agent.ts')).agent,
  rollout: async () => (await import('./rollout.ts')).rollout,
  window: async () => (await import('./window.ts')).window,
  soak: async () => (await import('./soak.ts')).soak,
};

/** Takes minutes, so it runs when it is named. */
const BY_NAME = 'soak';
const USUAL = Object.keys(BENCHES).filter((name) => name !== BY_NAME);

type Answer = { readonly rows: BenchRow[] } | { readonly problem: string };

/** The child's side: runs one bench and sends its rows. */
async function runHere(name: string, minutes: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `sallyport-bench-${name}-`));
  let answer: Answer;
  try {
    const bench = await BENCHES[name]?.();
    if (bench === undefined) throw new Error(`There is no bench called ${name}.`);
    const say = (text: string) => process.stderr.write(`${name}: ${text}\n`);
    answer = { rows: await bench({ directory, minutes, say }) };
  } catch (error) {
    answer = { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.send?.(answer, () => process.exit(0));
}

function runInChild(name: string, minutes: number): Promise<Answer> {
  return new Promise((resolve) => {
    const child = fork(import.meta.filename, ['--child', name, '--minutes', String(minutes)], {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
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
    options: {
      json: { type: 'boolean' },
      write: { type: 'boolean' },
      child: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      peer: { type: 'string' },
      'peer-model': { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 1440)) {
    console.error('--minutes is a number above 0, at most 1440.');
    return 2;
  }
  if (values.child !== undefined) {
    await runHere(values.child, minutes);
    return 0;
  }
  if (values.peer !== undefined) process.env.SALLYPORT_BENCH_PEER = values.peer;
  if (values['peer-model'] !== undefined) process.env.SALLYPORT_BENCH_PEER_ONNX = values['peer-model'];
  const unknown = positionals.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(
      `There is no bench called ${unknown.join(', ')}. Names: ${Object.keys(BENCHES).join(', ')}`,
    );
    return 2;
  }
  const names = positionals.length > 0 ? positionals : USUAL;
  const soaks = names.length === 1 && names[0] === BY_NAME;
  if (values.write && positionals.length > 0 && !soaks) {
    console.error(`--write replaces the page: give no names, or ${BY_NAME} alone for its section.`);
    return 2;
  }
  const rows: BenchRow[] = [];
  const problems: string[] = [];
  for (const name of names) {
    const answer = await runInChild(name, minutes);
    if ('rows' in answer) rows.push(...answer.rows);
    else problems.push(`${name}: ${answer.problem}`);
  }
  const on = machine();
  if (values.json) console.log(JSON.stringify({ machine: on, rows, problems }, null, 2));
  else if (rows.length > 0) console.log(textTable(rows));
  for (const problem of problems) console.error(problem);
  if (values.write && problems.length === 0) {
    const date = new Date().toISOString().slice(0, 10);
    const path = join(ROOT, 'docs/benchmarks.md');
    const page = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      soaks
        ? withSection(page, soakSection(rows, on, date))
        : withSection(markdownPage(rows, on, date), soakOf(page)),
    );
  }
  return problems.length > 0 ? 1 : 0;
}

process.exitCode = await main();
