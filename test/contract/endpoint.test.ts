/** What every endpoint adapter does, run against the fake that other tests use and against a real agent process. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import type { EndpointClient, EndpointConnector } from '../../electron/ports/endpoint.ts';
import type { Endpoint } from '../../shared/domain/endpoint/endpoint.ts';
import { generateCheckpointKey, signCheckpoint } from '../../shared/node/checkpoint/index.ts';
import { startAgent } from '../support/agent.ts';
import { createFakeEndpoint } from '../support/fake-endpoint.ts';
import {
  makeRelease,
  makeRevocation,
  makeSigner,
  makeSite,
  type Site,
  thresholdModel,
} from '../support/release.ts';

interface Subject {
  readonly connector: EndpointConnector;
  readonly endpoint: Endpoint;
  readonly token: string;
  /** Makes the endpoint refuse a release, in the way it would refuse one. */
  readonly refuse: (root: string) => void;
  stop(): Promise<void>;
}

const SUBJECTS: Record<string, (site: Site) => Promise<Subject>> = {
  'in memory': async (site) => {
    const fake = createFakeEndpoint({ environmentId: site.environmentId });
    fake.revokers.push(...site.approvers.map(({ key }) => key.publicKeyPem));
    return {
      connector: fake.connector,
      endpoint: fake.endpoint,
      token: fake.token,
      refuse: (root) => fake.refusedRoots.add(root),
      stop: async () => {},
    };
  },
  'agent process': async (site) => {
    const agent = await startAgent(site);
    const connector = createAgentConnector();
    const { signingKeyPem, ageRecipient, environmentId } = await connector.probe(agent.adminUrl, agent.token);
    return {
      connector,
      token: agent.token,
      endpoint: {
        id: 'e1',
        name: 'edge',
        kind: 'agent',
        environmentId,
        signingKeyPem,
        ageRecipient,
        adminUrl: agent.adminUrl,
        predictUrl: agent.predictUrl,
        fingerprint: agent.fingerprint,
        addedAt: new Date().toISOString(),
      },
      // The release the test makes for this is signed by strangers.
      refuse: () => {},
      stop: () => agent.remove(),
    };
  },
};

const CANARY = { percent: 10, mirrorSample: 1, salt: 'a-plan-salt' } as const;

