import { systemCode } from '../../../shared/node/files/files.ts';

/** Whether a process with this number is there; it may be another one by now. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

export const processes = { own: process.pid, isAlive } as const;
