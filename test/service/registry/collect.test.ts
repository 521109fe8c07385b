import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sweepVault } from '../../../electron/services/vault/index.ts';
import { namedArtifacts } from '../../../electron/services/vault/named-artifacts.ts';
import type { EndpointStatus } from '../../../shared/domain/endpoint/endpoint.ts';
import { lastEntry, phish, type RegistryHome, registryHome } from '../../support/registry.ts';
import { actorWith } from '../../support/vault.ts';

const manager = actorWith('release-manager');

/** Five versions, `2.0.0-rc.1` before `2.0.0`. */
const VERSIONS = ['1.0.0', '1.2.0', '1.10.0', '2.0.0-rc.1', '2.0.0'];

async function home(...args: Parameters<typeof registryHome>): Promise<RegistryHome> {
  const at = await registryHome(...args);
  for (const version of VERSIONS) await at.add(version);
  return at;
}
const stateOf = (at: RegistryHome, version: string) => at.vault.store.read.version(phish(version))?.state;
const collect = (at: RegistryHome, dryRun = false) => at.registry.collect(manager, { dryRun });

describe('a collection', () => {
  test('without a rule lets nothing go', async () => {
    const at = await home();
    await at.registry.archive(manager, phish('1.0.0'));
    expect(await collect(at)).toMatchObject({
      archived: [],
      removed: [],
      orphans: [],
      kept: [],
      freedBytes: 0,
    });
    expect(await at.vault.artifacts.list()).toHaveLength(5);
  });

  test('said dry changes nothing and says what the next one does', async () => {
    const at = await home();
    await at.set({ keepLast: 2 });
    const head = at.vault.store.read.audit.head();
    const said = await collect(at, true);
    expect(said.archived.map(({ ref }) => ref)).toEqual(['phish@1.10.0', 'phish@1.2.0', 'phish@1.0.0']);
    expect(at.vault.store.read.audit.head()).toEqual(head);
    expect(await at.vault.artifacts.list()).toHaveLength(5);
    const done = await collect(at);
    expect(done).toEqual({ ...said, dryRun: false });
    expect(await at.vault.artifacts.list()).toHaveLength(2);
    expect(['1.10.0', '2.0.0-rc.1', '2.0.0'].map((version) => stateOf(at, version))).toEqual([
      'archived',
      'draft',
      'draft',
    ]);
    expect(lastEntry(at)).toMatchObject({
      action: 'model.collected',
      subject: 'phish',
      details: { keepLast: 2, removed: ['phish@1.10.0', 'phish@1.2.0', 'phish@1.0.0'] },
    });
    expect(await collect(at)).toMatchObject({ archived: [], removed: [], freedBytes: 0 });
    expect(at.vault.store.read.counts()).toMatchObject({
      versions: 5,
      artifactBytes: at.vault.store.read.allArtifacts().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    });
  });

  test('keeps what carries an alias, is served or kept for a rollback, and says so', async () => {
    const at = await home();
    await at.set({ keepLast: 1 });
    await at.registry.alias(manager, { name: 'phish', alias: 'champion', version: '1.0.0' });
    const digest = (version: string) => at.vault.store.read.version(phish(version))?.digest ?? '';
    const slot = (version: string) => ({ version, digest: digest(version), root: 'a'.repeat(64) });
    const status: EndpointStatus = {
      endpointId: 'e1',
      reachable: true,
      checkedAt: '',
      latencyMs: null,
      problem: null,
      models: [
        { name: 'phish', generation: 1, stable: slot('1.2.0'), canary: null, previous: slot('1.10.0') },
      ],
    };
    await at.vault.ledger.commit(null, { action: 'endpoint.added', subject: 'edge', details: {} }, (tx) => {
      tx.insertEndpoint({
        id: 'e1',
        name: 'edge',
        environmentId: 'x',
        kind: 'agent',
        adminUrl: 'https://a.invalid',
        predictUrl: 'https://b.invalid',
        fingerprint: 'a'.repeat(64),
        signingKeyPem: '',
        ageRecipient: '',
        addedAt: '',
      });
      tx.setStatus(status);
    });
    const done = await collect(at);
    expect(done.kept).toEqual([
      { ref: 'phish@1.10.0', reason: 'on edge' },
      { ref: 'phish@1.2.0', reason: 'on edge' },
      { ref: 'phish@1.0.0', reason: 'champion of phish' },
    ]);
    expect(done.removed.map(({ ref }) => ref)).toEqual(['phish@2.0.0-rc.1']);
  });

  test('removes the file of what was archived or revoked by hand once it is old enough', async () => {
    const at = await home();
    await at.set({ keepLast: 4 });
    await at.registry.revoke(manager, { ...phish('1.0.0'), reason: 'poisoned' });
    await at.registry.revoke(manager, { ...phish('2.0.0'), reason: 'poisoned too' });
    expect((await collect(at)).removed).toMatchObject([{ ref: 'phish@1.0.0', reason: 'revoked' }]);
    expect(stateOf(at, '1.0.0')).toBe('revoked');
  });

  test('is for release managers and administrators, and can be cancelled', async () => {
    const at = await home();
    await expect(at.registry.collect(actorWith('analyst'), { dryRun: true })).rejects.toMatchObject({
      code: 'refused.role',
    });
    const signal = AbortSignal.abort();
    await expect(
      at.registry.collect(manager, { dryRun: false }, { signal, progress: () => {} }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('removes files no record names, but none that somebody may be about to name', async () => {
    const at = await home();
    const old = await at.vault.artifacts.putBytes(Buffer.from('left behind'));
    const fresh = await at.vault.artifacts.putBytes(Buffer.from('just written'));
    const folder = join(at.path, 'artifacts');
    const path = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.includes(old.artifactId),
    );
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(folder, path ?? ''), hourAgo, hourAgo);
    const done = await collect(at);
    expect(done.orphans.map(({ artifactId }) => artifactId)).toEqual([old.artifactId]);
    expect(done.freedBytes).toBe(done.orphans[0]?.sizeBytes);
    const left = await at.vault.artifacts.list();
    expect([left.includes(old.artifactId), left.includes(fresh.artifactId), left.length]).toEqual([
      false,
      true,
      6,
    ]);
  });
});

describe('a removed file', () => {
  test('is gone, its record stays, and whoever wants to read it is told when and by whom it was removed', async () => {
    const at = await home();
    await at.set({ keepLast: 4 });
    await collect(at);
    const { version, allowedActions } = at.registry.get(manager, phish('1.0.0'));
    expect(version).toMatchObject({ state: 'archived', removedBy: 'somebody' });
    expect(version.removedAt).toBeTruthy();
    expect(allowedActions).toEqual(['describe', 'revoke']);
    const told = {
      code: 'refused.state',
      message: expect.stringContaining('by somebody'),
      hint: expect.stringContaining('Adding the same file again'),
    };
    await expect(
      at.registry.export(manager, { ...phish('1.0.0'), directory: at.folder }),
    ).rejects.toMatchObject(told);
    await expect(at.registry.verify(manager, { ref: phish('1.0.0') })).rejects.toMatchObject(told);
    expect(await at.registry.verify(manager, { ref: null })).toMatchObject({ checked: 4, bad: [] });
  });

  test('comes back with the same bytes, as the same version; other bytes are still a conflict', async () => {
    const at = await registryHome();
    const path = at.file(7);
    const first = await at.add('1.0.0', { path });
    await at.add('1.1.0');
    await at.set({ keepLast: 1 });
    await collect(at);
    await expect(at.add('1.0.0', { path: at.file(8) })).rejects.toMatchObject({ code: 'conflict' });
    const again = await at.add('1.0.0', { path });
    expect(lastEntry(at)).toMatchObject({
      action: 'model.added',
      subject: 'phish@1.0.0',
      details: { restored: true },
    });
    expect(again.version).toEqual({
      ...first.version,
      state: 'archived',
      artifactId: again.version.artifactId,
    });
    await at.registry.export(manager, { ...phish('1.0.0'), directory: at.folder });
    expect(existsSync(join(at.folder, 'phish-1.0.0.onnx'))).toBe(true);
    expect(await at.registry.verify(manager, { ref: null })).toMatchObject({ checked: 2, bad: [] });
    expect(await at.vault.artifacts.list()).toHaveLength(2);
  });

  test.each(['collect.committed', 'collect.discarded'])(
    'is gone after the next sweep when the program dies at %s',
    async (point) => {
      class Dead extends Error {}
      const at = await home({
        reached: (passed) => {
          if (passed === point) throw new Dead();
        },
      });
      await at.set({ keepLast: 2 });
      await expect(collect(at)).rejects.toThrow(Dead);
      expect(namedArtifacts(at.vault.store.read)).toHaveLength(2);
      await sweepVault(at.vault, at.adapters.system, { graceMs: 0 });
      expect(await at.vault.artifacts.list()).toHaveLength(2);
      expect(await at.registry.verify(manager, { ref: null })).toMatchObject({ checked: 2, bad: [] });
    },
  );
});
