/**
 * `rollout`: a console and an agent as users have them (the sample workspace), under an open loop of 500 requests a
 * second: for 10 s around one release going out, then for as long as 100 rollbacks take, back and forth. Measured:
 * requests that failed, and the time from each rollback command to the first answer of the version it went back to,
 * seen by a client.
 */
import { join } from 'node:path';
import { programFiles } from '../electron/adapters/system/program.ts';
import { createConsoleFactory } from '../electron/compose.ts';
import { createSample, QUIET_JOB, SAMPLE_ENVIRONMENT, SAMPLE_MODEL } from '../electron/sample/workspace.ts';
import { labelledFile } from '../shared/domain/evidence/selection.ts';
import { featureNames } from '../shared/domain/model/feature-columns.ts';
import { DEFAULT_GUARDS } from '../shared/domain/rollout/plan.ts';
import { type LoadReport, load } from './support/load.ts';
import { median, percentile } from './support/measure.ts';
import { built, ROOT } from './support/program.ts';
import { type Bench, row } from './support/row.ts';
import { sampleRows } from './support/sample-rows.ts';

const RATE = 500;
const WINDOW_MS = 10_000;
/** Where in the window the switch is asked for. */
const SWITCH_AT_MS = 4000;
const ROLLBACKS = 100;
/** From one rollback to the next: time for some hundred answers of the version it went to. */
const BETWEEN_MS = 250;
const [STABLE, NEXT] = ['1.0.0', '1.1.0'] as const;

