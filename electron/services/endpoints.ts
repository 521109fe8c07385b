/** Endpoints: pinned by a fingerprint that a person compared, spoken to by clients that insist on it. */
import { z } from 'zod';
import { addressProblem } from '../../shared/domain/endpoint/address.ts';
import {
  type ClientCertificate,
  clientCertificateSchema,
  type EndpointTls,
  encodeCredentials,
  endpointTlsSchema,
} from '../../shared/domain/endpoint/credentials.ts';
import { type Endpoint, type EndpointStatus, endpointSchema } from '../../shared/domain/endpoint/endpoint.ts';
import { formatFingerprint, parseFingerprint } from '../../shared/domain/endpoint/fingerprint.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { Environment } from '../../shared/domain/policy/policy.ts';
import type { EndpointView } from '../../shared/domain/view/views.ts';
import type { EndpointClient, EndpointConnector } from '../ports/endpoint.ts';
import type { SecretStore } from '../ports/secrets.ts';
import type { Store } from '../ports/stores.ts';
import type { System } from '../ports/system.ts';
import { storedCredentials, tokenName } from './endpoint-secrets.ts';
import { parseInput } from './input.ts';
import type { Ledger } from './ledger.ts';
import { noteUnowned } from './vault/owned-secrets.ts';

export interface EndpointsDeps {
  readonly vaultId: string;
  readonly ledger: Ledger;
  /** For what an endpoint was seen to do, which nobody decided: not for the log. */
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly system: System;
  readonly connector: EndpointConnector;
  readonly audit: {
    checkpointDue(endpointId: string): { vaultId: string; note: string; size: number } | null;
    checkpointSent(size: number, endpointId: string): void;
  };
}

export interface AddEndpointInput {
  readonly name: string;
  readonly environmentId: string;
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly token: string;
  /** As `agent init` printed it; spaces, colons and capitals do not matter. */
  readonly fingerprint: string;
  /** Whose TLS certificate counts; the system's authorities when left out. */
  readonly tls?: EndpointTls | undefined;
  /** For an agent that asks its clients for a certificate; kept with the token. */
  readonly client?: ClientCertificate | undefined;
}

export interface EndpointsService {
  list(actor: Actor): EndpointView[];
  /**
   * Pins an agent. Its key is proved and compared before the token leaves this machine. Errors: `integrity.endpoint`
   * (another fingerprint), `refused.environment`, `endpoint.*`, `conflict` (the name is taken).
   */
  add(actor: Actor, input: AddEndpointInput): Promise<EndpointView>;
  /** Asks an endpoint now. A problem is part of the answer, not an error. */
  check(actor: Actor, input: { readonly id: string }): Promise<EndpointStatus>;
  /** Looks at an endpoint without a person asking and keeps what it serves; answers whether that or its health changed. */
  observe(endpointId: string): Promise<boolean>;
  /** Forgets an endpoint and its token; it goes on serving. `refused.state` while a rollout uses it. */
  remove(actor: Actor, input: { readonly id: string }): Promise<{ readonly done: true }>;
  /** The one client of an endpoint in this process; closed with the service. */
  clientFor(endpointId: string): EndpointClient;
  /** Brings the newest checkpoint to every endpoint that lacks it. One that cannot be reached gets it next time. */
  syncCheckpoints(): Promise<void>;
  /** The checkpoints every endpoint holds of this vault, or why it did not say. */
  fetchCheckpoints(): Promise<readonly { endpoint: string; notes: readonly string[]; problem?: string }[]>;
  close(): Promise<void>;
}

const addSchema = z.object({
  name: endpointSchema.shape.name,
  environmentId: z.string().min(1).max(200),
  adminUrl: z.string().min(1).max(2000),
  predictUrl: z.string().min(1).max(2000),
  token: z.string().trim().min(1).max(2000),
  fingerprint: z.string().max(1000),
  tls: endpointTlsSchema.optional(),
  client: clientCertificateSchema.optional(),
});

