/** An endpoint in memory, held to the same contract as the real agent (test/contract/endpoint.test.ts). */
import { createHash, randomBytes } from 'node:crypto';
import type {
  EndpointClient,
  EndpointConnector,
  ReleasePackage,
  RoutingChange,
  SignedRevocation,
} from '../../electron/ports/endpoint.ts';
import type { AgentMove } from '../../shared/domain/endpoint/agent-move.ts';
import type { Endpoint, Receipt } from '../../shared/domain/endpoint/endpoint.ts';
import {
  type HeldRevocation,
  REVOCATION_FILE,
  revocationSchema,
  revokedText,
} from '../../shared/domain/endpoint/revocation.ts';
import {
  applyRollback,
  applyRouting,
  emptyRouting,
  type ModelRouting,
  type ReleaseRef,
  type RoutingResult,
  servedModelOf,
  withoutCanary,
  withoutReleases,
} from '../../shared/domain/endpoint/routing.ts';
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import { type VersionTraffic, versionTrafficSchema } from '../../shared/domain/traffic/sample.ts';
import { buildStatement, verifyBundle } from '../../shared/node/model-signing/index.ts';

export interface FakeEndpoint {
  readonly connector: EndpointConnector;
  readonly endpoint: Endpoint;
  readonly token: string;
  /** What the next `traffic` answers, laid over the routing's own generation. */
  traffic: {
    canary: VersionTraffic | null;
    stable: VersionTraffic | null;
    pairs: number;
    disagreements: number;
  };
  /** While set, every call fails with it. */
  failure: SallyportError | null;
  /** Roots it refuses to take, as an agent whose trust file does not know the approvers. */
  readonly refusedRoots: Set<string>;
  /** Public keys of those who may revoke, PEM. */
  readonly revokers: string[];
  /** Generations whose lease was renewed, in order. */
  readonly renewals: number[];
  /** The canary out, as an agent does it whose guard broke or whose lease ran out. */
  moveBack(model: string, move: Omit<AgentMove, 'from' | 'version'>): void;
}

