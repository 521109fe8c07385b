/** ONNX Runtime's builds report what they run to its makers. None of our processes lets them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { forkProcess } from '../../shared/node/onnx/fork-process.ts';
import type { InferenceWorker } from '../../shared/node/onnx/inference-host.ts';
import { csv, engineModel, job, options, selection, startEngine } from '../support/engine.ts';
import { firstFeature } from '../support/engine-models.ts';
import { openAfterOneRun } from '../support/one-run.ts';
import { temporaryDirectory } from '../support/temp.ts';

const root = (path: string): string => resolve(import.meta.dirname, '../..', path);

/** A home of its own, until the test ends. */
function asUser(): string {
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  vi.stubEnv('HOME', home).stubEnv('XDG_CACHE_HOME', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  return home;
}

const KINDS: readonly (readonly [string, () => InferenceWorker])[] = [
  ['the console’s process', () => forkProcess(root('electron/workers/inference.ts'))],
  ['the agent’s process', () => forkInferenceWorker(root('serving/index.ts'))],
];

test('the switch that is set is one that this runtime knows', () => {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
    'bin',
  );
  const libraries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /libonnxruntime\.(so|.*dylib)/.test(path),
  );
  expect(libraries).not.toEqual([]);
  for (const path of libraries)
    expect(readFileSync(join(folder, path)).includes('ORT_DISABLE_TELEMETRY'), path).toBe(true);
});

describe.skipIf(process.platform !== 'linux')('no event is kept to be sent', () => {
  test.each(KINDS)('by %s', async (_kind, fork) => {
    const home = asUser();
    const open = await openAfterOneRun(fork);
    expect(open.length).toBeGreaterThan(3);
    // The agent's process is told of no home: there it would be the account's.
    expect(open.filter((path) => path.includes('.onnxruntime'))).toEqual([]);
    expect(readdirSync(home)).toEqual([]);
  });

  test('by an evaluation, whose runtime is in a thread', async () => {
    const home = asUser();
    const { engine } = startEngine();
    const data = csv(['f0,f1,f2,label', '0.1,0,0,0', '0.9,0,0,1']);
    await engine.evaluate([engineModel(firstFeature())], selection(data), options(), job());
    expect(readdirSync(home)).toEqual([]);
  });

  test('by whoever opens a session in his own process', () => {
    const home = asUser();
    const door = pathToFileURL(root('shared/node/onnx/runtime.ts')).href;
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { readFileSync } from 'node:fs';
         const { openSession } = await import(${JSON.stringify(door)});
         await openSession(Buffer.from(process.argv[1], 'base64'), { intraOpThreads: 1 });`,
        Buffer.from(firstFeature()).toString('base64'),
      ],
      { env: { PATH: process.env.PATH, HOME: home } },
    );
    expect(readdirSync(home)).toEqual([]);
  });
});
