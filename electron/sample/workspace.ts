/** The sample workspace: a vault, three operators, three detectors, and a loopback agent that trusts nobody else. */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { versionMetadataSchema } from '../../shared/domain/model/version.ts';
import { roleSchema } from '../../shared/domain/operator/operator.ts';
import { policySchema } from '../../shared/domain/policy/policy.ts';
import { ruleCount } from '../../shared/domain/scan/finding.ts';
import { writeFileAtomic } from '../../shared/node/files/files.ts';
import type { Console, ConsoleEvents, ConsoleFactory } from '../compose.ts';
import type { JobContext } from '../ports/system.ts';
import { initAgent, type RunningAgent, runAgentProcess } from './agent-process.ts';
import { freePort } from './free-port.ts';
import { startTraffic, type Traffic } from './traffic.ts';

export const SAMPLE_MODEL = 'phish-url';
export const SAMPLE_VERSIONS = ['1.0.0', '1.1.0', '1.2.0'] as const;
export const SAMPLE_ENVIRONMENT = 'production';
export const SAMPLE_ENDPOINT = 'sample-agent';

const sampleSchema = z.object({
  format: z.literal(1),
  vaultPassphrase: z.string(),
  operators: z.array(
    z.object({ name: z.string(), person: z.string(), passphrase: z.string(), roles: z.array(roleSchema) }),
  ),
  agent: z
    .object({
      config: z.string(),
      token: z.string(),
      fingerprint: z.string(),
      adminPort: z.number(),
      predictPort: z.number(),
    })
    .nullable(),
});
export type SampleFile = z.infer<typeof sampleSchema>;
export type SampleOperator = SampleFile['operators'][number];

/** Where a sample workspace's parts are. */
export function samplePaths(directory: string) {
  return {
    file: join(directory, 'sample.json'),
    vault: join(directory, 'vault'),
    agent: join(directory, 'agent'),
    trust: join(directory, 'trust.json'),
  };
}

