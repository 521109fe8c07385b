import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { InferenceWorker } from '../shared/node/onnx/inference-host.ts';
import { INFERENCE_FLAGS } from './heap.ts';
import { ANSWER_LIMITS, encodeFrame, FrameReader, QUESTION_LIMITS } from './inference/frames.ts';
import { isReply } from './inference/replies.ts';
import { ANSWER_FD, QUESTION_FD } from './inference/worker-port.ts';

/** What a process said before it ended lies in its pipe by then, and is read within this time. */
const LAST_WORDS_MS = 2000;

/**
 * Starts an inference process: the agent's own entry with the word `worker`, so that there is one bundle. They talk in
 * frames over two pipes. Of the agent's environment it inherits nothing but what the loader of native libraries needs: a
 * model that breaks out of the runtime finds no secret there.
 */
export function forkInferenceWorker(entry: string): InferenceWorker {
  const child = spawnWorker(entry);
  let ended = false;
  let code: number | null = null;
  let listener: ((code: number | null) => void) | null = null;
  const end = (exitCode: number | null): void => {
    if (ended) return;
    ended = true;
    code = exitCode;
    listener?.(exitCode);
  };
  // After the last thing it said.
  child.on('close', end);
  // Without a process there is no 'close'.
  child.on('error', () => {
    if (child.pid === undefined) end(1);
  });
  const questions = pipeOf(child, QUESTION_FD);
  const answers = pipeOf(child, ANSWER_FD);
  // Nothing comes this way but its end.
  questions?.resume();
  const closePipes = (): void => {
    questions?.destroy();
    answers?.destroy();
  };
  // Whoever else holds them is not waited for once its last words can be read.
  child.on('exit', () => setTimeout(closePipes, LAST_WORDS_MS).unref());
  const kill = (): void => {
    closePipes();
    if (child.pid !== undefined) child.kill('SIGKILL');
  };
  return {
    pid: child.pid,
    postMessage: (message) => {
      const frame = encodeFrame(message as object, QUESTION_LIMITS);
      if (questions?.writable) questions.write(frame);
    },
    onMessage: (listen) => {
      const reader = new FrameReader(ANSWER_LIMITS);
      answers?.on('data', (chunk) => {
        const replies = repliesIn(reader, chunk);
        if (replies) for (const reply of replies) listen(reply);
        else kill();
      });
    },
    onExit: (listen) => {
      listener = listen;
      if (ended) listen(code);
    },
    kill,
  };
}

function spawnWorker(entry: string): ChildProcess {
  const { versions, helperExecPath } = process as NodeJS.Process & { readonly helperExecPath?: string };
  const env: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TZ']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  // Electron's own binary is a Node where it is told so; on macOS one of its helpers is it.
  if (versions.electron !== undefined) env.ELECTRON_RUN_AS_NODE = '1';
  return spawn(helperExecPath ?? process.execPath, [...INFERENCE_FLAGS, entry, 'worker'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
    env,
  });
}

/** Null where there is no process. A process that ended is told of by 'close', not by its pipes. */
function pipeOf(child: ChildProcess, fd: typeof QUESTION_FD | typeof ANSWER_FD): Socket | null {
  // There are none at all where no descriptor was left, whatever the types say.
  const pipe = (child.stdio as ChildProcess['stdio'] | undefined)?.[fd] as Socket | null | undefined;
  pipe?.on('error', () => {});
  return pipe ?? null;
}

/** Null for what is no reply: by then it may be another program's than ours. */
function repliesIn(reader: FrameReader, chunk: Buffer): readonly unknown[] | null {
  try {
    const messages = reader.read(chunk);
    return messages.every(isReply) ? messages : null;
  } catch {
    return null;
  }
}
