import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AddVersionInput } from '../../../electron/services/registry/add-version.ts';
import { createRegistryService, type RegistryService } from '../../../electron/services/registry/index.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { logisticRegression, model } from '../../support/onnx-builder.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, type TestVault, testVault } from '../../support/vault.ts';

const MODEL = model(logisticRegression(3));
const OTHER = model(logisticRegression(4));
const manager = actorWith('release-manager');

interface Home extends TestVault {
  readonly registry: RegistryService;
  readonly folder: string;
  readonly file: string;
  add(input?: Partial<AddVersionInput>, actor?: Actor): ReturnType<RegistryService['add']>;
}

async function home(): Promise<Home> {
  const vault = await testVault();
  const registry = createRegistryService({
    ledger: vault.vault.ledger,
    artifacts: vault.vault.artifacts,
    inspector: vault.inspector,
    system: vault.adapters.system,
  });
  const folder = temporaryDirectory();
  const file = join(folder, 'model.onnx');
  writeFileSync(file, MODEL);
  writeFileSync(join(folder, 'other.onnx'), OTHER);
  const add: Home['add'] = (input = {}, actor = vault.admin) =>
    registry.add(actor, {
      path: file,
      name: 'phish',
      version: '1.0.0',
      parent: null,
      metadata: {},
      ...input,
    });
  return { ...vault, registry, folder, file, add };
}
const lastAction = ({ vault }: TestVault) =>
  vault.store.read.audit.page({ before: null, limit: 1, text: '' }).entries[0];