const epochNow = (): number => performance.timeOrigin + performance.now();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const rollout: Bench = async ({ directory, say }) => {
  const factory = createConsoleFactory({
    files: programFiles(join(ROOT, 'out/main'), built('cli.js')),
    pollMs: 250,
  });
  say('a workspace with a vault, an agent and two approved releases');
  const sample = await createSample({ factory, directory: join(directory, 'workspace') });
  try {
    const { services, vault } = sample.console;
    services.rollouts.start();
    const [ana, ben, cleo] = sample.file.operators;
    if (!ana || !ben || !cleo) throw new Error('The sample has three operators.');
    const signIn = (who: typeof ana) =>
      services.session.signIn({ operator: who.name, passphrase: who.passphrase });
    const analyst = await signIn(ana);
    const managers = [await signIn(ben), await signIn(cleo)] as const;

    const approved = async (version: string): Promise<string> => {
      await services.validation.run(
        analyst,
        {
          name: SAMPLE_MODEL,
          version,
          data: labelledFile(join(factory.files.sampleData, 'labelled.csv'), 'label'),
          environmentId: sample.environmentId,
          policy: null,
        },
        QUIET_JOB,
      );
      const { record } = await services.requests.submit(analyst, {
        name: SAMPLE_MODEL,
        version,
        environmentId: sample.environmentId,
        passphrase: ana.passphrase,
        plan: {
          strategy: 'direct',
          steps: [100],
          bakeMs: 0,
          maxStepMs: 60_000,
          mirrorSample: 0,
          guards: DEFAULT_GUARDS,
        },
      });
      await services.requests.approve(managers[0], { id: record.id, passphrase: ben.passphrase });
      await services.requests.approve(managers[1], { id: record.id, passphrase: cleo.passphrase });
      return record.id;
    };
    const deploy = async (requestId: string): Promise<void> => {
      const { state } = await services.rollouts.deploy(managers[0], {
        requestId,
        target: SAMPLE_ENVIRONMENT,
      });
      const ended = await services.rollouts.finished(state.id);
      if (ended.state.phase !== 'completed')
        throw new Error(`The rollout is ${ended.state.phase}: ${ended.state.reason}`);
    };
    const first = await approved(STABLE);
    const second = await approved(NEXT);
    await deploy(first);

    const endpoint = services.endpoints.list(analyst)[0]?.endpoint;
    const model = vault.store.read.version({ name: SAMPLE_MODEL, version: NEXT });
    if (!endpoint || !model || !sample.file.agent) throw new Error('The sample has an agent and models.');
    const rows = sampleRows(featureNames(model.onnx) ?? [], 500);
    const request = {
      url: `${endpoint.predictUrl}/predict`,
      headers: { authorization: `Bearer ${sample.file.agent.token}` },
      bodies: rows.map((features) => JSON.stringify({ model_name: SAMPLE_MODEL, features })),
      ratePerSecond: RATE,
      connections: 64,
      versionField: 'model_version',
    };
    /** Runs `change` in the middle of a window of load; answers the load's report and when the change was asked for. */
    const around = async (
      change: () => Promise<unknown>,
    ): Promise<{ report: LoadReport; askedAt: number }> => {
      const { started, report } = load({ ...request, durationMs: WINDOW_MS });
      await started;
      await sleep(SWITCH_AT_MS);
      const askedAt = epochNow();
      await change();
      return { report: await report, askedAt };
    };
    const firstAnswerAfter = (report: LoadReport, version: string, askedAt: number): number => {
      const seen = report.switches.find((one) => one.version === version && one.atEpochMs >= askedAt);
      if (seen === undefined)
        throw new Error(`${version} never answered: ${JSON.stringify(report.versions)}`);
      return seen.atEpochMs - askedAt;
    };

    say(`${NEXT} goes out under ${RATE} requests/s`);
    const out = await around(() => deploy(second));
    const reports = [out.report];
    const outMs = firstAnswerAfter(out.report, NEXT, out.askedAt);
    say(`${ROLLBACKS} rollbacks, back and forth, under ${RATE} requests/s`);
    const commandMs: number[] = [];
    const asked: { to: string; at: number }[] = [];
    const { started, report } = load({ ...request, durationMs: ROLLBACKS * BETWEEN_MS + 2000 });
    await started;
    for (let run = 0; run < ROLLBACKS; run++) {
      const to = run % 2 === 0 ? STABLE : NEXT;
      const begun = performance.now();
      asked.push({ to, at: epochNow() });
      await services.rollouts.rollback(managers[0], { name: SAMPLE_MODEL, target: SAMPLE_ENVIRONMENT, to });
      commandMs.push(performance.now() - begun);
      await sleep(Math.max(0, BETWEEN_MS - (performance.now() - begun)));
    }
    const back = await report;
    reports.push(back);
    const backMs = asked.map(({ to, at }) => firstAnswerAfter(back, to, at));
    const failed = reports.reduce((sum, report) => sum + report.failed, 0);
    if (failed > 0) say(`failures: ${JSON.stringify(reports.map((report) => report.failures))}`);
    const latencies = reports.flatMap((report) => [...report.latencies]);
    return [
      row({
        name: 'rollout.failed-requests',
        value: failed,
        unit: 'requests',
        goal: { atMost: 0, of: 'value' },
      }),
      row({
        name: 'rollout.requests',
        value: reports.reduce((sum, report) => sum + report.sent, 0),
        unit: 'requests',
      }),
      row({
        name: 'rollout.rollback-to-first-answer',
        value: median(backMs),
        unit: 'ms',
        goal: { atMost: 100, of: 'value' },
      }),
      row({
        name: 'rollout.rollback-to-first-answer-p99',
        value: percentile(backMs, 99),
        unit: 'ms',
        goal: { atMost: 100, of: 'value' },
      }),
      row({ name: 'rollout.switches', value: asked.length + 1, unit: 'switches' }),
      row({ name: 'rollout.rollback-command', value: median(commandMs), unit: 'ms' }),
      row({ name: 'rollout.deploy-to-first-answer', value: outMs, unit: 'ms' }),
      row({ name: `rollout.p99-at-${RATE}/s`, value: percentile(latencies, 99), unit: 'ms' }),
    ];
  } finally {
    await sample.close();
  }
};
