import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { CliContext } from '../context.ts';
import { askSecret } from '../prompt.ts';

interface KeysOptions {
  keys?: string;
  person?: string;
  operator: string;
}

export function registerVault(program: Command, context: CliContext): void {
  program
    .command('init')
    .requiredOption('--operator <name>', 'sign-in name of the first operator (administrator and analyst)')
    .option('--person <name>', 'the human being behind it; the operator name when left out')
    .option('--keys <where>', 'keychain or passphrase; passphrase when --passphrase-file is given')
    .description('create a vault; prints the recovery key once')
    .action(async (options: KeysOptions) => {
      // Before anybody types a passphrase for nothing. Creating checks it again.
      if ((await context.factory.inspect(context.vaultPath)) !== null)
        throw new SallyportError('conflict', `There is a vault in ${context.vaultPath} already.`, {
          hint: 'It was not changed. Choose another folder with --vault, or see: sallyport status',
        });
      const passphrase = await context.vaultPassphrase();
      const kind = options.keys ?? (passphrase === null ? 'keychain' : 'passphrase');
      const { console: opened, recoveryKey } = await context.factory.create(context.vaultPath, {
        operator: options.operator,
        person: options.person ?? options.operator,
        operatorPassphrase: await context.passphraseOf(options.operator),
        keys: await keysOf(kind, passphrase),
      });
      const vaultId = opened.vault.id;
      await opened.close();
      context.output.result(
        { vaultId, recoveryKey, path: context.vaultPath },
        `Vault ${vaultId} created in ${context.vaultPath}.\n\nRecovery key, shown this once:\n\n  ${recoveryKey}\n\nPrint it and keep it away from this machine. It opens the vault when the keychain or passphrase is lost.`,
      );
    });

  program
    .command('status')
    .description('is there a vault, and how are its keys kept')
    .action(async () => {
      const found = await context.factory.inspect(context.vaultPath);
      if (found === null) {
        throw new SallyportError('not-found', `There is no vault in ${context.vaultPath}.`, {
          hint: 'Create one with: sallyport init --operator NAME',
        });
      }
      await context.withVault(async ({ services, vault }) => {
        const operators = services.session.operatorNames();
        context.output.result(
          {
            path: context.vaultPath,
            vaultId: vault.id,
            keys: vault.keysKind,
            recipient: vault.recipient,
            operators,
          },
          `vault       ${vault.id}\npath        ${context.vaultPath}\nkeys        ${vault.keysKind}\nrecipient   ${vault.recipient}\noperators   ${operators.join(', ')}`,
        );
      });
    });

  program
    .command('recover')
    .option('--recovery-key-file <file>', 'file with the recovery key; asked when left out')
    .option('--keys <where>', 'keychain or passphrase; passphrase when --passphrase-file is given')
    .description('open the vault with its recovery key and keep its keys anew')
    .action(async (options: { recoveryKeyFile?: string; keys?: string }) => {
      const recoveryKey =
        options.recoveryKeyFile === undefined
          ? await askSecret('Recovery key', '--recovery-key-file')
          : await context.readSecret(options.recoveryKeyFile);
      const passphrase = await context.vaultPassphrase();
      const kind = options.keys ?? (passphrase === null ? 'keychain' : 'passphrase');
      const recovered = await context.factory.recover(
        context.vaultPath,
        recoveryKey,
        await keysOf(kind, passphrase),
      );
      const vaultId = recovered.vault.id;
      await recovered.close();
      context.output.result(
        { vaultId },
        `Vault ${vaultId} opens again; its keys are kept in the ${kind === 'keychain' ? 'keychain' : 'passphrase file'}.`,
      );
    });

  async function keysOf(kind: string, passphrase: string | null) {
    if (kind === 'keychain') return { kind: 'keychain' as const };
    if (kind !== 'passphrase')
      throw new SallyportError(
        'usage',
        `Keys are kept in "keychain" or under a "passphrase", not "${kind}".`,
      );
    return {
      kind: 'passphrase' as const,
      passphrase: passphrase ?? (await askSecret('New vault passphrase', '--passphrase-file')),
    };
  }
}
