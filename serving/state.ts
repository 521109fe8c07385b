/** What an agent must not forget: routing, what it served, and the answers it gave. One file, replaced whole. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type ServingHistory, serialKey } from '../shared/domain/approval/verify-release.ts';
import { servedModelSchema } from '../shared/domain/endpoint/endpoint.ts';
import { type HeldRevocation, heldRevocationSchema } from '../shared/domain/endpoint/revocation.ts';
import { type ModelRouting, modelRoutingSchema } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { modelNameSchema, semverSchema, sha256Schema } from '../shared/domain/model/version.ts';
import { systemCode, writeFileAtomic } from '../shared/node/files/files.ts';
import { Mutex } from './mutex.ts';

const servedReleaseSchema = z.object({
  root: sha256Schema,
  name: modelNameSchema,
  version: semverSchema,
  digest: sha256Schema,
  vaultId: z.string(),
  serial: z.number().int(),
  firstServedAt: z.string(),
});
export type ServedRelease = z.infer<typeof servedReleaseSchema>;

/** The outcome of a change under an idempotency key; `request` = digest of what was asked under it. */
const answerSchema = z.object({
  key: z.string(),
  request: z.string(),
  model: servedModelSchema,
  loaded: z.array(z.object({ version: semverSchema, digest: sha256Schema })),
});
export type RememberedAnswer = z.infer<typeof answerSchema>;

const stateSchema = z.object({
  /** 2 once there is a revocation: a program that would not know it must not start on this file. */
  version: z.union([z.literal(1), z.literal(2)]),
  models: z.record(z.string(), modelRoutingSchema),
  served: z.array(servedReleaseSchema),
  answers: z.array(answerSchema),
  revocations: z.array(heldRevocationSchema).default([]),
});
export type AgentState = z.infer<typeof stateSchema>;

const EMPTY: AgentState = { version: 1, models: {}, served: [], answers: [], revocations: [] };

export class StateFile {
  readonly #path: string;
  readonly #mutex = new Mutex();
  #state: AgentState;

  private constructor(path: string, state: AgentState) {
    this.#path = path;
    this.#state = state;
  }

  /** A missing file is a new agent; one that cannot be read stops the start, because guessing would forget serials. */
  static async open(path: string): Promise<StateFile> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new StateFile(path, EMPTY);
      throw error;
    }
    try {
      return new StateFile(path, stateSchema.parse(JSON.parse(text)));
    } catch (cause) {
      throw new SallyportError('integrity.endpoint', `${path} is damaged; the agent was not started.`, {
        hint: 'Restore the file, or move it away to begin anew: the agent then serves nothing until it is routed again.',
        cause,
      });
    }
  }

  get current(): AgentState {
    return this.#state;
  }

  /** Durable once it resolves; until then, and if it fails, `current` is what it was. */
  update(change: (state: AgentState) => AgentState): Promise<AgentState> {
    return this.#mutex.run('state', async () => {
      const next = change(this.#state);
      await writeFileAtomic(this.#path, JSON.stringify(next));
      this.#state = next;
      return next;
    });
  }

  /** Why a model's bytes are never served here again, or undefined. */
  revocationOf(digest: string): HeldRevocation | undefined {
    return this.#state.revocations.find((each) => each.digest === digest);
  }

  history(): ServingHistory {
    const highestSerial: Record<string, number> = {};
    for (const each of this.#state.served) {
      const key = serialKey(each);
      highestSerial[key] = Math.max(highestSerial[key] ?? 0, each.serial);
    }
    return {
      servedRoots: new Set(this.#state.served.map((each) => each.root)),
      revokedDigests: new Set(this.#state.revocations.map((each) => each.digest)),
      highestSerial,
    };
  }
}

/** State with a new routing, what it serves for the first time, and the answer that its key gets again. */
export function remember(
  state: AgentState,
  routing: ModelRouting,
  served: readonly ServedRelease[],
  answer: RememberedAnswer | null,
  rememberedKeys: number,
): AgentState {
  const known = new Set(state.served.map((each) => each.root));
  return {
    ...state,
    models: { ...state.models, [routing.name]: routing },
    served: [...state.served, ...served.filter((each) => !known.has(each.root))],
    answers: answer ? [...state.answers, answer].slice(-rememberedKeys) : state.answers,
  };
}

export function servedReleaseOf(
  request: { vaultId: string; name: string; version: string; digest: string; serial: number },
  root: string,
  now: Date,
): ServedRelease {
  const { vaultId, name, version, digest, serial } = request;
  return { root, name, version, digest, vaultId, serial, firstServedAt: now.toISOString() };
}

/** The answer this key was given before, or null. Throws for a key used otherwise, and for an old view. */
export function knownAnswer(
  state: AgentState,
  { name, generation }: ModelRouting,
  asked: Pick<RememberedAnswer, 'key' | 'request'> & { readonly expectedGeneration: number | null },
): Pick<RememberedAnswer, 'model' | 'loaded'> | null {
  const known = state.answers.find((answer) => answer.key === asked.key);
  if (known && known.request !== asked.request) {
    throw new SallyportError('conflict', 'This idempotency key was used for another request.', {
      hint: 'Nothing was changed. Use a fresh key.',
    });
  }
  if (known) return { model: known.model, loaded: known.loaded };
  if (asked.expectedGeneration === null || asked.expectedGeneration === generation) return null;
  throw new SallyportError(
    'endpoint.stale',
    `${name} is at generation ${generation} here, not ${asked.expectedGeneration}: another hand changed it.`,
    { hint: 'Nothing was changed. Read the routing again and decide anew.', facts: { generation } },
  );
}
