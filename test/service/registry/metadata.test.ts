import { describe, expect, test } from 'vitest';
import { lastEntry, phish, registryHome } from '../../support/registry.ts';
import { validationReport } from '../../support/reports.ts';
import { actorWith } from '../../support/vault.ts';

const analyst = actorWith('analyst');
const manager = actorWith('release-manager');

describe('what is said of a version', () => {
  test('is replaced, found by its new words, and the log has before and after of what changed', async () => {
    const at = await registryHome();
    await at.add('1.0.0', { metadata: { owner: 'SOC', tags: ['mail'], metrics: { auc: 0.9 } } });
    const { version } = await at.registry.describe(manager, {
      ...phish('1.0.0'),
      metadata: { owner: 'Blue', tags: ['mail'], licence: 'MIT', permittedToDeploy: false },
    });
    expect(version.metadata).toEqual({
      owner: 'Blue',
      tags: ['mail'],
      licence: 'MIT',
      permittedToDeploy: false,
    });
    expect(lastEntry(at)).toMatchObject({
      action: 'model.described',
      subject: 'phish@1.0.0',
      details: {
        before: { owner: 'SOC', licence: null, metrics: { auc: 0.9 }, permittedToDeploy: null },
        after: { owner: 'Blue', licence: 'MIT', metrics: null, permittedToDeploy: false },
      },
    });
    const find = (text: string) => at.registry.list(analyst, { text, limit: 10, offset: 0 }).total;
    expect([find('owner:blue'), find('owner:soc'), find('metric.auc>0'), find('deployable:no')]).toEqual([
      1, 0, 0, 1,
    ]);
  });

  test('said again is no change and no entry', async () => {
    const at = await registryHome();
    await at.add('1.0.0', { metadata: { owner: 'SOC' } });
    const before = at.vault.store.read.audit.head();
    await at.registry.describe(manager, { ...phish('1.0.0'), metadata: { owner: 'SOC' } });
    expect(at.vault.store.read.audit.head()).toEqual(before);
  });

  test('is refused of a revoked version, with an unknown key, and to an auditor', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    const say = (actor = analyst, metadata = {}) =>
      at.registry.describe(actor, { ...phish('1.0.0'), metadata });
    await expect(say(analyst, { surprise: 1 })).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(say(actorWith('auditor'))).rejects.toMatchObject({ code: 'refused.role' });
    await at.registry.revoke(manager, { ...phish('1.0.0'), reason: 'no' });
    await expect(say(analyst, { owner: 'x' })).rejects.toMatchObject({ code: 'refused.state' });
  });

  test('is refused where it is longer than people write, for the log keeps it for ever', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    const trainingParameters = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`grid.${index}`, 'x'.repeat(1000)]),
    );
    const before = at.vault.store.read.audit.head();
    await expect(
      at.registry.describe(analyst, { ...phish('1.0.0'), metadata: { trainingParameters } }),
    ).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(at.add('1.1.0', { metadata: { trainingParameters } })).rejects.toMatchObject({
      code: 'input.invalid',
    });
    expect(at.vault.store.read.audit.head()).toEqual(before);
  });

  test('is refused where the log could never tell of it: half a surrogate pair, in a value or a name', async () => {
    const at = await registryHome();
    for (const metadata of [{ owner: '\ud800x' }, { tags: ['ok', 'x\udc00'] }, { metrics: { '\ud800': 1 } }])
      await expect(at.add('1.0.0', { metadata })).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(at.add('1.0.0', { metadata: { owner: 'a 🦉' } })).resolves.toBeDefined();
  });

  test('is not what a repeated add may change: with other words or another parent it is refused', async () => {
    const at = await registryHome();
    const path = at.file(3);
    await at.add('0.9.0', { path: at.file(4) });
    const metadata = { owner: 'SOC', metrics: { auc: 0.9 } };
    await at.add('1.0.0', { path, metadata });
    const head = at.vault.store.read.audit.head();
    for (const other of [{ metadata: { owner: 'Blue' } }, { metadata, parent: '0.9.0' }])
      await expect(at.add('1.0.0', { path, ...other })).rejects.toMatchObject({ code: 'conflict' });
    expect(at.vault.store.read.audit.head()).toEqual(head);
    // What was not said contradicts nothing.
    for (const repeated of [{}, { metadata }])
      expect((await at.add('1.0.0', { path, ...repeated })).version.metadata).toEqual(metadata);
  });

  test('shows the chain it stands in', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    await at.add('1.1.0', { parent: '1.0.0' });
    await at.add('1.1.1', { parent: '1.1.0' });
    await at.add('2.0.0', { parent: '1.1.0' });
    expect(at.registry.get(analyst, phish('1.1.0'))).toMatchObject({
      ancestors: ['1.0.0'],
      children: ['1.1.1', '2.0.0'],
    });
    expect(at.registry.get(analyst, phish('2.0.0')).ancestors).toEqual(['1.1.0', '1.0.0']);
  });
});

