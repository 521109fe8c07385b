/** `agent init`: a new agent's directory, keys, trust and first token. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { isLoopback } from '../shared/domain/endpoint/address.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { generateIdentity } from '../shared/node/age/index.ts';
import { fsyncDirectory, isThere, writeFileAtomic } from '../shared/node/files/files.ts';
import { agentPaths, readTrust } from './config.ts';
import { AgentKeys, generateSigningPem } from './identity.ts';
import { TokenFile } from './tokens.ts';
import { resolveTrust } from './trust.ts';

export interface InitOptions {
  readonly environmentId: string;
  readonly trustFile: string;
  readonly directory: string;
  readonly host: string;
  readonly predictPort: number;
  readonly adminPort: number;
  readonly tokenDays: number;
}

export interface InitResult {
  readonly config: string;
  readonly environmentId: string;
  readonly fingerprint: string;
  readonly ageRecipient: string;
  /** Shown once; the agent keeps its hash only. */
  readonly token: string;
  readonly tokenExpiresAt: string;
}

/**
 * Makes a new agent. Never over an existing one: `agent.yaml` is written last, and where the directory has anything in
 * it already, nothing is touched. `conflict`, `input.invalid`, `disk.full`.
 */
export async function initAgent(options: InitOptions, now: Date): Promise<InitResult> {
  const directory = resolve(options.directory);
  const trustFile = resolve(options.trustFile);
  const trustCopy = join(directory, 'trust.yaml');
  const trust = await readTrust(trustFile);
  resolveTrust(trust, options.environmentId);
  if (!isLoopback(options.host)) {
    throw new SallyportError('input.invalid', `The agent does not listen on ${options.host} without TLS.`, {
      hint: 'Make it on 127.0.0.1; then give its listeners `tls` and another host in agent.yaml. Nothing was made.',
    });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths = agentPaths(directory);
  const config = join(directory, 'agent.yaml');
  for (const path of [config, join(directory, 'keys'), join(directory, 'state'), paths.tokens]) {
    if (await isThere(path)) {
      throw new SallyportError('conflict', `There is an agent in ${directory} already.`, {
        hint: 'It was not changed. Choose an empty directory.',
      });
    }
  }
  if (trustCopy !== trustFile && (await isThere(trustCopy))) {
    throw new SallyportError('conflict', `${trustCopy} is there already.`, {
      hint: 'It was not changed. Choose an empty directory, or give that file as --trust.',
    });
  }
  // The one step that only one of two concurrent inits can do.
  await mkdir(join(directory, 'keys'), { mode: 0o700 });
  try {
    for (const each of [paths.releases, paths.staging, paths.uploads, paths.checkpoints]) {
      await mkdir(each, { recursive: true, mode: 0o700 });
    }
    await writeFileAtomic(paths.signingKey, generateSigningPem());
    await writeFileAtomic(paths.ageIdentity, `${(await generateIdentity()).identity}\n`);
    const keys = await AgentKeys.load(paths, options.environmentId);
    const { token, record } = await new TokenFile(paths.tokens).add(
      'console',
      ['predict', 'read', 'deploy'],
      options.tokenDays,
      now,
    );
    if (trustCopy !== trustFile) await writeFileAtomic(trustCopy, stringify(trust));
    await writeFileAtomic(
      config,
      stringify({
        version: 1,
        environmentId: options.environmentId,
        trust: 'trust.yaml',
        predict: { host: options.host, port: options.predictPort },
        admin: { host: options.host, port: options.adminPort },
      }),
    );
    await fsyncDirectory(directory);
    return {
      config,
      environmentId: options.environmentId,
      fingerprint: keys.fingerprint,
      ageRecipient: keys.identity.ageRecipient,
      token,
      tokenExpiresAt: record.expiresAt,
    };
  } catch (error) {
    // Half an agent must not be in the way of the next attempt; nobody has seen these keys yet.
    for (const path of [join(directory, 'state'), paths.tokens, join(directory, 'keys')]) {
      await rm(path, { recursive: true, force: true });
    }
    throw error;
  }
}