describe('adding a version', () => {
  test('stores, reads and scans it, guesses its mapping, and writes it into the log', async () => {
    const at = await home();
    const { version, allowedActions } = await at.add({ metadata: { owner: 'SOC', tags: ['mail'] } });
    const digest = createHash('sha256').update(MODEL).digest('hex');
    expect(version).toMatchObject({
      name: 'phish',
      version: '1.0.0',
      digest,
      sizeBytes: MODEL.length,
      state: 'draft',
      addedBy: 'ada',
    });
    expect(version.mapping).toMatchObject({
      input: 'features',
      labelOutput: 'label',
      scoreOutput: 'probabilities',
    });
    expect(version.rulesRun.length).toBeGreaterThan(5);
    expect(allowedActions).toEqual([
      'validate',
      'map',
      'describe',
      'alias',
      'archive',
      'revoke',
      'export',
      'verify',
    ]);
    expect(lastAction(at)).toMatchObject({
      action: 'model.added',
      subject: 'phish@1.0.0',
      details: { digest },
    });
    expect(await at.vault.artifacts.readAll(version.artifactId, digest)).toEqual(Buffer.from(MODEL));
  });

  test('twice with the same bytes answers the version that is there, and keeps one file', async () => {
    const at = await home();
    const first = await at.add();
    const entries = at.vault.store.read.audit.head()?.seq;
    expect((await at.add()).version).toEqual(first.version);
    expect(await at.vault.artifacts.list()).toEqual([first.version.artifactId]);
    expect(at.vault.store.read.audit.head()?.seq).toBe(entries);
  });

  test('with other bytes under the same version is a conflict, and the first stays', async () => {
    const at = await home();
    const { version } = await at.add();
    await expect(at.add({ path: join(at.folder, 'other.onnx') })).rejects.toMatchObject({
      code: 'conflict',
      facts: { registered: version.digest },
    });
    expect(at.registry.get(at.admin, version).version).toEqual(version);
    expect(await at.vault.artifacts.list()).toEqual([version.artifactId]);
  });

  test('twice at once keeps one row and one file', async () => {
    const at = await home();
    const outcomes = await Promise.allSettled([at.add(), at.add()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(at.vault.store.read.counts().versions).toBe(1);
    expect(await at.vault.artifacts.list()).toHaveLength(1);
  });

  test.each([
    ['a path as its name', { name: '../phish' }, 'input.invalid'],
    ['a version that is none', { version: 'v1' }, 'input.invalid'],
    ['an unknown parent', { parent: '0.9.0' }, 'not-found'],
    ['itself as its parent', { parent: '1.0.0' }, 'input.invalid'],
    ['metadata with an unknown key', { metadata: { surprise: 1 } as object }, 'input.invalid'],
    ['no such file', { path: '/nowhere/model.onnx' }, 'not-found'],
  ])('with %s is refused and keeps nothing', async (_what, input, code) => {
    const at = await home();
    await expect(at.add(input)).rejects.toMatchObject({ code });
    expect(at.vault.store.read.counts().versions).toBe(0);
    expect(await at.vault.artifacts.list()).toEqual([]);
  });

  test.each([
    ['not an ONNX file', Buffer.from('GIF89a, surely no model'), 'model.not-onnx'],
    ['a file cut off', MODEL.subarray(0, MODEL.length - 20), 'model.truncated'],
  ])('refuses %s', async (_what, bytes, code) => {
    const at = await home();
    const path = join(at.folder, 'bad.onnx');
    writeFileSync(path, bytes);
    await expect(at.add({ path })).rejects.toMatchObject({ code });
    expect(await at.vault.artifacts.list()).toEqual([]);
  });

  test('with a critical finding is refused, and the refusal is in the log with its rule', async () => {
    const at = await home();
    const path = join(at.folder, 'evil.onnx');
    const spec = logisticRegression(3);
    writeFileSync(
      path,
      model({
        ...spec,
        graph: {
          ...spec.graph,
          nodes: [
            ...(spec.graph?.nodes ?? []),
            { type: 'PythonOp', domain: 'ai.onnx.contrib', inputs: ['logits'], outputs: ['x'] },
          ],
        },
      }),
    );
    await expect(at.add({ path })).rejects.toMatchObject({ code: 'refused.scan' });
    expect(lastAction(at)).toMatchObject({ action: 'model.refused', subject: 'phish@1.0.0' });
    expect(JSON.stringify(lastAction(at)?.details)).toContain('ruleId');
    expect(await at.vault.artifacts.list()).toEqual([]);
    const inspected = await at.registry.inspectFile(at.admin, { path });
    expect(inspected.findings.some(({ severity }) => severity === 'critical')).toBe(true);
    expect(
      readdirSync(join(at.path, 'artifacts'), { recursive: true }).filter((name) =>
        String(name).endsWith('.tmp'),
      ),
    ).toEqual([]);
  });

  test('is for analysts', async () => {
    const at = await home();
    await expect(at.add({}, manager)).rejects.toMatchObject({ code: 'refused.role' });
    expect(lastAction(at)).toMatchObject({ action: 'refused', details: { permission: 'model.add' } });
  });
});

describe('what may be done with a version', () => {
  test('an alias moves, and an aliased version is not archived', async () => {
    const at = await home();
    await at.add();
    await at.add({ version: '1.1.0', path: join(at.folder, 'other.onnx'), parent: '1.0.0' });
    await at.registry.alias(manager, { name: 'phish', alias: 'champion', version: '1.0.0' });
    await expect(at.registry.archive(at.admin, { name: 'phish', version: '1.0.0' })).rejects.toMatchObject({
      code: 'refused.state',
    });
    const moved = await at.registry.alias(manager, { name: 'phish', alias: 'champion', version: '1.1.0' });
    expect(moved.aliases).toEqual(['champion']);
    expect(lastAction(at)).toMatchObject({
      action: 'model.aliased',
      details: { alias: 'champion', before: '1.0.0' },
    });
    const archived = await at.registry.archive(at.admin, { name: 'phish', version: '1.0.0' });
    expect(archived).toMatchObject({
      version: { state: 'archived' },
      aliases: [],
      allowedActions: ['describe', 'revoke', 'export', 'verify'],
    });
  });

  test('a mapping names what the model has; on a validated version it takes the validation back', async () => {
    const at = await home();
    const { version } = await at.add();
    const mapping = { ...(version.mapping ?? expect.fail('no mapping')), threshold: 0.7 };
    await at.vault.ledger.commit(
      null,
      { action: 'validation.run', subject: 'phish@1.0.0', details: {} },
      (tx) => tx.setState(version, 'validated'),
    );
    await expect(
      at.registry.setMapping(at.admin, { ...version, mapping: { ...mapping, scoreOutput: 'nothing' } }),
    ).rejects.toMatchObject({ code: 'input.invalid' });
    const mapped = await at.registry.setMapping(at.admin, { ...version, mapping });
    expect(mapped.version).toMatchObject({ state: 'draft', mapping: { threshold: 0.7 } });
  });

  test('a revoked version stays revoked', async () => {
    const at = await home();
    const { version } = await at.add();
    const revoked = await at.registry.revoke(at.admin, { ...version, reason: 'poisoned training data' });
    expect(revoked.version.state).toBe('revoked');
    expect(lastAction(at)).toMatchObject({ details: { reason: 'poisoned training data', before: 'draft' } });
    await expect(at.registry.revoke(at.admin, { ...version, reason: 'again' })).rejects.toMatchObject({
      code: 'refused.state',
    });
    await expect(
      at.registry.alias(manager, { name: 'phish', alias: 'champion', version: '1.0.0' }),
    ).rejects.toMatchObject({ code: 'refused.state' });
  });

  test('shows where it serves, by digest', async () => {
    const at = await home();
    const { version } = await at.add();
    const slot = { version: '1.0.0', digest: version.digest, root: 'a'.repeat(64) };
    await at.vault.ledger.commit(null, { action: 'endpoint.added', subject: 'edge', details: {} }, (tx) => {
      tx.insertEndpoint({
        id: 'e1',
        name: 'edge',
        environmentId: 'x',
        kind: 'agent',
        adminUrl: 'http://127.0.0.1:1',
        predictUrl: 'http://127.0.0.1:2',
        fingerprint: 'b'.repeat(64),
        signingKeyPem: '',
        ageRecipient: '',
        addedAt: '2026-01-01T00:00:00.000Z',
      });
      tx.setStatus({
        endpointId: 'e1',
        reachable: true,
        checkedAt: '',
        latencyMs: 1,
        problem: null,
        models: [
          {
            name: 'phish',
            generation: 3,
            stable: { ...slot, digest: 'c'.repeat(64) },
            canary: { ...slot, percent: 10, mirrorSample: 1 },
            previous: null,
          },
        ],
      });
    });
    expect(at.registry.get(at.admin, version).deployedOn).toEqual([
      { endpoint: 'edge', role: 'canary', percent: 10 },
    ]);
    await expect(at.registry.archive(at.admin, version)).rejects.toMatchObject({ code: 'refused.state' });
  });
});

describe('the bytes of a version', () => {
  test('come out exact, and an existing file is not overwritten', async () => {
    const at = await home();
    const { version } = await at.add();
    const directory = join(at.folder, 'out');
    mkdirSync(directory);
    const { path, digest } = await at.registry.export(at.admin, { ...version, directory });
    expect(readFileSync(path)).toEqual(Buffer.from(MODEL));
    expect(digest).toBe(version.digest);
    expect(lastAction(at)).toMatchObject({ action: 'model.exported' });
    await expect(at.registry.export(at.admin, { ...version, directory })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('with one bit flipped are named by verify, and do not come out', async () => {
    const at = await home();
    const { version } = await at.add();
    await at.add({ version: '1.1.0', path: join(at.folder, 'other.onnx') });
    const stored = join(at.path, 'artifacts', version.artifactId.slice(0, 2), `${version.artifactId}.age`);
    const bytes = readFileSync(stored);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(stored, bytes);
    expect(await at.registry.verify(at.admin, { ref: null })).toMatchObject({
      checked: 2,
      bad: [{ ref: 'phish@1.0.0' }],
    });
    expect(await at.registry.verify(at.admin, { ref: { name: 'phish', version: '1.1.0' } })).toMatchObject({
      checked: 1,
      bytes: OTHER.length,
      bad: [],
    });
    await expect(at.registry.export(at.admin, { ...version, directory: at.folder })).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
    expect(existsSync(join(at.folder, 'phish-1.0.0.onnx'))).toBe(false);
  });
});

test('an unknown version is not found', async () => {
  const at = await home();
  expect(() => at.registry.get(at.admin, { name: 'phish', version: '9.9.9' })).toThrow(
    expect.objectContaining({ code: 'not-found' }),
  );
});
