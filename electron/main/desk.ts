import { type Topic, topicSchema } from '../../shared/contract/channels.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { isTimeToLock, someoneThere, timePassed } from '../../shared/domain/vault/auto-lock.ts';
import { DEFAULT_VAULT_SETTINGS } from '../../shared/domain/vault/settings.ts';
import type { SessionView } from '../../shared/domain/view/views.ts';
import type { Console, ConsoleEvents, ConsoleFactory } from '../compose.ts';
import type { Desk } from '../ipc/desk.ts';
import type { Sample } from '../sample/workspace.ts';
import { createCurrentSession } from '../services/session/current.ts';
import { readVaultSettings, sweepVault } from '../services/vault/index.ts';

export interface DeskOptions {
  readonly factory: ConsoleFactory;
  readonly vaultPath: string;
  readonly runtime: string;
  readonly version: string;
  readonly events: ConsoleEvents;
  readonly onChange: (topics: readonly Topic[]) => void;
  /** Milliseconds since anybody touched this machine, where the runtime knows. */
  readonly systemIdleMs?: () => number;
  /** Prints an HTML page into a PDF, where the runtime can. */
  readonly printPdf?: (html: string) => Promise<Uint8Array>;
  readonly onProgress: (progress: { jobId: string; phase: string; done: number; total: number }) => void;
}

/** How often another process's commits are looked for, in milliseconds. */
const HOUSEKEEPING_MS = 1000;
/** Rounds of housekeeping between two looks for checkpoints an agent does not hold yet. */
const CHECKPOINTS_EVERY = 15;
/** Rounds between two looks at what every endpoint serves. */
const ENDPOINTS_EVERY = 10;
/** Progress reaches the window at most so often, in milliseconds. */
const PROGRESS_EVERY_MS = 100;

export interface DeskControl extends Desk {
  /** A workspace is on its way and will be adopted; what goes wrong with it is told by `status`. */
  prepare(workspace: Promise<unknown>): void;
  /** Takes an open workspace in: the sample, whose vault opens by itself. */
  adopt(opened: Console, sample: Sample['file'] | null): void;
  close(): Promise<void>;
}

