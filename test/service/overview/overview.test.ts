import { describe, expect, test } from 'vitest';
import { createOverviewService } from '../../../electron/services/overview/index.ts';
import type { ApprovalRecord, RequestRecord } from '../../../shared/domain/approval/request.ts';
import type { ModelVersion } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { actorWith, type TestVault, testVault } from '../../support/vault.ts';

const HASH = 'a'.repeat(64);
const HOUR_MS = 3_600_000;
const manager: Actor = { ...actorWith('release-manager'), name: 'grace', person: 'Grace Hopper' };

function overviewOf({ vault, adapters }: TestVault) {
  return createOverviewService({ read: vault.store.read, system: adapters.system, rollouts: () => [] });
}

function request(id: string, serial: number, hours: number): RequestRecord {
  const notAfter = new Date(Date.now() + hours * HOUR_MS).toISOString();
  const submitter = { name: 'ada', person: 'Ada Lovelace', keyFingerprint: 'f' };
  return {
    id,
    environmentName: 'production',
    root: HASH,
    state: 'open',
    reason: '',
    quorum: 1,
    createdAt: notAfter,
    request: {
      vaultId: 'v',
      requestId: id,
      name: 'phish',
      version: '1.0.0',
      digest: HASH,
      environmentId: 'e',
      serial,
      submitter,
      createdAt: notAfter,
      notAfter,
    },
  };
}

function version(): ModelVersion {
  const onnx: ModelVersion['onnx'] = {
    irVersion: 8,
    producerName: '',
    producerVersion: '',
    modelVersion: 0,
    docString: '',
    graphName: '',
    opsets: [],
    operators: [],
    nodeCount: 0,
    functionCount: 0,
    maxDepth: 0,
    inputs: [],
    outputs: [],
    initializerCount: 0,
    parameterCount: 0,
    metadata: {},
    externalData: [],
    sizeBytes: 1,
  };
  return {
    id: 'v1',
    name: 'phish',
    version: '1.0.0',
    digest: HASH,
    sizeBytes: 1,
    artifactId: 'x',
    state: 'validated',
    parent: null,
    metadata: {},
    onnx,
    findings: [],
    rulesRun: [],
    mapping: null,
    addedBy: 'ada',
    addedAt: '2026-01-01T00:00:00.000Z',
  };
}

describe('the overview', () => {
  test('of a fresh vault is empty but for its own beginning', async () => {
    const home = await testVault();
    const view = await overviewOf(home).get(home.admin);
    expect(view).toMatchObject({
      models: 0,
      versions: 0,
      openRequests: 0,
      runningRollouts: 0,
      endpoints: 0,
      champions: [],
      attention: [],
    });
    expect(view.recent.map(({ action }) => action)).toEqual(['operator.added', 'vault.created']);
  });

  test('shows champions, and open requests to those who may approve them: not their submitter, not twice, not when expired', async () => {
    const home = await testVault();
    const approval: ApprovalRecord = {
      requestId: 'r3',
      operator: 'grace',
      person: 'Grace Hopper',
      keyFingerprint: 'g',
      kind: 'approval',
      bundle: '{}',
      createdAt: '',
    };
    await home.vault.ledger.commit(
      null,
      { action: 'model.added', subject: 'phish@1.0.0', details: {} },
      (tx) => {
        tx.insertVersion(version());
        tx.setAlias({ name: 'phish', alias: 'champion', version: '1.0.0' });
        tx.insertRequest(request('r1', 1, 1), { files: [] });
        tx.insertRequest(request('r2', 2, -1), { files: [] });
        tx.insertRequest(request('r3', 3, 1), { files: [] });
        tx.insertApproval(approval);
      },
    );
    const view = await overviewOf(home).get(manager);
    expect(view.champions).toEqual([{ name: 'phish', version: '1.0.0', rocAuc: null, f1: null }]);
    expect(view.openRequests).toBe(2);
    expect(view.attention).toMatchObject([{ kind: 'approval', link: '/releases/r1' }]);
    expect((await overviewOf(home).get({ ...manager, person: 'Ada Lovelace' })).attention).toEqual([]);
  });

  test('names an endpoint that does not answer', async () => {
    const home = await testVault();
    await home.vault.ledger.commit(null, { action: 'endpoint.added', subject: 'edge', details: {} }, (tx) => {
      tx.insertEndpoint({
        id: 'e1',
        name: 'edge',
        environmentId: 'e',
        kind: 'agent',
        adminUrl: 'http://127.0.0.1:1',
        predictUrl: 'http://127.0.0.1:2',
        fingerprint: HASH,
        signingKeyPem: '',
        ageRecipient: '',
        addedAt: '',
      });
      tx.setStatus({
        endpointId: 'e1',
        reachable: false,
        checkedAt: '',
        latencyMs: null,
        models: [],
        problem: { code: 'endpoint.unreachable', message: 'nobody there', hint: '' },
      });
    });
    expect((await overviewOf(home).get(manager)).attention).toEqual([
      { kind: 'endpoint', title: 'edge does not answer', detail: 'nobody there', link: '/endpoints' },
    ]);
  });
});
