/** The agent's command line. Documents go to stdout, everything for people to stderr. */
import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { destination, pino } from 'pino';
import { formatFingerprint } from '../shared/domain/endpoint/fingerprint.ts';
import { exitCodeOf, SallyportError } from '../shared/domain/errors.ts';
import { type RunningAgent, startAgent } from './agent.ts';
import { agentPaths, loadConfig } from './config.ts';
import { drainAgent } from './drain-command.ts';
import { forkInferenceWorker } from './fork-worker.ts';
import { checkHealth } from './health.ts';
import { collectLessOften } from './heap.ts';
import { initAgent } from './init.ts';
import { scopeSchema, TokenFile } from './tokens.ts';

/** Runs one command; the exit code of the process. `entry` = the file to start inference processes with. */
export async function runCommand(command: string, rest: readonly string[], entry: string): Promise<number> {
  const program = buildProgram(entry);
  try {
    await program.parseAsync(
      [command, ...rest].filter((each) => each !== ''),
      { from: 'user' },
    );
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const problem = error instanceof SallyportError ? error : unexpected(error);
    process.stderr.write(`${problem.message}\n${problem.hint === undefined ? '' : `${problem.hint}\n`}`);
    return exitCodeOf(problem.code);
  }
}

/** What the system refused is told in its words; of anything else, a fault of ours, the place is told with it. */
function unexpected(error: unknown): SallyportError {
  if (!(error instanceof Error)) return new SallyportError('unexpected', String(error));
  if (!('syscall' in error)) return new SallyportError('unexpected', error.stack ?? error.message);
  return new SallyportError('unexpected', `The system refused: ${error.message}.`, {
    hint: 'Look at that path: is it the account’s that runs this, and is everything there as the agent left it?',
    cause: error,
  });
}

function buildProgram(entry: string): Command {
  const program = new Command('sallyport agent')
    .exitOverride()
    .description('Serves models whose release enough people signed.');
  program
    .command('init')
    .description('Make a new agent: keys, first token, configuration.')
    .requiredOption('--environment <id>', 'environment this agent serves, as `environment list` shows it')
    .requiredOption('--trust <file>', 'YAML or JSON: vaults, quorum, approvers')
    .requiredOption('--dir <directory>', 'where the agent lives')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--predict-port <port>', 'port of the predict listener, 0 = any', port, 0)
    .option('--admin-port <port>', 'port of the admin listener, 0 = any', port, 0)
    .option('--days <days>', 'life of the first token', days, 90)
    .option('--json', 'print one JSON document')
    .action(init);
  program
    .command('run')
    .description('Serve, until stopped.')
    .requiredOption('--config <file>', 'the agent.yaml that init made')
    .action((options: { config: string }) => run(options.config, entry));
  program
    .command('health')
    .description('Ask the agent that runs with this configuration: exit 0 when it is ready.')
    .requiredOption('--config <file>', 'the agent.yaml that init made')
    .action(async (options: { config: string }) => {
      await checkHealth(await loadConfig(options.config));
      process.stderr.write('The agent is ready.\n');
    });
  program
    .command('drain')
    .description(
      'Take the agent that runs with this configuration, or one model, out of traffic; or back with --end.',
    )
    .requiredOption('--config <file>', 'the agent.yaml that init made')
    .requiredOption('--token-file <file>', 'file with a token of the scope deploy')
    .option('--model <name>', 'this model alone')
    .addOption(new Option('--end', 'take calls again').conflicts('status'))
    .option('--status', 'change nothing: say what is drained and what is under way')
    .option('--json', 'print one JSON document')
    .action(drain);

  const token = program.command('token').description('Make, list and revoke bearer tokens.');
  const config = (): Option =>
    new Option('--config <file>', 'the agent.yaml that init made').makeOptionMandatory();
  token
    .command('create', { isDefault: true })
    .alias('add')
    .addOption(config())
    .requiredOption('--name <name>', 'what the token is for')
    .requiredOption('--scopes <scopes>', 'predict, read, deploy; separated by commas', scopes)
    .option('--days <days>', 'days until it ends', days, 90)
    .option('--json', 'print one JSON document')
    .action(
      async (options: {
        config: string;
        name: string;
        scopes: ('predict' | 'read' | 'deploy')[];
        days: number;
        json?: boolean;
      }) => {
        const { token: text, record } = await (await tokenFile(options.config)).add(
          options.name,
          options.scopes,
          options.days,
          new Date(),
        );
        if (options.json)
          return print({
            name: record.name,
            scopes: record.scopes,
            expiresAt: record.expiresAt,
            token: text,
          });
        process.stdout.write(`${text}\n`);
        process.stderr.write(`Shown once. Ends ${record.expiresAt}.\n`);
      },
    );
  token
    .command('list')
    .addOption(config())
    .option('--json', 'print one JSON document')
    .action(async (options: { config: string; json?: boolean }) => {
      const tokens = (await tokenFile(options.config)).list().map(({ hash: _hash, ...record }) => record);
      if (options.json) return print({ tokens });
      for (const each of tokens)
        process.stdout.write(`${each.name}\t${each.scopes.join(',')}\t${each.expiresAt}\n`);
    });
  token
    .command('revoke')
    .addOption(config())
    .requiredOption('--name <name>', 'the token to revoke')
    .action(async (options: { config: string; name: string }) => {
      await (await tokenFile(options.config)).revoke(options.name);
      process.stderr.write(`Revoked ${options.name}; a running agent refuses it from now on.\n`);
    });
  for (const each of [program, ...program.commands, ...token.commands]) each.exitOverride();
  return program;
}

