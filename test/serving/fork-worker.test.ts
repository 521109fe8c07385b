/** The process in which an agent runs a model: what it may say, and when it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { ANSWER_LIMITS, encodeFrame } from '../../serving/inference/frames.ts';

const at = (path: string): string => resolve(import.meta.dirname, '../..', path);

function script(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'fork-worker-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'script.mjs');
  writeFileSync(path, text);
  return path;
}

const encode = (message: object): Buffer => encodeFrame(message, ANSWER_LIMITS);

/** After it a process is ended. */
const LAST = 9;

/** What a process is heard to say that writes these bytes to its agent and then does not end by itself. */
async function heard(bytes: Uint8Array): Promise<{ messages: unknown[]; code: number | null }> {
  const worker = forkInferenceWorker(
    script(`
      import { writeSync } from 'node:fs';
      writeSync(4, Buffer.from('${Buffer.from(bytes).toString('base64')}', 'base64'));
      setInterval(() => {}, 1000);
    `),
  );
  onTestFinished(() => worker.kill());
  const messages: unknown[] = [];
  worker.onMessage((message) => {
    messages.push(message);
    if ((message as { id: number }).id === LAST) worker.kill();
  });
  const code = await new Promise<number | null>((end) => worker.onExit(end));
  return { messages, code };
}

test.each([
  ['no frame', Buffer.from('this is no frame at all')],
  ['a frame larger than any may be', Buffer.alloc(8, 0xff)],
  ['a tensor that is larger than what comes with it', damaged()],
  ['a word that is none', encode({ id: 1, kind: 'ended' })],
  ['nothing', encode([])],
  ['a failure without an error', encode({ id: 1, kind: 'failed', next: null })],
  [
    'an error whose code is no text',
    encode({ id: 1, kind: 'failed', next: null, error: { code: {}, message: '', hint: null, facts: {} } }),
  ],
  ['an answer without a value', encode({ id: 1, kind: 'done', next: null })],
  ['tensors without their values', encode({ id: 1, kind: 'done', value: [{ name: 'label' }], next: null })],
  ['a memory that is no number', encode({ id: 0, kind: 'memory', rssBytes: '1' })],
])('a process that says %s is ended', async (_what, bytes) => {
  expect(await heard(bytes)).toEqual({ messages: [], code: null });
});

/** A tensor of two values, of which the head says that they are three. */
function damaged(): Buffer {
  const value = [{ name: 'x', type: 'float64', dims: [2], data: Float64Array.of(1, 2) }];
  const frame = encode({ id: 1, kind: 'done', value, next: null });
  frame.write('[3]', frame.indexOf('[2]'));
  return frame;
}

test('a process that speaks well is heard in order', async () => {
  const said = [1, 2, LAST].map((id) => ({ id, kind: 'done', value: ['cpu'], next: null }));
  expect(await heard(Buffer.concat(said.map(encode)))).toEqual({ messages: said, code: null });
});

test('a message to a process that has ended is nobody’s error', async () => {
  const worker = forkInferenceWorker(script('process.exit(3);'));
  const ended = new Promise((end) => worker.onExit(end));
  for (let each = 0; each < 100; each++) {
    worker.postMessage({ type: 'providers', id: each });
    await new Promise((next) => setTimeout(next, 5));
  }
  expect(await ended).toBe(3);
});

test('what a process said before it ended is heard, though it was asked more meanwhile', async () => {
  const said = { id: 1, kind: 'done', value: null, next: 2 };
  const worker = forkInferenceWorker(
    script(`
      import { readSync, writeSync } from 'node:fs';
      readSync(3, Buffer.alloc(1));
      writeSync(4, Buffer.from('${encode(said).toString('base64')}', 'base64'));
      process.kill(process.pid, 'SIGKILL');
    `),
  );
  const messages: unknown[] = [];
  worker.onMessage((message) => messages.push(message));
  const ended = new Promise((end) => worker.onExit(end));
  worker.postMessage({ type: 'providers', id: 1 });
  // Busy until it has ended, so that nothing it said is read before the next message finds nobody.
  const until = performance.now() + 1500;
  while (performance.now() < until);
  worker.postMessage({ type: 'providers', id: 2 });
  await ended;
  expect(messages).toEqual([said]);
});

test('given a process that leaves another one behind with its pipes, then its end is told all the same', async () => {
  const worker = forkInferenceWorker(
    script(`
      import { spawn } from 'node:child_process';
      spawn('sleep', ['20'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 3, 4] }).unref();
      process.exit(5);
    `),
  );
  worker.onMessage(() => {});
  expect(await new Promise((end) => worker.onExit(end))).toBe(5);
}, 30_000);

test('given much that outlives a collection, then the young generation does not grow', async () => {
  const worker = forkInferenceWorker(
    script(`
      import { getHeapSpaceStatistics } from 'node:v8';
      const mebibytes = () =>
        getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
      let kept = [];
      for (let each = 0; each < 1_000_000; each++) {
        kept.push({ each });
        if (kept.length > 50_000) kept = [];
      }
      process.exit(Math.ceil(mebibytes()));
    `),
  );
  // Two halves of a mebibyte each; 16 in all where the engine may choose.
  expect(await new Promise((end) => worker.onExit(end))).toBeLessThanOrEqual(2);
});

test('given no descriptor for another process, then it is as if it had ended, and nobody else is disturbed', async () => {
  const agent = spawn('sh', [
    '-c',
    'ulimit -n 64; exec "$0" "$1"',
    process.execPath,
    script(`
      import { openSync } from 'node:fs';
      import { forkInferenceWorker } from '${pathToFileURL(at('serving/fork-worker.ts'))}';
      const open = [];
      try { for (;;) open.push(openSync('/dev/null')); } catch {}
      const worker = forkInferenceWorker('${at('serving/index.ts')}');
      worker.onMessage(() => {});
      worker.postMessage({ type: 'providers', id: 1 });
      worker.onExit((code) => console.log('ended', code));
      setTimeout(() => console.log('alive'), 200);
    `),
  ]);
  let text = '';
  agent.stdout.on('data', (piece) => {
    text += piece;
  });
  await once(agent, 'close');
  expect(text).toBe('ended 1\nalive\n');
});

test('given an agent that is killed, then its process ends as well', async () => {
  const agent = spawn(process.execPath, [
    script(`
      import { forkInferenceWorker } from '${pathToFileURL(at('serving/fork-worker.ts'))}';
      const worker = forkInferenceWorker('${at('serving/index.ts')}');
      worker.onMessage((message) => console.log(JSON.stringify([worker.pid, message])));
      worker.postMessage({ type: 'providers', id: 1 });
    `),
  ]);
  const [line] = (await once(createInterface(agent.stdout), 'line')) as [string];
  const [pid, message] = JSON.parse(line) as [number, unknown];
  expect(message).toMatchObject({ id: 1, kind: expect.stringMatching(/begun|done/) });
  agent.kill('SIGKILL');
  await expect.poll(() => isThere(pid)).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
