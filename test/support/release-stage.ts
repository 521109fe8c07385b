/** Requests and rollouts on a real vault with real signatures; the clock is virtual, the endpoints are in memory. */
import { onTestFinished } from 'vitest';
import { modelSigner } from '../../electron/adapters/signing/model-signing.ts';
import type { EndpointClient } from '../../electron/ports/endpoint.ts';
import { createEnvironmentsService } from '../../electron/services/environments/index.ts';
import { createOperatorsService } from '../../electron/services/operators/index.ts';
import { createRequestsService, type RequestsService } from '../../electron/services/requests/index.ts';
import { createRolloutsService, type RolloutsService } from '../../electron/services/rollouts/index.ts';
import { createSessionService, type SessionService } from '../../electron/services/session/index.ts';
import { type OpenVault, openVault } from '../../electron/services/vault/index.ts';
import type { RequestRecord } from '../../shared/domain/approval/request.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  PLAIN_DATASET,
  plainValidation,
  UNMEASURED_METRICS,
  type ValidationReport,
} from '../../shared/domain/metrics/report.ts';
import { guessMapping } from '../../shared/domain/model/guess-mapping.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import type { Actor, Role } from '../../shared/domain/operator/operator.ts';
import type { Environment, Policy } from '../../shared/domain/policy/policy.ts';
import type { RolloutPlan } from '../../shared/domain/rollout/plan.ts';
import type { RolloutState } from '../../shared/domain/rollout/state.ts';
import { scanModel } from '../../shared/domain/scan/scan.ts';
import { OPEN_POLICY } from './console.ts';
import { createFakeEndpoint, type FakeEndpoint } from './fake-endpoint.ts';
import { thresholdModel } from './release.ts';
import { plan as somePlan } from './rollout.ts';
import { machine, type TestVault, testVault } from './vault.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

const PASSPHRASE = 'everybody’s own, said aloud';

/** One console: the services of one process on the shared vault. */
export interface Desk {
  readonly vault: OpenVault;
  readonly session: SessionService;
  readonly requests: RequestsService;
  readonly rollouts: RolloutsService;
  readonly updates: RolloutState[];
  readonly errors: unknown[];
}

export interface Stage extends Desk {
  readonly at: TestVault;
  readonly clock: VirtualClock;
  readonly environment: Environment;
  readonly endpoint: FakeEndpoint;
  readonly ana: Actor;
  readonly ben: Actor;
  readonly cleo: Actor;
  readonly passphrase: string;
  person(name: string, person: string, ...roles: Role[]): Promise<Actor>;
  addVersion(version: string): Promise<ModelVersion>;
  /** A stored validation of a version for the environment, with figures that pass. */
  validate(model: ModelVersion, change?: Partial<ValidationReport>): Promise<void>;
  submit(version: string, plan?: Partial<Omit<RolloutPlan, 'salt'>>): Promise<RequestRecord>;
  /** Version added, validated, submitted and approved by both. */
  approved(version: string, plan?: Partial<Omit<RolloutPlan, 'salt'>>): Promise<RequestRecord>;
  setPolicy(change: Partial<Policy>): Promise<void>;
  addEndpoint(name: string): Promise<FakeEndpoint>;
  /** A second process on the same vault. */
  secondDesk(): Promise<Desk>;
}

