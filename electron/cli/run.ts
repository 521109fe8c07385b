import { Command, CommanderError } from 'commander';
import { toWireError } from '../../shared/contract/result.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { createConsoleFactory, type FactoryOptions } from '../compose.ts';
import { registerAdministration } from './commands/administration.ts';
import { registerAgent, runAgent } from './commands/agent.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBackup } from './commands/backup.ts';
import { registerDelivery } from './commands/delivery.ts';
import { registerDemo } from './commands/demo.ts';
import { registerEvidence } from './commands/evidence.ts';
import { registerEvidenceRows } from './commands/evidence-rows.ts';
import { registerModels } from './commands/models.ts';
import { registerReleases } from './commands/releases.ts';
import { registerVault } from './commands/vault.ts';
import { CliContext, type GlobalOptions } from './context.ts';
import { createOutput, reportError } from './output.ts';

/** Runs one command; answers the exit code. `options` say how this runtime starts processes. */
export async function runCli(argv: readonly string[], options: FactoryOptions): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosed);
  const factory = createConsoleFactory(options);
  // The agent is a program of its own: its options are not ours to read.
  if (argv[0] === 'agent') return runAgent(factory.files.serving, argv.slice(1));
  const program = new Command('sallyport')
    .description('Releases AI security models: evidence, approvals, staged rollout, rollback.')
    .option('--vault <dir>', 'vault directory (or SALLYPORT_VAULT)')
    .option('--json', 'print one JSON document on stdout')
    .option('--as <operator>', 'who acts')
    .option('--operator-passphrase-file <file>', 'their passphrase: a file of your own, mode 0600')
    .option('--passphrase-file <file>', 'unlocks the vault where there is no keychain')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .showHelpAfterError('(sallyport --help lists the commands)');
  const context = new CliContext(factory, () => program.opts<GlobalOptions>());
  for (const register of [
    registerVault,
    registerBackup,
    registerModels,
    registerEvidence,
    registerEvidenceRows,
    registerAdministration,
    registerAudit,
    registerReleases,
    registerDelivery,
    registerDemo,
  ]) {
    register(program, context);
  }
  registerAgent(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, context.output);
    if (error.exitCode === 0) return 0;
    // It has said on stderr what is wrong; a program that reads stdout gets the same as data.
    const message = error.message.replace(/^error: /, '');
    if (argv.includes('--json'))
      createOutput(true).error({ error: toWireError(new SallyportError('usage', message)) });
    return 2;
  }
}

/** A reader that has seen enough (`| head`) takes nothing back: what the command did is done. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
