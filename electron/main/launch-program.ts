import { utilityProcess } from 'electron';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { LaunchProgram } from '../ports/processes.ts';

/** Programs as Electron's utility processes: a packaged console cannot be run as plain Node. They end with the console. */
export const launchUtilityProgram: LaunchProgram = (entry, args) => {
  const child = utilityProcess.fork(entry, [...args], { stdio: 'pipe' });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null)
    throw new SallyportError('unexpected', 'A program could not be started.');
  const exited = new Promise<number>((resolve) => child.once('exit', resolve));
  return {
    stdout,
    stderr,
    postMessage: (message) => child.postMessage(message),
    onMessage: (listener) => {
      child.on('message', listener);
    },
    onExit: (listener) => {
      void exited.then(listener);
    },
    end: (how) => {
      try {
        if (child.pid !== undefined) process.kill(child.pid, how === 'stop' ? 'SIGTERM' : 'SIGKILL');
      } catch {
        // It ended by itself in between.
      }
    },
  };
};
