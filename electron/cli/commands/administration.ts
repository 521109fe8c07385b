import type { Command } from 'commander';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { isActive, type Operator, roleSchema } from '../../../shared/domain/operator/operator.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseWith } from '../input.ts';
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
            ['name', 'person', 'roles', 'in use', 'key'],
            all.map((o) => [
              o.name,
              o.person,
              o.roles.join(','),
              isActive(o) ? 'yes' : 'no',
              o.keyFingerprint,
            ]),
          ),
        );
      }),
    );

  operator
    .command('roles')
    .argument('<name>')
    .argument('<roles>', 'analyst,release-manager,auditor,administrator')
    .description('give an operator other roles; they count at once')
    .action((name: string, roles: string) =>
      context.asOperator(async ({ services, actor }) => {
        const changed = await services.operators.setRoles(
          actor,
          parseInput('operators.setRoles', {
            id: operatorId(services.operators.list(actor), name),
            roles: parseWith(z.array(roleSchema).min(1), roles.split(',')),
          }),
        );
        context.output.result(changed, `${changed.name} is ${changed.roles.join(', ')} now.`);
      }),
    );
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const)
    operator
      .command(verb)
      .argument('<name>')
      .description(
        disabled
          ? 'take an operator out of use: no sign-in, no act, no signature; what they signed stays'
          : 'let an operator sign in again',
      )
      .action((name: string) =>
        context.asOperator(async ({ services, actor }) => {
          const id = operatorId(services.operators.list(actor), name);
          const changed = await services.operators.setDisabled(actor, { id, disabled });
          context.output.result(changed, `${changed.name} is ${verb}d.`);
        }),
      );
  operator
    .command('passphrase')
    .option('--new-passphrase-file <file>', 'the new passphrase; asked when left out')
    .description('change the passphrase of the operator of --as; the key stays the same')
    .action((options: { newPassphraseFile?: string }) =>
      context.asOperator(async ({ services, actor, operatorPassphrase }) => {
        const newPassphrase =
          options.newPassphraseFile === undefined
            ? await askSecret(`New passphrase of ${actor.name}`, '--new-passphrase-file')
            : await context.readSecret(options.newPassphraseFile);
        const changed = await services.operators.changePassphrase(actor, {
          passphrase: await operatorPassphrase(),
          newPassphrase,
        });
        context.output.result(
          changed,
          `The passphrase of ${changed.name} is changed. Copies of the old key file, in older backups, open with the old one.`,
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
    .command('policy')
    .alias('set-policy')
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
}

function operatorId(operators: readonly Operator[], name: string): string {
  const found = operators.find((operator) => operator.name === name);
  if (found) return found.id;
  throw new SallyportError('not-found', `There is no operator named ${name}.`, {
    hint: 'Nothing was changed. List them with: sallyport operator list',
  });
}
