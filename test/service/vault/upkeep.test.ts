import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeychainSecrets } from '../../../electron/adapters/keychain/keychain-secrets.ts';
import { MemorySecrets } from '../../../electron/adapters/keychain/memory-secrets.ts';
import { createRegistryService } from '../../../electron/services/registry/index.ts';
import { createVault, openVault, recoverVault, sweepVault } from '../../../electron/services/vault/index.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { keyringUnavailable, startKeyring } from '../../support/keyring.ts';
import { logisticRegression, model } from '../../support/onnx-builder.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { forkWorker, machine, OPERATOR_PASSPHRASE, testVault } from '../../support/vault.ts';

const described = { action: 'model.described', subject: 'x', details: {} } as const;

describe('sweeping', () => {
  test('removes stored files that no row names, once the grace is over, and keeps the others', async () => {
    const home = await testVault();
    const { vault, adapters } = home;
    const path = join(temporaryDirectory(), 'model.onnx');
    writeFileSync(path, model(logisticRegression(3)));
    const registry = createRegistryService({
      ledger: vault.ledger,
      artifacts: vault.artifacts,
      inspector: home.inspector,
      system: adapters.system,
    });
    const { version } = await registry.add(home.admin, {
      path,
      name: 'phish',
      version: '1.0.0',
      parent: null,
      metadata: {},
    });
    await vault.artifacts.putBytes(Buffer.from('left behind'));
    expect(await sweepVault(vault, adapters.system, { graceMs: 0 })).toEqual({ temporary: 0, orphans: 1 });
    expect(await vault.artifacts.list()).toEqual([version.artifactId]);
  });

  test('spares a file whose row is committed during the grace', async () => {
    const { vault, adapters } = await testVault();
    const stored = await vault.artifacts.putBytes(Buffer.from('a policy'));
    const file = { name: 'policy.yaml', ...stored };
    const system = {
      ...adapters.system,
      sleep: async () => {
        await vault.ledger.commit(null, described, (tx) =>
          tx.insertRequest(
            {
              id: 'r1',
              environmentName: 'production',
              root: 'a'.repeat(64),
              state: 'open',
              reason: '',
              quorum: 1,
              createdAt: '',
              request: {
                vaultId: 'v',
                requestId: 'r1',
                name: 'phish',
                version: '1.0.0',
                digest: 'a'.repeat(64),
                environmentId: 'e',
                serial: 1,
                submitter: { name: 'ada', person: 'Ada', keyFingerprint: '' },
                createdAt: '',
                notAfter: '',
              },
            },
            { files: [file] },
          ),
        );
      },
    };
    expect(await sweepVault(vault, system)).toEqual({ temporary: 0, orphans: 0 });
    expect((await vault.artifacts.getBytes(stored.artifactId, stored.digest)).toString()).toBe('a policy');
  });
});

describe('a keychain that stops answering', () => {
  test('does not undo what is durable, and stops the next change before it begins', async () => {
    const secrets = new MemorySecrets();
    let answers = true;
    const ask = <T>(work: () => Promise<T>): Promise<T> =>
      answers ? work() : Promise.reject(new SallyportError('keychain.locked', 'The keychain is locked.'));
    const home = machine({
      keychainSecrets: () => ({
        kind: 'keychain',
        get: (name) => ask(() => secrets.get(name)),
        set: (name, value) => ask(() => secrets.set(name, value)),
        delete: (name) => ask(() => secrets.delete(name)),
        close: async () => {},
      }),
    });
    const { vault } = await testVault({ machine: home });
    await vault.ledger.commit(null, described, () => undefined);
    answers = false;
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', 'first'));
    await expect(
      vault.ledger.commit(null, described, (tx) => tx.setSetting('test', 'second')),
    ).rejects.toMatchObject({ code: 'keychain.locked' });
    expect(vault.store.read.setting('test')).toBe('first');
    answers = true;
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', 'third'));
    expect(JSON.parse((await secrets.get('audit-head')) ?? '{}')).toEqual(vault.store.read.audit.head());
  });
});

describe('changes', () => {
  test('are announced by topic after they are durable, and only while somebody listens', async () => {
    const { vault } = await testVault();
    const heard: string[] = [];
    const stop = vault.ledger.onChange((topics) =>
      heard.push(`${vault.store.read.setting('test')}: ${topics.join(' ')}`),
    );
    await vault.ledger.commit(null, { ...described, action: 'rollout.started' }, (tx) =>
      tx.setSetting('test', '1'),
    );
    stop();
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', '2'));
    expect(heard).toEqual(['1: rollouts requests models endpoints audit overview']);
  });

  test('that throw leave neither work nor entry', async () => {
    const { vault } = await testVault();
    const before = vault.store.read.audit.head();
    const failing = vault.ledger.commit(null, described, (tx) => {
      tx.setSetting('test', '1');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    const undecidable = vault.ledger.commit(null, { ...described, details: { nan: Number.NaN } }, (tx) =>
      tx.setSetting('test', '1'),
    );
    await expect(undecidable).rejects.toMatchObject({ code: 'input.invalid' });
    expect(vault.store.read.setting('test')).toBeNull();
    expect(vault.store.read.audit.head()).toEqual(before);
  });
});

const problem = keyringUnavailable();
describe(`on a real Secret Service${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  test.skipIf(problem !== null)(
    'a vault is created and opened; wiped, it says so; recovered, everything verifies',
    async () => {
      const keyring = await startKeyring();
      try {
        const { adapters } = machine({
          keychainSecrets: (vaultId) => new KeychainSecrets({ vaultId, forkWorker, env: keyring.env }),
        });
        const path = join(temporaryDirectory(), 'vault');
        const { vault, recoveryKey } = await createVault(adapters, path, {
          operator: 'ada',
          person: 'Ada Lovelace',
          operatorPassphrase: OPERATOR_PASSPHRASE,
          keys: { kind: 'keychain' },
        });
        const stored = await vault.artifacts.putBytes(Buffer.from('evidence'));
        await vault.secrets.set('endpoint-token/e1', 'a token');
        await vault.close();

        await keyring.wipe();
        await expect(openVault(adapters, path)).rejects.toMatchObject({ code: 'keychain.missing' });
        const recovered = await recoverVault(adapters, path, { recoveryKey, keys: { kind: 'keychain' } });
        await recovered.close();
        const again = await openVault(adapters, path);
        expect((await again.artifacts.getBytes(stored.artifactId, stored.digest)).toString()).toBe(
          'evidence',
        );
        expect(await again.secrets.get('endpoint-token/e1')).toBe('a token');
        expect((await again.ledger.witness()).status).toBe('agrees');
        expect(readdirSync(path)).not.toContain('secrets.age');
        await again.close();
      } finally {
        await keyring.stop();
      }
    },
  );
});
