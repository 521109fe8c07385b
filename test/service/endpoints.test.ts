import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import { checkpointTools } from '../../electron/adapters/vault/key-tools.ts';
import { writeLines } from '../../electron/adapters/vault/write-lines.ts';
import type { EndpointConnector } from '../../electron/ports/endpoint.ts';
import { createAuditService } from '../../electron/services/audit/index.ts';
import { createEndpointsService, type EndpointsService } from '../../electron/services/endpoints.ts';
import { formatFingerprint } from '../../shared/domain/endpoint/fingerprint.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { Environment } from '../../shared/domain/policy/policy.ts';
import type { RolloutState } from '../../shared/domain/rollout/state.ts';
import { startAgent } from '../support/agent.ts';
import { certificate } from '../support/certificates.ts';
import { createFakeEndpoint, type FakeEndpoint } from '../support/fake-endpoint.ts';
import { makeSite } from '../support/release.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { actorWith, type TestVault, testVault } from '../support/vault.ts';

const manager = actorWith('release-manager');
const analyst = actorWith('analyst');

const ENVIRONMENT: Environment = {
  id: 'production-1',
  name: 'production',
  createdAt: '2026-01-01T00:00:00.000Z',
  policy: {
    version: 1,
    gates: [],
    minimumRows: 1,
    datasets: [],
    maximumSeverity: 'medium',
    quorum: { approvals: 2 },
    requestHours: 24,
  },
};

interface Home extends TestVault {
  readonly endpoints: EndpointsService;
  readonly fake: FakeEndpoint;
  readonly input: Parameters<EndpointsService['add']>[1];
  actions(): string[];
}

async function home(connector?: EndpointConnector, environmentId = ENVIRONMENT.id): Promise<Home> {
  const at = await testVault();
  const { vault } = at;
  const fake = createFakeEndpoint({ environmentId });
  vault.store.transaction((tx) => tx.insertEnvironment({ ...ENVIRONMENT, id: environmentId }));
  const audit = createAuditService({
    vaultId: vault.id,
    ledger: vault.ledger,
    store: vault.store,
    system: at.adapters.system,
    checkpoints: checkpointTools,
    checkpointVerifier: vault.checkpointVerifier,
    writeLines,
    signatureChecks: () => [],
    fetchCheckpoints: () => endpoints.fetchCheckpoints(),
  });
  const endpoints: EndpointsService = createEndpointsService({
    vaultId: vault.id,
    ledger: vault.ledger,
    store: vault.store,
    secrets: vault.secrets,
    system: at.adapters.system,
    connector: connector ?? fake.connector,
    audit,
  });
  onTestFinished(() => endpoints.close());
  return {
    ...at,
    endpoints,
    fake,
    input: {
      name: 'edge-1',
      environmentId,
      adminUrl: fake.endpoint.adminUrl,
      predictUrl: fake.endpoint.predictUrl,
      token: fake.token,
      fingerprint: fake.endpoint.fingerprint,
    },
    actions: () =>
      vault.store.read.audit
        .page({ before: null, limit: 100, text: '' })
        .entries.map((entry) => entry.action),
  };
}

test('given the fingerprint as a person types it, then the agent is pinned, its token kept with the secrets, and the log says so', async () => {
  const at = await home();
  const typed = formatFingerprint(at.fake.endpoint.fingerprint).toUpperCase();
  const view = await at.endpoints.add(manager, { ...at.input, fingerprint: typed });
  expect(view).toMatchObject({
    environmentName: 'production',
    endpoint: { name: 'edge-1', fingerprint: at.fake.endpoint.fingerprint },
    status: { reachable: true, problem: null },
  });
  expect(at.endpoints.list(manager)).toEqual([view]);
  expect(await at.vault.secrets.get(`endpoint-token/${view.endpoint.id}`)).toBe(at.fake.token);
  expect(JSON.stringify(at.vault.store.read.endpoints())).not.toContain(at.fake.token);
  expect(JSON.stringify([...at.vault.store.read.audit.lines()])).not.toContain(at.fake.token);
  expect(at.actions()[0]).toBe('endpoint.added');
  expect(await at.endpoints.clientFor(view.endpoint.id).models()).toEqual([]);
});