/** The workspace's own record, or null where there is no complete one. */
export async function readSample(directory: string): Promise<SampleFile | null> {
  const text = await readFile(samplePaths(directory).file, 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = sampleSchema.safeParse(JSON.parse(text));
  return parsed.success && parsed.data.agent !== null ? parsed.data : null;
}

/** Twelve letters and digits without look-alikes, in three groups: 59 bits, easy to type off a banner. */
function passphrase(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const letters = Array.from(randomBytes(12), (byte) => alphabet[byte % alphabet.length] ?? 'a').join('');
  return `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8)}`;
}

/** The passphrases of a new workspace; they protect nothing but the sample and are shown in its banner. */
function newSample(): SampleFile {
  return {
    format: 1,
    vaultPassphrase: passphrase(),
    operators: [
      { name: 'ana', person: 'Ana Analyst', passphrase: passphrase(), roles: ['administrator', 'analyst'] },
      { name: 'ben', person: 'Ben Approver', passphrase: passphrase(), roles: ['release-manager'] },
      {
        name: 'cleo',
        person: 'Cleo Approver',
        passphrase: passphrase(),
        roles: ['release-manager', 'auditor'],
      },
    ],
    agent: null,
  };
}

/** An opened sample workspace with its agent and traffic. */
export interface Sample {
  readonly file: SampleFile;
  readonly console: Console;
  readonly environmentId: string;
  startTraffic(requestsPerSecond: number): Promise<Traffic>;
  /** Stops traffic and agent; the console is its owner's to close. */
  stopAgent(): Promise<void>;
  /** Everything. */
  close(): Promise<void>;
}

export interface CreateSampleOptions {
  readonly factory: ConsoleFactory;
  readonly directory: string;
  readonly events?: ConsoleEvents;
  /** Told what was done, with its figure. */
  readonly onStep?: (step: 'vault' | 'models' | 'agent', text: string) => void;
}

/** A job nobody watches or cancels. */
export const QUIET_JOB: JobContext = { signal: new AbortController().signal, progress: () => {} };

/**
 * Makes a new workspace: vault, operators, environment, the three versions, agent and endpoint. `sample.json` is
 * written last with the agent in it; a workspace that was interrupted has none and is made again from nothing.
 */
export async function createSample(options: CreateSampleOptions): Promise<Sample> {
  const { factory, directory, onStep } = options;
  const paths = samplePaths(directory);
  if (await exists(directory)) {
    if (!(await exists(paths.file)))
      throw new SallyportError('conflict', `${directory} is not a sample workspace.`, {
        hint: 'Nothing was changed. Choose a new folder.',
      });
    await rm(directory, { recursive: true });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const sample = newSample();
  const [first, ...others] = sample.operators;
  if (first === undefined) throw new SallyportError('unexpected', 'The sample has no operator.');
  await writeFileAtomic(paths.file, `${JSON.stringify(sample, null, 2)}\n`);

  const { console: opened } = await factory.create(
    paths.vault,
    {
      operator: first.name,
      person: first.person,
      operatorPassphrase: first.passphrase,
      keys: { kind: 'passphrase', passphrase: sample.vaultPassphrase },
    },
    options.events,
  );
  try {
    const { services, vault } = opened;
    const actor = await services.session.signIn({ operator: first.name, passphrase: first.passphrase });
    for (const { name, person, roles, passphrase: own } of others)
      await services.operators.add(actor, { name, person, roles: [...roles], passphrase: own });
    const policy = policySchema.parse(
      parse(await readFile(join(factory.files.sampleData, 'policy-production.yaml'), 'utf8')),
    );
    const environment = await services.environments.add(actor, { name: SAMPLE_ENVIRONMENT, policy });
    onStep?.(
      'vault',
      `SQLCipher 4 database, age files, ${sample.operators.length} operators with their own P-256 keys, vault ${vault.id.slice(0, 12)}`,
    );

    for (const [index, version] of SAMPLE_VERSIONS.entries()) {
      const metadata = versionMetadataSchema.parse(
        JSON.parse(await readFile(join(factory.files.sampleData, `metadata-${version}.json`), 'utf8')),
      );
      const began = performance.now();
      const { version: added } = await services.models.add(
        actor,
        {
          path: join(factory.files.sampleData, `${SAMPLE_MODEL}-${version}.onnx`),
          name: SAMPLE_MODEL,
          version,
          parent: SAMPLE_VERSIONS[index - 1] ?? null,
          metadata,
        },
        QUIET_JOB,
      );
      onStep?.(
        'models',
        `${SAMPLE_MODEL}@${version} ${added.digest.slice(0, 12)}, ${(added.sizeBytes / 1024).toFixed(0)} KiB, ${ruleCount(added.rulesRun)} scan rules, ${added.findings.length} findings, ${(performance.now() - began).toFixed(0)} ms`,
      );
    }

    const approvers = services.operators.list(actor).filter((o) => o.roles.includes('release-manager'));
    await writeFileAtomic(
      paths.trust,
      JSON.stringify({
        vaults: [{ id: vault.id, checkpointKey: vault.checkpointVerifier }],
        quorum: policy.quorum.approvals,
        approvers: approvers.map(({ person, name, publicKeyPem }) => ({ person, name, publicKeyPem })),
      }),
    );
    const ports = { adminPort: await freePort(), predictPort: await freePort() };
    const agent = await initAgent(factory.launch, factory.files.serving, {
      directory: paths.agent,
      environmentId: environment.id,
      trustFile: paths.trust,
      ...ports,
    });
    const running = await runAgentProcess(factory.launch, factory.files.serving, agent.config);
    try {
      await services.endpoints.add(actor, {
        name: SAMPLE_ENDPOINT,
        environmentId: environment.id,
        adminUrl: running.adminUrl,
        predictUrl: running.predictUrl,
        token: agent.token,
        fingerprint: agent.fingerprint,
      });
      await services.session.signOut(actor);
      const file: SampleFile = { ...sample, agent: { ...agent, ...ports } };
      await writeFileAtomic(paths.file, `${JSON.stringify(file, null, 2)}\n`);
      onStep?.(
        'agent',
        `serving agent on loopback, fingerprint ${agent.fingerprint.slice(0, 16)} pinned, quorum ${policy.quorum.approvals} of ${approvers.length} keys`,
      );
      return sampleOf(factory, file, opened, Promise.resolve(running), environment.id);
    } catch (error) {
      await running.stop();
      throw error;
    }
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Opens a workspace that is there. Its agent comes up on its own: what needs it waits, the vault does not. */
export async function openSample(
  factory: ConsoleFactory,
  directory: string,
  file: SampleFile,
  events?: ConsoleEvents,
): Promise<Sample> {
  const opened = await factory.open(samplePaths(directory).vault, file.vaultPassphrase, events);
  const environment = opened.vault.store.read.environmentByName(SAMPLE_ENVIRONMENT);
  const agent = runAgentProcess(factory.launch, factory.files.serving, file.agent?.config ?? '');
  // Told where it is waited for; unheard it must not end the process.
  agent.catch(() => undefined);
  return sampleOf(factory, file, opened, agent, environment?.id ?? '');
}

function sampleOf(
  factory: ConsoleFactory,
  file: SampleFile,
  opened: Console,
  agent: Promise<RunningAgent>,
  environmentId: string,
): Sample {
  const playing = new Set<Traffic>();
  const stopAgent = async () => {
    for (const traffic of playing) traffic.stop();
    await agent.then(
      (running) => running.stop(),
      () => undefined,
    );
  };
  return {
    file,
    console: opened,
    environmentId,
    async startTraffic(requestsPerSecond) {
      const { predictUrl } = await agent;
      const model = opened.vault.store.read.version({ name: SAMPLE_MODEL, version: SAMPLE_VERSIONS[0] });
      const traffic = startTraffic(factory.launch, factory.files.trafficPlayer, {
        predictUrl,
        token: file.agent?.token ?? '',
        model: SAMPLE_MODEL,
        trafficFile: join(factory.files.sampleData, 'traffic.csv'),
        features: (model?.onnx.metadata.features ?? '').split(','),
        requestsPerSecond,
      });
      playing.add(traffic);
      return traffic;
    },
    stopAgent,
    async close() {
      for (const traffic of playing) traffic.stop();
      await opened.close();
      await stopAgent();
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