describe.each(Object.keys(SUBJECTS))('an endpoint (%s)', (kind) => {
  const note = generateCheckpointKey('vault');
  let site: Site;
  let subject: Subject;
  let client: EndpointClient;

  beforeEach(async () => {
    site = makeSite({ vaultId: 'vault', checkpointKey: note.vkey });
    const open = SUBJECTS[kind];
    if (!open) throw new Error(kind);
    subject = await open(site);
    client = subject.connector.connect(subject.endpoint, async () => subject.token);
  });
  afterEach(async () => {
    await client.close();
    await subject.stop();
  });

  const release = (version: string, serial: number) =>
    makeRelease(site, { version, serial, model: thresholdModel(serial) });
  const push = async (version: string, serial: number) => {
    const made = release(version, serial);
    await client.push(made, () => {});
    return made;
  };
  const serve = async (root: string, expectedGeneration: number) =>
    client.route('phish', {
      key: `stable-${root}-${expectedGeneration}`,
      expectedGeneration,
      stableRoot: root,
      canary: null,
    });

  test('says who it is, and the fingerprint it is pinned by', async () => {
    const probed = await subject.connector.probe(subject.endpoint.adminUrl, subject.token);
    expect(probed.fingerprint).toBe(subject.endpoint.fingerprint);
    expect(await client.identity()).toMatchObject({
      product: 'sallyport-agent',
      environmentId: site.environmentId,
    });
  });

  test('takes a release twice as once, and tells progress to the end', async () => {
    const made = release('1.0.0', 1);
    const seen: number[] = [];
    await client.push(made, (sent, total) => seen.push(sent / total));
    await client.push(made, () => {});
    expect(seen.at(-1)).toBe(1);
    expect(await client.models()).toEqual([]);
  });

  test('routes to what was pushed and proves the bytes it loaded', async () => {
    const made = await push('1.0.0', 1);
    const receipt = await serve(made.root, 0);
    expect(receipt.model).toMatchObject({
      name: 'phish',
      generation: 1,
      stable: { version: '1.0.0', digest: made.request.digest, root: made.root },
    });
    expect(receipt.loaded).toContainEqual({ version: '1.0.0', digest: made.request.digest });
    expect(await client.models()).toEqual([receipt.model]);
  });

  test('keeps stable beside a canary, and gives the same answer to the same key', async () => {
    const first = await push('1.0.0', 1);
    await serve(first.root, 0);
    const second = await push('1.1.0', 2);
    const change = {
      key: 'k',
      expectedGeneration: 1,
      stableRoot: first.root,
      canary: { root: second.root, ...CANARY },
    };
    const receipt = await client.route('phish', change);
    expect(receipt.model).toMatchObject({
      generation: 2,
      stable: { version: '1.0.0' },
      canary: { version: '1.1.0', percent: 10 },
    });
    const again = await client.route('phish', change);
    expect(again.model).toEqual(receipt.model);
    expect((await client.traffic('phish')).generation).toBe(2);
  });

  test('refuses a change made on an old view of the routing', async () => {
    const made = await push('1.0.0', 1);
    await serve(made.root, 0);
    await expect(
      serve(made.root, 0).then(() =>
        client.route('phish', { key: 'other', expectedGeneration: 0, stableRoot: made.root, canary: null }),
      ),
    ).rejects.toMatchObject({ code: 'endpoint.stale' });
    expect((await client.models())[0]?.generation).toBe(1);
  });

  test('refuses to route to what it does not hold', async () => {
    await expect(serve('0'.repeat(64), 0)).rejects.toMatchObject({ code: 'endpoint.refused' });
  });

  test('refuses a release that too few of its approvers signed', async () => {
    const made = makeRelease(site, { signers: [site.submitter] });
    subject.refuse(made.root);
    await expect(client.push(made, () => {})).rejects.toMatchObject({ code: 'endpoint.refused' });
  });

  test('goes back: a canary first, then to the version before', async () => {
    const first = await push('1.0.0', 1);
    const second = await push('1.1.0', 2);
    await serve(first.root, 0);
    await serve(second.root, 1);
    const third = await push('1.2.0', 3);
    await client.route('phish', {
      key: 'c',
      expectedGeneration: 2,
      stableRoot: second.root,
      canary: { root: third.root, ...CANARY },
    });
    const dropped = await client.rollback('phish', { key: 'r1', to: null });
    expect(dropped.model).toMatchObject({
      generation: 4,
      canary: null,
      stable: { version: '1.1.0' },
      previous: { version: '1.0.0' },
    });
    const back = await client.rollback('phish', { key: 'r2', to: null });
    expect(back.model).toMatchObject({
      generation: 5,
      stable: { version: '1.0.0' },
      previous: { version: '1.1.0' },
    });
    expect((await client.rollback('phish', { key: 'r2', to: null })).model).toEqual(back.model);
  });

  test('goes back at the generation that is named, and not at another', async () => {
    const first = await push('1.0.0', 1);
    const second = await push('1.1.0', 2);
    await serve(first.root, 0);
    await serve(second.root, 1);
    await expect(
      client.rollback('phish', { key: 'old', to: null, expectedGeneration: 1 }),
    ).rejects.toMatchObject({ code: 'endpoint.stale' });
    const wish = { key: 'now', to: null, expectedGeneration: 2 };
    const back = await client.rollback('phish', wish);
    expect(back.model).toMatchObject({ generation: 3, stable: { version: '1.0.0' }, moved: null });
    // A reading, whatever generation the reader thought it was.
    for (const generation of [2, 3])
      expect(await client.renew('phish', generation)).toMatchObject({ generation: 3, moved: null });
    expect((await client.rollback('phish', wish)).model).toEqual(back.model);
  });

  test('goes back to a named version that it served, and to no other', async () => {
    const roots = [];
    for (const [index, version] of ['1.0.0', '1.1.0', '1.2.0'].entries()) {
      const made = await push(version, index + 1);
      roots.push(made.root);
      await serve(made.root, index);
    }
    expect((await client.rollback('phish', { key: 'r', to: '1.0.0' })).model).toMatchObject({
      stable: { version: '1.0.0', root: roots[0] },
      previous: { version: '1.2.0' },
    });
    await expect(client.rollback('phish', { key: 'r9', to: '9.9.9' })).rejects.toMatchObject({
      code: 'endpoint.refused',
    });
  });

  test('has nothing to go back to before the second version', async () => {
    const made = await push('1.0.0', 1);
    await serve(made.root, 0);
    await expect(client.rollback('phish', { key: 'r', to: null })).rejects.toMatchObject({
      code: 'endpoint.refused',
    });
  });

  test('takes a revoked version out for good, and goes back to the one before', async () => {
    const first = await push('1.0.0', 1);
    const second = await push('1.1.0', 2);
    await serve(first.root, 0);
    await serve(second.root, 1);
    const signed = makeRevocation(site, second, 1);
    const receipt = await client.revoke(signed);
    expect(receipt).toMatchObject({ serial: 1, digest: second.request.digest });
    expect(receipt.models).toMatchObject([
      {
        generation: 3,
        stable: { version: '1.0.0' },
        previous: null,
        moved: { kind: 'revoked', from: 2, version: '1.1.0' },
      },
    ]);
    expect((await client.revoke(signed)).models).toEqual(receipt.models);
    expect(await client.revocations()).toMatchObject([{ serial: 1, version: '1.1.0' }]);
    for (const back of [
      () => serve(second.root, 3),
      () => client.push(second, () => {}),
      () => client.rollback('phish', { key: 'r', to: '1.1.0' }),
      () => client.rollback('phish', { key: 'r0', to: null }),
    ])
      await expect(back()).rejects.toMatchObject({ code: 'endpoint.refused' });
    expect(await client.models()).toEqual(receipt.models);
  });

  test('refuses a revocation by a stranger, of other words, and one that is not new', async () => {
    const made = await push('1.0.0', 1);
    await serve(made.root, 0);
    const good = makeRevocation(site, made, 2);
    const unknown = makeRevocation(site, { request: { ...made.request, digest: 'a'.repeat(64) } }, 2);
    await client.revoke(unknown);
    for (const bad of [
      makeRevocation(site, made, 3, { signer: makeSigner('Nobody Known') }),
      { ...makeRevocation(site, made, 3), revocation: good.revocation },
      good,
      makeRevocation(site, made, 1),
    ])
      await expect(client.revoke(bad)).rejects.toMatchObject({ code: 'endpoint.refused' });
    expect((await client.models())[0]).toMatchObject({ generation: 1, stable: { version: '1.0.0' } });
  });

  test('keeps checkpoints in order and refuses one that contradicts them', async () => {
    const at = (size: number, fill: string) =>
      signCheckpoint({ origin: 'sallyport/vault', size, root: fill.repeat(32) }, note.skey);
    await client.storeCheckpoint(site.vaultId, at(10, 'aa'));
    await client.storeCheckpoint(site.vaultId, at(20, 'bb'));
    await client.storeCheckpoint(site.vaultId, at(20, 'bb'));
    await expect(client.storeCheckpoint(site.vaultId, at(20, 'cc'))).rejects.toMatchObject({
      code: 'endpoint.refused',
    });
    await expect(client.storeCheckpoint(site.vaultId, at(15, 'dd'))).rejects.toMatchObject({
      code: 'endpoint.refused',
    });
    expect(await client.checkpoints(site.vaultId)).toEqual([at(10, 'aa'), at(20, 'bb')]);
  });

  test('lets nobody in with a wrong token', async () => {
    const stranger = subject.connector.connect(
      subject.endpoint,
      async () => 'sat_0123456789012345678901234567890123456789',
    );
    await expect(stranger.models()).rejects.toMatchObject({ code: 'endpoint.unauthorized' });
    await stranger.close();
  });

  test('is refused by the console when its key is not the pinned one', async () => {
    const other = subject.connector.connect(
      { ...subject.endpoint, fingerprint: 'f'.repeat(64) },
      async () => subject.token,
    );
    await expect(other.models()).rejects.toMatchObject({ code: 'integrity.endpoint' });
    await expect(other.identity()).rejects.toMatchObject({ code: 'integrity.endpoint' });
    await other.close();
  });

  test('stops when it is told to', async () => {
    await expect(client.models(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });
});
