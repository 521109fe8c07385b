/** A request freezes what is asked for; people sign it; nothing else lets it out. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelSigner } from '../../electron/adapters/signing/model-signing.ts';
import type { RequestRecord } from '../../shared/domain/approval/request.ts';
import { openDatabase } from '../../shared/node/sqlite/database.ts';
import { type Stage, stage } from '../support/release-stage.ts';

const HOUR = 3_600_000;

async function ready(version = '1.0.0', options: Parameters<typeof stage>[0] = {}): Promise<Stage> {
  const at = await stage(options);
  await at.validate(await at.addVersion(version));
  return at;
}
const approve = (at: Stage, who: 'ana' | 'ben' | 'cleo', id: string) =>
  at.requests.approve(at[who], { id, passphrase: at.passphrase });

function artifactPath(at: Stage, id: string, name: string): string {
  const file = at.vault.store.read.requestFiles(id)?.files.find((each) => each.name === name);
  if (!file) throw new Error(`no ${name}`);
  return join(at.vault.path, 'artifacts', file.artifactId.slice(0, 2), `${file.artifactId}.age`);
}

/** Files of the artifact store: a refused submission must leave none of its own. */
function artifactCount(at: Stage): number {
  const names = readdirSync(join(at.vault.path, 'artifacts'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.age') || name.endsWith('.tmp')).length;
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length - 20;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe('submitting', () => {
  test('freezes model, plan, policy, evidence and request, and signs them as the submitter', async () => {
    const at = await ready();
    const record = await at.submit('1.0.0', { steps: [25, 100] });
    const view = await at.requests.get(at.ben, { id: record.id });
    expect(view.files.map((file) => file.name)).toEqual([
      'dossier.json',
      'model.onnx',
      'plan.json',
      'policy.yaml',
      'request.json',
    ]);
    expect(view.plan.steps).toEqual([25, 100]);
    expect(view.plan.salt).toMatch(/^[0-9a-f]{32}$/);
    expect(view.dossier.validation.metrics.accuracy).toBe(0.95);
    expect(view.dossier.scan.rulesRun.length).toBeGreaterThan(3);
    expect(view.record.request).toMatchObject({
      vaultId: at.vault.id,
      environmentId: at.environment.id,
      serial: 1,
      submitter: { person: 'Ana Analyst' },
      notAfter: new Date(at.clock.now() + 24 * HOUR).toISOString(),
    });
    const [own] = at.vault.store.read.approvals(record.id);
    expect(own).toMatchObject({ kind: 'submission', person: 'Ana Analyst' });
    const operator = at.vault.store.read.operatorByName('ana');
    const signed = modelSigner.verify(own?.bundle ?? '', operator?.publicKeyPem ?? '');
    expect(signed.root).toBe(record.root);
    expect(signed.files.map(({ digest }) => digest)).toEqual(view.files.map(({ digest }) => digest));
  });

  test('counts serials per environment', async () => {
    const at = await ready();
    const serials = [];
    for (let i = 0; i < 3; i++) serials.push((await at.submit('1.0.0')).request.serial);
    expect(serials).toEqual([1, 2, 3]);
  });

  test.each([
    ['no validation', 'refused.gate', async (at: Stage) => void (await at.addVersion('1.1.0'))],
    [
      'a validation of other bytes',
      'refused.gate',
      async (at: Stage) => at.validate(await at.addVersion('1.1.0'), { digest: 'b'.repeat(64) }),
    ],
    [
      'a validation for another environment',
      'refused.gate',
      async (at: Stage) => at.validate(await at.addVersion('1.1.0'), { environmentId: 'staging-1' }),
    ],
    [
      'too few rows',
      'refused.gate',
      async (at: Stage) => {
        await at.validate(await at.addVersion('1.1.0'));
        await at.setPolicy({ minimumRows: 1001 });
      },
    ],
    [
      'a gate that was raised since',
      'refused.gate',
      async (at: Stage) => {
        await at.validate(await at.addVersion('1.1.0'));
        await at.setPolicy({ gates: [{ metric: 'recall', min: 0.99 }] });
      },
    ],
  ])('is refused with %s, and leaves no file behind', async (_, code, prepare) => {
    const at = await stage();
    await prepare(at);
    const before = artifactCount(at);
    await expect(at.submit('1.1.0')).rejects.toMatchObject({ code });
    expect(artifactCount(at)).toBe(before);
    expect(at.vault.store.read.requests()).toEqual([]);
  });

  test('names the gate that is not met', async () => {
    const at = await ready();
    await at.setPolicy({ gates: [{ metric: 'recall', min: 0.99 }] });
    await expect(at.submit('1.0.0')).rejects.toThrow(/recall: 0\.95 is below 0\.99/);
  });

  test('with a wrong passphrase, or of a changed model, stores nothing', async () => {
    const at = await ready();
    const input = { name: 'phish', version: '1.0.0', environmentId: at.environment.id };
    const { salt: _, ...plan } = (await at.requests.get(at.ana, { id: (await at.submit('1.0.0')).id })).plan;
    const count = artifactCount(at);
    await expect(
      at.requests.submit(at.ana, { ...input, passphrase: 'not hers', plan }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    const model = at.vault.store.read.version(input);
    flip(
      join(at.vault.path, 'artifacts', model?.artifactId.slice(0, 2) ?? '', `${model?.artifactId ?? ''}.age`),
    );
    await expect(at.submit('1.0.0')).rejects.toMatchObject({ code: 'integrity.artifact' });
    expect(at.vault.store.read.requests()).toHaveLength(1);
    expect(artifactCount(at)).toBe(count);
  });

  test('several at the same moment each get a serial of their own', async () => {
    const at = await ready();
    const count = artifactCount(at);
    const made = await Promise.all([at.submit('1.0.0'), at.submit('1.0.0'), at.submit('1.0.0')]);
    expect(made.map(({ request }) => request.serial).sort()).toEqual([1, 2, 3]);
    expect(at.vault.store.read.requests()).toHaveLength(3);
    // What was frozen under a serial that was lost left nothing behind: four small files a request, no more.
    expect(artifactCount(at)).toBe(count + 3 * 4);
  });
});

describe('the quorum', () => {
  // Who approves in which order; what the request is then. ana submitted; ada2 and ben2 are the people ana and ben again.
  const TABLE: readonly [names: string, quorum: number, state: 'open' | 'approved', refused: string[]][] = [
    ['', 2, 'open', []],
    ['ben', 2, 'open', []],
    ['ben cleo', 2, 'approved', []],
    ['cleo ben', 2, 'approved', []],
    ['ben', 1, 'approved', []],
    ['ana', 1, 'open', ['ana']],
    ['ana2', 1, 'open', ['ana2']],
    ['ana2 ben', 2, 'open', ['ana2']],
    ['ben ben', 2, 'open', ['ben']],
    ['ben ben2', 2, 'open', ['ben2']],
    ['ben ben2 cleo', 2, 'approved', ['ben2']],
    ['ben cleo', 3, 'open', []],
  ];

  test.each(TABLE)('of %s against %i is %s', async (names, quorum, state, expected) => {
    const at = await ready('1.0.0', { policy: { quorum: { approvals: quorum } } });
    const people = new Map([
      ['ana', at.ana],
      ['ben', at.ben],
      ['cleo', at.cleo],
      ['ana2', await at.person('ana2', ' ana  ANALYST', 'release-manager')],
      ['ben2', await at.person('ben2', 'BEN approver', 'release-manager')],
    ]);
    const { id } = await at.submit('1.0.0');
    const refused: string[] = [];
    for (const name of names.split(' ').filter((each) => each !== '')) {
      const actor = people.get(name);
      if (!actor) throw new Error(name);
      await at.requests.approve(actor, { id, passphrase: at.passphrase }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'refused.state' });
        refused.push(name);
      });
    }
    expect(refused).toEqual(expected);
    expect((await at.requests.get(at.ben, { id })).record.state).toBe(state);
    const out = at.requests.releasePackage(id);
    if (state === 'approved') expect((await out).release.bundles.length).toBe(quorum + 1);
    else await expect(out).rejects.toMatchObject({ code: 'refused.quorum' });
  });

  test('an analyst, and a wrong passphrase, sign nothing', async () => {
    const at = await ready();
    const analyst = await at.person('dora', 'Dora', 'analyst');
    const { id } = await at.submit('1.0.0');
    await expect(at.requests.approve(analyst, { id, passphrase: at.passphrase })).rejects.toMatchObject({
      code: 'refused.role',
    });
    await expect(at.requests.approve(at.ben, { id, passphrase: 'guess' })).rejects.toMatchObject({
      code: 'auth.failed',
    });
    expect(at.vault.store.read.approvals(id)).toHaveLength(1);
  });

  test('is what the policy said at submission, whatever it says later', async () => {
    const at = await ready('1.0.0', { policy: { quorum: { approvals: 1 } } });
    const { id } = await at.submit('1.0.0');
    await at.setPolicy({ quorum: { approvals: 2 }, minimumRows: 5 });
    await approve(at, 'ben', id);
    const view = await at.requests.get(at.ben, { id });
    expect(view.record).toMatchObject({ state: 'approved', quorum: 1 });
    // The page shows the policy that was signed.
    expect(view.policy).toMatchObject({ quorum: { approvals: 1 }, minimumRows: 100 });
    expect((await at.submit('1.0.0')).quorum).toBe(2);
  });
});

describe('what was frozen', () => {
  test('does not change with the registry: the dossier is the one that was signed', async () => {
    const at = await ready();
    const { id, root } = await at.submit('1.0.0');
    const before = await at.requests.get(at.ana, { id });
    const model = at.vault.store.read.version({ name: 'phish', version: '1.0.0' });
    if (!model?.mapping) throw new Error('no model');
    const mapping = { ...model.mapping, threshold: 0.9 };
    await at.validate(model, { metrics: { ...before.dossier.validation.metrics, accuracy: 0.5 } });
    at.vault.store.transaction((tx) => tx.setMapping({ name: 'phish', version: '1.0.0' }, mapping));
    const after = await at.requests.get(at.ana, { id });
    expect(after.dossier).toEqual(before.dossier);
    expect(after.record.root).toBe(root);
  });

  test.each(['dossier.json', 'model.onnx', 'plan.json', 'policy.yaml', 'request.json'])(
    'is refused with one byte of %s changed: nobody signs it and it does not go out',
    async (name) => {
      const at = await ready();
      const { id } = await at.submit('1.0.0');
      await approve(at, 'ben', id);
      flip(artifactPath(at, id, name));
      await expect(approve(at, 'cleo', id)).rejects.toMatchObject({ code: 'integrity.artifact' });
      expect(at.vault.store.read.approvals(id)).toHaveLength(2);
      flip(artifactPath(at, id, name));
      await approve(at, 'cleo', id);
      flip(artifactPath(at, id, name));
      await expect(at.requests.releasePackage(id)).rejects.toMatchObject({ code: 'integrity.artifact' });
      expect(() => {
        for (const each of at.requests.signatureChecks()) each.check();
      }).not.toThrow();
    },
  );

  test('is refused with a file swapped for another that is whole', async () => {
    const at = await ready();
    const { id } = await at.submit('1.0.0');
    await approve(at, 'ben', id);
    await approve(at, 'cleo', id);
    // Somebody with the vault's key writes a plan that skips the canary, and names it in the row.
    const text = JSON.stringify({
      ...(await at.requests.get(at.ana, { id })).plan,
      strategy: 'direct',
      steps: [100],
    });
    const other = await at.vault.artifacts.putBytes(Buffer.from(text));
    expect(other.digest).toBe(createHash('sha256').update(text).digest('hex'));
    await rewrite(at, id, {
      files: (files) => files.map((file) => (file.name === 'plan.json' ? { ...file, ...other } : file)),
    });
    await expect(at.requests.releasePackage(id)).rejects.toMatchObject({ code: 'integrity.signature' });
  });

  test('is refused where the row says something else than the signed request', async () => {
    const at = await ready();
    const { id } = await at.submit('1.0.0');
    await approve(at, 'ben', id);
    await approve(at, 'cleo', id);
    const record = at.vault.store.read.request(id);
    if (!record) throw new Error('no request');
    const day = new Date(at.clock.now() + 9000 * HOUR).toISOString();
    for (const request of [
      { ...record.request, environmentId: 'production-0' },
      { ...record.request, notAfter: day },
      { ...record.request, version: '2.0.0' },
    ]) {
      await rewrite(at, id, { record: { ...record, request } });
      await expect(at.requests.releasePackage(id)).rejects.toMatchObject({
        code: expect.stringMatching(/^integrity\./) as string,
      });
    }
    await rewrite(at, id, { record: { ...record, quorum: 1 } });
    await expect(at.requests.releasePackage(id)).rejects.toMatchObject({ code: 'integrity.signature' });
    await rewrite(at, id, { record });
    expect((await at.requests.releasePackage(id)).record.id).toBe(id);
  });
});

describe('the end of a request', () => {
  test('by its date: nobody approves it any more, and it does not go out', async () => {
    const at = await ready();
    const open = await at.submit('1.0.0');
    const approved = await at.submit('1.0.0');
    await approve(at, 'ben', approved.id);
    await approve(at, 'cleo', approved.id);
    at.clock.skip(24 * HOUR - 1);
    expect((await at.requests.releasePackage(approved.id)).record.state).toBe('approved');
    at.clock.skip(1);
    await expect(at.requests.releasePackage(approved.id)).rejects.toMatchObject({ code: 'refused.expired' });
    await expect(approve(at, 'ben', open.id)).rejects.toMatchObject({ code: 'refused.state' });
    const view = await at.requests.get(at.ben, { id: open.id });
    expect(view.record.state).toBe('expired');
    expect(view.allowedActions).toEqual([]);
  });

  test('by rejection or withdrawal, also after it was approved', async () => {
    const at = await ready();
    const one = await at.submit('1.0.0');
    const two = await at.submit('1.0.0');
    for (const { id } of [one, two]) for (const who of ['ben', 'cleo'] as const) await approve(at, who, id);
    await at.requests.reject(at.cleo, { id: one.id, reason: 'wrong week' });
    await expect(at.requests.withdraw(at.ben, { id: two.id })).rejects.toMatchObject({
      code: 'refused.state',
    });
    await at.requests.withdraw(at.ana, { id: two.id });
    for (const { id } of [one, two]) {
      await expect(at.requests.releasePackage(id)).rejects.toMatchObject({ code: 'refused.quorum' });
      await expect(approve(at, 'ben', id)).rejects.toMatchObject({ code: 'refused.state' });
    }
    expect((await at.requests.get(at.ana, { id: one.id })).record.reason).toBe('wrong week');
    expect(at.vault.store.read.request(one.id)?.state).toBe('rejected');
  });

  test('the buttons are the refusals’ other side, for everybody', async () => {
    const at = await ready();
    const { id } = await at.submit('1.0.0');
    const of = async (actor: Stage['ana']) => (await at.requests.get(actor, { id })).allowedActions;
    expect(await of(at.ana)).toEqual(['reject', 'withdraw']);
    expect(await of(at.ben)).toEqual(['approve', 'reject']);
    await approve(at, 'ben', id);
    expect(await of(at.ben)).toEqual(['reject']);
    await approve(at, 'cleo', id);
    expect(await of(at.cleo)).toEqual(['reject', 'deploy']);
  });
});

describe('two consoles on one vault', () => {
  test('see each other’s approvals; the quorum is met once', async () => {
    const at = await ready();
    const { id } = await at.submit('1.0.0');
    const other = await at.secondDesk();
    const [mine, theirs] = await Promise.all([
      approve(at, 'ben', id),
      other.requests.approve(at.cleo, { id, passphrase: at.passphrase }),
    ]);
    expect([mine.record.state, theirs.record.state].sort()).toEqual(['approved', 'open']);
    expect((await other.requests.get(at.ana, { id })).record.state).toBe('approved');
    const met = [...at.vault.store.read.audit.entries()].filter((e) => e.action === 'request.approved');
    expect(met.map((e) => e.details.quorumMet)).toEqual([false, true]);
  });

  test('the same person at both at once signs once', async () => {
    const at = await ready();
    const { id } = await at.submit('1.0.0');
    const other = await at.secondDesk();
    const outcomes = await Promise.allSettled([
      approve(at, 'ben', id),
      other.requests.approve(at.ben, { id, passphrase: at.passphrase }),
    ]);
    expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(at.vault.store.read.approvals(id)).toHaveLength(2);
  });

  test('approval and withdrawal at once: what came first stands', async () => {
    const at = await ready('1.0.0', { policy: { quorum: { approvals: 1 } } });
    const { id } = await at.submit('1.0.0');
    const other = await at.secondDesk();
    await Promise.allSettled([approve(at, 'ben', id), other.requests.withdraw(at.ana, { id })]);
    const { state } = (await at.requests.get(at.ana, { id })).record;
    expect(['withdrawn', 'approved']).toContain(state);
    // Withdrawn is the end: an approval that came too late did not bring it back.
    const actions = [...at.vault.store.read.audit.entries()].map((e) => e.action);
    if (actions.includes('request.withdrawn')) expect(state).toBe('withdrawn');
  });
});

type Files = { name: string; artifactId: string; digest: string; sizeBytes: number }[];

/** Edits a row behind the program's back, as somebody with the vault's key could. */
async function rewrite(
  at: Stage,
  id: string,
  change: { readonly record?: RequestRecord; readonly files?: (files: Files) => Files },
): Promise<void> {
  const { read } = at.vault.store;
  const record = change.record ?? read.request(id);
  const stored = [...(read.requestFiles(id)?.files ?? [])];
  const kept = (await at.at.keychain.get(at.vault.id)?.get('vault-keys')) ?? '{}';
  const { databaseKey } = JSON.parse(kept) as { databaseKey: string };
  const db = openDatabase(join(at.vault.path, 'registry.db'), Buffer.from(databaseKey, 'hex'));
  try {
    const files = JSON.stringify({ files: change.files?.(stored) ?? stored });
    db.run('UPDATE requests SET record = ?, files = ? WHERE id = ?', JSON.stringify(record), files, id);
  } finally {
    db.close();
  }
}