export function createEndpointsService(deps: EndpointsDeps): EndpointsService {
  const { ledger, store, secrets, system, connector } = deps;
  const clients = new Map<string, EndpointClient>();

  const clientFor = (endpointId: string): EndpointClient => {
    // Asked each time: another process may have removed it.
    const endpoint = requireEndpoint(ledger, endpointId);
    const known = clients.get(endpointId);
    if (known) return known;
    const client = connector.connect(
      endpoint,
      async () => (await storedCredentials(secrets, endpointId)).token,
      async () => (await storedCredentials(secrets, endpointId)).client,
    );
    clients.set(endpointId, client);
    return client;
  };

  const viewOf = (endpoint: Endpoint): EndpointView => ({
    endpoint,
    environmentName: ledger.read.environment(endpoint.environmentId)?.name ?? endpoint.environmentId,
    status: ledger.read.lastStatus(endpoint.id),
  });

  async function ask(id: string): Promise<EndpointStatus> {
    const endpoint = requireEndpoint(ledger, id);
    const before = ledger.read.lastStatus(id);
    const status = await askStatus(clientFor(id), endpoint, system);
    if (before?.problem?.code === status.problem?.code) {
      store.transaction((tx) => tx.setStatus(status));
    } else {
      // Going down, coming back, another key: that is worth an entry; the hundredth good answer is not.
      await ledger.commit(
        null,
        {
          action: 'endpoint.checked',
          subject: endpoint.name,
          details: { id, reachable: status.reachable, problem: status.problem?.code ?? null },
        },
        (tx) => tx.setStatus(status),
      );
    }
    return status;
  }

  return {
    list: () => ledger.read.endpoints().map(viewOf),

    add: async (actor, rawInput) => {
      await ledger.require(actor, 'endpoint.manage', rawInput.name);
      const input = parseInput(addSchema, rawInput);
      const environment = ledger.read.environment(input.environmentId);
      if (!environment)
        throw new SallyportError('not-found', 'There is no such environment.', {
          hint: 'Nothing was changed.',
        });
      refuseTakenName(ledger.read.endpointByName(input.name), input.name);
      const typed = parseFingerprint(input.fingerprint);
      if (typed === null) {
        throw new SallyportError(
          'input.invalid',
          'This is not a fingerprint: it has 64 hexadecimal digits.',
          {
            hint: 'Copy it from what `agent init` printed on the agent’s own machine.',
          },
        );
      }
      const endpoint = await pin(deps, { ...input, fingerprint: typed }, environment);
      const status = await tryToken(deps, endpoint, input);
      await secrets.set(
        tokenName(endpoint.id),
        encodeCredentials({ token: input.token, client: input.client ?? null }),
      );
      try {
        await ledger.commit(
          actor,
          {
            action: 'endpoint.added',
            subject: endpoint.name,
            details: {
              id: endpoint.id,
              environmentId: endpoint.environmentId,
              adminUrl: endpoint.adminUrl,
              predictUrl: endpoint.predictUrl,
              fingerprint: endpoint.fingerprint,
            },
          },
          (tx) => {
            refuseTakenName(tx.endpointByName(endpoint.name), endpoint.name);
            tx.insertEndpoint(endpoint);
            tx.setStatus(status);
          },
        );
      } catch (error) {
        if (ledger.read.endpoint(endpoint.id) === null) await secrets.delete(tokenName(endpoint.id));
        throw error;
      }
      return viewOf(endpoint);
    },

    check: (_actor, { id }) => ask(id),
    observe: async (endpointId) => {
      if (ledger.read.endpoint(endpointId) === null) return false;
      const before = ledger.read.lastStatus(endpointId);
      const after = await ask(endpointId);
      const facts = (status: EndpointStatus | null) =>
        JSON.stringify([status?.models, status?.problem?.code]);
      return facts(before) !== facts(after);
    },

    remove: async (actor, { id }) => {
      const endpoint = requireEndpoint(ledger, id);
      await ledger.require(actor, 'endpoint.manage', endpoint.name);
      await ledger.commit(
        actor,
        { action: 'endpoint.removed', subject: endpoint.name, details: { id } },
        (tx) => {
          // One that is rolling back waits for this endpoint, for ever if it is gone: removing it lets it end.
          const rollout = tx
            .unfinished()
            .find(
              (each) =>
                each.phase !== 'rolling-back' && each.endpoints.some((part) => part.endpointId === id),
            );
          if (rollout) {
            throw new SallyportError(
              'refused.state',
              `A rollout of ${rollout.name}@${rollout.version} still uses ${endpoint.name}.`,
              {
                hint: 'Nothing was changed. Finish or abort the rollout first.',
                facts: { rollout: rollout.id },
              },
            );
          }
          tx.removeEndpoint(id);
          // Its token goes next; where the process ends first, the next start's sweep removes it.
          noteUnowned(tx, tokenName(id));
        },
      );
      await secrets.delete(tokenName(id));
      await clients.get(id)?.close();
      clients.delete(id);
      return { done: true };
    },

    clientFor,

    syncCheckpoints: async () => {
      for (const { id } of ledger.read.endpoints()) {
        const due = deps.audit.checkpointDue(id);
        if (!due) continue;
        try {
          await clientFor(id).storeCheckpoint(due.vaultId, due.note);
          deps.audit.checkpointSent(due.size, id);
        } catch (error) {
          // It stays due. An agent that refuses it holds another history: `audit verify` asks it and says so.
          if (!(error instanceof SallyportError)) throw error;
        }
      }
    },

    fetchCheckpoints: () =>
      Promise.all(
        ledger.read.endpoints().map(async (endpoint) => {
          try {
            return { endpoint: endpoint.name, notes: await clientFor(endpoint.id).checkpoints(deps.vaultId) };
          } catch (error) {
            if (!(error instanceof SallyportError)) throw error;
            return { endpoint: endpoint.name, notes: [], problem: error.message };
          }
        }),
      ),

    close: async () => {
      for (const client of clients.values()) await client.close();
      clients.clear();
    },
  };
}

