/** The agent as a whole: parts in, two listeners out. */
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { InferenceWorker } from '../shared/node/onnx/inference-host.ts';
import { CanaryWatch } from './canary-watch.ts';
import { Checkpoints } from './checkpoints.ts';
import { type AgentConfig, allowsNonFinite, type ListenerConfig } from './config.ts';
import { Drain } from './drain.ts';
import { Engine, requireProviders } from './engine.ts';
import { accessLogIn, openAccessLog } from './guard/access-log.ts';
import { type AddressOptions, Networks } from './guard/addresses.ts';
import { Rates } from './guard/door.ts';
import { JwtGate } from './guard/jwt.ts';
import { ScoreGuard } from './guard/scores.ts';
import { ListenerTls } from './guard/tls.ts';
import { QuietCollector, youngGeneration } from './heap.ts';
import { createAdminListener } from './http/admin-listener.ts';
import { createPredictListener } from './http/predict-listener.ts';
import { AgentKeys } from './identity.ts';
import { ModelCache } from './inference/model-cache.ts';
import { closeListeners, listen } from './listeners.ts';
import type { LiveModel } from './live-model.ts';
import { lockDirectory } from './lock.ts';
import { type ShownWeight, scoreBoundsOf } from './metrics/models.ts';
import { Metrics } from './metrics.ts';
import { Predictor } from './predict.ts';
import type { LoadedRelease } from './release.ts';
import { admit } from './releases/admission.ts';
import { ReleasePush } from './releases/push.ts';
import { ReleaseStore } from './releases/stored.ts';
import { Uploads } from './releases/uploads.ts';
import { Revocations, requireNotRevoked } from './revocations.ts';
import { Slots } from './slots.ts';
import { StateFile, servedReleaseOf } from './state.ts';
import { TokenFile } from './tokens.ts';
import { resolveTrust } from './trust.ts';
import type { Place } from './yaml-file.ts';

export interface RunningAgent {
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly fingerprint: string;
  /** After its access log was renamed. */
  reopenLogs(): void;
  /** Takes no new calls, answers those under way, and ends. */
  stop(): Promise<void>;
}

export interface AgentRuntime {
  readonly log: Logger;
  readonly fork: () => InferenceWorker;
  readonly now: () => Date;
}

/** Whatever fails before it is ready closes all that was opened until then. `input.invalid` with the line of `agent.yaml`. */
export async function startAgent(config: AgentConfig, runtime: AgentRuntime): Promise<RunningAgent> {
  const opened = new AsyncDisposableStack();
  try {
    return await openAgent(config, runtime, opened);
  } catch (error) {
    await opened
      .disposeAsync()
      .catch((problem: unknown) =>
        runtime.log.error({ problem: String(problem) }, 'not all that was opened could be closed'),
      );
    throw error;
  }
}

