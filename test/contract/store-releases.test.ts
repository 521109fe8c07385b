import { describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../shared/domain/approval/request.ts';
import type { Endpoint, EndpointStatus } from '../../shared/domain/endpoint/endpoint.ts';
import { DEFAULT_GUARDS } from '../../shared/domain/rollout/plan.ts';
import type { RolloutState, TrafficPoint } from '../../shared/domain/rollout/state.ts';
import { AT, HASH, store } from '../support/store.ts';

describe('requests', () => {
  const request = (id: string, serial: number): RequestRecord => ({
    id,
    environmentName: 'production',
    root: HASH,
    state: 'open',
    reason: '',
    quorum: 2,
    createdAt: AT,
    request: {
      vaultId: 'v',
      requestId: id,
      name: 'phish',
      version: '1.0.0',
      digest: HASH,
      environmentId: 'production-1',
      serial,
      submitter: { name: 'ada', person: 'Ada', keyFingerprint: 'f' },
      createdAt: AT,
      notAfter: AT,
    },
  });
  const approval = (fingerprint: string) => ({
    requestId: 'r1',
    operator: 'bob',
    person: 'Bob',
    keyFingerprint: fingerprint,
    kind: 'approval' as const,
    bundle: '{}',
    createdAt: AT,
  });

  test('keep their files and approvals; state and reason move, the frozen record does not', () => {
    const { read, transaction } = store();
    const files = { files: [{ name: 'policy.yaml', artifactId: 'x', digest: HASH, sizeBytes: 3 }] };
    transaction((tx) => {
      tx.insertRequest(request('r1', 1), files);
      tx.insertApproval(approval('f1'));
      tx.insertApproval(approval('f2'));
      tx.setRequestState('r1', 'approved', 'two of two');
    });
    expect(read.request('r1')).toEqual({ ...request('r1', 1), state: 'approved', reason: 'two of two' });
    expect(read.requestFiles('r1')).toEqual(files);
    expect(read.approvals('r1').map(({ keyFingerprint }) => keyFingerprint)).toEqual(['f1', 'f2']);
    expect([read.lastSerial('production-1'), read.lastSerial('elsewhere')]).toEqual([1, 0]);
  });

  test('give a serial once, and count a key once', () => {
    const { transaction } = store();
    transaction((tx) => {
      tx.insertRequest(request('r1', 1), { files: [] });
      tx.insertApproval(approval('f1'));
    });
    expect(() => transaction((tx) => tx.insertRequest(request('r2', 1), { files: [] }))).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    expect(() => transaction((tx) => tx.insertApproval(approval('f1')))).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
  });
});

describe('endpoints and rollouts', () => {
  const endpoint: Endpoint = {
    id: 'e1',
    name: 'edge',
    environmentId: 'p',
    kind: 'agent',
    adminUrl: 'http://127.0.0.1:1',
    predictUrl: 'http://127.0.0.1:2',
    fingerprint: HASH,
    signingKeyPem: 'k',
    ageRecipient: 'age1',
    addedAt: AT,
  };
  const status: EndpointStatus = {
    endpointId: 'e1',
    reachable: false,
    checkedAt: AT,
    latencyMs: null,
    models: [],
    problem: { code: 'endpoint.unreachable', message: 'm', hint: 'h' },
  };

  test('an endpoint is known by id and name until it is removed, with its last status', () => {
    const { read, transaction } = store();
    transaction((tx) => tx.insertEndpoint(endpoint));
    expect(read.lastStatus('e1')).toBeNull();
    transaction((tx) => tx.setStatus(status));
    expect([read.endpoint('e1'), read.endpointByName('edge'), read.lastStatus('e1')]).toEqual([
      endpoint,
      endpoint,
      status,
    ]);
    transaction((tx) => tx.removeEndpoint('e1'));
    expect([read.endpoint('e1'), read.endpoints(), read.lastStatus('e1')]).toEqual([null, [], null]);
  });

  test('a rollout is saved over itself, unfinished until its phase is final, with its points in order', () => {
    const { read, transaction } = store();
    const state: RolloutState = {
      id: 'ro1',
      requestId: 'r1',
      name: 'phish',
      version: '1.0.0',
      digest: HASH,
      root: HASH,
      environmentId: 'p',
      target: 'production',
      phase: 'stepping',
      resumePhase: 'stepping',
      stableP95Ms: 2,
      step: 0,
      reason: '',
      endpoints: [],
      plan: {
        strategy: 'canary',
        steps: [10, 100],
        bakeMs: 1,
        maxStepMs: 1000,
        mirrorSample: 0,
        guards: DEFAULT_GUARDS,
        salt: 'salt-salt',
      },
      pending: [{ kind: 'push', key: 'k', endpointId: 'e1' }],
      sequence: 1,
      verdicts: [],
      startedBy: 'ada',
      startedAt: AT,
      stepStartedAt: AT,
      updatedAt: AT,
    };
    const point = (percent: number): TrafficPoint => ({
      at: AT,
      percent,
      canaryRps: 1,
      stableRps: 2,
      canaryErrorRate: null,
      stableErrorRate: 0,
      canaryP95Ms: 1,
      stableP95Ms: null,
      disagreement: null,
      pairs: 0,
    });
    transaction((tx) => {
      tx.saveRollout(state);
      tx.addPoint('ro1', point(10));
      tx.addPoint('ro1', point(100));
    });
    expect(read.unfinished()).toEqual([state]);
    expect(read.points('ro1').map(({ percent }) => percent)).toEqual([10, 100]);
    for (const phase of ['completed', 'rolled-back', 'failed'] as const) {
      transaction((tx) => tx.saveRollout({ ...state, phase }));
      expect(read.unfinished()).toEqual([]);
    }
    transaction((tx) => tx.saveRollout({ ...state, phase: 'paused' }));
    expect(read.unfinished().map(({ phase }) => phase)).toEqual(['paused']);
    expect(read.rollouts()).toHaveLength(1);
  });
});
