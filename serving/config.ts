/** `agent.yaml`: everything an agent reads about itself, and the only place it reads it from. */
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from '../shared/domain/endpoint/address.ts';
import type { TrustFile } from '../shared/domain/endpoint/trust.ts';
import { modelNameSchema } from '../shared/domain/model/version.ts';
import { accessLogSchema } from './guard/access-log.ts';
import { networksSchema } from './guard/addresses.ts';
import { jwtSchema } from './guard/jwt.ts';
import { keySourceSchema } from './guard/key-source.ts';
import { type AgentLimits, limitsSchema } from './guard/limits.ts';
import { scoresSchema } from './guard/scores.ts';
import { type TlsConfig, tlsSchema } from './guard/tls.ts';
import { batchingSchema, engineSchema } from './inference/config.ts';
import { pinnedTrustSchema } from './trust.ts';
import { NO_PLACE, type Place, parseYaml, readText, readYaml } from './yaml-file.ts';

/** Without TLS on loopback only. */
const listenerSchema = z
  .strictObject({
    host: z.string().default('127.0.0.1'),
    /** 0 = chosen by the system, and printed when the agent is ready. */
    port: z.number().int().min(0).max(65_535),
    tls: tlsSchema.optional(),
    /** Addresses and networks that are let in; everybody when left out. */
    allow: networksSchema.min(1).optional(),
    /** Proxies whose `X-Forwarded-For` is believed. */
    trustedProxies: networksSchema.default([]),
  })
  .refine(({ host, tls }) => tls !== undefined || isLoopback(host), {
    path: ['host'],
    error:
      'The agent does not listen to other machines without TLS. Give it `tls` with `cert` and `key`, or use 127.0.0.1 and put a TLS proxy in front of it.',
  });
export type ListenerConfig = z.infer<typeof listenerSchema>;

const inputSchema = z.strictObject({
  /** Whether NaN and infinity may reach a model: the runtime answers many of them with label 0, "benign". */
  allowNonFinite: z.boolean().default(false),
});

export const agentConfigSchema = z.strictObject({
  version: z.literal(1),
  environmentId: z.string().min(1).max(200),
  trust: z.string().min(1),
  predict: listenerSchema,
  admin: listenerSchema,
  /** Where the agent's own keys are; files of its directory when left out. */
  keys: z.strictObject({ signing: keySourceSchema.optional(), age: keySourceSchema.optional() }).default({}),
  jwt: jwtSchema.optional(),
  accessLog: accessLogSchema.optional(),
  /** How exactly scores are shown; as they are when left out. */
  scores: scoresSchema.optional(),
  engine: engineSchema.prefault({}),
  batching: batchingSchema.prefault({}),
  input: inputSchema.prefault({}),
  /** What differs for one model, by its name. */
  models: z.record(modelNameSchema, z.strictObject({ input: inputSchema.optional() })).default({}),
  limits: limitsSchema.default(() => limitsSchema.parse({})),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type { AgentLimits };
export type AgentConfig = Omit<z.infer<typeof agentConfigSchema>, 'trust'> & {
  readonly trust: TrustFile;
  readonly paths: AgentPaths;
  /** In `agent.yaml`: a field that cannot be used is refused there. */
  readonly place: Place;
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

/** `named`: where the path is from. */
export async function readTrust(path: string, named: Place = NO_PLACE): Promise<TrustFile> {
  const text = await named.check(() => readText(path));
  return parseYaml(path, text, pinnedTrustSchema as z.ZodType<TrustFile>).value;
}

/** The configuration and the trust file it names. `not-found` without the file; `input.invalid` with its line. */
export async function loadConfig(path: string): Promise<AgentConfig> {
  const file = resolve(path);
  const { value, place } = await readYaml(
    file,
    agentConfigSchema as z.ZodType<z.infer<typeof agentConfigSchema>>,
  );
  const { trust, jwt, accessLog, ...config } = value;
  const directory = dirname(file);
  return {
    ...config,
    ...(accessLog ? { accessLog: { ...accessLog, file: resolve(directory, accessLog.file) } } : {}),
    ...(jwt ? { jwt: { ...jwt, jwks: resolve(directory, jwt.jwks) } } : {}),
    predict: resolveListener(directory, config.predict),
    admin: resolveListener(directory, config.admin),
    trust: await readTrust(resolve(directory, trust), place.at('trust')),
    paths: agentPaths(directory),
    place,
  };
}

function resolveListener(directory: string, { tls, ...listener }: ListenerConfig): ListenerConfig {
  if (!tls) return listener;
  const at = (path: string): string => resolve(directory, path);
  const { cert, key, clientCa, ...rest } = tls;
  const files: TlsConfig = { ...rest, cert: at(cert), key: at(key) };
  return { ...listener, tls: clientCa === undefined ? files : { ...files, clientCa: at(clientCa) } };
}

/** Whether NaN and infinity may reach this model: its own word, else the agent's. */
export function allowsNonFinite(
  { input, models }: Pick<AgentConfig, 'input' | 'models'>,
  model: string,
): boolean {
  const own = Object.hasOwn(models, model) ? models[model] : undefined;
  return (own?.input ?? input).allowNonFinite;
}
