import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { InferenceWorker } from '../shared/node/onnx/inference-host.ts';
import { encodeFrame, FrameReader } from './inference/frames.ts';
import { WORKER_FD } from './inference/worker-port.ts';

/**
 * Starts an inference process: the agent's own entry with the word `worker`, so that there is one bundle. It talks to the
 * agent over a socket of its own (`frames.ts`). Of the agent's environment it inherits nothing but what the loader of
 * native libraries needs: a model that breaks out of the runtime finds no secret there.
 */
export function forkInferenceWorker(entry: string): InferenceWorker {
  const env: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TZ']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const child = spawn(process.execPath, [entry, 'worker'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env,
  });
  const socket = child.stdio[WORKER_FD] as Socket;
  // A process that ended between two messages, of which 'close' tells.
  socket.on('error', () => {});
  let ended = false;
  let code: number | null = null;
  let listener: ((code: number | null) => void) | null = null;
  const end = (exitCode: number | null): void => {
    if (ended) return;
    ended = true;
    code = exitCode;
    listener?.(exitCode);
  };
  child.on('close', end);
  // Without a process there is no 'close'.
  child.on('error', () => {
    if (child.pid === undefined) end(1);
  });
  return {
    pid: child.pid,
    postMessage: (message) => {
      if (socket.writable) socket.write(encodeFrame(message as object));
    },
    onMessage: (listen) => {
      const reader = new FrameReader();
      socket.on('data', (chunk) => {
        for (const message of readOrKill(reader, chunk, child)) listen(message);
      });
    },
    onExit: (listen) => {
      listener = listen;
      if (ended) listen(code);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}

/** A process that says what cannot be read is ended: by then it may be another program's than ours. */
function readOrKill(reader: FrameReader, chunk: Buffer, child: ChildProcess): readonly unknown[] {
  try {
    return reader.read(chunk);
  } catch {
    child.stdio[WORKER_FD]?.destroy();
    child.kill('SIGKILL');
    return [];
  }
}
