import type { Command } from 'commander';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { roleSchema } from '../../../shared/domain/operator/operator.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseNumber, parseWith } from '../input.ts';
import { table } from '../output.ts';
import { askSecret } from '../prompt.ts';

export function registerAdministration(program: Command, context: CliContext): void {
  const operator = program.command('operator').description('who may act');
  operator
    .command('add')
    .argument('<name>')
    .requiredOption('--person <name>', 'the human being; quorum counts people')
    .requiredOption('--roles <roles>', 'analyst,release-manager,auditor,administrator')
    .option('--new-passphrase-file <file>', 'the new operator’s passphrase; asked when left out')
    .description('add an operator with a signing key of their own')
    .action((name: string, options: { person: string; roles: string; newPassphraseFile?: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const passphrase =
          options.newPassphraseFile === undefined
            ? await askSecret(`Passphrase of ${name}`, '--new-passphrase-file')
            : await context.readSecret(options.newPassphraseFile);
        const roles = parseWith(z.array(roleSchema).min(1), options.roles.split(','));
        const added = await services.operators.add(
          actor,
          parseInput('operators.add', { name, person: options.person, roles, passphrase }),
        );
        context.output.result(added, `${added.name} (${added.person}) added: key ${added.keyFingerprint}`);
      }),
    );
  operator
    .command('list')
    .description('operators, roles and key fingerprints')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const all = await services.operators.list(actor);
        context.output.result(
          all,
          table(
            ['name', 'person', 'roles', 'key'],
            all.map((o) => [o.name, o.person, o.roles.join(','), o.keyFingerprint]),
          ),
        );
      }),
    );

  const environment = program.command('environment').description('where releases go, and by which policy');
  environment
    .command('add')
    .argument('<name>')
    .option(
      '--policy <file>',
      'policy as YAML; when left out the preset of staging for names like staging, test and dev, else production’s',
    )
    .description('add an environment')
    .action((name: string, options: { policy?: string }) =>
      context.asOperator(async ({ services, actor, readPolicy, presetPolicy }) => {
        const policy = options.policy === undefined ? presetPolicy(name) : await readPolicy(options.policy);
        const added = await services.environments.add(
          actor,
          parseInput('environments.add', { name, policy }),
        );
        context.output.result(added, `${added.name}: ${added.id}`);
      }),
    );
  environment
    .command('set-policy')
    .argument('<name>')
    .requiredOption('--policy <file>')
    .description('replace an environment’s policy')
    .action((name: string, options: { policy: string }) =>
      context.asOperator(async ({ services, actor, readPolicy, environmentId }) => {
        const changed = await services.environments.setPolicy(
          actor,
          parseInput('environments.setPolicy', {
            id: await environmentId(name),
            policy: await readPolicy(options.policy),
          }),
        );
        context.output.result(changed, `Policy of ${changed.name} replaced.`);
      }),
    );
  environment
    .command('list')
    .description('environments and their policies')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const all = await services.environments.list(actor);
        const rows = all.map((e) => [
          e.name,
          e.id,
          String(e.policy.quorum.approvals),
          String(e.policy.gates.length),
          String(e.policy.minimumRows),
        ]);
        context.output.result(
          all,
          rows.length === 0 ? 'No environments.' : table(['name', 'id', 'quorum', 'gates', 'rows'], rows),
        );
      }),
    );

  const audit = program
    .command('audit')
    .description('the log: who did what, and proof that nobody edited it');
  audit
    .command('show')
    .argument('[text...]', 'only entries with this text')
    .option('--limit <n>', 'newest n entries', '50')
    .action((text: string[], options: { limit: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const page = await services.audit.list(
          actor,
          parseInput('audit.list', {
            before: null,
            limit: parseNumber('--limit', options.limit),
            text: text.join(' '),
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
    .description('hashes, signatures, keychain head and agents’ checkpoints')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const verdict = await services.audit.verify(actor);
        const witnesses = verdict.witnesses
          .map((w) => `  ${w.name}: ${w.status}${w.detail === '' ? '' : ` (${w.detail})`}`)
          .join('\n');
        const problems = verdict.problems
          .map((p) => `  ${p.seq === null ? '' : `entry ${p.seq}: `}${p.problem}`)
          .join('\n');
        context.output.result(
          verdict,
          `${verdict.entries} entries, ${verdict.signaturesChecked} signatures and ${verdict.checkpointsChecked} checkpoints checked: ${verdict.ok ? 'intact' : 'NOT INTACT'}\n${witnesses}${problems === '' ? '' : `\n${problems}`}`,
        );
        if (!verdict.ok)
          throw new SallyportError(
            'integrity.audit',
            verdict.problems[0]?.problem ?? 'The audit log does not verify.',
            { hint: 'Keep the vault as it is and restore a backup elsewhere.' },
          );
      }),
    );
  audit
    .command('export')
    .argument('<file>')
    .description('the exact hashed bytes as JSON lines')
    .action((file: string) =>
      context.asOperator(async ({ services, actor }) => {
        const exported = await services.audit.export(actor, parseInput('audit.export', { path: file }));
        context.output.result(
          exported,
          `${exported.entries} entries written to ${exported.path}; head ${exported.head}`,
        );
      }),
    );
}