test.each([
  ['another key answers', { fingerprint: '0'.repeat(64) }, 'integrity.endpoint'],
  ['it is no fingerprint', { fingerprint: 'abc' }, 'input.invalid'],
  ['the token is wrong', { token: 'wrong' }, 'endpoint.unauthorized'],
  ['the environment does not exist', { environmentId: 'nowhere' }, 'not-found'],
  ['the address is plain http to another machine', { adminUrl: 'http://agent.example' }, 'input.invalid'],
  ['the name is a path', { name: '../edge' }, 'input.invalid'],
] as const)('given %s, then nothing is added and no token kept', async (_what, change, code) => {
  const at = await home();
  await expect(at.endpoints.add(manager, { ...at.input, ...change })).rejects.toMatchObject({ code });
  expect(at.endpoints.list(manager)).toEqual([]);
  expect(at.actions()).not.toContain('endpoint.added');
});

test('given an agent of another environment, then it is refused', async () => {
  const at = await home();
  at.vault.store.transaction((tx) =>
    tx.insertEnvironment({ ...ENVIRONMENT, id: 'staging-1', name: 'staging' }),
  );
  await expect(at.endpoints.add(manager, { ...at.input, environmentId: 'staging-1' })).rejects.toMatchObject({
    code: 'refused.environment',
  });
});

test('given somebody without the role, or a name that is taken, then it is refused', async () => {
  const at = await home();
  await expect(at.endpoints.add(analyst, at.input)).rejects.toMatchObject({ code: 'refused.role' });
  await at.endpoints.add(manager, at.input);
  await expect(at.endpoints.add(manager, at.input)).rejects.toMatchObject({ code: 'conflict' });
});

test('given an endpoint goes down and comes back, then each turn is an entry and the readings between are none', async () => {
  const at = await home();
  const { endpoint } = await at.endpoints.add(manager, at.input);
  const { id } = endpoint;
  const entries = () => at.actions().filter((action) => action === 'endpoint.checked').length;
  await at.endpoints.check(manager, { id });
  await at.endpoints.check(manager, { id });
  expect(entries()).toBe(0);
  at.fake.failure = new SallyportError('endpoint.unreachable', 'It cannot be reached.');
  expect(await at.endpoints.check(manager, { id })).toMatchObject({
    reachable: false,
    problem: { code: 'endpoint.unreachable' },
  });
  await at.endpoints.check(manager, { id });
  expect(entries()).toBe(1);
  at.fake.failure = null;
  expect(await at.endpoints.check(manager, { id })).toMatchObject({ reachable: true, problem: null });
  expect(entries()).toBe(2);
  expect(at.vault.store.read.lastStatus(id)).toMatchObject({ reachable: true });
});

