import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ForkWorker, WorkerHandle } from '../../ports/processes.ts';
import { checkSecret, checkSecretName, type SecretStore } from '../../ports/secrets.ts';
import type { KeychainReply, KeychainRequest } from '../../workers/keychain.ts';

/** Service name of every entry, as the operating system's keychain shows it. */
export const KEYCHAIN_SERVICE = 'sallyport';

/** A person may be looking for the keychain's password: an unlock prompt gets two minutes. */
const DEFAULT_TIMEOUT_MS = 120_000;
/** An idle worker process is ended after this; the next call starts another. */
const IDLE_MS = 5000;

export interface KeychainOptions {
  /** Accounts are `<vaultId>/<name>`: vaults of one user do not meet. */
  readonly vaultId: string;
  readonly forkWorker: ForkWorker;
  readonly timeoutMs?: number;
  /** Environment of the worker: which D-Bus session it talks to. */
  readonly env?: Readonly<Record<string, string>>;
}

type Call =
  | Omit<Extract<KeychainRequest, { call: 'get' | 'delete' }>, 'id'>
  | Omit<Extract<KeychainRequest, { call: 'set' }>, 'id'>;

/** What a keychain library said, as one of our codes. The texts are those of libsecret, gnome-keyring and KWallet, macOS and Windows. */
export function keychainError(stage: 'load' | 'call', text: string): SallyportError {
  if (stage === 'load') {
    return new SallyportError('keychain.missing', 'The keychain library does not load on this machine.', {
      hint: 'Install libsecret (Debian: libsecret-1-0), or unlock the vault with a passphrase file. Nothing was changed.',
      facts: { system: text.slice(0, 300) },
    });
  }
  if (/cancel|dismiss|denied by the user|-128\b/i.test(text)) {
    return new SallyportError('keychain.cancelled', 'The keychain was not unlocked: the prompt was closed.', {
      hint: 'Nothing was changed. Try again and enter the keychain password, or use the recovery key.',
      facts: { system: text.slice(0, 300) },
    });
  }
  if (/locked|interaction is not allowed|-25308\b/i.test(text)) {
    return new SallyportError('keychain.locked', 'The keychain is locked.', {
      hint: 'Unlock it and try again. Nothing was changed.',
      facts: { system: text.slice(0, 300) },
    });
  }
  return new SallyportError('keychain.missing', 'There is no keychain to talk to.', {
    hint: 'A desktop session provides one. Without it, unlock the vault with a passphrase file. Nothing was changed.',
    facts: { system: text.slice(0, 300) },
  });
}

interface Pending {
  readonly resolve: (value: string | null) => void;
  readonly reject: (error: SallyportError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Secrets in the operating system's keychain (Keychain, Credential Manager, Secret Service), through a worker process:
 * a crash in there is a `keychain.cancelled` here, and the next call starts a new one.
 */
export class KeychainSecrets implements SecretStore {
  readonly kind = 'keychain';
  readonly #options: KeychainOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: WorkerHandle | null = null;
  #idle: NodeJS.Timeout | null = null;
  /** A call failed in the worker that is running. */
  #doubtful = false;
  #nextId = 1;

  constructor(options: KeychainOptions) {
    this.#options = options;
  }

  async get(name: string): Promise<string | null> {
    checkSecretName(name);
    return this.#ask({ call: 'get', service: KEYCHAIN_SERVICE, account: this.#account(name) });
  }

  async set(name: string, value: string): Promise<void> {
    checkSecret(name, value);
    await this.#ask({ call: 'set', service: KEYCHAIN_SERVICE, account: this.#account(name), value });
  }

  async delete(name: string): Promise<void> {
    checkSecretName(name);
    await this.#ask({ call: 'delete', service: KEYCHAIN_SERVICE, account: this.#account(name) });
  }

  async close(): Promise<void> {
    this.#end(new SallyportError('cancelled', 'The keychain was closed before it answered.'));
  }

  #account(name: string): string {
    return `${this.#options.vaultId}/${name}`;
  }

  /**
   * A worker holds on to the keychain service it found first. Where that one is gone (restarted, new session), a
   * fresh worker finds its successor: one more try, which nothing was changed before.
   */
  async #ask(call: Call): Promise<string | null> {
    const used = this.#worker;
    try {
      return await this.#call(call);
    } catch (error) {
      if (used === null || !(error instanceof SallyportError) || error.code !== 'keychain.missing')
        throw error;
      // The first of several calls ends it; the others then see that it is gone already.
      if (this.#worker === used) this.#end(error);
      return this.#call(call);
    }
  }

  #start(): WorkerHandle {
    if (this.#worker) return this.#worker;
    const { forkWorker, env } = this.#options;
    const worker = forkWorker('keychain', env ? { env } : {});
    worker.onMessage((message) => this.#settle(message as KeychainReply));
    worker.onExit((code) => {
      if (this.#worker !== worker) return;
      // 1 is Node's code for an entry that threw: nothing of the keychain was reached. Crashes end by a signal.
      if (code === 1) return this.#end(keychainError('load', 'the keychain process did not start'));
      this.#end(
        new SallyportError('keychain.cancelled', 'The keychain ended without an answer.', {
          hint: 'This happens when its prompt is closed. Nothing was changed; try again.',
        }),
      );
    });
    this.#worker = worker;
    return worker;
  }

  #call(call: Call): Promise<string | null> {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const seconds = Math.round((this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000);
      const timer = setTimeout(() => {
        this.#end(
          new SallyportError('keychain.locked', `The keychain did not answer within ${seconds} seconds.`, {
            hint: 'Its prompt may be waiting behind another window. Unlock it and try again.',
          }),
        );
      }, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#start().postMessage({ ...call, id });
    });
  }

  #settle(reply: KeychainReply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id);
    clearTimeout(pending.timer);
    if (reply.ok) pending.resolve(reply.value);
    else {
      // The library's view of a service that failed once is not to be trusted: it may wait for ever for one that was
      // replaced. The next call starts with a fresh worker.
      this.#doubtful = true;
      pending.reject(keychainError(reply.stage, reply.message));
    }
    if (this.#pending.size > 0) return;
    if (this.#doubtful) this.#end(null);
    else this.#idle = setTimeout(() => this.#end(null), IDLE_MS);
  }

  /** Ends the worker; calls that still wait fail with `error`. */
  #end(error: SallyportError | null): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    const worker = this.#worker;
    this.#worker = null;
    this.#doubtful = false;
    worker?.kill();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error ?? new SallyportError('cancelled', 'The keychain was closed before it answered.'));
    }
    this.#pending.clear();
  }
}
