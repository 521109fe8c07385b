/**
 * `start`: the second `npm start` on the sample workspace, from the command to a window that can be used: a button is
 * there and enabled. Its parts are measured apart and added: npm's own two scripts, the set-up step that has nothing
 * to do, and the program. Limit: the same runtime showing one static page.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchConsole } from '../test/e2e/support/launch.ts';
import { median, timed } from './support/measure.ts';
import { ROOT } from './support/program.ts';
import { type Bench, row } from './support/row.ts';
import { launchStaticWindow } from './support/static-window.ts';

const RUNS = 5;
const USABLE = '#root button:not([disabled])';

function runOrThrow(command: string, args: readonly string[], cwd: string): void {
  const result = spawnSync(command, args, { cwd, stdio: 'ignore', shell: process.platform === 'win32' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status}.`);
}

export const start: Bench = async ({ directory, say }) => {
  const home = join(directory, 'home');
  mkdirSync(home);
  const empty = join(directory, 'npm');
  mkdirSync(empty);
  const scripts = { prestart: 'node -e 0', start: 'node -e 0' };
  writeFileSync(join(empty, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', scripts }));

  const startConsole = async (): Promise<number> => {
    const began = performance.now();
    const opened = await launchConsole({ args: ['--sample'], env: { HOME: home } });
    try {
      await opened.page.waitForSelector(USABLE, { timeout: 60_000 });
      return performance.now() - began;
    } finally {
      await opened.close();
    }
  };
  const startStatic = async (): Promise<number> => {
    const began = performance.now();
    const opened = await launchStaticWindow(home);
    try {
      await opened.page.waitForSelector(USABLE);
      return performance.now() - began;
    } finally {
      await opened.close();
    }
  };

  say('the first start, which makes the workspace');
  const first = await startConsole();
  runOrThrow('node', [join(ROOT, 'resources/setup/setup.mjs')], ROOT);
  await startStatic();

  const program: number[] = [];
  const bare: number[] = [];
  const npm: number[] = [];
  const setUp: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    say(`second start, ${run + 1} of ${RUNS}`);
    program.push(await startConsole());
    bare.push(await startStatic());
    setUp.push((await timed(() => runOrThrow('node', [join(ROOT, 'resources/setup/setup.mjs')], ROOT))).ms);
    npm.push((await timed(() => runOrThrow('npm', ['start', '--silent'], empty))).ms);
  }
  const whole = median(program.map((ms, index) => ms + (setUp[index] ?? 0) + (npm[index] ?? 0)));
  return [
    row({ name: 'start.npm-start-to-usable', value: whole, unit: 'ms', goal: { atMost: 3000, of: 'value' } }),
    row({
      name: 'start.process-to-usable',
      value: median(program),
      unit: 'ms',
      limit: { what: 'the same runtime with a static page', value: median(bare) },
      goal: { atMost: 3000, of: 'value' },
    }),
    row({ name: 'start.set-up-check', value: median(setUp), unit: 'ms' }),
    row({ name: 'start.npm', value: median(npm), unit: 'ms' }),
    row({ name: 'start.first', value: first, unit: 'ms' }),
  ];
};
