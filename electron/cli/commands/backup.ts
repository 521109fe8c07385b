import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { CliContext } from '../context.ts';
import { askSecret } from '../prompt.ts';

export function registerBackup(program: Command, context: CliContext): void {
  program
    .command('backup')
    .argument('<file>')
    .description('write the whole vault into one encrypted, signed file, and read it back')
    .action((file: string) =>
      context.asOperator(async ({ services, actor }) => {
        const made = await context.job((job) => services.vault.backup(actor, { path: resolve(file) }, job));
        const lines = [
          `Backup ${made.path}: ${made.bytes} bytes, ${made.artifacts} stored files, audit log up to entry ${made.auditHead}.`,
          'It was read back and is complete. It opens with the keys of this vault or its recovery key.',
          ...made.damaged.map(
            (what) => `warning: ${what} is damaged in the vault itself, and so in the backup.`,
          ),
        ];
        context.output.result(made, lines.join('\n'));
      }),
    );

  program
    .command('restore')
    .argument('<file>')
    .option(
      '--recovery-key-file <file>',
      'file with the recovery key: proves and opens it without the keychain',
    )
    .option('--keys <where>', 'with the recovery key: keep its keys in the keychain or under a passphrase')
    .description('restore a backup into an empty folder: --vault DIR')
    .action(async (file: string, options: { recoveryKeyFile?: string; keys?: string }) => {
      const passphrase = await context.vaultPassphrase();
      const recovery =
        options.recoveryKeyFile === undefined
          ? null
          : {
              recoveryKey: await context.readSecret(options.recoveryKeyFile),
              keys: await keysOf(options.keys, passphrase),
            };
      if (recovery === null && options.keys !== undefined)
        throw new SallyportError('usage', '--keys says where the keys go that --recovery-key-file brings.', {
          hint: 'Without the recovery key they stay where they are.',
        });
      const restored = await context.job((job) =>
        context.factory.restore(context.vaultPath, { file: resolve(file), passphrase, recovery }, job),
      );
      const vaultId = restored?.vault.id ?? null;
      await restored?.close();
      context.output.result(
        { path: context.vaultPath, vaultId, locked: restored === null },
        restored === null
          ? `Restored into ${context.vaultPath}. Its keys are not here, so only completeness was proved. Open it with its passphrase, or run: sallyport recover`
          : `Vault ${vaultId} restored into ${context.vaultPath}: every page, every stored file and the signature are proved. Its audit log says what was restored. Stop using any other copy.`,
      );
    });

  async function keysOf(where: string | undefined, passphrase: string | null) {
    const kind = where ?? (passphrase === null ? 'keychain' : 'passphrase');
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
