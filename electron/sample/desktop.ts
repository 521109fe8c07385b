import { join } from 'node:path';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import { DEFAULT_GUARDS } from '../../shared/domain/rollout/plan.ts';
import type { Console, ConsoleEvents, ConsoleFactory } from '../compose.ts';
import {
  createSample,
  openSample,
  QUIET_JOB,
  readSample,
  SAMPLE_ENVIRONMENT,
  SAMPLE_MODEL,
  type Sample,
  type SampleFile,
} from './workspace.ts';

/** One laptop plays console, agent and users: under this, slowness is the machine's, in milliseconds. */
const P95_FLOOR_MS = 250;
/** Requests a second the sample's users send: enough for a canary's verdict within a minute, little enough for a laptop. */
const REQUESTS_PER_SECOND = 120;

export interface SampleDesktopOptions {
  readonly factory: ConsoleFactory;
  readonly directory: string;
  readonly events: ConsoleEvents;
  readonly onError: (error: unknown) => void;
  readonly adopt: (opened: Console, file: SampleFile) => void;
}

/**
 * Opens the sample workspace for the window, made at first start: 1.0.0 serves, 1.1.0 waits for its approvals, 1.2.0
 * is a draft. The agent and its traffic come up behind the window, which does not wait for them.
 */
export async function openSampleWorkspace(
  options: SampleDesktopOptions,
): Promise<{ close(): Promise<void> }> {
  const { factory, directory, events, onError } = options;
  const file = await readSample(directory);
  const sample =
    file === null
      ? await createSample({ factory, directory, events })
      : await openSample(factory, directory, file, events);
  options.adopt(sample.console, sample.file);
  const ready = (async () => {
    // Also after a first start that was closed before it got this far.
    if (sample.console.vault.store.read.requests().length === 0)
      await prepare(sample, join(factory.files.sampleData, 'labelled.csv'));
    await sample.startTraffic(REQUESTS_PER_SECOND);
  })().catch(onError);
  return {
    close: async () => {
      await sample.stopAgent();
      await ready;
    },
  };
}

/** What a new workspace shows: one release out, the next one waiting for its approvers. */
async function prepare(sample: Sample, labelled: string): Promise<void> {
  const { services } = sample.console;
  const [ana, ben, cleo] = sample.file.operators;
  if (ana === undefined || ben === undefined || cleo === undefined) return;
  const actors = [];
  for (const { name, passphrase } of [ana, ben, cleo])
    actors.push(await services.session.signIn({ operator: name, passphrase }));
  const [analyst, manager] = actors;
  if (analyst === undefined || manager === undefined) return;
  const plan = {
    bakeMs: 10_000,
    maxStepMs: 15 * 60_000,
    mirrorSample: 1,
    guards: { ...DEFAULT_GUARDS, p95FloorMs: P95_FLOOR_MS },
  };
  const validate = (version: string) =>
    services.validation.run(
      analyst,
      {
        name: SAMPLE_MODEL,
        version,
        data: labelledFile(labelled, 'label'),
        environmentId: sample.environmentId,
        policy: null,
      },
      QUIET_JOB,
    );
  const submit = (version: string, strategy: 'direct' | 'canary') =>
    services.requests.submit(analyst, {
      name: SAMPLE_MODEL,
      version,
      environmentId: sample.environmentId,
      passphrase: ana.passphrase,
      plan: { ...plan, strategy, steps: strategy === 'direct' ? [100] : [10, 50, 100] },
    });

  await validate('1.0.0');
  const { record } = await submit('1.0.0', 'direct');
  for (const [index, { passphrase }] of [ben, cleo].entries()) {
    const approver = actors[index + 1];
    if (approver !== undefined) await services.requests.approve(approver, { id: record.id, passphrase });
  }
  const { state } = await services.rollouts.deploy(manager, {
    requestId: record.id,
    target: SAMPLE_ENVIRONMENT,
  });
  await services.rollouts.finished(state.id);
  await validate('1.1.0');
  const ref = (version: string) => ({ name: SAMPLE_MODEL, version });
  await services.comparison.run(
    analyst,
    { versions: [ref('1.0.0'), ref('1.1.0')], data: labelledFile(labelled, 'label') },
    QUIET_JOB,
  );
  await submit('1.1.0', 'canary');
}
