import { fork } from 'node:child_process';
import type { ForkOptions, WorkerHandle } from '../../ports/processes.ts';

/**
 * Starts a worker entry as a Node child process; messages are structured clones. Used by the command line, tests and
 * wherever there is no Electron. Standard output goes nowhere (the command line's stdout is a document), errors pass.
 */
export function forkWorker(entry: string, options: ForkOptions = {}): WorkerHandle {
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env: { ...(options.env ?? process.env) },
  });
  let messageListener: (message: unknown) => void = () => {};
  let exitListener: ((code: number | null) => void) | null = null;
  let exit: { readonly code: number | null } | null = null;

  const ended = (code: number | null): void => {
    if (exit) return;
    exit = { code };
    exitListener?.(code);
  };
  child.on('message', (message) => messageListener(message));
  // 'error' without a process (spawn failed) has no 'exit' after it; a failed send on a closing channel has one.
  child.on('error', () => {
    if (child.pid === undefined) ended(1);
  });
  // 'close' and not 'exit': messages still in the channel are delivered before it.
  child.on('close', ended);

  return {
    pid: child.pid,
    postMessage: (message) => {
      if (child.connected) child.send(message as never, () => {});
    },
    onMessage: (listener) => {
      messageListener = listener;
    },
    onExit: (listener) => {
      exitListener = listener;
      if (exit) listener(exit.code);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
