import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** Runs the serving agent's own bundle, a program with its own keys and configuration; answers its exit code. */
export async function runAgent(servingEntry: string, argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [servingEntry, ...argv], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGINT', forward);
  return new Promise<number>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new SallyportError('unexpected', 'The agent could not be started.', { cause })),
    );
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Names the verb in the help; `runCli` hands its arguments over before anything here is parsed. */
export function registerAgent(program: Command): void {
  program
    .command('agent')
    .argument('<command>', 'init, run, health, drain or token')
    .description('the serving agent (see: sallyport agent --help)')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(() => {
      throw new SallyportError('usage', 'Options stand before `agent`, which reads none of them.', {
        hint: 'Write: sallyport agent init, run, health, drain or token …',
      });
    });
}
