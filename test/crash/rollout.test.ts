/** A canary whose driver is killed again and again, and whose agent is: it ends as if nobody had been killed. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchProgram } from '../../electron/adapters/system/launch-program.ts';
import { startTraffic, type Traffic } from '../../electron/sample/traffic.ts';
import type { AuditVerdict } from '../../shared/domain/audit/entry.ts';
import type { ServedModel } from '../../shared/domain/endpoint/endpoint.ts';
import { DEFAULT_GUARDS } from '../../shared/domain/rollout/plan.ts';
import type { RolloutState } from '../../shared/domain/rollout/state.ts';
import { startAgent, type TestAgent } from '../support/agent.ts';
import {
  approveSample,
  consoleFactory,
  MODEL,
  makeWorkspace,
  QUIET,
  ROOT,
  SAMPLE_DATA,
  signIn,
  VAULT_PASSPHRASE,
  type Workspace,
} from '../support/console.ts';

const DRIVER = join(import.meta.dirname, 'rollout-driver.ts');
/** Few requests are enough for a verdict here, and no verdict is about latency: the machine may be busy. */
const PLAN = {
  strategy: 'canary' as const,
  steps: [25, 50, 100],
  bakeMs: 300,
  maxStepMs: 120_000,
  mirrorSample: 1,
  guards: {
    ...DEFAULT_GUARDS,
    maxP95Ratio: null,
    maxDisagreement: 0.3,
    minimumRequests: 20,
    minimumPairs: 20,
  },
};
const DIRECT = { ...PLAN, strategy: 'direct' as const, steps: [100], bakeMs: 0 };

interface Said {
  readonly phase?: string;
  readonly step?: number;
  readonly pending?: string[];
  readonly error?: string;
}

/** Drives until `killAt` says so of a line and `delayMs` have passed, then SIGKILL; without it to the end. */
function drive(
  args: readonly string[],
  killAt: ((said: Said, index: number) => boolean) | null,
  delayMs = 0,
): Promise<{ said: Said[]; code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [DRIVER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Said[] = [];
  let text = '';
  let aimed = false;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const one = JSON.parse(line) as Said;
      said.push(one);
      if (aimed || killAt === null || !killAt(one, said.length - 1)) continue;
      aimed = true;
      setTimeout(() => child.kill('SIGKILL'), delayMs);
    }
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ said, code, signal }));
  });
}

let workspace: Workspace;
let agent: TestAgent;
let traffic: Traffic;
/** Names of the model's features, in order. */
let features: string[] = [];
let remove: () => Promise<void>;
/** An approved canary of 1.1.0, deployed by each test. */
let request = '';

