import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AuditRestore, AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import { AUDIT_FIELDS } from '../../../shared/domain/audit/query.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseNumber } from '../input.ts';
import { table } from '../output.ts';

export function registerAudit(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('the log: who did what, and proof that nobody edited it');
  audit
    .command('show')
    .argument('[query...]', 'only entries that match')
    .option('--limit <n>', 'newest n entries', '50')
    .description('entries, newest first')
    .addHelpText('after', `\n${fieldHelp()}`)
    .action((query: string[], options: { limit: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const page = await services.audit.list(
          actor,
          parseInput('audit.list', {
            before: null,
            limit: parseNumber('--limit', options.limit),
            text: query.join(' '),
          }),
        );
        context.output.result(
          page,
          table(
            ['seq', 'at', 'actor', 'action', 'subject'],
            page.entries.map((e) => [String(e.seq), e.at, e.actor, e.action, e.subject]),
          ),
        );
      }),
    );
  audit
    .command('verify')
    .argument('[file]', 'an exported log; needs no vault. The vault’s own when left out')
    .option('--key <vkey>', 'the vault’s checkpoint key, from elsewhere than the file (see `audit key`)')
    .option('--checkpoint <file>', 'signed checkpoints kept elsewhere')
    .option('--head <file>', 'a head kept elsewhere: JSON with seq and hash, or an older export')
    .description('prove the log against itself and against every witness')
    .action((file: string | undefined, options: { key?: string; checkpoint?: string; head?: string }) =>
      file === undefined ? verifyVault(context, options) : verifyFile(context, file, options),
    );
  audit
    .command('export')
    .argument('<file>')
    .option('--from <seq>', 'only from this entry on', '1')
    .description('the exact hashed bytes as JSON lines, and a last line that says what they are')
    .action((file: string, options: { from: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const exported = await services.audit.export(
          actor,
          parseInput('audit.export', { path: resolve(file), from: parseNumber('--from', options.from) }),
        );
        context.output.result(
          exported,
          `${exported.entries} entries written to ${exported.path}; head ${exported.head}`,
        );
      }),
    );
  audit
    .command('key')
    .description('the public key that signs checkpoints: note it elsewhere, for `audit verify FILE --key`')
    .action(() =>
      context.withVault(async ({ vault }) => {
        const key = vault.checkpointVerifier;
        context.output.result({ vaultId: vault.id, key }, key);
      }),
    );
}

async function verifyVault(
  context: CliContext,
  options: { key?: string; checkpoint?: string; head?: string },
): Promise<void> {
  if (Object.keys(options).length > 0)
    throw new SallyportError('usage', '--key, --checkpoint and --head go with an exported file.', {
      hint: 'The vault’s own log is compared with the keychain and the endpoints by itself.',
    });
  let verdict: AuditVerdict | null = null;
  try {
    await context.asOperator(async ({ services, actor }) => {
      verdict = await services.audit.verify(actor);
    });
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'integrity.audit') throw error;
    verdict = await context.withVault(({ services }) => services.audit.examine());
    if (verdict === null) throw error;
  }
  if (verdict !== null) tell(context, verdict);
}

async function verifyFile(
  context: CliContext,
  file: string,
  options: { key?: string; checkpoint?: string; head?: string },
): Promise<void> {
  const { jobId: _, ...input } = parseInput('audit.verifyFile', {
    path: resolve(file),
    jobId: 'cli',
    key: options.key ?? null,
    checkpointPath: options.checkpoint === undefined ? null : resolve(options.checkpoint),
    headPath: options.head === undefined ? null : resolve(options.head),
  });
  tell(context, await context.job((job) => context.factory.verifyAuditFile(input, job)));
}

/** Prints the verdict; one that is not sound ends the command with exit code 5. */
function tell(context: CliContext, verdict: AuditVerdict): void {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [
      '',
      verdict.witnesses.map(
        ({ name, status, detail, proves }) =>
          `${name}: ${status}${detail === '' ? '' : ` (${detail})`}${proves === '' ? '' : ` – ${proves}`}`,
      ),
    ],
    ['Restored:', verdict.restores.map(restoreLine)],
    ['Not shown:', verdict.unproven],
    [
      'Wrong:',
      verdict.problems.map(({ seq, problem }) => `${seq === null ? '' : `entry ${seq}: `}${problem}`),
    ],
  ];
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([title, lines]) => `${title === '' ? '' : `${title}\n`}${lines.map((line) => `  ${line}`).join('\n')}`,
    );
  context.output.result(
    verdict,
    [
      `${verdict.entries} entries, ${verdict.signaturesChecked} signatures and ${verdict.checkpointsChecked} checkpoints checked: ${verdict.ok ? 'intact' : 'NOT INTACT'}`,
      ...text,
    ].join('\n'),
  );
  if (!verdict.ok)
    throw new SallyportError(
      'integrity.audit',
      verdict.problems[0]?.problem ?? 'The audit log does not verify.',
      { hint: 'Keep the vault as it is and restore a backup elsewhere.' },
    );
}

function restoreLine({ seq, at, restoredTo, lost, backupAt }: AuditRestore): string {
  const gone = lost === null ? 'nobody counted what was lost' : `${lost} entries lost`;
  const backup = backupAt === null ? '' : ` from the backup of ${backupAt}`;
  return `entry ${seq}: restored on ${at}${backup} to entry ${restoredTo}; ${gone}`;
}

function fieldHelp(): string {
  return table(
    ['Filter', 'Meaning'],
    [
      ...AUDIT_FIELDS.map(({ example, meaning }) => [example, meaning]),
      ['phish url', 'both words, in anything an entry says'],
      ['-action:session.*', 'not these (after `--`, where it is the first word)'],
    ],
  );
}
