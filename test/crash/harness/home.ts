/** Where a killed run lives: a vault under a keychain of files, the people in it, and what there is to work on. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Console, ConsoleFactory } from '../../../electron/compose.ts';
import type { ForkWorker } from '../../../electron/ports/processes.ts';
import type { System } from '../../../electron/ports/system.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import { DEFAULT_GUARDS } from '../../../shared/domain/rollout/plan.ts';
import { LARGE_FILE_BYTES } from '../../../shared/node/files/direct.ts';
import { workerEnvironment } from '../../../shared/node/onnx/fork-process.ts';
import { type StartAgentOptions, startAgent, type TestAgent } from '../../support/agent.ts';
import {
  approveSample,
  consoleFactory,
  LABELLED,
  MODEL,
  OPEN_POLICY,
  PEOPLE,
  QUIET,
  ROOT,
  SAMPLE_DATA,
  signIn,
  VAULT_PASSPHRASE,
} from '../../support/console.ts';
import { fileKeychain } from '../../support/file-keychain.ts';
import { forkWorker } from '../../support/machine.ts';
import { minimalOnnx } from '../../support/minimal-onnx.ts';
import { logisticRegression, model } from '../../support/onnx-builder.ts';

/** What a run knows about the vault it is given. Plain data: it crosses to the process that will be killed. */
export interface Home {
  readonly vault: string;
  readonly keychain: string;
  /** A small model file that is not in the vault. */
  readonly model: string;
  /** One that is stored past the page cache and proved by a thread; the same file for all copies. */
  readonly largeModel: string;
  /** Files that a run writes outside of the vault: backups, exports, restored vaults. */
  readonly outside: string;
  /** Compiled code, shared by all runs. */
  readonly cache: string;
  readonly recoveryKey: string;
  readonly environmentId: string;
  /** A request nobody has decided on, and two with every approval. */
  readonly open: string;
  readonly approved: Readonly<Record<'1.0.0' | '1.1.0', string>>;
}

/** Nothing is watched and nothing is waited for: each rollout is a push and one change of routing. */
export const DIRECT = {
  strategy: 'direct' as const,
  steps: [100],
  bakeMs: 0,
  maxStepMs: 60_000,
  mirrorSample: 0,
  guards: { ...DEFAULT_GUARDS, maxP95Ratio: null, maxErrorRate: null, maxDisagreement: null },
};

/** The real console over a home's keychain. */
export function homeFactory(home: Pick<Home, 'keychain' | 'cache'>, parts: Parts = {}): ConsoleFactory {
  return consoleFactory({
    pollMs: 20,
    forkWorker: workersOf(home),
    keychainSecrets: (vaultId) => fileKeychain(home.keychain, vaultId),
    ...parts,
  });
}

/** Workers that are compiled once for all runs of a harness: most of a worker's start is that. */
export function workersOf({ cache }: Pick<Home, 'cache'>): ForkWorker {
  return (entry, options) =>
    forkWorker(entry, { env: { ...workerEnvironment(), ...options?.env, NODE_COMPILE_CACHE: cache } });
}

/** Fills the cache: workers that are killed, as most are, leave nothing in it. */
export async function compileWorkers(home: Pick<Home, 'cache'>): Promise<void> {
  await Promise.all(
    (['vault-jobs', 'rekey', 'backup'] as const).map((entry) => {
      const worker = fork(join(ROOT, 'electron', 'workers', `${entry}.ts`), [], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: { ...workerEnvironment(), NODE_COMPILE_CACHE: home.cache },
      });
      worker.disconnect();
      return once(worker, 'exit');
    }),
  );
}

/** What a process that will be killed hands in: a machine whose steps may be its last, and workers whose ids are told. */
export interface Parts {
  readonly system?: System;
  readonly forkWorker?: ForkWorker;
}

/** Opens a home's vault, whichever way its keys are kept by now. */
export async function openHome(
  home: Pick<Home, 'keychain' | 'vault' | 'cache'>,
  parts: Parts = {},
): Promise<Console> {
  const factory = homeFactory(home, parts);
  const found = await factory.inspect(home.vault);
  return factory.open(home.vault, found?.keysKind === 'passphrase' ? VAULT_PASSPHRASE : null);
}

/** Where a run puts the backup it makes. */
export const backupOf = (home: Home): string => join(home.outside, 'backup.tar');

/** Restores a run's backup into the place of its vault. */
export async function restoreHome(home: Home, parts: Parts = {}): Promise<Console> {
  const input = { file: backupOf(home), passphrase: null, recovery: null };
  const restored = await homeFactory(home, parts).restore(home.vault, input, QUIET);
  if (restored === null) throw new Error('the restored vault stayed locked');
  return restored;
}

/** Where a run creates a vault beside the one it is given. */
export const secondOf = (home: Home): string => join(home.outside, 'second');

