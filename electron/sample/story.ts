/**
 * The whole story of two releases, played for real: every step does what it says through the services a person uses,
 * and fails the story when its outcome is not the expected one.
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import type { ComparisonReport, ValidationReport } from '../../shared/domain/metrics/report.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import { DEFAULT_GUARDS, type Guards } from '../../shared/domain/rollout/plan.ts';
import type { RolloutView } from '../../shared/domain/view/views.ts';
import type { ConsoleFactory } from '../compose.ts';
import {
  createSample,
  QUIET_JOB,
  SAMPLE_ENVIRONMENT,
  SAMPLE_MODEL,
  type SAMPLE_VERSIONS,
  type Sample,
  samplePaths,
} from './workspace.ts';

export interface StoryLine {
  readonly step: string;
  readonly figure: string;
}

export interface Story {
  readonly lines: readonly StoryLine[];
  readonly validations: readonly ValidationReport[];
  readonly comparisons: readonly ComparisonReport[];
  readonly rollouts: readonly RolloutView[];
}

export interface StoryOptions {
  readonly factory: ConsoleFactory;
  /** Made new by the story. */
  readonly directory: string;
  readonly requestsPerSecond: number;
  /** Guards of the canaries; the story only ends well with the disagreement guard on. */
  readonly guards: Partial<Guards>;
  readonly onLine: (line: StoryLine) => void;
}

/** Thrown when a step's outcome is not what the story needs. */
export class StoryFailed extends Error {
  readonly step: string;
  constructor(step: string, message: string) {
    super(`${step}: ${message}`);
    this.step = step;
  }
}

type Version = (typeof SAMPLE_VERSIONS)[number];
const BAKE_MS = 2000;
/** One machine plays console, agent and users: under this, slowness is the machine's, in milliseconds. */
const P95_FLOOR_MS = 500;

export async function playStory(options: StoryOptions): Promise<Story> {
  const lines: StoryLine[] = [];
  const tell = (step: string, figure: string) => {
    const line = { step, figure };
    lines.push(line);
    options.onLine(line);
  };
  const sample = await createSample({ factory: options.factory, directory: options.directory, onStep: tell });
  try {
    return await tellStory(options, sample, lines, tell);
  } finally {
    await sample.close();
  }
}

