import { spawn } from 'node:child_process';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { LaunchProgram } from '../../ports/processes.ts';

/** Programs as Node child processes. They are killed when this process ends. */
export const launchProgram: LaunchProgram = (entry, args) => {
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null)
    throw new SallyportError('unexpected', 'A program could not be started.');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(1));
  });
  void exited.then(() => process.removeListener('exit', kill));
  return {
    stdout,
    stderr,
    postMessage: (message) => {
      child.send(message as never);
    },
    onMessage: (listener) => {
      child.on('message', listener);
    },
    onExit: (listener) => {
      void exited.then(listener);
    },
    end: (how) => {
      child.kill(how === 'stop' ? 'SIGTERM' : 'SIGKILL');
    },
  };
};
