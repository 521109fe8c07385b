import type { RequestFiles, Store, StoreWriter } from '../../electron/ports/stores.ts';
import type { RequestRecord } from '../../shared/domain/approval/request.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import type { Environment } from '../../shared/domain/policy/policy.ts';
import { version } from './store.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HEX = 'a'.repeat(64);

/** A request with these files, open, as nobody signed it. */
export function insertRequest(
  tx: StoreWriter,
  id: string,
  files: RequestFiles['files'],
  change: Partial<RequestRecord['request']> = {},
  environmentName = 'production',
): void {
  tx.insertRequest(
    {
      id,
      request: {
        vaultId: 'c'.repeat(32),
        requestId: id,
        name: 'phish',
        version: '1.0.0',
        digest: HEX,
        environmentId: 'production',
        serial: tx.lastSerial(change.environmentId ?? 'production') + 1,
        submitter: { name: 'ada', person: 'Ada Lovelace', keyFingerprint: HEX },
        createdAt: AT,
        notAfter: '2126-01-01T00:00:00.000Z',
        ...change,
      },
      environmentName,
      root: HEX,
      state: 'open',
      reason: '',
      quorum: 2,
      createdAt: AT,
    },
    { files },
  );
}

/** One of each record that calls are about, put into the database as they are: a version, a request, an endpoint, a rollout. */
export function seedRecords(
  store: Store,
  environment: Environment,
  submitter: Actor,
): { requestId: string; endpointId: string; rolloutId: string } {
  const ids = { requestId: 'request-1', endpointId: 'endpoint-1', rolloutId: 'rollout-1' };
  const ref = { name: 'phish', version: '1.0.0' };
  store.transaction((tx) => {
    tx.insertVersion(version({ ...ref, artifactId: 'b'.repeat(32) }));
    const { name, person } = submitter;
    insertRequest(
      tx,
      ids.requestId,
      [],
      { environmentId: environment.id, submitter: { name, person, keyFingerprint: HEX } },
      environment.name,
    );
    tx.insertEndpoint({
      id: ids.endpointId,
      name: 'edge-1',
      environmentId: environment.id,
      kind: 'agent',
      adminUrl: 'http://127.0.0.1:9',
      predictUrl: 'http://127.0.0.1:9',
      fingerprint: HEX,
      signingKeyPem: 'none',
      ageRecipient: 'none',
      addedAt: AT,
    });
    tx.saveRollout({
      id: ids.rolloutId,
      requestId: ids.requestId,
      ...ref,
      digest: HEX,
      root: HEX,
      environmentId: environment.id,
      target: environment.name,
      plan: {
        strategy: 'direct',
        steps: [100],
        bakeMs: 0,
        maxStepMs: 1000,
        mirrorSample: 0,
        guards: {
          maxErrorRate: null,
          maxP95Ratio: null,
          p95FloorMs: 0,
          maxDisagreement: null,
          minimumRequests: 1,
          minimumPairs: 1,
        },
        salt: 'some salt',
      },
      phase: 'completed',
      step: 0,
      reason: '',
      endpoints: [],
      pending: [],
      stableP95Ms: null,
      resumePhase: null,
      sequence: 1,
      verdicts: [],
      startedBy: submitter.name,
      startedAt: AT,
      stepStartedAt: AT,
      updatedAt: AT,
    });
  });
  return ids;
}
