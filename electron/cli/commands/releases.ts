import { type Command, Option } from 'commander';
import { formatRef } from '../../../shared/domain/model/version.ts';
import {
  DEFAULT_GUARDS,
  DEFAULT_LEASE,
  leaseOf,
  type RolloutPlan,
} from '../../../shared/domain/rollout/plan.ts';
import { ruleCount } from '../../../shared/domain/scan/finding.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import type { CliContext } from '../context.ts';
import { parseDuration, parseInput, parseNumber, parseRef, readJsonFile } from '../input.ts';
import { table } from '../output.ts';

interface SubmitOptions {
  for: string;
  plan?: string;
  strategy: string;
  steps?: string;
  bake: string;
  maxStep: string;
  mirror: string;
  maxDisagreement?: string;
  maxErrorRate?: string;
  maxP95Ratio?: string;
  minimumRequests?: string;
  minimumPairs?: string;
  lease: string;
  afterLease: string;
}

export function registerReleases(program: Command, context: CliContext): void {
  program
    .command('submit')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption('--for <environment>')
    .option('--plan <file>', 'plan as JSON (without salt); replaces the options below')
    .addOption(
      new Option('--strategy <strategy>', 'how traffic moves')
        .choices(['direct', 'canary'])
        .default('canary'),
    )
    .option('--steps <percents>', 'e.g. 10,50,100')
    .option('--bake <time>', 'least time of a step', '30s')
    .option('--max-step <time>', 'longest time of a step without a verdict', '15m')
    .option('--mirror <share>', 'share of canary requests stable also answers', '1')
    .option('--max-disagreement <share>', 'guard; "off" turns it off')
    .option('--max-error-rate <share>', 'guard; "off" turns it off')
    .option('--max-p95-ratio <ratio>', 'guard; "off" turns it off')
    .option('--minimum-requests <n>')
    .option('--minimum-pairs <n>')
    .option('--lease <time>', 'how long an agent serves the canary unheard of the console', '5m')
    .addOption(
      new Option('--after-lease <what>', 'what the agent does then')
        .choices(['hold', 'roll-back'])
        .default(DEFAULT_LEASE.after),
    )
    .description('freeze a release for one environment and sign the request')
    .action((ref: string, options: SubmitOptions) =>
      context.asOperator(async ({ services, actor, environmentId, operatorPassphrase }) => {
        const plan =
          options.plan === undefined
            ? planFrom(options)
            : // Parsed with the rest of the input below; the salt is always made fresh.
              ((await readJsonFile(options.plan, 'plan')) as PlanInput);
        const view = await services.requests.submit(
          actor,
          parseInput('requests.submit', {
            ...parseRef(ref),
            environmentId: await environmentId(options.for),
            passphrase: await operatorPassphrase(),
            plan,
          }),
        );
        context.output.result(
          view,
          `request ${view.record.id} submitted for ${view.record.environmentName}; it needs ${view.record.quorum} approvals before ${view.record.request.notAfter}`,
        );
      }),
    );

  const request = program.command('request').description('release requests');
  request
    .command('list')
    .description('all requests, newest first')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const views = await services.requests.list(actor);
        const rows = views.map((v) => [
          v.record.id,
          formatRef(v.record.request),
          v.record.environmentName,
          v.record.state,
          quorumText(v),
          v.record.createdAt,
        ]);
        context.output.result(
          views,
          rows.length === 0
            ? 'No requests.'
            : table(['request', 'version', 'environment', 'state', 'approvals', 'created'], rows),
        );
      }),
    );
  request
    .command('show')
    .argument('<request>')
    .description('the evidence on one page')
    .action((id: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.requests.get(actor, { id });
        context.output.result(view, describeRequest(view));
      }),
    );
  request
    .command('withdraw')
    .argument('<request>')
    .description('take back a request of your own')
    .action((id: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.requests.withdraw(actor, { id });
        context.output.result(view, `request ${id} withdrawn.`);
      }),
    );

  program
    .command('approve')
    .argument('<request>')
    .description('sign the whole release directory with your key')
    .action((id: string) =>
      context.asOperator(async ({ services, actor, operatorPassphrase }) => {
        const view = await services.requests.approve(actor, { id, passphrase: await operatorPassphrase() });
        context.output.result(
          view,
          `approved: ${quorumText(view)} approvals, the request is ${view.record.state}.`,
        );
      }),
    );
  program
    .command('reject')
    .argument('<request>')
    .requiredOption('--reason <text>')
    .description('refuse a request')
    .action((id: string, options: { reason: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.requests.reject(
          actor,
          parseInput('requests.reject', { id, reason: options.reason }),
        );
        context.output.result(view, `request ${id} rejected.`);
      }),
    );
}