export async function stage(options: { readonly policy?: Partial<Policy> } = {}): Promise<Stage> {
  const clock = virtualClock();
  const home = machine({ system: clock.system });
  const at = await testVault({ machine: home });
  const endpoints = new Map<string, FakeEndpoint>();
  const clients = new Map<string, EndpointClient>();

  function desk(vault: OpenVault): Desk {
    const { ledger, secrets, artifacts, store } = vault;
    const { keys } = home.adapters;
    const session = createSessionService({ ledger, store, secrets, keys, system: clock.system });
    const requests = createRequestsService({
      vaultId: vault.id,
      ledger,
      artifacts,
      signer: modelSigner,
      system: clock.system,
      withOperatorKey: session.signWithOperatorKey,
    });
    const updates: RolloutState[] = [];
    const errors: unknown[] = [];
    const rollouts = createRolloutsService({
      store,
      ledger,
      system: clock.system,
      requests,
      clientFor: (id) => {
        if (store.read.endpoint(id) === null)
          throw new SallyportError('not-found', 'There is no such endpoint.', {
            hint: 'Nothing was changed.',
          });
        const known = clients.get(id);
        if (known) return known;
        const fake = endpoints.get(id);
        if (!fake) throw new Error(`no endpoint ${id}`);
        const client = fake.connector.connect(fake.endpoint, async () => fake.token);
        clients.set(id, client);
        return client;
      },
      tryAcquireEffects: () => vault.acquireEffectsLock(),
      pollMs: 1000,
      onUpdate: ({ state }) => updates.push(state),
      onError: (error) => errors.push(error),
      onMoved: async () => {},
      onFinished: async () => {},
    });
    onTestFinished(() => rollouts.close());
    return { vault, session, requests, rollouts, updates, errors };
  }

  const own = desk(at.vault);
  const { ledger, secrets, artifacts, store } = at.vault;
  const deps = { ledger, store, secrets, system: clock.system, keys: home.adapters.keys };
  const operators = createOperatorsService({
    ...deps,
    withOperatorKey: createSessionService(deps).signWithOperatorKey,
  });
  const environments = createEnvironmentsService({ ledger, system: clock.system });
  const person = async (name: string, human: string, ...roles: Role[]): Promise<Actor> => {
    const made = await operators.add(at.admin, { name, person: human, roles, passphrase: PASSPHRASE });
    return { operatorId: made.id, name, person: human, roles };
  };
  const ana = await person('ana', 'Ana Analyst', 'analyst', 'release-manager');
  const ben = await person('ben', 'Ben Approver', 'release-manager');
  const cleo = await person('cleo', 'Cleo Approver', 'release-manager');
  const environment = await environments.add(at.admin, {
    name: 'production',
    policy: { ...OPEN_POLICY, ...options.policy },
  });

  const addEndpoint = async (name: string): Promise<FakeEndpoint> => {
    const fake = createFakeEndpoint({ environmentId: environment.id, id: `id-${name}`, name });
    endpoints.set(fake.endpoint.id, fake);
    store.transaction((tx) => tx.insertEndpoint(fake.endpoint));
    return fake;
  };

  const self: Stage = {
    ...own,
    at,
    clock,
    environment,
    endpoint: await addEndpoint('edge'),
    ana,
    ben,
    cleo,
    passphrase: PASSPHRASE,
    person,
    addEndpoint,
    addVersion: async (version) => {
      const bytes = thresholdModel(Number(version.replaceAll('.', '')) / 1000);
      const file = await artifacts.putBytes(bytes);
      const reading = readOnnx({ size: bytes.length, read: (start, end) => bytes.subarray(start, end) });
      const { rulesRun, findings } = scanModel(reading);
      const model: ModelVersion = {
        id: clock.system.newId(),
        name: 'phish',
        version,
        ...file,
        state: 'draft',
        parent: null,
        metadata: {},
        onnx: reading.summary,
        findings,
        rulesRun,
        mapping: guessMapping(reading.summary),
        addedBy: 'ana',
        addedAt: clock.system.now().toISOString(),
      };
      store.transaction((tx) => tx.insertVersion(model));
      return model;
    },
    validate: async (model, change = {}) => {
      const report = { ...validationOf(model, environment, clock), ...change };
      store.transaction((tx) => tx.insertValidation(report));
    },
    submit: async (version, plan = {}) => {
      const { salt: _, ...planned } = { ...somePlan(), ...plan };
      const view = await own.requests.submit(ana, {
        name: 'phish',
        version,
        environmentId: environment.id,
        passphrase: PASSPHRASE,
        plan: planned,
      });
      return view.record;
    },
    approved: async (version, plan = {}) => {
      await self.validate(await self.addVersion(version));
      const record = await self.submit(version, plan);
      await own.requests.approve(ben, { id: record.id, passphrase: PASSPHRASE });
      await own.requests.approve(cleo, { id: record.id, passphrase: PASSPHRASE });
      return record;
    },
    setPolicy: async (change) => {
      const policy = { ...(store.read.environment(environment.id)?.policy ?? OPEN_POLICY), ...change };
      await environments.setPolicy(at.admin, { id: environment.id, policy });
    },
    secondDesk: async () => {
      const vault = await openVault(home.adapters, at.path);
      onTestFinished(() => vault.close());
      return desk(vault);
    },
  };
  return self;
}

function validationOf(model: ModelVersion, environment: Environment, clock: VirtualClock): ValidationReport {
  if (model.mapping === null) throw new Error('the model is not mapped');
  const metrics = {
    accuracy: 0.95,
    balanced_accuracy: 0.95,
    precision: 0.95,
    recall: 0.95,
    f1: 0.95,
    mcc: 0.9,
    roc_auc: 0.98,
    false_positive_rate: 0.05,
  };
  return {
    id: clock.system.newId(),
    ref: { name: model.name, version: model.version },
    digest: model.digest,
    dataset: {
      fileName: 'labelled.csv',
      digest: 'a'.repeat(64),
      sizeBytes: 10_000,
      rows: 1000,
      labelColumn: 'label',
      ...PLAIN_DATASET,
      featureColumns: 3,
      ignoredColumns: [],
    },
    mapping: model.mapping,
    ...plainValidation(),
    metrics: {
      ...UNMEASURED_METRICS,
      rows: 1000,
      positives: 500,
      confusion: { tn: 475, fp: 25, fn: 25, tp: 475 },
      ...metrics,
    },
    latency: { p50: 0.1, p95: 0.2, p99: 0.3, samples: 1000 },
    rowsPerSecond: 10_000,
    roc: [],
    precisionRecall: [],
    scoreHistogram: null,
    environmentId: environment.id,
    environmentName: environment.name,
    gates: [],
    passed: true,
    runBy: 'ana',
    createdAt: clock.system.now().toISOString(),
    durationMs: 100,
  };
}