/** What it opens goes on `opened`, to be closed in turn, the last first. */
async function openAgent(
  config: AgentConfig,
  runtime: AgentRuntime,
  opened: AsyncDisposableStack,
): Promise<RunningAgent> {
  const { paths, limits, place } = config;
  const { log, now } = runtime;
  const trust = resolveTrust(config.trust, config.environmentId);
  await requireProviders(
    config.engine.executionProviders,
    runtime.fork,
    place.at('engine', 'executionProviders'),
  );
  const keys = await AgentKeys.load(paths, config.environmentId, config.keys, place.at('keys'));
  const scores = await place
    .at('scores', 'noise', 'key')
    .check(() => ScoreGuard.open(config.scores, paths.directory));
  const predictTls = await openTls(config.predict, place.at('predict', 'tls'));
  const adminTls = await openTls(config.admin, place.at('admin', 'tls'));
  const jwt = await place.at('jwt', 'jwks').check(() => (config.jwt ? new JwtGate(config.jwt) : null));
  for (const directory of [paths.releases, paths.staging, paths.uploads, paths.checkpoints]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  opened.defer(lockDirectory(paths.directory));
  const state = await StateFile.open(paths.state);
  const metrics = new Metrics(() => now().getTime());
  const store = new ReleaseStore(paths.releases, keys.ageIdentity);
  const engine = new Engine({
    store,
    fork: runtime.fork,
    mayLoad: ({ ref }) => requireNotRevoked(state, ref),
    engine: config.engine,
    batching: config.batching,
    predictTimeoutMs: limits.predictTimeoutMs,
    counts: (name, version, mapping) => metrics.version(name, version, scoreBoundsOf(mapping)),
    log: (level, message, facts) => log[level](facts, message),
    onCrash: (ref, name, error) => {
      const counts = metrics.model(name).versions.get(ref.version);
      if (counts) counts.crashes++;
      log.error({ model: name, version: ref.version, problem: error.message }, 'an inference process ended');
    },
  });
  const cache = new ModelCache({
    load: (root) => engine.load(root),
    limitBytes: config.engine.cacheBytes,
    unloaded: ({ name, ref }) => log.info({ model: name, version: ref.version }, 'unloaded to make room'),
  });
  metrics.sources.cache = () => cache.facts;
  const slots = new Slots({
    state,
    store,
    cache,
    now,
    keepReleases: limits.keepReleases,
    rememberedKeys: limits.rememberedKeys,
    admitStored: async (root) => {
      const { record } = await store.read(root);
      return servedReleaseOf(
        admit(trust, record.bundles, record.request, state.history(), now()).request,
        root,
        now(),
      );
    },
    onChange: (live) => showRouting(metrics, live),
    onMove: ({ name }) => metrics.model(name).rollbacks.agent++,
    log: (level, message, facts) => log[level](facts, message),
  });
  opened.defer(() => slots.close());
  const watch = new CanaryWatch({
    slots,
    planOf: async (root) => store.readPlan(await store.read(root)),
    intervalMs: limits.guardMs,
    now,
    log: (level, message, facts) => log[level](facts, message),
  });
  metrics.sources.guards = () => watch.facts();
  const push = new ReleasePush({
    staging: paths.staging,
    limits,
    store,
    now,
    counts: metrics.pushes,
    admit: (bundles, request) => admit(trust, bundles, request, state.history(), now()),
  });
  const uploads = new Uploads({
    directory: paths.uploads,
    accept: (target, size) => push.accept(target, size),
    maxBytes: limits.modelBytes + 16 * 1024 * 1024,
    counts: metrics.pushes,
    onError: (requestId, err) => log.error({ requestId, err }, 'an upload failed unexpectedly'),
  });
  const drain = new Drain();
  const predictor = new Predictor({
    slots,
    drain,
    limits,
    metrics,
    allowNonFinite: (model) => allowsNonFinite(config, model),
    scores,
  });
  const tokens = new TokenFile(paths.tokens);
  let ready = false;

  const fileLog = await place
    .at('accessLog', 'file')
    .check(() => (config.accessLog ? openAccessLog(config.accessLog, log) : null));
  opened.defer(() => fileLog?.close());
  const common = { log, limits, tokens, jwt, rates: new Rates(limits), now, slots, predictor, metrics };
  const predict = createPredictListener({
    ...common,
    ...addressesOf(config.predict),
    tls: predictTls,
    bodyLimit: limits.bodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    name: 'predict',
    counts: metrics.listeners.predict,
    access: fileLog ?? accessLogIn(log, 'debug'),
    ready: () => ready && !drain.agent,
    collector: new QuietCollector(youngGeneration()),
    drain,
  });
  const admin = createAdminListener({
    ...common,
    ...addressesOf(config.admin),
    tls: adminTls,
    bodyLimit: 1024 * 1024,
    // A piece of an upload over a slow line takes longer than a predict call.
    requestTimeoutMs: Math.max(limits.requestTimeoutMs, 300_000),
    name: 'admin',
    collector: null,
    counts: metrics.listeners.admin,
    access: fileLog ?? accessLogIn(log, 'info'),
    keys,
    store,
    push,
    uploads,
    watch,
    drain,
    checkpoints: new Checkpoints(paths.checkpoints, trust),
    revocations: new Revocations({ trust, state, now, withdraw: () => slots.withdrawRevoked() }),
  });
  opened.defer(() => closeListeners([predict, admin], limits.drainMs));

  await push.sweep(uploads);
  await slots.restore();
  // What broke while it was stopped is judged before anybody is answered.
  await watch.look();
  watch.start();
  opened.defer(() => watch.stop());
  const predictUrl = await listen(predict, config.predict, place.at('predict'));
  const adminUrl = await listen(admin, config.admin, place.at('admin'));
  if (predictTls) opened.defer(predictTls.follow(predict.server, log));
  if (adminTls) opened.defer(adminTls.follow(admin.server, log));

  let verifyingNow = false;
  const verify = async (): Promise<void> => {
    if (verifyingNow) return;
    verifyingNow = true;
    await verifyStored(store, metrics, log).catch((error: unknown) =>
      log.error({ problem: String(error) }, 'the stored releases could not be looked at'),
    );
    verifyingNow = false;
  };
  const every = (ms: number, work: () => unknown): void => {
    const timer = setInterval(work, ms).unref();
    opened.defer(() => clearInterval(timer));
  };
  if (limits.verifyMinutes > 0) every(limits.verifyMinutes * 60_000, verify);
  every(3_600_000, () => push.sweep(uploads).catch(() => {}));
  // Memory grows while a model works, too.
  every(10_000, () => cache.trim());
  opened.defer(() => {
    ready = false;
  });
  ready = true;

  return {
    adminUrl,
    predictUrl,
    fingerprint: keys.fingerprint,
    reopenLogs: () => fileLog?.reopen(),
    stop: () => opened.disposeAsync(),
  };
}

async function openTls({ tls }: ListenerConfig, place: Place): Promise<ListenerTls | null> {
  return tls ? ListenerTls.open(tls, place) : null;
}

function addressesOf({ allow, trustedProxies }: ListenerConfig): AddressOptions {
  return {
    allow: allow ? new Networks(allow) : null,
    trustedProxies: trustedProxies.length > 0 ? new Networks(trustedProxies) : null,
  };
}

/** Hashes every stored release again. What is loaded goes on; what is damaged is refused when it is to be loaded. */
async function verifyStored(store: ReleaseStore, metrics: Metrics, log: Logger): Promise<void> {
  let damaged = 0;
  for (const root of await store.roots()) {
    try {
      await store.verify(root);
    } catch (error) {
      damaged++;
      log.error(
        { root, problem: error instanceof Error ? error.message : String(error) },
        'a stored release is damaged',
      );
    }
  }
  metrics.damagedReleases = damaged;
}

function showRouting(metrics: Metrics, { routing, stable, canary, previous }: LiveModel): void {
  const share = canary && routing.canary ? routing.canary.percent : 0;
  const weights: ShownWeight[] = [];
  const add = (release: LoadedRelease | null, role: ShownWeight['role'], percent: number): void => {
    if (!release) return;
    const { version, digest } = release.ref;
    // Shown from the beginning, with nothing counted: a rate needs a first reading.
    metrics.version(routing.name, version, scoreBoundsOf(release.mapping));
    weights.push({ version, digest, role, percent });
  };
  add(stable, 'stable', 100 - share);
  add(canary, 'canary', share);
  add(previous, 'previous', 0);
  metrics.showRouting(routing.name, { generation: routing.generation, weights });
}