async function tellStory(
  options: StoryOptions,
  sample: Sample,
  lines: StoryLine[],
  tell: (step: string, figure: string) => void,
): Promise<Story> {
  const { services } = sample.console;
  const labelled = join(options.factory.files.sampleData, 'labelled.csv');
  const [ana, ben, cleo] = sample.file.operators;
  if (!ana || !ben || !cleo) throw new StoryFailed('start', 'an operator is missing');
  const signIn = (operator: typeof ana) =>
    services.session.signIn({ operator: operator.name, passphrase: operator.passphrase });
  const actors = { ana: await signIn(ana), ben: await signIn(ben), cleo: await signIn(cleo) };
  const validations: ValidationReport[] = [];
  const comparisons: ComparisonReport[] = [];
  const rollouts: RolloutView[] = [];
  services.rollouts.start();

  tell('tamper', await tamperWithArtifact(sample, options.directory, actors.ana));

  const validate = async (version: Version) => {
    const report = await services.validation.run(
      actors.ana,
      {
        name: SAMPLE_MODEL,
        version,
        data: labelledFile(labelled, 'label'),
        environmentId: sample.environmentId,
        policy: null,
      },
      QUIET_JOB,
    );
    validations.push(report);
    const { metrics, gates } = report;
    tell(
      'validate',
      `${version}: F1 ${figure(metrics.f1)}, ROC AUC ${figure(metrics.roc_auc)}, ${gates.filter((g) => g.passed).length} of ${gates.length} gates pass, ${Math.round(report.rowsPerSecond)} rows/s`,
    );
    if (!report.passed) throw new StoryFailed('validate', `${version} does not pass its gates`);
    return report;
  };
  const compare = async (champion: Version, challenger: Version) => {
    const ref = (version: Version) => ({ name: SAMPLE_MODEL, version });
    const report = await services.comparison.run(
      actors.ana,
      { versions: [ref(champion), ref(challenger)], data: labelledFile(labelled, 'label') },
      QUIET_JOB,
    );
    comparisons.push(report);
    const auc = report.deltas.find((d) => d.metric === 'roc_auc')?.delta ?? null;
    tell(
      'compare',
      `${challenger} with ${champion}: ROC AUC ${auc !== null && auc >= 0 ? '+' : ''}${figure(auc)}, ${report.disagreements} of ${report.dataset.rows} rows differ, ${report.challengerFixes} mended, ${report.challengerBreaks} broken`,
    );
    return report;
  };
  const approve = async (version: Version, strategy: 'direct' | 'canary') => {
    const { record } = await services.requests.submit(actors.ana, {
      name: SAMPLE_MODEL,
      version,
      environmentId: sample.environmentId,
      passphrase: ana.passphrase,
      plan: {
        strategy,
        steps: strategy === 'direct' ? [100] : [10, 50, 100],
        bakeMs: strategy === 'direct' ? 0 : BAKE_MS,
        maxStepMs: 120_000,
        mirrorSample: 1,
        guards: { ...DEFAULT_GUARDS, p95FloorMs: P95_FLOOR_MS, ...options.guards },
      },
    });
    await services.requests.approve(actors.ben, { id: record.id, passphrase: ben.passphrase });
    const early = await refusalOf(() =>
      services.rollouts.deploy(actors.ben, { requestId: record.id, target: SAMPLE_ENVIRONMENT }),
    );
    if (early !== 'refused.quorum')
      throw new StoryFailed('approve', `one approval of two was answered with ${early ?? 'a rollout'}`);
    const view = await services.requests.approve(actors.cleo, { id: record.id, passphrase: cleo.passphrase });
    if (view.record.state !== 'approved')
      throw new StoryFailed('approve', `the request is ${view.record.state}`);
    tell(
      'approve',
      `${version}: refused with 1 signature, approved with ${view.approvals.filter((a) => a.kind === 'approval').length} (OpenSSF Model Signing over ${view.files.length} files, root ${record.root.slice(0, 12)})`,
    );
    return record.id;
  };
  const deploy = async (version: Version, requestId: string) => {
    const began = performance.now();
    const started = await services.rollouts.deploy(actors.ben, { requestId, target: SAMPLE_ENVIRONMENT });
    const ended = await services.rollouts.finished(started.state.id);
    rollouts.push(ended);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const { phase, reason, verdicts } = ended.state;
    tell(
      'deploy',
      `${version}: ${phase} in ${seconds} s after ${verdicts.length} verdicts. ${verdicts.at(-1)?.reason ?? reason}`,
    );
    return ended;
  };

  await validate('1.0.0');
  const first = await deploy('1.0.0', await approve('1.0.0', 'direct'));
  if (first.state.phase !== 'completed') throw new StoryFailed('deploy', first.state.reason);
  const traffic = await sample.startTraffic(options.requestsPerSecond);

  const better = await validate('1.1.0');
  await compare('1.0.0', '1.1.0');
  const second = await deploy('1.1.0', await approve('1.1.0', 'canary'));
  if (second.state.phase !== 'completed')
    throw new StoryFailed('deploy', `1.1.0 should go out: ${second.state.reason}`);

  const blind = await validate('1.2.0');
  if ((blind.metrics.roc_auc ?? 0) <= (better.metrics.roc_auc ?? 1))
    throw new StoryFailed('validate', '1.2.0 should look better on the labelled rows');
  await compare('1.1.0', '1.2.0');
  const third = await deploy('1.2.0', await approve('1.2.0', 'canary'));
  const verdict = third.state.verdicts.at(-1);
  const caught =
    verdict?.measurements.some((m) => m.guard === 'disagreement' && m.outcome === 'breach') === true;
  if (third.state.phase !== 'rolled-back' || !caught) {
    throw new StoryFailed(
      'guard',
      `1.2.0 is blind to one kind of URL and should be rolled back by its disagreement guard; the rollout is ${third.state.phase}`,
    );
  }

  const [endpoint] = await services.endpoints.list(actors.ben);
  const status =
    endpoint === undefined ? null : await services.endpoints.check(actors.ben, { id: endpoint.endpoint.id });
  const serving = status?.models.find((m) => m.name === SAMPLE_MODEL)?.stable?.version;
  const counts = traffic.counts();
  tell(
    'serve',
    `the agent serves ${serving ?? 'nothing'}; ${counts.answered} requests answered while versions changed, ${counts.failed} failed`,
  );
  if (serving !== '1.1.0')
    throw new StoryFailed('serve', `the agent should serve 1.1.0, not ${serving ?? 'nothing'}`);
  if (counts.failed > 0)
    throw new StoryFailed('serve', `${counts.failed} requests failed: ${counts.lastFailure}`);
  if (counts.answered === 0) throw new StoryFailed('serve', 'no request was answered');

  const back = await services.rollouts.rollback(actors.ben, {
    name: SAMPLE_MODEL,
    target: SAMPLE_ENVIRONMENT,
    to: null,
  });
  await options.factory.system.sleep(500);
  const after = traffic.counts();
  traffic.stop();
  tell(
    'rollback',
    `${back.previous} to ${back.version} by one command in ${back.durationMs.toFixed(0)} ms, ${after.failed} of ${after.answered} requests failed`,
  );
  if (back.version !== '1.0.0' || after.failed > 0)
    throw new StoryFailed('rollback', `it serves ${back.version}, ${after.failed} requests failed`);

  const proof = await services.audit.verify(actors.cleo);
  tell(
    'audit',
    `${proof.entries} entries chained, ${proof.signaturesChecked} signatures and ${proof.checkpointsChecked} checkpoints verified, ${proof.problems.length} problems`,
  );
  if (!proof.ok) throw new StoryFailed('audit', proof.problems[0]?.problem ?? 'it does not verify');
  return { lines, validations, comparisons, rollouts };
}

