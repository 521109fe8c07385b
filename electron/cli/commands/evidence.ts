import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import type { EvidenceRef } from '../../../shared/domain/evidence/rows.ts';
import { overallVerdict, verdictOf } from '../../../shared/domain/policy/evaluate.ts';
import type { CliContext, OperatorSession } from '../context.ts';
import { describeComparison, describeValidation } from '../describe-evidence.ts';
import { parseInput, parseNumber, parseRef, parseWith, readJsonFile, requireNewFile } from '../input.ts';
import { runTestData, type TestDataOptions } from './test-data.ts';

/** Options that say which rows are read, and how. */
interface DataOptions {
  readonly data?: string;
  readonly format?: string;
  readonly label?: string;
  readonly labels?: string;
  readonly unlabelled?: boolean;
  readonly positive?: string;
  readonly filter?: string;
  readonly columns?: string;
  readonly slice?: string[];
  readonly time?: string;
}
interface ValidateOptions extends DataOptions, TestDataOptions {
  readonly environment?: string;
  readonly for?: string;
  readonly policy?: string;
  readonly robustness?: boolean;
  readonly driftAgainst?: string;
  readonly report?: string;
}

function withData(command: Command): Command {
  return command
    .option('--data <file>', 'CSV, JSON lines, Parquet or NPY')
    .option('--format <format>', 'csv, jsonl, parquet or npy; found out when left out')
    .option('--label <column>', 'column of the truth; guessed by its name when left out')
    .option('--labels <file>', 'with NPY: a file with one label a row')
    .option('--unlabelled', 'there is no truth: replayed traffic')
    .option('--positive <value>', 'what means malicious in the label column')
    .option('--filter <sql>', 'one SQL expression over the columns: rows where it is true')
    .option('--columns <file>', 'JSON: feature of the model → column of the file; remembered for the model')
    .option('--slice <column...>', 'measure within the values of these columns; chosen when left out')
    .option('--time <column>', 'time of a row, for series')
    .option('--report <file>', 'write the report, by its ending: .html or .json');
}

export function registerEvidence(program: Command, context: CliContext): void {
  withData(
    program
      .command('validate')
      .argument('<version>', 'NAME@VERSION; with --test-data also a model file, registered or not'),
  )
    .option('--test-data <folder>', 'run its test_data_set_* folders (input_*.pb, output_*.pb) and compare')
    .option('--rtol <number>', 'with --test-data: relative tolerance, 0.001 when left out')
    .option('--atol <number>', 'with --test-data: absolute tolerance, 1e-7 when left out')
    .option('--environment <name>', 'judge by this environment’s policy')
    .option('--for <name>', 'the same')
    .option('--policy <file>', 'what-if: judge by this policy file; changes no state')
    .option('--robustness', 'try noise, missing, out-of-range, permuted and constant features')
    .option('--drift-against <version>', 'NAME@VERSION whose reference profile the data is held against')
    .description('run a version over data and measure it')
    .action((ref: string, options: ValidateOptions) => {
      const { testData } = options;
      if (testData !== undefined) return runTestData(context, ref, { ...options, testData });
      return context.asOperator(async (session) => {
        const { services, actor, environmentId, readPolicy } = session;
        const environment = options.environment ?? options.for;
        if (environment !== undefined && options.policy !== undefined)
          throw new SallyportError('usage', '--environment and --policy exclude each other.');
        const input = parseInput('validation.run', {
          ...parseRef(ref),
          data: await selectionOf(options),
          environmentId: environment === undefined ? null : await environmentId(environment),
          policy: options.policy === undefined ? null : await readPolicy(options.policy),
          robustness: options.robustness ?? false,
          driftAgainst: options.driftAgainst === undefined ? null : parseRef(options.driftAgainst),
          jobId: 'cli',
        });
        if (options.report !== undefined) await requireReportFile(options.report);
        const report = await context.job((job) => services.validation.run(actor, input, job));
        await writeReport(session, { kind: 'validation', id: report.id }, options.report);
        context.output.result(report, describeValidation(report));
        if (report.passed) return;
        const verdict = overallVerdict(report.gates);
        throw new SallyportError(
          'refused.gate',
          `${ref} ${verdict === 'fail' ? 'does not pass' : 'is inconclusive'}: ${report.gates
            .filter((gate) => verdictOf(gate) !== 'pass')
            .map((gate) => `${gate.metric}: ${gate.reason}.`.replace(/\.\.$/, '.'))
            .join(' ')}`,
          { hint: `The report is kept. Look at the rows behind it: sallyport rows ${report.id}` },
        );
      });
    });

  withData(
    program
      .command('compare')
      .argument('<champion>', 'NAME@VERSION')
      .argument('<challenger>', 'NAME@VERSION')
      .argument('[others...]', 'further versions, up to eight in all'),
  )
    .option('--rows <n>', 'disagreeing rows to print', '10')
    .description('versions on the same rows: differences, their significance, and where they differ')
    .action(
      (
        champion: string,
        challenger: string,
        others: string[],
        options: DataOptions & { report?: string; rows: string },
      ) =>
        context.asOperator(async (session) => {
          const { services, actor } = session;
          const input = parseInput('comparison.run', {
            versions: [champion, challenger, ...others].map(parseRef),
            data: await selectionOf(options),
            jobId: 'cli',
          });
          const shown = parseNumber('--rows', options.rows);
          if (options.report !== undefined) await requireReportFile(options.report);
          const report = await context.job((job) => services.comparison.run(actor, input, job));
          await writeReport(session, { kind: 'comparison', id: report.id }, options.report);
          context.output.result(report, describeComparison(report, shown));
        }),
    );
}

const columnsSchema = z.record(z.string(), z.string());

async function selectionOf(options: DataOptions): Promise<DataSelection> {
  if (options.data === undefined)
    throw new SallyportError('usage', 'Say which data: --data FILE.', { hint: 'Nothing was done.' });
  return {
    path: resolve(options.data),
    // Checked with the rest of the input.
    format: (options.format ?? null) as DataSelection['format'],
    labelled: options.unlabelled !== true,
    labelColumn: options.label ?? null,
    positiveValue: options.positive ?? null,
    filter: options.filter ?? null,
    columns:
      options.columns === undefined
        ? null
        : parseWith(columnsSchema, await readJsonFile(options.columns, 'columns')),
    sliceColumns: options.slice ?? null,
    timeColumn: options.time ?? null,
    ...(options.labels === undefined ? {} : { labelsPath: resolve(options.labels) }),
  };
}

/** HTML unless the name says JSON. */
export function reportFormat(path: string): 'html' | 'json' {
  if (/\.json$/i.test(path)) return 'json';
  if (/\.pdf$/i.test(path))
    throw new SallyportError('usage', 'PDF is made by the window.', {
      hint: 'Nothing was done. Write HTML and print it, or use the window.',
    });
  return 'html';
}

async function requireReportFile(path: string): Promise<void> {
  reportFormat(path);
  await requireNewFile(path);
}

async function writeReport(
  { services, actor }: OperatorSession,
  evidence: EvidenceRef,
  path: string | undefined,
): Promise<void> {
  if (path === undefined) return;
  await services.evidence.exportReport(actor, {
    evidence,
    path: resolve(path),
    format: reportFormat(path),
  });
}

/** Which kind of report an id is; each has its own list. */
export function evidenceOf({ services, actor }: OperatorSession, id: string): EvidenceRef {
  try {
    return { kind: 'validation', id: services.validation.get(actor, { id }).id };
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'not-found') throw error;
    return { kind: 'comparison', id };
  }
}