export function createFakeEndpoint(options: {
  environmentId: string;
  id?: string;
  name?: string;
}): FakeEndpoint {
  const token = 'fake-token';
  const releases = new Map<string, { name: string; ref: ReleaseRef }>();
  const served: { name: string; ref: ReleaseRef }[] = [];
  const routings = new Map<string, ModelRouting>();
  const answers = new Map<string, Receipt>();
  const checkpoints = new Map<string, string[]>();
  const revocations: HeldRevocation[] = [];
  const isRevoked = ({ digest }: ReleaseRef) => revocations.some((held) => held.digest === digest);
  const signingKeyPem = `-----BEGIN PUBLIC KEY-----\n${randomBytes(44).toString('base64')}\n-----END PUBLIC KEY-----\n`;
  const ageRecipient = `age1${randomBytes(29).toString('hex')}`;
  const fingerprint = createHash('sha256').update(`${signingKeyPem}\n${ageRecipient}`).digest('hex');
  const identity = {
    product: 'sallyport-agent',
    apiVersion: 1,
    environmentId: options.environmentId,
    signingKeyPem,
    ageRecipient,
  } as const;

  const fake: FakeEndpoint = {
    token,
    endpoint: {
      id: options.id ?? 'fake-1',
      name: options.name ?? 'fake',
      environmentId: options.environmentId,
      kind: 'agent',
      adminUrl: 'http://127.0.0.1:1',
      predictUrl: 'http://127.0.0.1:2',
      fingerprint,
      signingKeyPem,
      ageRecipient,
      addedAt: '2026-01-01T00:00:00.000Z',
    },
    traffic: { canary: null, stable: null, pairs: 0, disagreements: 0 },
    failure: null,
    refusedRoots: new Set(),
    revokers: [],
    renewals: [],
    moveBack: (model, move) => {
      const routing = routings.get(model);
      if (routing?.canary) routings.set(model, withoutCanary(routing, routing.canary, move));
    },
    connector: {
      async probe() {
        guard();
        return { ...identity, fingerprint };
      },
      connect: (endpoint, readToken) => client(endpoint, readToken),
    },
  };

  function guard(): void {
    if (fake.failure) throw fake.failure;
  }

  function client(endpoint: Endpoint, readToken: () => Promise<string>): EndpointClient {
    const enter = async (signal?: AbortSignal): Promise<void> => {
      if (signal?.aborted) throw refuse('cancelled', 'The call was cancelled.');
      guard();
      if (endpoint.fingerprint !== fingerprint)
        throw refuse('integrity.endpoint', 'Its fingerprint is another one.');
      if ((await readToken()) !== token)
        throw refuse('endpoint.unauthorized', 'A valid bearer token is needed.');
    };
    const change = (model: string, key: string, apply: (routing: ModelRouting) => RoutingResult): Receipt => {
      const known = answers.get(key);
      if (known) return known;
      const result = apply(routings.get(model) ?? emptyRouting(model));
      if (result.kind === 'refused') throw refuse('endpoint.refused', result.reason);
      routings.set(model, result.routing);
      const slots = [result.routing.stable, result.routing.canary, result.routing.previous].filter(
        (slot) => slot !== null,
      );
      for (const slot of slots)
        if (!served.some((each) => each.ref.root === slot.root)) served.push({ name: model, ref: slot });
      const receipt: Receipt = {
        nonce: key,
        environmentId: options.environmentId,
        at: new Date().toISOString(),
        model: servedModelOf(result.routing),
        loaded: slots.map(({ version, digest }) => ({ version, digest })),
      };
      answers.set(key, receipt);
      return receipt;
    };
    const refOf = (model: string, root: string): ReleaseRef => {
      const release = releases.get(root);
      if (release && isRevoked(release.ref)) throw refuse('endpoint.refused', 'It was revoked.');
      if (release?.name === model) return release.ref;
      throw refuse('endpoint.refused', 'This agent does not hold the release.');
    };
    const clientOf: EndpointClient = {
      capabilities: { push: true, activate: true, weights: true, mirror: true, receipt: true, metrics: true },
      identity: async () => {
        guard();
        if (endpoint.fingerprint !== fingerprint)
          throw refuse('integrity.endpoint', 'Its fingerprint is another one.');
        return identity;
      },
      models: async (signal) => {
        await enter(signal);
        return [...routings.values()].map(servedModelOf);
      },
      push: async (release, onProgress, signal) => {
        await enter(signal);
        if (fake.refusedRoots.has(release.root))
          throw refuse('endpoint.refused', '0 of 2 approvals by people this agent trusts.');
        const ref = await readRelease(release);
        if (isRevoked(ref)) throw refuse('endpoint.refused', 'It was revoked here, for good.');
        releases.set(release.root, { name: release.name, ref });
        const total = release.files.reduce((sum, file) => sum + file.sizeBytes, 0);
        onProgress(total, total);
      },
      route: async (model, wish: RoutingChange, signal) => {
        await enter(signal);
        return change(model, wish.key, (routing) => {
          if (routing.generation !== wish.expectedGeneration)
            throw refuse('endpoint.stale', `It is at generation ${routing.generation}.`);
          return applyRouting(routing, {
            stable: wish.stableRoot === null ? null : refOf(model, wish.stableRoot),
            canary: wish.canary && {
              ...refOf(model, wish.canary.root),
              percent: wish.canary.percent,
              mirrorSample: wish.canary.mirrorSample,
              salt: wish.canary.salt,
            },
          });
        });
      },
      rollback: async (model, { key, to, expectedGeneration }, signal) => {
        await enter(signal);
        return change(model, key, (routing) => {
          if (expectedGeneration !== undefined && expectedGeneration !== routing.generation)
            throw refuse('endpoint.stale', `It is at generation ${routing.generation}.`);
          const target =
            to === null ? null : served.find((each) => each.name === model && each.ref.version === to)?.ref;
          if (target && isRevoked(target)) throw refuse('endpoint.refused', 'It was revoked.');
          if (target === undefined) throw refuse('endpoint.refused', `${model}@${to} was never served here.`);
          return applyRollback(routing, target);
        });
      },
      revoke: async (sent: SignedRevocation, signal) => {
        await enter(signal);
        const held = readRevocation(sent, fake.revokers);
        const known = revocations.some((each) => each.root === held.root);
        const highest = Math.max(0, ...revocations.map((each) => each.serial));
        if (!known && held.serial <= highest) throw refuse('endpoint.refused', 'Its serial is not new.');
        if (!known) revocations.push(held);
        for (const routing of routings.values()) {
          const { name } = routing;
          const earlier = served.filter((each) => each.name === name).map(({ ref }) => ref);
          const move: Omit<AgentMove, 'from' | 'version'> = {
            at: held.at,
            kind: 'revoked',
            reason: revokedText(held),
            measurements: [],
          };
          const left = withoutReleases(routing, isRevoked, earlier.reverse(), move);
          if (left) routings.set(name, left);
        }
        return {
          nonce: held.root,
          environmentId: options.environmentId,
          at: held.at,
          serial: held.serial,
          digest: held.digest,
          models: [...routings.values()].map(servedModelOf),
        };
      },
      revocations: async (signal) => {
        await enter(signal);
        return [...revocations];
      },
      traffic: async (model, signal) => {
        await enter(signal);
        const routing = routings.get(model) ?? emptyRouting(model);
        const empty = (slot: ReleaseRef | null): VersionTraffic | null =>
          slot &&
          versionTrafficSchema.parse({ version: slot.version, requests: 0, errors: 0, latencyCounts: [] });
        return {
          at: new Date().toISOString(),
          generation: routing.generation,
          canary: fake.traffic.canary ?? empty(routing.canary),
          stable: fake.traffic.stable ?? empty(routing.stable),
          pairs: fake.traffic.pairs,
          disagreements: fake.traffic.disagreements,
          pairsDropped: 0,
          moved: routing.moved ?? null,
          leaseUntil: null,
        };
      },
      renew: async (model, generation, signal) => {
        fake.renewals.push(generation);
        return clientOf.traffic(model, signal);
      },
      storeCheckpoint: async (vaultId, note, signal) => {
        await enter(signal);
        const held = checkpoints.get(vaultId) ?? [];
        if (held.includes(note)) return;
        const [, size = '', root = ''] = note.split('\n');
        for (const other of held) {
          const [, otherSize = '', otherRoot = ''] = other.split('\n');
          if (Number(size) < Number(otherSize) || (size === otherSize && root !== otherRoot)) {
            throw refuse('endpoint.refused', 'The agent holds another root for this log.');
          }
        }
        checkpoints.set(vaultId, [...held, note]);
      },
      checkpoints: async (vaultId, signal) => {
        await enter(signal);
        return checkpoints.get(vaultId) ?? [];
      },
      close: async () => {},
    };
    return clientOf;
  }
  return fake;
}

