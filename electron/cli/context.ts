import { resolve } from 'node:path';
import { toWireError } from '../../shared/contract/result.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { Policy } from '../../shared/domain/policy/policy.ts';
import { presetPolicy } from '../../shared/domain/policy/presets.ts';
import { readSecretFile } from '../../shared/node/files/files.ts';
import type { Console, ConsoleFactory } from '../compose.ts';
import type { JobContext } from '../ports/system.ts';
import type { Services } from '../services/index.ts';
import { createOutput, type Output } from './output.ts';
import { readPolicyFile } from './policy-file.ts';
import { askSecret } from './prompt.ts';

/** Options every command takes. */
export interface GlobalOptions {
  readonly vault?: string;
  readonly json?: boolean;
  readonly as?: string;
  readonly operatorPassphraseFile?: string;
  readonly passphraseFile?: string;
}

/** What a command that acts as somebody works with. */
export interface OperatorSession {
  readonly services: Services;
  readonly actor: Actor;
  /** Id of an environment by its name. */
  environmentId(name: string): Promise<string>;
  readPolicy(file: string): Promise<Policy>;
  presetPolicy(name: string): Policy;
  /** The acting operator's passphrase, again: a signature needs the private key, and signing in keeps none. */
  operatorPassphrase(): Promise<string>;
}

/** One run of the command line. */
export class CliContext {
  readonly #factory: ConsoleFactory;
  readonly #options: () => GlobalOptions;
  readonly #cancel = new AbortController();
  #output: Output | null = null;
  #told = '';

  constructor(factory: ConsoleFactory, options: () => GlobalOptions) {
    this.#factory = factory;
    this.#options = options;
    process.once('SIGINT', () =>
      this.#cancel.abort(
        new SallyportError('cancelled', 'Cancelled.', { hint: 'What was acknowledged is kept.' }),
      ),
    );
    process.once('SIGTERM', () =>
      this.#cancel.abort(
        new SallyportError('cancelled', 'Stopped.', {
          hint: 'What was acknowledged is kept. A run that was under way can go on: sallyport run list.',
          facts: { closing: true },
        }),
      ),
    );
  }

  /** One for the whole run: it knows what was printed. First asked for after the options were read. */
  get output(): Output {
    this.#output ??= createOutput(this.#options().json === true);
    return this.#output;
  }

  get factory(): ConsoleFactory {
    return this.#factory;
  }

  get vaultPath(): string {
    return resolve(this.#factory.vaultPath(this.#options().vault ?? null));
  }

  /** A file that holds one secret: regular, the caller's own, mode 0600. */
  readSecret(file: string): Promise<string> {
    return readSecretFile(file);
  }

  /** The vault's passphrase where one was given; null lets the keychain answer. */
  async vaultPassphrase(): Promise<string | null> {
    const { passphraseFile } = this.#options();
    return passphraseFile === undefined ? null : this.readSecret(passphraseFile);
  }

  async passphraseOf(operator: string): Promise<string> {
    const { operatorPassphraseFile } = this.#options();
    return operatorPassphraseFile === undefined
      ? askSecret(`Passphrase of ${operator}`, '--operator-passphrase-file')
      : this.readSecret(operatorPassphraseFile);
  }

  /** Opens the vault for the time of `work`. */
  async withVault<T>(work: (opened: Console) => Promise<T>): Promise<T> {
    const opened = await this.#factory.open(this.vaultPath, await this.vaultPassphrase(), {
      onError: (error) => this.#reportBackground(error),
    });
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  }

  /** What goes wrong behind a command, such as driving a rollout, is tried again; each problem is told once. */
  #reportBackground(error: unknown): void {
    const { message } = toWireError(error);
    if (message === this.#told) return;
    this.#told = message;
    this.output.note(`warning: ${message}`);
  }

  /** Opens the vault and signs the operator of `--as` in. */
  async asOperator(work: (session: OperatorSession) => Promise<void>): Promise<void> {
    const who = this.#options().as;
    if (who === undefined)
      throw new SallyportError('usage', 'Every call acts as an operator.', { hint: 'Say who: --as NAME' });
    await this.withVault(async ({ services, vault }) => {
      let passphrase: string | null = await this.passphraseOf(who);
      const actor = await services.session.signIn({ operator: who, passphrase });
      const unwritable = vault.ledger.unwritable();
      if (unwritable !== null) this.output.note(`warning: read only: ${unwritable.message}`);
      await work({
        services,
        actor,
        environmentId: async (name) => {
          const found = services.environments
            .list(actor)
            .find((environment) => environment.name === name || environment.id === name);
          if (found === undefined)
            throw new SallyportError('not-found', `There is no environment called ${name}.`, {
              hint: 'List them with: sallyport environment list',
            });
          return found.id;
        },
        readPolicy: readPolicyFile,
        presetPolicy,
        operatorPassphrase: async () => {
          passphrase ??= await this.passphraseOf(who);
          return passphrase;
        },
      });
      passphrase = null;
    });
  }

  /** Runs a long operation with progress on the terminal; Ctrl+C cancels it. */
  async job<T>(run: (job: JobContext) => Promise<T>): Promise<T> {
    const { output } = this;
    let last = 0;
    return run({
      signal: this.#cancel.signal,
      progress: (phase, done, total) => {
        const now = Date.now();
        if (now - last < 100) return;
        last = now;
        output.progress(total > 0 ? `${phase} ${Math.floor((done / total) * 100)} %` : `${phase} ${done}`);
      },
    });
  }

  async sleep(ms: number): Promise<void> {
    await this.#factory.system.sleep(ms, this.#cancel.signal);
  }
}
