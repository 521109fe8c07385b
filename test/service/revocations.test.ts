/** Revoking from the console: signed by whoever asked, entered before it is sent, repeated where an endpoint was away. */
import { expect, test } from 'vitest';
import { modelSigner } from '../../electron/adapters/signing/model-signing.ts';
import { createRegistryService } from '../../electron/services/registry/index.ts';
import { createRevocationsService } from '../../electron/services/revocations/index.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { FakeEndpoint } from '../support/fake-endpoint.ts';
import { type Stage, stage } from '../support/release-stage.ts';

function revocationsOf(at: Stage, endpoints: readonly FakeEndpoint[]) {
  const { ledger, artifacts } = at.vault;
  const { system } = at.clock;
  const models = createRegistryService({
    ledger,
    artifacts,
    system,
    inspector: { inspect: () => Promise.reject(new Error('nothing is added here')) },
  });
  const service = createRevocationsService({
    vaultId: at.vault.id,
    ledger,
    signer: modelSigner,
    system,
    models,
    withOperatorKey: at.session.signWithOperatorKey,
    clientFor: (id) => {
      const fake = endpoints.find(({ endpoint }) => endpoint.id === id);
      if (!fake) throw new Error(id);
      return fake.connector.connect(fake.endpoint, async () => fake.token);
    },
    onMoved: async () => undefined,
  });
  return { models, revoke: service.revoke };
}

const entries = (at: Stage) =>
  [...at.vault.store.read.audit.entries()].filter(({ action }) => /revoked|revocation/.test(action));

test('given two endpoints of which one is away, when a version is revoked on both, then it says so, and the next try reaches it', async () => {
  const at = await stage();
  at.rollouts.start();
  const far = await at.addEndpoint('far');
  const both = [at.endpoint, far];
  for (const version of ['1.0.0', '1.1.0']) {
    const { id } = await at.approved(version, { strategy: 'direct', steps: [100] });
    const { state } = await at.rollouts.deploy(at.ben, { requestId: id, target: 'production' });
    await at.rollouts.finished(state.id);
  }
  const ben = at.vault.store.read.operator(at.ben.operatorId);
  for (const endpoint of both) endpoint.revokers.push(ben?.publicKeyPem ?? '');
  const { models, revoke } = revocationsOf(at, both);
  const wish = {
    name: 'phish',
    version: '1.1.0',
    reason: 'poisoned',
    target: 'production',
    passphrase: at.passphrase,
  };

  await expect(revoke(at.ben, { ...wish, passphrase: 'a wrong one' })).rejects.toMatchObject({
    code: 'auth.failed',
  });
  expect(models.get(at.ben, wish).version.state).not.toBe('revoked');

  far.failure = new SallyportError('endpoint.unreachable', 'It does not answer.');
  await expect(revoke(at.ben, wish)).rejects.toMatchObject({
    code: 'endpoint.unreachable',
    hint: expect.stringContaining('1 of 2'),
  });
  expect(models.get(at.ben, wish).version.state).toBe('revoked');

  far.failure = null;
  expect(await revoke(at.ben, wish)).toMatchObject({
    serial: 2,
    endpoints: [
      { name: 'edge', serves: '1.0.0' },
      { name: 'far', serves: '1.0.0' },
    ],
  });
  const told = entries(at).map(({ action, details: { serial, endpoint, serves, failed } }) =>
    [serial ?? '', action, endpoint ?? '', serves ?? failed ?? ''].join(' ').trim(),
  );
  // Endpoints are told side by side: their entries come in any order.
  expect(told.sort()).toEqual([
    '1 revocation.sent edge 1.0.0',
    '1 revocation.sent far It does not answer.',
    '1 revocation.signed',
    '2 revocation.sent edge 1.0.0',
    '2 revocation.sent far 1.0.0',
    '2 revocation.signed',
    'model.revoked',
  ]);
});

test('given a vault that has forgotten its last serials, then the next revocation is above what the endpoints hold', async () => {
  const at = await stage();
  const ben = at.vault.store.read.operator(at.ben.operatorId);
  at.endpoint.revokers.push(ben?.publicKeyPem ?? '');
  await at.addVersion('1.0.0');
  await at.addVersion('1.1.0');
  const { revoke } = revocationsOf(at, [at.endpoint]);
  const wish = { name: 'phish', reason: 'poisoned', target: 'edge', passphrase: at.passphrase };
  expect((await revoke(at.ben, { ...wish, version: '1.0.0' })).serial).toBe(1);
  at.vault.store.transaction((tx) => tx.setSetting('revocations.serial', '0'));
  expect(await revoke(at.ben, { ...wish, version: '1.1.0' })).toMatchObject({
    serial: 2,
    endpoints: [{ name: 'edge', serves: null, known: false }],
  });
});