export async function createSecond(home: Home, parts: Parts = {}): Promise<void> {
  const { console: opened } = await homeFactory(home, parts).create(secondOf(home), {
    operator: 'olga',
    person: 'Olga Other',
    operatorPassphrase: 'olga signs with this one',
    keys: { kind: 'keychain' },
  });
  await opened.close();
}

/** A vault with three people, three validated versions, two approved requests and an open one. Takes some seconds: copied for each run. */
export async function makeHome(directory: string): Promise<Home> {
  const at = {
    vault: join(directory, 'vault'),
    keychain: join(directory, 'keychain'),
    model: join(directory, 'model.onnx'),
    largeModel: join(directory, 'large.onnx'),
    cache: join(directory, 'cache'),
    outside: join(directory, 'outside'),
  };
  mkdirSync(at.keychain, { recursive: true });
  mkdirSync(at.outside, { recursive: true });
  writeFileSync(at.model, model(logisticRegression(3)));
  writeFileSync(at.largeModel, minimalOnnx({ weightBytes: LARGE_FILE_BYTES + 1000 }));
  const { console: opened, recoveryKey } = await homeFactory(at).create(at.vault, {
    operator: 'ana',
    person: PEOPLE.ana.person,
    operatorPassphrase: PEOPLE.ana.passphrase,
    keys: { kind: 'keychain' },
  });
  try {
    const { services } = opened;
    const ana = await signIn(opened, 'ana');
    for (const name of ['ben', 'cleo'] as const)
      await services.operators.add(ana, { name, ...PEOPLE[name], roles: [...PEOPLE[name].roles] });
    const { id } = await services.environments.add(ana, { name: 'production', policy: OPEN_POLICY });
    const approved = {
      '1.0.0': await approveSample(opened, '1.0.0', id, DIRECT),
      '1.1.0': await approveSample(opened, '1.1.0', id, DIRECT),
    };
    const ref = { name: MODEL, version: '1.2.0' };
    const file = { path: join(SAMPLE_DATA, `${MODEL}-1.2.0.onnx`), parent: null, metadata: {} };
    await services.models.add(ana, { ...ref, ...file }, QUIET);
    const labelled = { data: labelledFile(LABELLED, 'label'), environmentId: id, policy: null };
    await services.validation.run(ana, { ...ref, ...labelled }, QUIET);
    const { record } = await services.requests.submit(ana, {
      ...ref,
      environmentId: id,
      passphrase: PEOPLE.ana.passphrase,
      plan: DIRECT,
    });
    return { ...at, recoveryKey, environmentId: id, open: record.id, approved };
  } finally {
    await opened.close();
  }
}

/** The same home again in another directory. Only one copy may talk to an agent: two histories of one vault contradict each other. */
export function copyHome(from: Home, directory: string): Home {
  const at = {
    vault: join(directory, 'vault'),
    keychain: join(directory, 'keychain'),
    outside: join(directory, 'outside'),
  };
  cpSync(from.vault, at.vault, { recursive: true });
  cpSync(from.keychain, at.keychain, { recursive: true });
  mkdirSync(at.outside);
  return { ...from, ...at };
}

/** A home whose production is a real agent that serves 1.1.0, and 1.0.0 before it: there is something to roll back to. */
export interface AgentHome {
  readonly home: Home;
  readonly agent: TestAgent;
}

export async function makeAgentHome(
  directory: string,
  options: Pick<StartAgentOptions, 'folder' | 'limits'> & { readonly template?: Home } = {},
): Promise<AgentHome> {
  const { template, ...agentOptions } = options;
  const home = template ? copyHome(template, directory) : await makeHome(directory);
  const opened = await openHome(home);
  try {
    const { services } = opened;
    const ana = await signIn(opened, 'ana');
    const agent = await startAgent({
      environmentId: home.environmentId,
      ...agentOptions,
      trust: {
        vaults: [{ id: opened.vault.id, checkpointKey: opened.vault.checkpointVerifier }],
        quorum: 2,
        approvers: services.operators
          .list(ana)
          .map(({ person, name, publicKeyPem }) => ({ person, name, publicKeyPem })),
      },
    });
    const { adminUrl, predictUrl, token, fingerprint } = agent;
    const pinned = { name: 'edge', environmentId: home.environmentId, fingerprint };
    await services.endpoints.add(ana, { ...pinned, adminUrl, predictUrl, token });
    services.rollouts.start();
    const ben = await signIn(opened, 'ben');
    // In the order of their serials; what was served once stays loadable in any order.
    for (const version of ['1.0.0', '1.1.0'] as const) {
      const { state } = await services.rollouts.deploy(ben, {
        requestId: home.approved[version],
        target: 'production',
      });
      const ended = await services.rollouts.finished(state.id);
      if (ended.state.phase !== 'completed') throw new Error(ended.state.reason);
    }
    return { home, agent };
  } finally {
    await opened.close();
  }
}