async function init(options: {
  environment: string;
  trust: string;
  dir: string;
  host: string;
  predictPort: number;
  adminPort: number;
  days: number;
  json?: boolean;
}): Promise<void> {
  const result = await initAgent(
    {
      environmentId: options.environment,
      trustFile: options.trust,
      directory: options.dir,
      host: options.host,
      predictPort: options.predictPort,
      adminPort: options.adminPort,
      tokenDays: options.days,
    },
    new Date(),
  );
  if (options.json) return print(result);
  process.stdout.write(
    `Agent for ${result.environmentId}\n  configuration  ${result.config}\n  fingerprint    ${formatFingerprint(result.fingerprint)}\n  token          ${result.token}\n`,
  );
  process.stderr.write(
    `The token is shown once and ends ${result.tokenExpiresAt}. Start with: sallyport agent run --config ${result.config}\n`,
  );
}

async function drain(options: {
  config: string;
  tokenFile: string;
  model?: string;
  end?: boolean;
  status?: boolean;
  json?: boolean;
}): Promise<void> {
  const token = await readFile(options.tokenFile, 'utf8').catch((cause: unknown) => {
    throw new SallyportError('usage', `${options.tokenFile} cannot be read.`, { cause });
  });
  const change = options.status ? null : { model: options.model ?? null, draining: !options.end };
  const answer = await drainAgent(await loadConfig(options.config), token.trim(), change);
  if (options.json) return print(answer);
  const out = answer.agent ? 'The agent is drained.' : `Drained: ${answer.models.join(', ') || 'nothing'}.`;
  process.stdout.write(`${out} Under way: ${answer.inFlight}.\n`);
}

/** Prints one line of JSON when it serves; stops on SIGTERM and SIGINT, answering what is under way. */
async function run(configFile: string, entry: string): Promise<void> {
  collectLessOften();
  const config = await loadConfig(configFile);
  const log = pino({ level: config.logLevel, base: null }, destination({ dest: 2, sync: false }));
  let agent: RunningAgent | null = null;
  let stopping = false;
  const stopped = new Promise<void>((resolve) => {
    const stop = (signal: string): void => {
      // A second signal means now; and one that comes before it serves, when nothing is lost by it, as well.
      if (stopping || !agent) process.exit(stopping ? 130 : 0);
      stopping = true;
      log.info({ signal }, 'stopping');
      void agent.stop().then(resolve, resolve);
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  });
  // Without one it would end the process, also while models are still being loaded.
  process.on('SIGHUP', () => agent?.reopenLogs());
  agent = await startAgent(config, {
    log,
    fork: () => forkInferenceWorker(entry),
    now: () => new Date(),
  });
  print({
    event: 'ready',
    adminUrl: agent.adminUrl,
    predictUrl: agent.predictUrl,
    fingerprint: agent.fingerprint,
    pid: process.pid,
  });
  await stopped;
  process.exit(0);
}

async function tokenFile(configFile: string): Promise<TokenFile> {
  const config = await loadConfig(configFile);
  return new TokenFile(agentPaths(config.paths.directory).tokens);
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return value;
}

function days(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3650))
    throw new InvalidArgumentError('Days are a number above 0, at most 3650.');
  return value;
}

function scopes(text: string): string[] {
  const parsed = text.split(',').map((each) => scopeSchema.safeParse(each.trim()));
  if (parsed.some((each) => !each.success))
    throw new InvalidArgumentError('Scopes are predict, read and deploy.');
  return parsed.map((each) => each.data ?? '');
}
