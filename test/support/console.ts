/** The whole console as the program composes it, with cheap passphrases; free of the test runner. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programFiles } from '../../electron/adapters/system/program.ts';
import {
  type Console,
  type ConsoleFactory,
  createConsoleFactory,
  type FactoryOptions,
} from '../../electron/compose.ts';
import type { JobContext } from '../../electron/ports/system.ts';
import type { TrustFile } from '../../shared/domain/endpoint/trust.ts';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import type { Actor, Role } from '../../shared/domain/operator/operator.ts';
import type { Environment, Policy } from '../../shared/domain/policy/policy.ts';
import type { RolloutPlan } from '../../shared/domain/rollout/plan.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
export const SAMPLE_DATA = join(ROOT, 'resources', 'samples', 'data');
export const LABELLED = join(SAMPLE_DATA, 'labelled.csv');
export const MODEL = 'phish-url';

export const VAULT_PASSPHRASE = 'the vault opens with this';
/** ana submits, ben and cleo approve; ana is the vault's first operator. */
export const PEOPLE = {
  ana: { person: 'Ana Analyst', passphrase: 'ana signs with this one', roles: ['administrator', 'analyst'] },
  ben: { person: 'Ben Approver', passphrase: 'ben signs with that one', roles: ['release-manager'] },
  cleo: {
    person: 'Cleo Approver',
    passphrase: 'cleo signs with her own',
    roles: ['release-manager', 'auditor'],
  },
} as const satisfies Record<string, { person: string; passphrase: string; roles: readonly Role[] }>;
export type Who = keyof typeof PEOPLE;

export const OPEN_POLICY: Policy = {
  version: 1,
  gates: [{ metric: 'accuracy', min: 0.8 }],
  minimumRows: 100,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 2 },
  requestHours: 24,
};

export const QUIET: JobContext = { signal: new AbortController().signal, progress: () => {} };

/** scrypt at 2^10: what a vault was made with is written in its files, so the real program opens it as fast. */
export function consoleFactory(options: Partial<FactoryOptions> = {}): ConsoleFactory {
  return createConsoleFactory({
    files: programFiles(join(ROOT, 'electron', 'cli'), 'index.ts'),
    pollMs: 100,
    workFactor: 10,
    ...options,
  });
}

export interface Workspace {
  readonly vault: string;
  readonly vaultId: string;
  readonly recoveryKey: string;
  readonly production: Environment;
  readonly staging: Environment;
  readonly trust: TrustFile;
}

/** A vault under a passphrase with three people and two environments, closed again. */
export async function makeWorkspace(
  directory: string,
  options: { readonly policy?: Partial<Policy> } = {},
): Promise<Workspace> {
  const vault = join(directory, 'vault');
  const { console: opened, recoveryKey } = await consoleFactory().create(vault, {
    operator: 'ana',
    person: PEOPLE.ana.person,
    operatorPassphrase: PEOPLE.ana.passphrase,
    keys: { kind: 'passphrase', passphrase: VAULT_PASSPHRASE },
  });
  try {
    const { services } = opened;
    const ana = await signIn(opened, 'ana');
    for (const name of ['ben', 'cleo'] as const)
      await services.operators.add(ana, { name, ...PEOPLE[name], roles: [...PEOPLE[name].roles] });
    const policy = { ...OPEN_POLICY, ...options.policy };
    const production = await services.environments.add(ana, { name: 'production', policy });
    const staging = await services.environments.add(ana, { name: 'staging', policy });
    const trust: TrustFile = {
      vaults: [{ id: opened.vault.id, checkpointKey: opened.vault.checkpointVerifier }],
      quorum: 2,
      approvers: services.operators
        .list(ana)
        .map(({ person, name, publicKeyPem }) => ({ person, name, publicKeyPem })),
    };
    return { vault, vaultId: opened.vault.id, recoveryKey, production, staging, trust };
  } finally {
    await opened.close();
  }
}

export function signIn(opened: Console, who: Who): Promise<Actor> {
  return opened.services.session.signIn({ operator: who, passphrase: PEOPLE[who].passphrase });
}

/** Adds a sample version, validates it for an environment and has it approved; answers the request's id. */
export async function approveSample(
  opened: Console,
  version: '1.0.0' | '1.1.0' | '1.2.0',
  environmentId: string,
  plan: Omit<RolloutPlan, 'salt'>,
): Promise<string> {
  const { services } = opened;
  const ana = await signIn(opened, 'ana');
  await services.models.add(
    ana,
    {
      path: join(SAMPLE_DATA, `${MODEL}-${version}.onnx`),
      name: MODEL,
      version,
      parent: null,
      metadata: {},
    },
    QUIET,
  );
  await services.validation.run(
    ana,
    { name: MODEL, version, data: labelledFile(LABELLED, 'label'), environmentId, policy: null },
    QUIET,
  );
  const { record } = await services.requests.submit(ana, {
    name: MODEL,
    version,
    environmentId,
    passphrase: PEOPLE.ana.passphrase,
    plan,
  });
  for (const who of ['ben', 'cleo'] as const)
    await services.requests.approve(await signIn(opened, who), {
      id: record.id,
      passphrase: PEOPLE[who].passphrase,
    });
  return record.id;
}

/** Writes a secret into a file of mode 0600 and answers its path. */
export async function secretFile(directory: string, name: string, secret: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  await writeFile(path, `${secret}\n`, { mode: 0o600 });
  return path;
}