/** Flips one byte of a stored artifact, shows that it is refused, and puts the byte back. */
async function tamperWithArtifact(sample: Sample, directory: string, actor: Actor): Promise<string> {
  const { services, vault } = sample.console;
  const version = vault.store.read.version({ name: SAMPLE_MODEL, version: '1.1.0' });
  if (version === null) throw new StoryFailed('tamper', '1.1.0 is not there');
  const path = join(
    samplePaths(directory).vault,
    'artifacts',
    version.artifactId.slice(0, 2),
    `${version.artifactId}.age`,
  );
  const { length } = await readFile(path);
  const at = Math.floor(length / 2);
  await flipByte(path, at);
  const labelled = join(directory, 'never-read.csv');
  const refused = await refusalOf(() =>
    services.validation.run(
      actor,
      {
        name: SAMPLE_MODEL,
        version: '1.1.0',
        data: labelledFile(labelled),
        environmentId: null,
        policy: null,
      },
      QUIET_JOB,
    ),
  );
  const checked = await services.models.verify(
    actor,
    { ref: { name: SAMPLE_MODEL, version: '1.1.0' } },
    QUIET_JOB,
  );
  await flipByte(path, at);
  const mended = await services.models.verify(
    actor,
    { ref: { name: SAMPLE_MODEL, version: '1.1.0' } },
    QUIET_JOB,
  );
  if (refused !== 'integrity.artifact')
    throw new StoryFailed('tamper', `a changed artifact was answered with ${refused ?? 'a validation'}`);
  if (checked.bad.length !== 1 || mended.bad.length !== 0)
    throw new StoryFailed('tamper', 'the integrity check did not see the byte');
  return `byte ${at} of ${length} flipped: refused before the runtime saw it (${refused}); put back: intact`;
}

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
}

async function refusalOf(work: () => Promise<unknown>): Promise<ErrorCode | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
}

function figure(value: number | null): string {
  return value === null ? 'none' : value.toFixed(4);
}
