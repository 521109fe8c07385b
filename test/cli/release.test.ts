/** From file to service and back by command line alone, against an agent started by the same program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchProgram } from '../../electron/adapters/system/launch-program.ts';
import { freePort } from '../../electron/sample/free-port.ts';
import { startTraffic, type Traffic } from '../../electron/sample/traffic.ts';
import type { AuditVerdict } from '../../shared/domain/audit/entry.ts';
import type { RequestView, RolloutView, VersionView } from '../../shared/domain/view/views.ts';
import { type CliError, CliHome, type CliResult, runCli } from '../support/cli.ts';
import { LABELLED, MODEL, ROOT, SAMPLE_DATA } from '../support/console.ts';

const CLI = join(ROOT, 'electron', 'cli', 'index.ts');
const sample = (version: string) => join(SAMPLE_DATA, `${MODEL}-${version}.onnx`);
const code = (result: CliResult) => result.json<CliError>().error.code;

interface Agent {
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly fingerprint: string;
  readonly tokenFile: string;
  readonly token: string;
  readonly child: ChildProcess;
}

let home: CliHome;
let agent: Agent;
let traffic: Traffic | null = null;

/** `sallyport agent init` and `sallyport agent run`, as the machine at the other end would. */
async function startAgent(): Promise<Agent> {
  const trust = await home.file('trust.json', JSON.stringify(home.workspace.trust));
  const ports = ['--predict-port', String(await freePort()), '--admin-port', String(await freePort())];
  const { production } = home.workspace;
  const init = spawn(
    process.execPath,
    [
      CLI,
      'agent',
      'init',
      '--environment',
      production.id,
      '--trust',
      trust,
      '--dir',
      home.path('agent'),
      ...ports,
      '--json',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(createInterface({ input: init.stdout }), 'line')) as [string];
  const made = JSON.parse(line) as { config: string; fingerprint: string; token: string };
  const child = spawn(process.execPath, [CLI, 'agent', 'run', '--config', made.config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [ready] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const urls = JSON.parse(ready) as { adminUrl: string; predictUrl: string };
  const tokenFile = await home.secret('agent.token', made.token);
  return { ...urls, fingerprint: made.fingerprint, token: made.token, tokenFile, child };
}

beforeAll(async () => {
  home = await CliHome.make();
  for (const version of ['1.0.0', '1.1.0']) {
    const names = ['--name', MODEL, '--version', version];
    const added = await home.data('ana', 'model', 'add', sample(version), ...names);
    const args = [`${MODEL}@${version}`, '--data', LABELLED, '--for', 'production'];
    const validated = await home.data('ana', 'validate', ...args);
    if (added.code !== 0 || validated.code !== 0) throw new Error(added.stderr + validated.stderr);
  }
  agent = await startAgent();
});
afterAll(async () => {
  traffic?.stop();
  const ended = once(agent.child, 'exit');
  agent.child.kill('SIGTERM');
  await ended;
  await home.remove();
});

/** What an auditor asks after each act that was refused. */
async function expectSound(): Promise<void> {
  const audit = await home.data('cleo', 'audit', 'verify');
  expect(audit.code, audit.stderr).toBe(0);
  expect((await home.data('ben', 'model', 'verify')).json()).toMatchObject({ bad: [] });
}

async function submit(version: string, ...plan: string[]): Promise<string> {
  const submitted = await home.data('ana', 'submit', `${MODEL}@${version}`, '--for', 'production', ...plan);
  expect(submitted.code, submitted.stderr).toBe(0);
  const { record } = submitted.json<RequestView>();
  for (const who of ['ben', 'cleo'] as const) {
    const approved = await home.data(who, 'approve', record.id);
    expect(approved.code, approved.stderr).toBe(0);
  }
  return record.id;
}

/** The tests are one story: each one stands on what the one before did. */
describe('one path through the command line', { concurrent: false }, () => {
  let first = '';
  let rolloutId = '';

  test('endpoint add insists on the fingerprint and on a token that works', async () => {
    const args = [
      'endpoint',
      'add',
      'edge',
      '--environment',
      'production',
      '--admin',
      agent.adminUrl,
      '--predict',
      agent.predictUrl,
    ];
    const wrongKey = await home.data(
      'ana',
      ...args,
      '--fingerprint',
      'f'.repeat(64),
      '--token-file',
      agent.tokenFile,
    );
    expect([wrongKey.code, code(wrongKey)]).toEqual([5, 'integrity.endpoint']);
    const wrongToken = await home.secret('wrong.token', 'sat_0123456789012345678901234567890123456789');
    const unauthorized = await home.data(
      'ana',
      ...args,
      '--fingerprint',
      agent.fingerprint,
      '--token-file',
      wrongToken,
    );
    expect([unauthorized.code, code(unauthorized)]).toEqual([7, 'endpoint.unauthorized']);
    const elsewhere = await home.data(
      'ana',
      ...args.with(4, 'staging'),
      '--fingerprint',
      agent.fingerprint,
      '--token-file',
      agent.tokenFile,
    );
    expect([elsewhere.code, code(elsewhere)]).toEqual([4, 'refused.environment']);
    expect((await home.data('ana', 'endpoint', 'list')).json()).toEqual([]);
    const added = await home.as(
      'ana',
      ...args,
      '--fingerprint',
      agent.fingerprint,
      '--token-file',
      agent.tokenFile,
    );
    expect(added.code, added.stderr).toBe(0);
    expect((await home.as('ben', 'endpoint', 'check', 'edge')).stdout).toContain('serves nothing');
  });

  test('submit freezes; the submitter never approves, and nothing goes out before the second approver', async () => {
    const submitted = await home.data(
      'ana',
      'submit',
      `${MODEL}@1.0.0`,
      '--for',
      'production',
      '--strategy',
      'direct',
    );
    expect(submitted.code, submitted.stderr).toBe(0);
    first = submitted.json<RequestView>().record.id;
    const own = await home.data('ana', 'approve', first);
    expect([own.code, code(own)]).toEqual([4, 'refused.role']);
    const none = await home.data('ben', 'deploy', first, '--to', 'production');
    expect([none.code, code(none)]).toEqual([4, 'refused.quorum']);
    expect((await home.as('ben', 'approve', first)).stdout).toContain('1/2 approvals');
    const twice = await home.data('ben', 'approve', first);
    expect([twice.code, code(twice)]).toEqual([4, 'refused.state']);
    const half = await home.data('ben', 'deploy', first, '--to', 'production');
    expect([half.code, code(half)]).toEqual([4, 'refused.quorum']);
    expect((await home.as('cleo', 'approve', first)).stdout).toContain('2/2 approvals');
    const elsewhere = await home.data('ben', 'deploy', first, '--to', 'staging');
    expect([elsewhere.code, code(elsewhere)]).toEqual([3, 'not-found']);
    const analyst = await home.data('ana', 'deploy', first, '--to', 'production');
    expect([analyst.code, code(analyst)]).toEqual([4, 'refused.role']);
    const show = await home.as('cleo', 'request', 'show', first);
    expect(show.stdout).toMatch(/validation\s+labelled\.csv: 4000 rows/);
    expect((await home.data('ben', 'rollout', 'list')).json()).toEqual([]);
    await expectSound();
  });

  test('a plan is checked before it is signed', async () => {
    for (const [plan, words] of [
      [['--strategy', 'sideways'], /direct, canary/],
      [['--steps', '50,10,100'], /Steps rise/],
      [['--steps', '10,half'], /"half" is not a number/],
      [['--bake', 'soon'], /"soon" is not a time/],
      [['--max-disagreement', '7'], /maxDisagreement/],
      [['--plan', home.path('none.json')], /cannot be read/],
      [['--plan', await home.file('plan.txt', 'steps: 10')], /is not JSON/],
      [['--plan', await home.file('half.json', '{"strategy":"direct"}')], /steps/],
    ] as const) {
      const refused = await home.data('ana', 'submit', `${MODEL}@1.0.0`, '--for', 'production', ...plan);
      expect([plan.join(' '), refused.code]).toEqual([plan.join(' '), 2]);
      expect(refused.stderr).toMatch(words);
    }
    expect((await home.data('ana', 'request', 'list')).json()).toHaveLength(1);
  });

  test('deploy runs the signed plan to its end and says each phase as a line', async () => {
    const deployed = await home.data('ben', 'deploy', first, '--to', 'production');
    expect(deployed.code, deployed.stderr).toBe(0);
    const lines = deployed.lines<{ phase: string; rollout: string }>();
    expect(lines[0]?.phase).toBe('preparing');
    expect(lines.at(-1)?.phase).toBe('completed');
    const answer = await fetch(`${agent.predictUrl}/health`);
    expect(answer.status).toBe(200);
    expect((await home.as('ben', 'endpoint', 'check', 'edge')).stdout).toContain(`${MODEL}@1.0.0`);
  });

  test('a canary goes out step by step on measured traffic', async () => {
    traffic = startTraffic(launchProgram, join(ROOT, 'electron', 'sample', 'player.ts'), {
      predictUrl: agent.predictUrl,
      token: agent.token,
      model: MODEL,
      trafficFile: join(SAMPLE_DATA, 'traffic.csv'),
      features: (
        (await home.data('ana', 'model', 'show', `${MODEL}@1.0.0`)).json<VersionView>().version.onnx.metadata
          .features ?? ''
      ).split(','),
      requestsPerSecond: 150,
    });
    const plan = await home.file(
      'plan.json',
      JSON.stringify({
        strategy: 'canary',
        steps: [50, 100],
        bakeMs: 300,
        maxStepMs: 60_000,
        mirrorSample: 1,
        guards: {
          maxErrorRate: 0.01,
          maxP95Ratio: null,
          p95FloorMs: 50,
          maxDisagreement: 0.2,
          minimumRequests: 50,
          minimumPairs: 50,
        },
      }),
    );
    const deployed = await home.as('ben', 'deploy', await submit('1.1.0', '--plan', plan), '--to', 'edge');
    expect(deployed.code, deployed.stderr).toBe(0);
    expect(deployed.stdout).toMatch(/stepping 50 %/);
    expect(deployed.stdout).toMatch(/disagreement \d/);
    const list = (await home.data('ana', 'rollout', 'list')).json<RolloutView[]>();
    expect(list.map(({ state }) => [state.version, state.phase])).toEqual([
      ['1.1.0', 'completed'],
      ['1.0.0', 'completed'],
    ]);
    rolloutId = list[0]?.state.id ?? '';
    const show = await home.as('ana', 'rollout', 'show', rolloutId);
    expect(show.stdout).toMatch(/step 1: promote: error-rate 0\.00 % of \d+/);
    const gone = await home.data('ben', 'rollout', 'pause', rolloutId);
    expect([gone.code, code(gone)]).toEqual([4, 'refused.state']);
  });

  test('rollback is one command, and no request fails', async () => {
    const analyst = await home.data('cleo', 'rollback', 'nothing', '--on', 'production');
    expect(analyst.code).toBe(7);
    const back = await home.data('ben', 'rollback', MODEL, '--on', 'production');
    expect(back.code, back.stderr).toBe(0);
    expect(back.json()).toMatchObject({ previous: '1.1.0', version: '1.0.0', endpoints: ['edge'] });
    const never = await home.data('ben', 'rollback', MODEL, '--on', 'production', '--to', '9.9.9');
    expect([never.code, code(never)]).toEqual([7, 'endpoint.refused']);
    expect(traffic?.counts()).toMatchObject({ failed: 0 });
    traffic?.stop();
  });

  test('Ctrl+C leaves a rollout as it is and says how to go on; abort takes the version out again', async () => {
    const request = await submit('1.1.0', '--bake', '10m');
    const deploy = ['deploy', request, '--to', 'production'];
    const stopped = await home.run(
      ['--as', 'ben', '--operator-passphrase-file', home.path('ben.pass'), '--json', ...deploy],
      {
        onStart: (child) =>
          child.stdout?.on('data', (text: string) => {
            if (text.includes('"stepping"')) child.kill('SIGINT');
          }),
      },
    );
    expect(stopped.code, stopped.stderr).toBe(1);
    expect(stopped.lines<Partial<CliError>>().at(-1)?.error?.code).toBe('cancelled');
    expect(stopped.stderr).toContain('sallyport rollout watch');
    const [running] = (await home.data('ben', 'rollout', 'list')).json<RolloutView[]>();
    expect(running?.state.phase).toBe('stepping');
    const busy = await home.data('ben', ...deploy);
    expect([busy.code, code(busy)]).toEqual([4, 'conflict']);
    const aborted = await home.as('ben', 'rollout', 'abort', running?.state.id ?? '', '--reason', 'lunch');
    expect(aborted.code, aborted.stderr).toBe(0);
    expect(aborted.stdout).toMatch(/rolled-back.*lunch/);
    expect((await home.as('ben', 'endpoint', 'check', 'edge')).stdout).toContain(`${MODEL}@1.0.0`);
  });

  test('a token that was revoked on the agent’s side is exit 7, and says so', async () => {
    const config = home.path('agent', 'agent.yaml');
    const agentCommand = (...args: string[]) => runCli(['agent', 'token', ...args, '--config', config]);
    const added = await agentCommand('add', '--name', 'second', '--scopes', 'read,deploy');
    expect(added.code, added.stderr).toBe(0);
    expect((await agentCommand('list')).stdout).toMatch(/^second\tread,deploy/m);
    expect((await agentCommand('revoke', '--name', 'console')).code).toBe(0);
    const check = await home.data('ben', 'endpoint', 'check', 'edge');
    expect([check.code, check.json<{ problem: { code: string } }>().problem.code]).toEqual([
      7,
      'endpoint.unauthorized',
    ]);
    const back = await home.data('ben', 'rollback', MODEL, '--on', 'production');
    expect([back.code, code(back)]).toEqual([7, 'endpoint.unauthorized']);
    // The way back: the endpoint again, with the new token.
    expect((await home.as('ana', 'endpoint', 'remove', 'edge')).code).toBe(0);
    const token = await home.secret('second.token', added.stdout.trim());
    const again = await home.data(
      'ana',
      ...['endpoint', 'add', 'edge', '--environment', 'production', '--admin', agent.adminUrl],
      ...['--predict', agent.predictUrl, '--fingerprint', agent.fingerprint, '--token-file', token],
    );
    expect(again.code, again.stderr).toBe(0);
  });

  test('what the endpoint says when it is down is exit 7, and the vault is sound', async () => {
    const ended = once(agent.child, 'exit');
    agent.child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
    const down = await home.data('ben', 'endpoint', 'check', 'edge');
    expect(down.code).toBe(7);
    expect(down.json()).toMatchObject({ reachable: false });
    const back = await home.data('ben', 'rollback', MODEL, '--on', 'production');
    expect([back.code, code(back)]).toEqual([7, 'endpoint.unreachable']);
    const config = home.path('agent', 'agent.yaml');
    agent = {
      ...agent,
      child: spawn(process.execPath, [CLI, 'agent', 'run', '--config', config], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    };
    await once(createInterface({ input: agent.child.stdout ?? process.stdin }), 'line');
    expect((await home.as('ben', 'endpoint', 'check', 'edge')).stdout).toContain(`${MODEL}@1.0.0`);
  });

  test('a version is revoked on the agent too, with the operator’s own signature, and says what serves now', async () => {
    const revoke = ['model', 'revoke', `${MODEL}@1.1.0`, '--reason', 'poisoned', '--on'];
    expect((await home.data('ben', ...revoke, 'nowhere')).code).toBe(3);
    const revoked = await home.as('ben', ...revoke, 'production');
    expect(revoked.code, revoked.stderr).toBe(0);
    expect(revoked.stdout).toContain('edge serves 1.0.0 now.');
    const back = await home.data('ben', 'rollback', MODEL, '--on', 'production', '--to', '1.1.0');
    expect([back.code, code(back)]).toEqual([7, 'endpoint.refused']);
  });

  test('the audit log has all of it, verifies, and is exported as it was hashed', async () => {
    const verified = await home.data('cleo', 'audit', 'verify');
    expect(verified.code, verified.stderr).toBe(0);
    const verdict = verified.json<AuditVerdict>();
    expect(verdict).toMatchObject({ ok: true, problems: [] });
    expect(verdict.signaturesChecked).toBe(9);
    expect(verdict.checkpointsChecked).toBeGreaterThan(0);
    expect(verdict.witnesses.map((w) => w.name)).toContain('endpoint edge');
    const shown = await home.as('cleo', 'audit', 'show', 'rollout.completed');
    expect(shown.stdout.match(/rollout\.completed/g)).toHaveLength(2);
    const file = home.path('audit.jsonl');
    const exported = await home.data('cleo', 'audit', 'export', file);
    expect(exported.code, exported.stderr).toBe(0);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(verdict.entries);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect((await home.data('ana', 'audit', 'export', file)).code).toBe(4);
  });

  test('no file of the vault holds a passphrase, the token or the model in the clear', async () => {
    const model = await readFile(sample('1.0.0'));
    const needles = [...home.secrets.map((secret) => Buffer.from(secret)), model.subarray(0, 64)];
    for (const entry of await readdir(home.workspace.vault, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      expect(
        needles.filter((needle) => bytes.includes(needle)),
        entry.name,
      ).toEqual([]);
    }
  });
});