/** A revocation signed by one of the keys, over exactly this text. */
function readRevocation({ revocation, bundle }: SignedRevocation, keys: readonly string[]): HeldRevocation {
  const digest = createHash('sha256').update(revocation).digest('hex');
  const expected = buildStatement({ name: 'any', resources: [{ name: REVOCATION_FILE, digest }] });
  const root = expected.subject[0].digest.sha256;
  const signed = keys.some((key) => {
    try {
      return verifyBundle(bundle, key).root === root;
    } catch {
      return false;
    }
  });
  if (!signed) throw refuse('endpoint.refused', 'It is not signed by anybody who may revoke here.');
  const { environmentId: _, createdAt, ...facts } = revocationSchema.parse(JSON.parse(revocation));
  return { ...facts, root, by: 'somebody', at: createdAt };
}

/** Reads every file and checks its digest, as an agent does. */
async function readRelease(release: ReleasePackage): Promise<ReleaseRef> {
  let model: string | null = null;
  for (const file of release.files) {
    const hash = createHash('sha256');
    for await (const piece of file.open()) hash.update(piece);
    const digest = hash.digest('hex');
    if (digest !== file.digest)
      throw refuse('endpoint.refused', `${file.name} is not the file that was signed.`);
    if (file.name === 'model.onnx') model = digest;
  }
  if (model === null) throw refuse('endpoint.refused', 'The release directory has no model.onnx.');
  return { version: release.version, digest: model, root: release.root };
}

function refuse(code: ErrorCode, message: string): SallyportError {
  return new SallyportError(code, message, { hint: 'Nothing was changed.' });
}
