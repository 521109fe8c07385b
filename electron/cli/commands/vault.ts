import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toWireError } from '../../../shared/contract/result.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { REKEY_CHOICES, rekeySummary } from '../../../shared/domain/vault/rekey-words.ts';
import type { VaultSettings } from '../../../shared/domain/vault/settings.ts';
import type { Console } from '../../compose.ts';
import type { CliContext } from '../context.ts';
import { askSecret } from '../prompt.ts';

interface KeysOptions {
  keys?: string;
  person?: string;
  operator: string;
  recoveryKit?: string;
}

interface RekeyOptions {
  full?: boolean;
  newRecoveryKey?: boolean;
  newPassphraseFile?: string;
  recoveryKit?: string;
}

type Rows = readonly (readonly [string, string])[];

function table(rows: Rows): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function settingRows({ autoLockMinutes, protectedAliases, keepLast }: VaultSettings): Rows {
  return [
    ['auto-lock', autoLockMinutes === 0 ? 'never' : `after ${autoLockMinutes} minutes`],
    ['protected', protectedAliases.length === 0 ? 'no alias' : protectedAliases.join(', ')],
    ['keep last', keepLast === null ? 'all versions' : `${keepLast} versions of each model`],
  ];
}

function settingsChange(options: {
  autoLock?: string;
  protectedAlias?: string[];
  keepLast?: string;
}): Partial<VaultSettings> {
  const { autoLock, protectedAlias, keepLast } = options;
  return {
    ...(autoLock === undefined ? {} : { autoLockMinutes: wholeNumber('--auto-lock', autoLock) }),
    ...(protectedAlias === undefined
      ? {}
      : { protectedAliases: protectedAlias.filter((alias) => alias !== 'none') }),
    ...(keepLast === undefined
      ? {}
      : { keepLast: keepLast === 'all' ? null : wholeNumber('--keep-last', keepLast) }),
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new SallyportError('usage', `${option} takes a whole number, not "${text}".`, {
    hint: 'Nothing was changed.',
  });
}

export function registerVault(program: Command, context: CliContext): void {
  program
    .command('init')
    .requiredOption('--operator <name>', 'sign-in name of the first operator (administrator and analyst)')
    .option('--person <name>', 'the human being behind it; the operator name when left out')
    .option('--keys <where>', 'keychain or passphrase; passphrase when --passphrase-file is given')
    .option('--recovery-kit <file>', 'write a page to print, with the recovery key and how to use it')
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
      const kit = await saveKit(opened, recoveryKey, options.recoveryKit);
      await opened.close();
      context.output.result(
        { vaultId, recoveryKey, path: context.vaultPath, recoveryKit: kit.path },
        `Vault ${vaultId} created in ${context.vaultPath}.\n\nRecovery key, shown this once:\n\n  ${recoveryKey}\n\n${kit.said}Print it and keep it away from this machine. It opens the vault when the keychain or passphrase is lost.`,
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
        const about = services.vault.about();
        const { id: vaultId, keys, recipient, ...rest } = about;
        const rows: readonly (readonly [string, string])[] = [
          ['vault', vaultId],
          ['path', context.vaultPath],
          ['keys', keys],
          ['recipient', recipient],
          ['recovery', about.recoveryRecipient],
          ['created', about.createdAt],
          ['versions', String(about.versions)],
          ['stored', `${about.artifactBytes} bytes`],
          ['log', `${about.auditEntries} entries`],
          ['last backup', about.lastBackup?.at ?? 'never'],
          ['last rekey', about.lastRekey ?? 'never'],
          ...settingRows(about.settings),
          ['operators', operators.join(', ')],
        ];
        context.output.result(
          { ...rest, path: context.vaultPath, vaultId: vault.id, keys, recipient, operators },
          table(rows),
        );
      });
    });

  program
    .command('settings')
    .option(
      '--auto-lock <minutes>',
      'sign the operator of the window out after so long without input; 0 = never',
    )
    .option('--protected-alias <alias...>', 'the aliases that only a release manager moves; "none" for none')
    .option('--keep-last <n>', 'newest versions of each model that collecting keeps; "all" for all')
    .description("show or change the vault's rules")
    .action(async (options: { autoLock?: string; protectedAlias?: string[]; keepLast?: string }) => {
      const change = settingsChange(options);
      if (Object.keys(change).length === 0)
        return context.withVault(async ({ services }) => {
          const { settings } = services.vault.about();
          context.output.result(settings, table(settingRows(settings)));
        });
      await context.asOperator(async ({ services, actor }) => {
        const settings = { ...services.vault.about().settings, ...change };
        const after = (await services.vault.setSettings(actor, { settings })).settings;
        context.output.result(after, table(settingRows(after)));
      });
    });

  program
    .command('rekey')
    .option('--full', 'encrypt every stored file again under a fresh file key')
    .option(
      '--new-recovery-key',
      'make a new recovery key as well; printed once, the one before ends being valid',
    )
    .option('--new-passphrase-file <file>', 'go on with another vault passphrase')
    .option('--recovery-kit <file>', 'with --new-recovery-key: write a page to print')
    .description(`give the vault new keys. ${REKEY_CHOICES.plain}`)
    .action(async (options: RekeyOptions) => {
      if (options.recoveryKit !== undefined && options.newRecoveryKey !== true)
        throw new SallyportError('usage', 'A recovery kit is written with a new recovery key.', {
          hint: 'Add --new-recovery-key. Nothing was changed.',
        });
      const passphrase =
        options.newPassphraseFile === undefined
          ? await context.vaultPassphrase()
          : await context.readSecret(options.newPassphraseFile);
      await context.asOperator(async ({ services, actor }) => {
        const input = {
          full: options.full === true,
          newRecoveryKey: options.newRecoveryKey === true,
          passphrase,
        };
        const outcome = await context.job((job) => services.vault.rekey(actor, input, job));
        const { recoveryKey } = outcome;
        const kit = await saveKit({ services }, recoveryKey, options.recoveryKit, actor);
        const shown =
          recoveryKey === null
            ? ''
            : `\n\nNew recovery key, shown this once; the one before is not valid any more:\n\n  ${recoveryKey}\n\n${kit.said}`;
        context.output.result(
          { ...outcome, recoveryKit: kit.path },
          `${rekeySummary(outcome).join('\n')}${shown}`,
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

  /** The key is shown whatever becomes of the page: nobody else has it. */
  async function saveKit(
    { services }: Pick<Console, 'services'>,
    recoveryKey: string | null,
    file: string | undefined,
    actor: Actor | null = null,
  ): Promise<{ readonly path: string | null; readonly said: string }> {
    if (file === undefined || recoveryKey === null) return { path: null, said: '' };
    try {
      const { path } = await services.vault.saveRecoveryKit(actor, { path: resolve(file), recoveryKey });
      return { path, said: `A page to print is in ${path}; delete the file afterwards.\n\n` };
    } catch (error) {
      context.output.note(`warning: the recovery kit was not written: ${toWireError(error).message}`);
      return { path: null, said: '' };
    }
  }

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