async function withConsole<T>(
  work: (opened: Awaited<ReturnType<ReturnType<typeof consoleFactory>['open']>>) => Promise<T>,
): Promise<T> {
  const opened = await consoleFactory().open(workspace.vault, VAULT_PASSPHRASE);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

async function served(): Promise<ServedModel | undefined> {
  return withConsole(async (opened) => {
    const [endpoint] = opened.vault.store.read.endpoints();
    const ben = await signIn(opened, 'ben');
    const status = await opened.services.endpoints.check(ben, { id: endpoint?.id ?? '' });
    return status.models.find((model) => model.name === MODEL);
  });
}

const newest = (): Promise<RolloutState | undefined> =>
  withConsole(async ({ vault }) => vault.store.read.rollouts()[0]);

async function expectSound(): Promise<AuditVerdict> {
  return withConsole(async (opened) => {
    const cleo = await signIn(opened, 'cleo');
    const verdict = await opened.services.audit.verify(cleo);
    expect(verdict.problems).toEqual([]);
    expect((await opened.services.models.verify(cleo, { ref: null }, QUIET)).bad).toEqual([]);
    return verdict;
  });
}

/** Back to 1.0.0 with nothing running, as it was before the canary; answers the agent's generation. */
async function backToStable(): Promise<number> {
  const now = await served();
  if (now?.stable?.version === '1.0.0' && now.canary === null) return now.generation;
  await withConsole(async (opened) => {
    const ben = await signIn(opened, 'ben');
    opened.services.rollouts.start();
    await opened.services.rollouts.rollback(ben, { name: MODEL, target: 'production', to: '1.0.0' });
  });
  const model = await served();
  expect(model).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
  return model?.generation ?? -1;
}

beforeAll(async () => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-crash-')));
  remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  workspace = await makeWorkspace(directory);
  agent = await startAgent({ trust: workspace.trust, environmentId: workspace.production.id });
  await withConsole(async (opened) => {
    const { services } = opened;
    const ana = await signIn(opened, 'ana');
    const first = await approveSample(opened, '1.0.0', workspace.production.id, DIRECT);
    features = (
      services.models.get(ana, { name: MODEL, version: '1.0.0' }).version.onnx.metadata.features ?? ''
    ).split(',');
    const { adminUrl, predictUrl, token, fingerprint } = agent;
    await services.endpoints.add(ana, {
      name: 'edge',
      environmentId: workspace.production.id,
      adminUrl,
      predictUrl,
      token,
      fingerprint,
    });
    services.rollouts.start();
    const ben = await signIn(opened, 'ben');
    const { state } = await services.rollouts.deploy(ben, { requestId: first, target: 'production' });
    expect((await services.rollouts.finished(state.id)).state.phase).toBe('completed');
    request = await approveSample(opened, '1.1.0', workspace.production.id, PLAN);
  });
  traffic = startTraffic(launchProgram, join(ROOT, 'electron', 'sample', 'player.ts'), {
    predictUrl: agent.predictUrl,
    token: agent.token,
    model: MODEL,
    trafficFile: join(SAMPLE_DATA, 'traffic.csv'),
    features,
    requestsPerSecond: 120,
  });
});
afterAll(async () => {
  traffic.stop();
  await agent.remove();
  await remove();
});

const isPending = (kind: string, step?: number) => (said: Said) =>
  said.pending?.includes(kind) === true && (step === undefined || said.step === step);

describe('the process that drives a canary, killed with SIGKILL', () => {
  test('before and after every effect: the rollout goes on to its end, and no effect happened twice', async () => {
    // Each is killed at the first state it saves that fits, at once (before the effect) or a little later (within it
    // or after it). Together they cover pushing, every step's routing, watching, and the promotion.
    const moments: [(said: Said, index: number) => boolean, number][] = [
      [isPending('push'), 0],
      [(_, index) => index === 0, 15],
      [(said) => said.phase === 'stepping' && said.step === 0, 0],
      [(_, index) => index === 0, 25],
      [(said) => said.phase === 'stepping' && said.pending?.length === 0, 0],
      [isPending('route', 1), 0],
      [(_, index) => index === 0, 8],
      [(_, index) => index === 3, 40],
      [isPending('route', 2), 5],
      [(_, index) => index === 2, 0],
      [(said) => said.phase === 'promoting', 0],
      [(_, index) => index === 0, 4],
    ];
    let kills = 0;
    while (moments.length > 0) {
      const before = await backToStable();
      let args = [workspace.vault, request, 'production'];
      for (let ended = false; !ended; args = [workspace.vault]) {
        const [fits, delayMs] = moments.shift() ?? [null, 0];
        // A moment that has passed already is replaced by the fifth state, so that no run goes on for long.
        const killAt = fits && ((said: Said, index: number) => fits(said, index) || index >= 4);
        const { signal, code, said } = await drive(args, killAt, delayMs);
        if (signal === 'SIGKILL') kills++;
        else expect([code, said.filter((one) => one.error !== undefined)]).toEqual([0, []]);
        ended = signal !== 'SIGKILL';
      }
      const state = await newest();
      expect(state).toMatchObject({ phase: 'completed', version: '1.1.0' });
      expect(state?.verdicts.map((v) => v.verdict)).toEqual(['promote', 'promote', 'promote']);
      const model = await served();
      expect(model).toMatchObject({ stable: { version: '1.1.0' }, canary: null });
      // Three steps and the promotion are four changes of routing, however often they were asked for.
      expect(model?.generation).toBe(before + 4);
    }
    expect(kills).toBeGreaterThanOrEqual(8);
    await expectSound();
  });

  test('while it rolls back: the canary is out in the end', async () => {
    const before = await backToStable();
    const started = await drive(
      [workspace.vault, request, 'production'],
      (said) => said.phase === 'stepping',
      100,
    );
    expect(started.signal).toBe('SIGKILL');
    await withConsole(async (opened) => {
      const state = opened.vault.store.read.unfinished()[0];
      await opened.services.rollouts.abort(await signIn(opened, 'ben'), {
        id: state?.id ?? '',
        reason: 'test',
      });
    });
    for (const delayMs of [0, 10])
      await drive([workspace.vault], (said) => said.phase === 'rolling-back', delayMs);
    await drive([workspace.vault], null);
    expect(await newest()).toMatchObject({ phase: 'rolled-back' });
    const model = await served();
    expect(model).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
    // In at 25 %, perhaps at 50 % before the kill, and out: once each.
    expect(model?.generation).toBeLessThanOrEqual(before + 3);
    await expectSound();
  });
});

