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
import { encodeFrame } from '../../serving/inference/frames.ts';

const at = (path: string): string => resolve(import.meta.dirname, '../..', path);

function script(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'fork-worker-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'script.mjs');
  writeFileSync(path, text);
  return path;
}

/** What a process is heard to say that writes these bytes to its agent and then does not end by itself. */
async function heard(bytes: Uint8Array): Promise<{ messages: unknown[]; code: number | null }> {
  const worker = forkInferenceWorker(
    script(`
      import { writeSync } from 'node:fs';
      writeSync(3, Buffer.from('${Buffer.from(bytes).toString('base64')}', 'base64'));
      setInterval(() => {}, 1000);
    `),
  );
  onTestFinished(() => worker.kill());
  const messages: unknown[] = [];
  worker.onMessage((message) => {
    messages.push(message);
    if ((message as { kind: string }).kind === 'last') worker.kill();
  });
  const code = await new Promise<number | null>((end) => worker.onExit(end));
  return { messages, code };
}

test.each([
  ['no frame', Buffer.from('this is no frame at all')],
  ['a frame larger than any may be', Buffer.alloc(8, 0xff)],
  ['a tensor that is larger than what comes with it', damaged()],
])('a process that says %s is ended', async (_what, bytes) => {
  expect(await heard(bytes)).toEqual({ messages: [], code: null });
});

/** A tensor of two values, of which the head says that they are three. */
function damaged(): Buffer {
  const value = [{ name: 'x', type: 'float64', dims: [2], data: Float64Array.of(1, 2) }];
  const frame = encodeFrame({ id: 1, kind: 'done', value });
  frame.write('[3]', frame.indexOf('[2]'));
  return frame;
}

test('a process that speaks well is heard in order', async () => {
  const said = [{ kind: 'first' }, { kind: 'second' }, { kind: 'last' }];
  expect(await heard(Buffer.concat(said.map(encodeFrame)))).toEqual({ messages: said, code: null });
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
  await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