type PlanInput = Omit<RolloutPlan, 'salt'>;

function planFrom(options: SubmitOptions): PlanInput {
  const guard = (option: string, text: string | undefined, fallback: number | null) =>
    text === undefined ? fallback : text === 'off' ? null : parseNumber(option, text);
  const strategy = options.strategy === 'direct' ? ('direct' as const) : ('canary' as const);
  return {
    strategy,
    steps: (options.steps ?? (strategy === 'direct' ? '100' : '10,50,100'))
      .split(',')
      .map((step) => parseNumber('--steps', step)),
    bakeMs: parseDuration(options.bake),
    maxStepMs: parseDuration(options.maxStep),
    mirrorSample: parseNumber('--mirror', options.mirror),
    lease: {
      ms: parseDuration(options.lease),
      after: options.afterLease === 'hold' ? 'hold' : 'roll-back',
    },
    guards: {
      ...DEFAULT_GUARDS,
      maxDisagreement: guard('--max-disagreement', options.maxDisagreement, DEFAULT_GUARDS.maxDisagreement),
      maxErrorRate: guard('--max-error-rate', options.maxErrorRate, DEFAULT_GUARDS.maxErrorRate),
      maxP95Ratio: guard('--max-p95-ratio', options.maxP95Ratio, DEFAULT_GUARDS.maxP95Ratio),
      minimumRequests:
        options.minimumRequests === undefined
          ? DEFAULT_GUARDS.minimumRequests
          : parseNumber('--minimum-requests', options.minimumRequests),
      minimumPairs:
        options.minimumPairs === undefined
          ? DEFAULT_GUARDS.minimumPairs
          : parseNumber('--minimum-pairs', options.minimumPairs),
    },
  };
}

function quorumText(view: RequestView): string {
  return `${view.approvals.filter((a) => a.kind === 'approval').length}/${view.record.quorum}`;
}

function describeRequest(view: RequestView): string {
  const { record, dossier, plan } = view;
  const { validation } = dossier;
  return [
    `request      ${record.id}: ${formatRef(record.request)} for ${record.environmentName}, ${record.state}${record.reason === '' ? '' : ` (${record.reason})`}`,
    `digest       ${record.request.digest}`,
    `root         ${record.root}`,
    `submitted    ${record.request.createdAt} by ${record.request.submitter.person}; valid until ${record.request.notAfter}; serial ${record.request.serial}`,
    `plan         ${plan.strategy} ${plan.steps.join(' → ')} %, ${plan.bakeMs / 1000} s a step; lease ${leaseOf(plan).ms / 1000} s, then ${leaseOf(plan).after}`,
    `scan         ${ruleCount(dossier.scan.rulesRun)} rules ran, ${dossier.scan.findings.length} findings`,
    `validation   ${validation.dataset.fileName}: ${validation.dataset.rows} rows, F1 ${validation.metrics.f1?.toFixed(4) ?? '–'}, ROC AUC ${validation.metrics.roc_auc?.toFixed(4) ?? '–'}`,
    `comparison   ${dossier.comparison === null ? 'none' : `${dossier.comparison.disagreements} of ${dossier.comparison.dataset.rows} rows differ from ${formatRef(dossier.comparison.champion)}`}`,
    `gates        ${dossier.gates.map((g) => `${g.metric} ${g.passed ? 'pass' : 'FAIL'}`).join(', ') || 'none'}`,
    ...view.approvals.map(
      (a) =>
        `${a.kind.padEnd(12)} ${a.person} (${a.operator}), key ${a.keyFingerprint.slice(0, 16)}, ${a.createdAt}`,
    ),
  ].join('\n');
}
