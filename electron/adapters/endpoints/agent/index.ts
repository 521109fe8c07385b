/** Endpoints that are Sallyport's own serving agent. */

import { z } from 'zod';
import {
  checkpointsAnswerSchema,
  completedReleaseSchema,
  modelsAnswerSchema,
  openedReleaseSchema,
  receiptAnswerSchema,
  revocationsAnswerSchema,
} from '../../../../shared/domain/endpoint/admin-api.ts';
import type { ClientCertificate } from '../../../../shared/domain/endpoint/credentials.ts';
import type {
  AgentIdentity,
  Endpoint,
  Receipt,
  RevocationReceipt,
  ServedModel,
} from '../../../../shared/domain/endpoint/endpoint.ts';
import type { HeldRevocation } from '../../../../shared/domain/endpoint/revocation.ts';
import { SallyportError } from '../../../../shared/domain/errors.ts';
import { type TrafficSample, trafficSampleSchema } from '../../../../shared/domain/traffic/sample.ts';
import { HttpConnection } from '../../../../shared/node/http/connection.ts';
import type {
  EndpointCapabilities,
  EndpointClient,
  EndpointConnector,
  ReleasePackage,
  RoutingChange,
  SignedRevocation,
} from '../../../ports/endpoint.ts';
import { freshNonce, verifyReceipt, verifyRevocationReceipt } from './proof.ts';
import { AgentSession, API, askIdentity } from './session.ts';
import { uploadFile } from './upload.ts';

const READ_TIMEOUT_MS = 10_000;
/** Loading a large model takes its time; checking a pushed one reads all of it. */
const CHANGE_TIMEOUT_MS = 120_000;
/** Rounds of sending what the agent misses: one, and two for files that arrived damaged. */
const PUSH_ROUNDS = 3;

const CAPABILITIES: EndpointCapabilities = {
  push: true,
  activate: true,
  weights: true,
  mirror: true,
  receipt: true,
  metrics: true,
};

export function createAgentConnector(): EndpointConnector {
  return {
    /** The token stays here: nobody has compared a fingerprint yet. */
    async probe(adminUrl, _token, signal, tls, client) {
      const connection = new HttpConnection(adminUrl, { ...tls, client });
      try {
        const { identity, fingerprint } = await askIdentity(connection, signal);
        return { ...identity, fingerprint };
      } finally {
        await connection.close();
      }
    },
    connect: (endpoint, token, client) => new AgentClient(endpoint, token, client),
  };
}

class AgentClient implements EndpointClient {
  readonly capabilities = CAPABILITIES;
  readonly #endpoint: Endpoint;
  readonly #session: AgentSession;

