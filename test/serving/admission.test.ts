import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { ReleasePackage } from '../../electron/ports/endpoint.ts';
import { buildStatement, signStatement } from '../../shared/node/model-signing/index.ts';
import { startAgent } from '../support/agent.ts';
import {
  LOGISTIC_MAPPING,
  makeRelease,
  makeSigner,
  makeSite,
  type ReleaseOptions,
  type Site,
  thresholdModel,
} from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

/** The agent's own code for why it refused. */
async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'accepted',
    (error: { code?: string; facts?: { reason?: string } }) => error.facts?.reason ?? error.code ?? error,
  );
}

describe('a release is let in only with its quorum', () => {
  let site: Site;
  let on: Stage;
  beforeAll(async () => {
    site = makeSite();
    on = await onAgent(site, await startAgent(site));
  });
  afterAll(() => on.agent.remove());

  const push = (options: ReleaseOptions) => refusalOf(on.client.push(makeRelease(site, options), () => {}));

  test('with the submitter and two approvers', async () => {
    expect(await push({})).toBe('accepted');
  });
  test('with two approvers whose submitter is unknown here', async () => {
    const outsider = makeSigner('Nobody Known');
    expect(await push({ submitter: outsider, signers: [...site.approvers] })).toBe('accepted');
  });
  test('not with one approver missing', async () => {
    expect(await push({ signers: [site.submitter, site.approvers[0]] })).toBe('refused.quorum');
  });
  test('not with one approver twice', async () => {
    expect(await push({ signers: [site.approvers[0], site.approvers[0]] })).toBe('refused.quorum');
  });
  test('not with an approver who submitted it', async () => {
    expect(await push({ submitter: site.approvers[0], signers: [...site.approvers] })).toBe('refused.quorum');
  });
  test('not when an approver submitted it under another name', async () => {
    expect(
      await push({
        submitter: { ...site.approvers[0], person: 'Somebody Else' },
        signers: [...site.approvers],
      }),
    ).toBe('refused.quorum');
  });
  test('not when the submitter has another approver’s name with a different key', async () => {
    expect(await push({ submitter: makeSigner('ada  BYRON'), signers: [...site.approvers] })).toBe(
      'refused.quorum',
    );
  });
  test('not by keys that are not pinned', async () => {
    expect(await push({ signers: [makeSigner('Ada Byron'), makeSigner('Grace Hopper')] })).toBe(
      'refused.quorum',
    );
  });
  test('not with signatures over another directory', async () => {
    const made = makeRelease(site, { version: '3.0.0' });
    const other = makeRelease(site, { version: '3.0.1' });
    const mixed: ReleasePackage = { ...made, bundles: [made.bundles[1] ?? '', other.bundles[2] ?? ''] };
    expect(await refusalOf(on.client.push(mixed, () => {}))).toBe('refused.quorum');
  });
  test('not with a signature that was changed', async () => {
    const made = makeRelease(site, { version: '3.0.2' });
    const bundles = made.bundles.map((bundle) => {
      const parsed = JSON.parse(bundle) as { dsseEnvelope: { signatures: { sig: string }[] } };
      const [signature] = parsed.dsseEnvelope.signatures;
      if (signature)
        signature.sig = `${signature.sig.slice(0, 20)}${signature.sig[20] === 'A' ? 'B' : 'A'}${signature.sig.slice(21)}`;
      return JSON.stringify(parsed);
    });
    expect(await refusalOf(on.client.push({ ...made, bundles }, () => {}))).toBe('integrity.signature');
  });
  test('not for another environment', async () => {
    expect(await push({ environmentId: 'staging-0' })).toBe('refused.environment');
  });
  test('not from another vault', async () => {
    expect(await push({ vaultId: 'another' })).toBe('refused.quorum');
  });
  test('not after its end', async () => {
    expect(await push({ notAfter: new Date(Date.now() - 1000).toISOString() })).toBe('refused.expired');
  });
  test('not with a file that has no place in it', async () => {
    expect(await push({ change: (files) => files.set('.gitattributes', Buffer.from('*')) })).toBe(
      'integrity.signature',
    );
  });
  test('not without one of its files', async () => {
    expect(await push({ change: (files) => files.delete('policy.yaml') })).toBe('integrity.signature');
  });
  test('not with another model than the request names', async () => {
    expect(await push({ change: (files) => files.set('model.onnx', thresholdModel(9)) })).toBe(
      'integrity.signature',
    );
  });
  test('not when a file arrives that is not the one that was signed', async () => {
    const made = makeRelease(site, { version: '3.1.0' });
    const files = made.files.map((file) =>
      file.name === 'model.onnx' ? { ...file, open: () => once(Buffer.alloc(file.sizeBytes, 7)) } : file,
    );
    expect(await refusalOf(on.client.push({ ...made, files }, () => {}))).toBe('integrity.artifact');
    // What was wrong is gone: the right bytes are taken without more ado.
    expect(await refusalOf(on.client.push(made, () => {}))).toBe('accepted');
  });
});

