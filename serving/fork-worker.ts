import { fork } from 'node:child_process';
import type { InferenceWorker } from '../shared/node/onnx/inference-host.ts';

/**
 * Starts an inference process: the agent's own entry with the word `worker`, so that there is one bundle. Of the agent's environment it inherits nothing but what the loader of native libraries
 * needs: a model that breaks out of the runtime finds no secret there.
 */
export function forkInferenceWorker(entry: string): InferenceWorker {
  const env: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TZ']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const child = fork(entry, ['worker'], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env,
  });
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
  // Without a process there is no 'close'; a failed send on a closing channel is followed by one.
  child.on('error', () => {
    if (child.pid === undefined) end(1);
  });
  return {
    pid: child.pid,
    postMessage: (message) => {
      if (child.connected) child.send(message as never, () => {});
    },
    onMessage: (listen) => {
      child.on('message', listen);
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