  constructor(
    endpoint: Endpoint,
    token: () => Promise<string>,
    client: (() => Promise<ClientCertificate | null>) | undefined,
  ) {
    this.#endpoint = endpoint;
    this.#session = new AgentSession(endpoint.adminUrl, endpoint.fingerprint, token, {
      ...endpoint.tls,
      client,
    });
  }

  async identity(signal?: AbortSignal): Promise<AgentIdentity> {
    const identity = await this.#session.prove(signal);
    if (identity.environmentId === this.#endpoint.environmentId) return identity;
    throw new SallyportError(
      'integrity.endpoint',
      `${this.#endpoint.name} serves another environment than it did.`,
      {
        hint: 'Remove the endpoint and add it to the environment it serves now.',
      },
    );
  }

  async models(signal?: AbortSignal): Promise<ServedModel[]> {
    const { models } = await this.#session.json(modelsAnswerSchema, get(`${API}/models`, signal));
    return models;
  }

  async push(
    release: ReleasePackage,
    onProgress: (sent: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const request = await readWhole(release, 'request.json');
    const opened = await this.#session.json(openedReleaseSchema, {
      ...post(`${API}/releases`, signal),
      json: {
        bundles: release.bundles,
        request,
        files: release.files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
      },
    });
    if (opened.root !== release.root) {
      throw new SallyportError(
        'integrity.signature',
        'The release’s signatures are over another directory than the one to be sent.',
        {
          hint: 'Nothing was sent.',
        },
      );
    }
    const total = release.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (!opened.complete) {
      let missing = opened.files.filter((file) => !file.received).map((file) => file.name);
      for (let round = 1; ; round++) {
        await this.#send(release, missing, total, onProgress, signal);
        const completed = await this.#session.json(
          completedReleaseSchema,
          post(`${API}/releases/${release.root}/complete`, signal),
        );
        if (completed.complete) break;
        missing = completed.missing;
        if (round === PUSH_ROUNDS) {
          throw new SallyportError(
            'endpoint.refused',
            `${this.#endpoint.name} still misses ${missing.join(', ')}.`,
            { hint: 'Push again.' },
          );
        }
      }
    }
    onProgress(total, total);
  }

  async #send(
    release: ReleasePackage,
    names: readonly string[],
    total: number,
    onProgress: (sent: number, total: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    // Plaintext bytes: what the caller knows the sizes of.
    let sent = release.files.reduce((sum, file) => sum + (names.includes(file.name) ? 0 : file.sizeBytes), 0);
    for (const file of release.files) {
      if (!names.includes(file.name)) continue;
      const before = sent;
      await uploadFile({
        session: this.#session,
        root: release.root,
        file,
        recipient: this.#endpoint.ageRecipient,
        onProgress: (bytes) => onProgress(before + Math.min(bytes, file.sizeBytes), total),
        signal,
      });
      sent += file.sizeBytes;
    }
  }

  async route(model: string, change: RoutingChange, signal?: AbortSignal): Promise<Receipt> {
    const { key, expectedGeneration, stableRoot, canary } = change;
    const receipt = await this.#change(
      model,
      'routing',
      { key, expectedGeneration, stableRoot, canary },
      signal,
    );
    const { model: served } = receipt;
    if (
      (served.stable?.root ?? null) !== stableRoot ||
      (served.canary?.root ?? null) !== (canary?.root ?? null)
    ) {
      throw new SallyportError(
        'integrity.endpoint',
        `${this.#endpoint.name} routed ${model} to something else than was asked.`,
        {
          hint: 'Look at the endpoint: `sallyport endpoint check`.',
        },
      );
    }
    return receipt;
  }

  rollback(
    model: string,
    request: { key: string; to: string | null; expectedGeneration?: number },
    signal?: AbortSignal,
  ): Promise<Receipt> {
    return this.#change(model, 'rollback', request, signal);
  }

  async #change(
    model: string,
    verb: 'routing' | 'rollback',
    wish: object,
    signal: AbortSignal | undefined,
  ): Promise<Receipt> {
    const nonce = freshNonce();
    const { receipt } = await this.#session.json(receiptAnswerSchema, {
      ...post(`${API}/models/${encodeURIComponent(model)}/${verb}`, signal),
      json: { ...wish, nonce },
    });
    const { signingKeyPem, environmentId } = this.#endpoint;
    return verifyReceipt(receipt, { signingKeyPem, nonce, environmentId, model });
  }

  async revoke(revocation: SignedRevocation, signal?: AbortSignal): Promise<RevocationReceipt> {
    const nonce = freshNonce();
    const { receipt } = await this.#session.json(receiptAnswerSchema, {
      ...post(`${API}/revocations`, signal),
      json: { ...revocation, nonce },
    });
    const { signingKeyPem, environmentId } = this.#endpoint;
    return verifyRevocationReceipt(receipt, { signingKeyPem, nonce, environmentId });
  }

  async revocations(signal?: AbortSignal): Promise<HeldRevocation[]> {
    const { revocations } = await this.#session.json(
      revocationsAnswerSchema,
      get(`${API}/revocations`, signal),
    );
    return revocations;
  }

  traffic(model: string, signal?: AbortSignal): Promise<TrafficSample> {
    return this.#session.json(
      trafficSampleSchema,
      get(`${API}/models/${encodeURIComponent(model)}/traffic`, signal),
    );
  }

  renew(model: string, generation: number, signal?: AbortSignal): Promise<TrafficSample> {
    return this.#session.json(trafficSampleSchema, {
      ...post(`${API}/models/${encodeURIComponent(model)}/lease`, signal),
      timeoutMs: READ_TIMEOUT_MS,
      json: { generation },
    });
  }

  async storeCheckpoint(vaultId: string, note: string, signal?: AbortSignal): Promise<void> {
    await this.#session.json(z.object({ stored: z.literal(true) }), {
      ...post(`${API}/checkpoints/${encodeURIComponent(vaultId)}`, signal),
      json: { note },
    });
  }

  async checkpoints(vaultId: string, signal?: AbortSignal): Promise<string[]> {
    const { notes } = await this.#session.json(checkpointsAnswerSchema, {
      ...get(`${API}/checkpoints/${encodeURIComponent(vaultId)}`, signal),
      maxBytes: 64 * 1024 * 1024,
    });
    return notes;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

function get(path: string, signal: AbortSignal | undefined) {
  return { method: 'GET', path, timeoutMs: READ_TIMEOUT_MS, signal } as const;
}

function post(path: string, signal: AbortSignal | undefined) {
  return { method: 'POST', path, timeoutMs: CHANGE_TIMEOUT_MS, signal } as const;
}

async function readWhole(release: ReleasePackage, name: string): Promise<string> {
  const file = release.files.find((each) => each.name === name);
  if (!file)
    throw new SallyportError('integrity.artifact', `The release has no ${name}.`, {
      hint: 'Nothing was sent.',
    });
  const pieces: Uint8Array[] = [];
  for await (const piece of file.open()) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