test('given a newer release was served, when an older one that never was comes, then it is refused; one that was served may come back', async () => {
  const site = makeSite();
  const on = await onAgent(site, await startAgent({ ...site, limits: { keepReleases: 0 } }));
  try {
    const made = (serial: number) =>
      makeRelease(site, { version: `1.${serial}.0`, serial, model: thresholdModel(serial) });
    const [first, second, third, fourth] = [made(1), made(2), made(3), made(4)];

    await on.serve(first);
    await on.serve(third);
    expect(await refusalOf(on.client.push(second, () => {}))).toBe('refused.state');
    await on.serve(fourth);
    // `first` was removed from the disk by now; it was served here, so its serial does not stand in its way.
    await on.serve(first);
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
    // A serial counts for its own model only.
    await on.serve(makeRelease(site, { name: 'intrusion', serial: 2, model: thresholdModel(5) }));
    expect((await on.predict([9, 9, 9], { model: 'intrusion' })).body.predictions).toEqual([1]);
  } finally {
    await on.agent.remove();
  }
});

test('given a release was let in, when the agent asks for more approvals since, then it is not served', async () => {
  const site = makeSite();
  const agent = await startAgent(site);
  try {
    const on = await onAgent(site, agent);
    const made = makeRelease(site);
    await on.client.push(made, () => {});
    await agent.stop();
    const stranger = makeSigner('Katherine Johnson');
    const approvers = [
      ...site.trust.approvers,
      { person: stranger.person, name: stranger.name, publicKeyPem: stranger.key.publicKeyPem },
    ];
    await writeFile(join(agent.directory, 'trust.yaml'), stringify({ ...site.trust, approvers, quorum: 3 }));
    await agent.restart();
    const change = { key: 'k', expectedGeneration: 0, stableRoot: made.root, canary: null };
    expect(await refusalOf(on.client.route('phish', change))).toBe('refused.quorum');
    expect(await on.client.models()).toEqual([]);
  } finally {
    await agent.remove();
  }
});

test('given a release was served, when its approvers are trusted no longer, then a rollback to it still works at once', async () => {
  const site = makeSite();
  const agent = await startAgent(site);
  try {
    const on = await onAgent(site, agent);
    const served = makeRelease(site, { serial: 1 });
    await on.serve(served);
    await on.serve(makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(5) }));
    await agent.stop();
    const strangers = [makeSigner('Katherine Johnson'), makeSigner('Mary Jackson')];
    const approvers = strangers.map(({ person, name, key }) => ({
      person,
      name,
      publicKeyPem: key.publicKeyPem,
    }));
    await writeFile(join(agent.directory, 'trust.yaml'), stringify({ ...site.trust, approvers }));
    await agent.restart();
    const receipt = await on.client.rollback('phish', { key: 'back', to: null });
    expect(receipt.model.stable).toMatchObject({ version: served.version, root: served.root });
    // Nothing new of theirs comes in.
    const late = makeRelease(site, { version: '1.2.0', serial: 3 });
    expect(await refusalOf(on.client.push(late, () => {}))).toBe('refused.quorum');
  } finally {
    await agent.remove();
  }
});

test('not when one of the signers gives the files of the signed root other names', async () => {
  const site = makeSite();
  const on = await onAgent(site, await startAgent(site));
  try {
    // Six digests, in the order of two different directories: the bill of materials would be read as the dossier.
    const made = makeRelease(site, {
      change: (files) =>
        files.set(
          'bom.cdx.json',
          Buffer.from(JSON.stringify({ mapping: { ...LOGISTIC_MAPPING, positiveLabel: 0 } })),
        ),
    });
    const names = ['dossier.json', 'model-card.md', 'model.onnx', 'plan.json', 'policy.yaml', 'request.json'];
    const files = made.files.map((file, at) => ({ ...file, name: names[at] ?? '' }));
    const statement = buildStatement({ name: 'phish-1.0.0', resources: files });
    const { key } = site.approvers[0];
    const renamed = signStatement(statement, key.privateKeyPkcs8Pem, key.publicKeyPem);
    const release = { ...made, files, bundles: [renamed, ...made.bundles] };
    expect(await refusalOf(on.client.push(release, () => {}))).toBe('integrity.signature');
    expect(await refusalOf(on.client.push(made, () => {}))).toBe('accepted');
  } finally {
    await on.agent.remove();
  }
});

test('a model may have the name of what every object inherits', async () => {
  const site = makeSite();
  const on = await onAgent(site, await startAgent(site));
  try {
    await on.serve(makeRelease(site, { name: 'constructor' }));
    expect((await on.predict([1, 1, 1], { model: 'constructor' })).body.model_version).toBe('1.0.0');
  } finally {
    await on.agent.remove();
  }
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