test('given it is removed, then its token goes too; while a rollout uses it, it stays', async () => {
  const at = await home();
  const { endpoint } = await at.endpoints.add(manager, at.input);
  const { id } = endpoint;
  const rollout: RolloutState = {
    id: 'rollout',
    requestId: 'r',
    name: 'phish',
    version: '1.0.0',
    digest: 'd'.repeat(64),
    root: 'e'.repeat(64),
    environmentId: ENVIRONMENT.id,
    target: 'edge-1',
    plan: {
      strategy: 'direct',
      steps: [100],
      bakeMs: 0,
      maxStepMs: 1000,
      mirrorSample: 0,
      salt: 'a-plan-salt',
      guards: {
        maxErrorRate: null,
        maxP95Ratio: null,
        p95FloorMs: 0,
        maxDisagreement: null,
        minimumRequests: 1,
        minimumPairs: 1,
      },
    },
    phase: 'stepping',
    resumePhase: null,
    step: 0,
    reason: '',
    pending: [],
    stableP95Ms: null,
    sequence: 1,
    verdicts: [],
    startedBy: 'x',
    endpoints: [
      {
        endpointId: id,
        endpointName: 'edge-1',
        stableVersion: null,
        pushed: true,
        confirmedPercent: null,
        generation: 0,
        baseline: null,
        latest: null,
        consecutiveErrors: 0,
        blindSince: null,
      },
    ],
    startedAt: '2026-01-01T00:00:00.000Z',
    stepStartedAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
  at.vault.store.transaction((tx) => tx.saveRollout(rollout));
  await expect(at.endpoints.remove(manager, { id })).rejects.toMatchObject({ code: 'refused.state' });
  // Rolling back from an endpoint that is gone would wait for ever: then it may be removed.
  at.vault.store.transaction((tx) => tx.saveRollout({ ...rollout, phase: 'rolling-back' }));
  await at.endpoints.remove(manager, { id });
  expect(at.endpoints.list(manager)).toEqual([]);
  expect(await at.vault.secrets.get(`endpoint-token/${id}`)).toBeNull();
  expect(() => at.endpoints.clientFor(id)).toThrow(expect.objectContaining({ code: 'not-found' }));
});

test('given a real agent, when checkpoints are due, then it holds them and gives them back; one that does not know the vault says so', async () => {
  const site = makeSite();
  const agent = await startAgent({ ...site, trust: site.trust });
  onTestFinished(() => agent.remove());
  const at = await home(createAgentConnector(), site.environmentId);
  // The agent trusts the vault of this test only when its trust file names it: a second agent does.
  const input = {
    ...at.input,
    adminUrl: agent.adminUrl,
    predictUrl: agent.predictUrl,
    token: agent.token,
    fingerprint: agent.fingerprint,
  };
  await at.endpoints.add(manager, input);
  const second = await startAgent({ ...site, trust: { ...site.trust, vaults: [{ id: at.vault.id }] } });
  onTestFinished(() => second.remove());
  await at.endpoints.add(manager, {
    ...input,
    name: 'edge-2',
    adminUrl: second.adminUrl,
    predictUrl: second.predictUrl,
    token: second.token,
    fingerprint: second.fingerprint,
  });
  // A checkpoint is due every ten entries.
  for (let entry = 0; entry < 12; entry++)
    await at.vault.ledger.commit(
      null,
      { action: 'endpoint.checked', subject: 'x', details: {} },
      () => undefined,
    );
  await at.endpoints.syncCheckpoints();
  const held = await at.endpoints.fetchCheckpoints();
  expect(held.find((each) => each.endpoint === 'edge-1')).toMatchObject({
    notes: [],
    problem: expect.any(String),
  });
  const newest = at.vault.store.read.audit.checkpoints().at(-1);
  expect(held.find((each) => each.endpoint === 'edge-2')?.notes).toEqual([newest?.note]);
  const [endpoint] = at.vault.store.read.endpoints().filter((each) => each.name === 'edge-2');
  expect(newest?.sentTo).toEqual([endpoint?.id]);

  await second.stop();
  expect(await at.endpoints.check(manager, { id: endpoint?.id ?? '' })).toMatchObject({
    reachable: false,
    problem: { code: 'endpoint.unreachable' },
  });
});

test('given an agent that asks for client certificates, then its authority is pinned with it, and the console’s key is a secret beside the token', async () => {
  const site = makeSite();
  const ca = certificate('site authority');
  const server = certificate('agent.example', ca);
  const client = certificate('console', ca);
  const folder = temporaryDirectory();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const tls = {
    cert: file('cert.pem', server.cert),
    key: file('key.pem', server.key),
    clientCa: file('ca.pem', ca.cert),
    clients: [{ commonName: 'console' }],
  };
  const agent = await startAgent({ ...site, config: { admin: { tls } } });
  onTestFinished(() => agent.remove());
  expect(agent.adminUrl).toMatch(/^https:/);
  const at = await home(createAgentConnector(), site.environmentId);
  const { adminUrl, predictUrl, token, fingerprint } = agent;
  const input = { ...at.input, adminUrl, predictUrl, token, fingerprint };
  const pair = { cert: client.cert, key: client.key };
  await expect(at.endpoints.add(manager, { ...input, client: pair })).rejects.toMatchObject({
    code: 'integrity.endpoint',
  });
  await expect(at.endpoints.add(manager, { ...input, tls: { ca: ca.cert } })).rejects.toMatchObject({
    code: 'endpoint.unreachable',
  });
  await expect(
    at.endpoints.add(manager, { ...input, tls: { ca: ca.cert }, client: { ...pair, key: server.key } }),
  ).rejects.toMatchObject({ code: 'input.invalid' });
  const view = await at.endpoints.add(manager, { ...input, tls: { ca: ca.cert }, client: pair });
  expect(view.endpoint.tls).toEqual({ ca: ca.cert });
  expect((await at.endpoints.check(manager, { id: view.endpoint.id })).problem).toBeNull();
  const secret = await at.vault.secrets.get(`endpoint-token/${view.endpoint.id}`);
  expect(secret).toContain(token);
  expect(secret).toContain(JSON.stringify(client.key));
  expect(JSON.stringify(at.vault.store.read.endpoints())).not.toContain('PRIVATE KEY');
  await at.endpoints.remove(manager, { id: view.endpoint.id });
  expect(await at.vault.secrets.get(`endpoint-token/${view.endpoint.id}`)).toBeNull();
});
