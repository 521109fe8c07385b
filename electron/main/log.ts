import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RouterLog } from '../ipc/router.ts';

/**
 * The log file in the data folder. The library is loaded with the first line: most sessions write none.
 * Callers never hand over inputs, so there is nothing in it to redact.
 */
export function createLog(
  folder: string,
): RouterLog & { info(facts: Readonly<Record<string, unknown>>, message: string): void } {
  let logger: Promise<Logger> | undefined;
  const open = async (): Promise<Logger> => {
    const { pino } = await import('pino');
    // Synchronous: a line about a crash has to be there after it.
    return pino(
      { base: null },
      pino.destination({ dest: join(folder, 'console.log'), mkdir: true, sync: true, mode: 0o600 }),
    );
  };
  const write = (
    level: 'error' | 'info',
    facts: Readonly<Record<string, unknown>>,
    message: string,
  ): void => {
    logger ??= open();
    logger
      .then((log) => log[level](facts, message))
      .catch((error: unknown) => console.error(`The log could not be written: ${String(error)}`));
  };
  return {
    error: (facts, message) => write('error', facts, message),
    info: (facts, message) => write('info', facts, message),
  };
}