export function createDesk(options: DeskOptions): DeskControl {
  const { factory, vaultPath } = options;
  const session = createCurrentSession((id) => opened?.vault.store.read.operator(id) ?? null);
  const jobs = new Map<string, AbortController>();
  let opened: Console | null = null;
  let sampleFile: Sample['file'] | null = null;
  let preparing: { failure: unknown } | null = null;
  const closing = new AbortController();
  let idle = someoneThere(factory.system.now().getTime());

  function take(next: Console): void {
    opened = next;
    next.vault.ledger.onChange((topics) => options.onChange(topics));
    // What an earlier window left running is taken up, signed in or not.
    next.services.rollouts.start();
    void keepHouse(next).catch((error: unknown) => options.events.onError?.(error));
    void watchIdle(next).catch((error: unknown) => options.events.onError?.(error));
    options.onChange(['session']);
  }

  /** Signs out who has been away for as long as the vault's settings say. Jobs, rollouts and leases go on. */
  async function watchIdle(of: Console): Promise<void> {
    while (!closing.signal.aborted) {
      idle = timePassed(idle, factory.system.now().getTime());
      // The whole machine without input says more than a window that reports some.
      const systemIdle = options.systemIdleMs?.() ?? 0;
      const away = { ...idle, idleMs: Math.max(idle.idleMs, systemIdle) };
      if (session.actor() !== null && isTimeToLock(away, autoLockMinutes(of))) await leave('idle');
      await factory.system.sleep(HOUSEKEEPING_MS, closing.signal).catch(() => undefined);
    }
  }

  /** Settings that somebody broke in the database must not keep a window open for ever. */
  function autoLockMinutes(of: Console): number {
    try {
      return readVaultSettings(of.vault.store.read).autoLockMinutes;
    } catch {
      return DEFAULT_VAULT_SETTINGS.autoLockMinutes;
    }
  }

  async function leave(reason?: 'idle'): Promise<void> {
    const actor = session.actor();
    session.set(null);
    options.onChange(['session']);
    if (actor !== null && opened !== null) await opened.services.session.signOut(actor, reason);
  }

  /** Tells the window what a command beside it committed; sweeps what a crash left, once this process may. */
  async function keepHouse(of: Console): Promise<void> {
    let swept = false;
    for (let round = 0; !closing.signal.aborted; round++) {
      if (of.vault.store.changedElsewhere()) options.onChange(topicSchema.options);
      const unwritable = of.vault.ledger.unwritable() !== null;
      if (unwritable && round % ENDPOINTS_EVERY === 0) await of.vault.ledger.retry();
      if (!unwritable && round % CHECKPOINTS_EVERY === 0)
        of.services.endpoints.syncCheckpoints().catch((error: unknown) => options.events.onError?.(error));
      if (!unwritable && round % ENDPOINTS_EVERY === 0) observeEndpoints(of);
      if (!swept && of.vault.acquireEffectsLock()) {
        swept = true;
        // It waits for a quarter of an hour before it removes anything; housekeeping goes on.
        sweepVault(of.vault, factory.system, { signal: closing.signal }).catch((error: unknown) => {
          if (!closing.signal.aborted) options.events.onError?.(error);
        });
      }
      await factory.system.sleep(HOUSEKEEPING_MS, closing.signal).catch(() => undefined);
    }
  }

  /** An agent that died or moved by itself is noticed without a person asking. */
  function observeEndpoints(of: Console): void {
    const { endpoints } = of.services;
    for (const { id } of of.vault.store.read.endpoints()) {
      endpoints
        .observe(id)
        .then((changed) => {
          if (changed) options.onChange(['endpoints', 'models', 'overview']);
        })
        .catch((error: unknown) => options.events.onError?.(error));
    }
  }

  const services = () => {
    if (opened === null)
      throw new SallyportError('locked', 'No vault is open.', { hint: 'Unlock the vault, or create one.' });
    return opened.services;
  };

  async function status(): Promise<SessionView> {
    if (opened !== null && opened.vault.ledger.unwritable() !== null) await opened.vault.ledger.retry();
    if (preparing !== null && preparing.failure !== null && opened === null) throw preparing.failure;
    const found =
      opened === null
        ? await factory.inspect(vaultPath)
        : { id: opened.vault.id, keysKind: opened.vault.keysKind };
    const actor = session.actor();
    return {
      vault:
        opened !== null ? 'open' : preparing !== null ? 'preparing' : found === null ? 'absent' : 'locked',
      vaultPath: opened?.vault.path ?? vaultPath,
      keys: found?.keysKind ?? null,
      vaultId: found?.id ?? null,
      operator: actor === null ? null : { name: actor.name, person: actor.person, roles: [...actor.roles] },
      operators: opened === null ? [] : opened.services.session.operatorNames(),
      sample:
        sampleFile === null
          ? null
          : {
              operators: sampleFile.operators.map(({ name, passphrase, roles }) => ({
                name,
                passphrase,
                roles,
              })),
            },
      readOnly: opened?.vault.ledger.unwritable()?.message ?? null,
      runtime: options.runtime,
      version: options.version,
    };
  }

  function refuseIfOpen(): void {
    if (opened !== null)
      throw new SallyportError('conflict', 'A vault is open already.', { hint: 'Nothing was changed.' });
  }

  return {
    status,
    services,
    actor: () => session.require(),
    signedIn: () => session.actor(),
    async create(input) {
      refuseIfOpen();
      const { console: created, recoveryKey } = await factory.create(vaultPath, input, options.events);
      take(created);
      return { vaultId: created.vault.id, recoveryKey };
    },
    async unlock(passphrase) {
      if (opened === null) take(await factory.open(vaultPath, passphrase, options.events));
      return status();
    },
    async recover(recoveryKey, keys) {
      refuseIfOpen();
      take(await factory.recover(vaultPath, recoveryKey, keys, options.events));
      return status();
    },
    async restore(file, job) {
      refuseIfOpen();
      const restored = await factory.restore(
        vaultPath,
        { file, passphrase: null, recovery: null },
        job,
        options.events,
      );
      if (restored) take(restored);
      else options.onChange(['session']);
      return status();
    },
    renewSession: () => session.renew(),
    async signIn(operator, passphrase) {
      session.set(await services().session.signIn({ operator, passphrase }));
      idle = someoneThere(factory.system.now().getTime());
      options.onChange(['session']);
      return status();
    },
    async signOut() {
      await leave();
      return status();
    },
    active() {
      idle = someoneThere(factory.system.now().getTime());
    },
    printPdf: options.printPdf ?? null,
    verifyAuditFile: (input, job) => factory.verifyAuditFile(input, job),
    async job(jobId, run) {
      if (jobs.has(jobId)) throw new SallyportError('conflict', 'This job is running already.');
      const controller = new AbortController();
      jobs.set(jobId, controller);
      let last = { at: 0, phase: '' };
      try {
        return await run({
          signal: controller.signal,
          progress: (phase, done, total) => {
            const now = performance.now();
            if (phase === last.phase && done !== total && now - last.at < PROGRESS_EVERY_MS) return;
            last = { at: now, phase };
            options.onProgress({ jobId, phase, done, total });
          },
        });
      } finally {
        jobs.delete(jobId);
      }
    },
    cancel(jobId) {
      jobs
        .get(jobId)
        ?.abort(new SallyportError('cancelled', 'Cancelled.', { hint: 'Nothing of it was kept.' }));
    },
    prepare(workspace) {
      const state: { failure: unknown } = { failure: null };
      preparing = state;
      workspace.catch((failure: unknown) => {
        state.failure = failure;
        options.onChange(['session']);
      });
    },
    adopt(next, file) {
      sampleFile = file;
      take(next);
    },
    async close() {
      closing.abort();
      for (const controller of jobs.values())
        controller.abort(
          new SallyportError('cancelled', 'The program is closing.', { facts: { closing: true } }),
        );
      await opened?.close();
      opened = null;
    },
  };
}
