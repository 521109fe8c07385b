/** `agent.yaml`: everything an agent reads about itself, and the only place it reads it from. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { isLoopback } from '../shared/domain/endpoint/address.ts';
import { type TrustFile, trustFileSchema } from '../shared/domain/endpoint/trust.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { systemCode } from '../shared/node/files/files.ts';

const listenerSchema = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** 0 = chosen by the system, and printed when the agent is ready. */
  port: z.number().int().min(0).max(65_535),
});

const limitsSchema = z.strictObject({
  /** Largest predict body in bytes. */
  bodyBytes: z
    .number()
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(4 * 1024 * 1024),
  /** Most rows in one predict call. */
  rows: z.number().int().min(1).max(1_000_000).default(1000),
  /** Predict calls that may wait or run at once; one more is answered 503. */
  inFlight: z.number().int().min(1).max(100_000).default(256),
  /** Longest time a call waits for its answer, in milliseconds. */
  predictTimeoutMs: z.number().int().min(10).max(600_000).default(10_000),
  /** Longest time a client may take to send a request's headers and body, in milliseconds. */
  requestTimeoutMs: z.number().int().min(100).max(3_600_000).default(30_000),
  /** How long running calls may take to finish after a stop was asked for, in milliseconds. */
  drainMs: z.number().int().min(0).max(600_000).default(10_000),
  /** Largest model file in bytes. */
  modelBytes: z
    .number()
    .int()
    .min(1024)
    .default(2 * 1024 ** 3),
  /** A push that would leave less free disk than this is refused, so that serving keeps its room. */
  reserveBytes: z
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  /** Releases kept per model beside stable, canary and previous. */
  keepReleases: z.number().int().min(0).max(1000).default(3),
  /** Mirrored pairs that may wait; one more is dropped and counted. */
  mirrorQueue: z.number().int().min(0).max(100_000).default(64),
  /** Stored releases are hashed again this often, in minutes; 0 = only when they are loaded. */
  verifyMinutes: z.number().min(0).max(10_080).default(60),
  /** Idempotency keys remembered with their answers. */
  rememberedKeys: z.number().int().min(10).max(100_000).default(200),
});

export const agentConfigSchema = z.strictObject({
  version: z.literal(1),
  environmentId: z.string().min(1).max(200),
  trust: z.string().min(1),
  predict: listenerSchema,
  admin: listenerSchema,
  limits: limitsSchema.default(() => limitsSchema.parse({})),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type AgentLimits = z.infer<typeof limitsSchema>;
export type AgentConfig = Omit<z.infer<typeof agentConfigSchema>, 'trust'> & {
  readonly trust: TrustFile;
  readonly paths: AgentPaths;
};

/** Where an agent keeps what; all below the directory of its `agent.yaml`. */
export interface AgentPaths {
  readonly directory: string;
  readonly signingKey: string;
  readonly ageIdentity: string;
  readonly tokens: string;
  readonly state: string;
  readonly releases: string;
  readonly staging: string;
  readonly uploads: string;
  readonly checkpoints: string;
}

export function agentPaths(directory: string): AgentPaths {
  const at = (...parts: string[]): string => join(directory, ...parts);
  return {
    directory,
    signingKey: at('keys', 'signing.pem'),
    ageIdentity: at('keys', 'age.txt'),
    tokens: at('tokens.json'),
    state: at('state', 'state.json'),
    releases: at('state', 'releases'),
    staging: at('state', 'staging'),
    uploads: at('state', 'uploads'),
    checkpoints: at('state', 'checkpoints'),
  };
}

/** Reads YAML or JSON and checks it; `input.invalid` names the file and the first thing that is wrong in it. */
export async function readYaml<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'), { maxAliasCount: 10 });
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    throw new SallyportError(
      missing ? 'not-found' : 'input.invalid',
      `${path} ${missing ? 'does not exist' : 'cannot be read as YAML'}.`,
      {
        hint: missing ? 'Check the path; `sallyport agent init` makes a new agent.' : 'Nothing was started.',
        cause: error,
      },
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SallyportError(
    'input.invalid',
    `${path}: ${issue?.path.join('.') || 'file'}: ${issue?.message ?? 'not valid'}`,
    {
      hint: 'Nothing was started.',
    },
  );
}

export function readTrust(path: string): Promise<TrustFile> {
  return readYaml(path, trustFileSchema as z.ZodType<TrustFile>);
}

/** The configuration and the trust file it names. Listeners without TLS are accepted on loopback only. */
export async function loadConfig(path: string): Promise<AgentConfig> {
  const file = resolve(path);
  const { trust, ...config } = await readYaml(
    file,
    agentConfigSchema as z.ZodType<z.infer<typeof agentConfigSchema>>,
  );
  for (const listener of [config.predict, config.admin]) {
    if (!isLoopback(listener.host)) {
      throw new SallyportError(
        'input.invalid',
        `The agent does not listen on ${listener.host} without TLS.`,
        {
          hint: 'Use 127.0.0.1, and put a TLS proxy in front of it for other machines.',
        },
      );
    }
  }
  const directory = dirname(file);
  return { ...config, trust: await readTrust(resolve(directory, trust)), paths: agentPaths(directory) };
}