describe('an agent killed with SIGKILL', () => {
  test('in the middle of a canary serves what it served when it is back, and the rollout goes on', async () => {
    await backToStable();
    const running = drive([workspace.vault, request, 'production'], null);
    await expect
      .poll(async () => (await newest())?.endpoints[0]?.confirmedPercent ?? 0, {
        timeout: 60_000,
        interval: 50,
      })
      .toBeGreaterThan(0);
    await agent.kill();
    await agent.restart();
    const answer = await fetch(`${agent.predictUrl}/models`, {
      headers: { authorization: `Bearer ${agent.token}` },
    });
    expect(await answer.json()).toMatchObject({ models: [{ name: MODEL }] });
    expect((await running).code).toBe(0);
    const state = await newest();
    expect(['completed', 'rolled-back']).toContain(state?.phase);
    const model = await served();
    expect(model?.canary).toBeNull();
    expect(model?.stable?.version).toBe(state?.phase === 'completed' ? '1.1.0' : '1.0.0');
    await expectSound();
  });

  test('with a byte of a stored release changed meanwhile does not serve that release', async () => {
    await backToStable();
    await agent.kill();
    const releases = join(agent.directory, 'state', 'releases');
    const models = (await readdir(releases, { recursive: true })).filter((name) =>
      name.includes('model.onnx'),
    );
    expect(models.length).toBeGreaterThanOrEqual(2);
    const changed: [string, Buffer][] = [];
    for (const name of models) {
      const path = join(releases, name);
      const bytes = await readFile(path);
      changed.push([path, Buffer.from(bytes)]);
      const at = bytes.length - 30;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }
    await agent.restart();
    const predict = await fetch(`${agent.predictUrl}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${agent.token}` },
      body: JSON.stringify({ model_name: MODEL, features: features.map(() => 0) }),
    });
    expect([404, 503]).toContain(predict.status);
    expect(agent.log()).toContain('cannot be loaded');
    await agent.kill();
    for (const [path, bytes] of changed) await writeFile(path, bytes);
    await agent.restart();
    expect(await served()).toMatchObject({ stable: { version: '1.0.0' } });
  });
});

describe('a push cut off by the agent’s death', () => {
  test('is taken up where it was: the release arrives once and whole', async () => {
    const id = await withConsole((opened) => approveSample(opened, '1.2.0', workspace.production.id, DIRECT));
    const before = (await served())?.generation ?? -1;
    const seen = agent.log().length;
    const running = drive([workspace.vault, id, 'production'], null);
    // The agent has said which files it misses, and the first of them is on its way.
    await expect
      .poll(() => agent.log().slice(seen), { timeout: 60_000, interval: 1 })
      .toContain('"route":"/admin/v1/releases"');
    await agent.kill();
    await agent.restart();
    expect((await running).code).toBe(0);
    expect(await newest()).toMatchObject({ phase: 'completed', version: '1.2.0' });
    const model = await served();
    expect(model).toMatchObject({ stable: { version: '1.2.0' }, generation: before + 1 });
    await expectSound();
  });
});