describe('aliases', () => {
  test('that are protected are moved and taken away by a release manager only, whatever they are called', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    const alias = (actor = analyst, name = 'champion') =>
      at.registry.alias(actor, { name: 'phish', alias: name, version: '1.0.0' });
    const unalias = (actor = analyst, name = 'champion') =>
      at.registry.unalias(actor, { name: 'phish', alias: name });
    await expect(alias()).rejects.toMatchObject({
      code: 'refused.role',
      facts: { permission: 'model.alias-protected' },
    });
    expect(lastEntry(at)).toMatchObject({ action: 'refused' });
    await alias(analyst, 'challenger');
    await alias(manager);
    await expect(unalias()).rejects.toMatchObject({ code: 'refused.role' });
    await at.set({ protectedAliases: ['challenger'] });
    await expect(unalias(analyst, 'challenger')).rejects.toMatchObject({ code: 'refused.role' });
    expect(await unalias(analyst, 'champion')).toEqual({ removed: true });
    expect(lastEntry(at)).toMatchObject({
      action: 'model.unaliased',
      subject: 'phish@1.0.0',
      details: { alias: 'champion', before: '1.0.0' },
    });
    expect(at.registry.get(analyst, phish('1.0.0')).aliases).toEqual(['challenger']);
  });

  test('nobody carries are taken away without a word in the log', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    const before = at.vault.store.read.audit.head();
    expect(await at.registry.unalias(manager, { name: 'phish', alias: 'champion' })).toEqual({
      removed: false,
    });
    expect(at.vault.store.read.audit.head()).toEqual(before);
  });

  test('go with the trust: no champion is a revoked version', async () => {
    const at = await registryHome();
    await at.add('1.0.0');
    await at.registry.alias(manager, { name: 'phish', alias: 'champion', version: '1.0.0' });
    const { aliases, version } = await at.registry.revoke(manager, { ...phish('1.0.0'), reason: 'poisoned' });
    expect([aliases, version.state]).toEqual([[], 'revoked']);
    expect(lastEntry(at)).toMatchObject({ action: 'model.revoked', details: { aliases: ['champion'] } });
    expect(at.vault.store.read.aliased('champion')).toEqual([]);
  });
});

describe('two versions side by side', () => {
  test('differ where their records do, with the newest evidence of each', async () => {
    const at = await registryHome();
    const one = await at.add('1.0.0', {
      metadata: { trainingParameters: { depth: 3, seed: 1 }, owner: 'SOC' },
    });
    await at.add('1.1.0', {
      parent: '1.0.0',
      metadata: { trainingParameters: { depth: 5, trees: 9 }, owner: 'SOC', metrics: { auc: 0.9 } },
    });
    await at.vault.ledger.commit(null, { action: 'validation.run', subject: 'x', details: {} }, (tx) => {
      tx.insertValidation(validationReport('r1', one.version, 0.5));
      tx.insertValidation(validationReport('r2', one.version, 0.75));
    });
    const rows = at.registry.diff(analyst, { a: phish('1.0.0'), b: phish('1.1.0') });
    const field = (group: string, name: string) =>
      rows.find((row) => row.group === group && row.field === name);
    expect(field('training', 'depth')).toEqual({
      group: 'training',
      field: 'depth',
      a: '3',
      b: '5',
      differs: true,
    });
    expect(field('training', 'trees')).toMatchObject({ a: '–', b: '9', differs: true });
    expect(field('training', 'seed')).toMatchObject({ a: '1', b: '–', differs: true });
    expect(field('identity', 'owner')).toMatchObject({ a: 'SOC', b: 'SOC', differs: false });
    expect(field('lineage', 'parent')).toMatchObject({ a: '–', b: '1.0.0', differs: true });
    expect(field('interface', 'input features')).toMatchObject({ differs: true });
    expect(field('evidence', 'roc_auc')).toMatchObject({ a: '0.75', b: '–', differs: true });
    expect(field('operators', 'opset ai.onnx')).toMatchObject({ differs: false });
    const groups = [...new Set(rows.map(({ group }) => group))];
    expect(groups).toEqual([
      'identity',
      'lineage',
      'training',
      'metrics',
      'interface',
      'operators',
      'findings',
      'evidence',
    ]);
    const same = at.registry.diff(analyst, { a: phish('1.0.0'), b: phish('1.0.0') });
    expect(same.filter(({ differs }) => differs)).toEqual([]);
  });
});
