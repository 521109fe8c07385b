import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ComparisonReport, ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseNumber, parseRef, requireNewFile, writeNewFile } from '../input.ts';
import { number, table } from '../output.ts';

export function registerEvidence(program: Command, context: CliContext): void {
  program
    .command('validate')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption('--data <file>', 'labelled CSV')
    .option('--label <column>', 'label column; guessed when left out')
    .option('--for <environment>', 'judge by this environment’s policy')
    .option('--policy <file>', 'what-if: judge by this policy file; changes no state')
    .option('--report <file>', 'write an HTML report')
    .description('run a version over labelled data and measure it')
    .action(
      (
        ref: string,
        options: { data: string; label?: string; for?: string; policy?: string; report?: string },
      ) =>
        context.asOperator(async ({ services, actor, environmentId, readPolicy, renderReport }) => {
          if (options.for !== undefined && options.policy !== undefined)
            throw new SallyportError('usage', '--for and --policy exclude each other.');
          const input = parseInput('validation.run', {
            ...parseRef(ref),
            path: options.data,
            labelColumn: options.label ?? null,
            environmentId: options.for === undefined ? null : await environmentId(options.for),
            policy: options.policy === undefined ? null : await readPolicy(options.policy),
            jobId: 'cli',
          });
          if (options.report !== undefined) await requireNewFile(options.report);
          const report = await context.job((job) => services.validation.run(actor, input, job));
          if (options.report !== undefined)
            await writeNewFile(options.report, renderReport.validation(report));
          context.output.result(report, describeValidation(report));
          if (!report.passed)
            throw new SallyportError(
              'refused.gate',
              `${ref} does not pass: ${report.gates
                .filter((g) => !g.passed)
                .map((g) => `${g.metric}: ${g.reason}.`)
                .join(' ')}`,
              { hint: 'The report is kept.' },
            );
        }),
    );

  program
    .command('compare')
    .argument('<champion>', 'NAME@VERSION')
    .argument('<challenger>', 'NAME@VERSION')
    .requiredOption('--data <file>', 'labelled CSV')
    .option('--label <column>')
    .option('--report <file>', 'write an HTML report')
    .option('--rows <n>', 'disagreeing rows to print', '10')
    .description('two versions on the same rows: deltas and disagreements')
    .action(
      (
        champion: string,
        challenger: string,
        options: { data: string; label?: string; report?: string; rows: string },
      ) =>
        context.asOperator(async ({ services, actor, renderReport }) => {
          const input = parseInput('comparison.run', {
            champion: parseRef(champion),
            challenger: parseRef(challenger),
            path: options.data,
            labelColumn: options.label ?? null,
            jobId: 'cli',
          });
          const shown = parseNumber('--rows', options.rows);
          if (options.report !== undefined) await requireNewFile(options.report);
          const report = await context.job((job) => services.comparison.run(actor, input, job));
          if (options.report !== undefined)
            await writeNewFile(options.report, renderReport.comparison(report));
          context.output.result(report, describeComparison(report, shown));
        }),
    );
}

function describeValidation(report: ValidationReport): string {
  const { metrics: m, latency } = report;
  const lines = [
    `${formatRef(report.ref)} on ${report.dataset.fileName}: ${report.dataset.rows} rows (${m.positives} positive), ${Math.round(report.rowsPerSecond)} rows/s`,
    `confusion  tn ${m.confusion.tn}  fp ${m.confusion.fp}  fn ${m.confusion.fn}  tp ${m.confusion.tp}`,
    `accuracy ${number(m.accuracy)}  precision ${number(m.precision)}  recall ${number(m.recall)}  F1 ${number(m.f1)}  ROC AUC ${number(m.roc_auc)}`,
    `latency p50 ${latency.p50.toFixed(2)} ms  p95 ${latency.p95.toFixed(2)} ms  p99 ${latency.p99.toFixed(2)} ms`,
  ];
  if (report.gates.length > 0) {
    lines.push(
      table(
        ['gate', 'limit', 'measured', ''],
        report.gates.map((g) => [
          `${g.metric} ${g.bound}`,
          String(g.limit),
          number(g.measured),
          g.passed ? 'pass' : 'FAIL',
        ]),
      ),
    );
  }
  lines.push(`report ${report.id}`);
  return lines.join('\n');
}

function describeComparison(report: ComparisonReport, rows: number): string {
  const deltas = table(
    ['metric', formatRef(report.champion), formatRef(report.challenger), 'delta'],
    report.deltas.map((d) => [
      d.metric,
      number(d.champion),
      number(d.challenger),
      d.delta === null ? '–' : `${d.delta >= 0 ? '+' : ''}${d.delta.toFixed(4)}`,
    ]),
  );
  const shown = report.disagreementRows.slice(0, rows);
  const list =
    shown.length === 0
      ? ''
      : `\n${table(
          ['row', 'truth', 'champion', 'challenger', 'context'],
          shown.map((r) => [
            String(r.row),
            String(r.label),
            String(r.championLabel),
            String(r.challengerLabel),
            Object.values(r.context).join(' ').slice(0, 100),
          ]),
        )}`;
  return `${deltas}\n${report.disagreements} of ${report.dataset.rows} rows differ: the challenger is right on ${report.challengerFixes}, the champion on ${report.challengerBreaks}.${list}`;
}