/** Asks who answers, and compares: the fingerprint with what the person typed, then the environment. */
async function pin(
  deps: EndpointsDeps,
  input: z.output<typeof addSchema>,
  environment: Environment,
): Promise<Endpoint> {
  const adminUrl = checkAddress(input.adminUrl);
  const predictUrl = checkAddress(input.predictUrl);
  const identity = await deps.connector.probe(
    adminUrl,
    input.token,
    undefined,
    input.tls,
    async () => input.client ?? null,
  );
  if (identity.fingerprint !== input.fingerprint) {
    throw new SallyportError(
      'integrity.endpoint',
      `Another key answers at ${adminUrl} than the one whose fingerprint you gave.`,
      {
        hint: `It answers with ${formatFingerprint(identity.fingerprint)}. Compare that on the agent’s own machine. The token was not sent; nothing was added.`,
        facts: { expected: input.fingerprint, actual: identity.fingerprint },
      },
    );
  }
  if (identity.environmentId !== environment.id) {
    throw new SallyportError(
      'refused.environment',
      `This agent serves ${identity.environmentId}, not ${environment.name} (${environment.id}).`,
      {
        hint: 'Nothing was added. Choose the environment the agent was made for.',
      },
    );
  }
  return endpointSchema.parse({
    id: deps.system.newId(),
    name: input.name,
    environmentId: environment.id,
    kind: 'agent',
    adminUrl,
    predictUrl,
    fingerprint: identity.fingerprint,
    signingKeyPem: identity.signingKeyPem,
    ageRecipient: identity.ageRecipient,
    ...(input.tls === undefined ? {} : { tls: input.tls }),
    addedAt: deps.system.now().toISOString(),
  });
}

/** The token must work before it is kept: `endpoint.unauthorized` is best told to the person who just pasted it. */
async function tryToken(
  deps: EndpointsDeps,
  endpoint: Endpoint,
  input: z.output<typeof addSchema>,
): Promise<EndpointStatus> {
  const client = deps.connector.connect(
    endpoint,
    async () => input.token,
    async () => input.client ?? null,
  );
  try {
    const started = deps.system.now().getTime();
    const models = await client.models();
    const now = deps.system.now();
    return {
      endpointId: endpoint.id,
      reachable: true,
      checkedAt: now.toISOString(),
      latencyMs: now.getTime() - started,
      models,
      problem: null,
    };
  } finally {
    await client.close();
  }
}

async function askStatus(
  client: EndpointClient,
  endpoint: Endpoint,
  system: System,
): Promise<EndpointStatus> {
  const base = { endpointId: endpoint.id, checkedAt: system.now().toISOString() };
  try {
    const started = performance.now();
    await client.identity();
    const latencyMs = Math.round((performance.now() - started) * 10) / 10;
    return { ...base, reachable: true, latencyMs, models: await client.models(), problem: null };
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const problem = { code: error.code, message: error.message, hint: error.hint ?? '' };
    return {
      ...base,
      reachable: error.code !== 'endpoint.unreachable',
      latencyMs: null,
      models: [],
      problem,
    };
  }
}

function checkAddress(text: string): string {
  const problem = URL.canParse(text) ? addressProblem(new URL(text)) : 'is not an address';
  if (problem === null) return new URL(text).href.replace(/\/+$/, '');
  throw new SallyportError('input.invalid', `${JSON.stringify(text)} ${problem}.`, {
    hint: 'Give an address such as https://agent.example:8443, or http://127.0.0.1:8443 on this machine.',
  });
}

function requireEndpoint(ledger: Ledger, id: string): Endpoint {
  const endpoint = ledger.read.endpoint(id);
  if (endpoint) return endpoint;
  throw new SallyportError('not-found', 'There is no such endpoint.', {
    hint: 'Nothing was changed.',
    facts: { id },
  });
}

function refuseTakenName(taken: Endpoint | null, name: string): void {
  if (!taken) return;
  throw new SallyportError('conflict', `There is an endpoint named ${name} already.`, {
    hint: 'Nothing was changed. Choose another name.',
  });
}
