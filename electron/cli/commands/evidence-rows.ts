/** What is behind reports: rows, data, runs that were interrupted, models that ended their process. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { RowPreset, RowQuery } from '../../../shared/domain/evidence/rows.ts';
import type { CliContext } from '../context.ts';
import { describeRows } from '../describe-evidence.ts';
import { parseInput, parseNumber } from '../input.ts';
import { bytes, table } from '../output.ts';
import { readPolicyFile } from '../policy-file.ts';
import { evidenceOf, reportFormat } from './evidence.ts';

interface RowsOptions {
  readonly preset: string;
  readonly slice?: string;
  readonly filter?: string;
  readonly order: string;
  readonly limit: string;
  readonly offset: string;
  readonly export?: string;
}

export function registerEvidenceRows(program: Command, context: CliContext): void {
  program
    .command('rows')
    .argument('<report>', 'id of a validation or comparison')
    .option(
      '--preset <name>',
      'all, errors, false-negatives, false-positives, disagreements, fixed, broken, output-findings',
      'errors',
    )
    .option('--slice <column=value>', 'only this part of the data')
    .option('--filter <sql>', 'one SQL expression over the columns and row, label, score, predicted')
    .option('--order <order>', 'row, score-ascending, score-descending or difference', 'row')
    .option('--limit <n>', 'rows to print', '20')
    .option('--offset <n>', 'rows to pass over', '0')
    .option('--export <file>', 'write all of them, by its ending: .csv or .jsonl')
    .description('the rows behind a report; looking at them is in the audit log')
    .action((report: string, options: RowsOptions) =>
      context.asOperator(async (session) => {
        const { services, actor } = session;
        const { limit, offset, ...query } = parseInput('evidence.rows', {
          evidence: evidenceOf(session, report),
          preset: options.preset as RowPreset,
          slice: sliceOf(options.slice),
          filter: options.filter ?? null,
          order: options.order as RowQuery['order'],
          limit: parseNumber('--limit', options.limit),
          offset: parseNumber('--offset', options.offset),
          jobId: 'cli',
        });
        const { jobId: _, ...chosen } = query;
        const file = options.export;
        if (file === undefined) {
          const rows = await context.job((job) =>
            services.evidence.rows(actor, { ...chosen, limit, offset }, job),
          );
          return context.output.result(rows, describeRows(rows));
        }
        const format = /\.(?:jsonl|ndjson)$/i.test(file) ? ('jsonl' as const) : ('csv' as const);
        const written = await context.job((job) =>
          services.evidence.exportRows(actor, { ...chosen, path: resolve(file), format }, job),
        );
        context.output.result(written, `${written.rows} rows written to ${written.path}`);
      }),
    );
  program
    .command('label')
    .argument('<report>')
    .argument('<row>', 'its number in the data, from 1')
    .argument('<verdict>', 'malicious, benign, unsure, or none to take it back')
    .option('--note <text>', 'why', '')
    .description('keep what a row really is, beside the report')
    .action((report: string, row: string, verdict: string, options: { note: string }) =>
      context.asOperator(async (session) => {
        const input = parseInput('evidence.labelRow', {
          evidence: evidenceOf(session, report),
          row: parseNumber('<row>', row),
          verdict: (verdict === 'none' ? null : verdict) as 'malicious' | 'benign' | 'unsure' | null,
          note: options.note,
        });
        const label = await session.services.evidence.labelRow(session.actor, input);
        context.output.result(label, label === null ? 'label taken back' : `row ${row}: ${label.verdict}`);
      }),
    );
  program
    .command('report')
    .argument('<report>', 'id of a validation or comparison')
    .argument('<file>', 'new file, by its ending: .html or .json')
    .description('write a stored report into a file')
    .action((report: string, file: string) =>
      context.asOperator(async (session) => {
        const written = await session.services.evidence.exportReport(session.actor, {
          evidence: evidenceOf(session, report),
          path: resolve(file),
          format: reportFormat(file),
        });
        context.output.result(written, `written to ${written.path}`);
      }),
    );
  registerDatasets(program, context);
  registerRuns(program, context);
  registerQuarantine(program, context);
  program
    .command('policy')
    .description('policy files')
    .command('check')
    .argument('<file>')
    .description('whether a policy file is one; needs no vault')
    .action(async (file: string) => {
      const policy = await readPolicyFile(file);
      context.output.result(policy, `${file} is a policy with ${policy.gates.length} gates.`);
    });
}

/** `kind=typosquat`; a value may hold further signs of equality. */
function sliceOf(text: string | undefined): RowQuery['slice'] {
  if (text === undefined) return null;
  const at = text.indexOf('=');
  if (at <= 0)
    throw new SallyportError('usage', `"${text}" is not COLUMN=VALUE.`, {
      hint: 'For example kind=typosquat',
    });
  return { column: text.slice(0, at), value: text.slice(at + 1) };
}

function registerDatasets(program: Command, context: CliContext): void {
  const dataset = program.command('dataset').description('data that reports were made on, by its digest');
  dataset
    .command('list')
    .description('every dataset the vault knows')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const records = services.datasets.list(actor);
        context.output.result(
          records,
          table(
            ['digest', 'file', 'format', 'rows', 'columns', 'size', 'registered', 'path'],
            records.map((each) => [
              each.digest,
              each.fileName,
              each.format,
              String(each.rows),
              String(each.columns.length),
              bytes(each.sizeBytes),
              `${each.registeredAt} by ${each.registeredBy}`,
              each.path,
            ]),
          ),
        );
      }),
    );
  dataset
    .command('locate')
    .argument('<digest>')
    .argument('<file>', 'where it is now')
    .description('say where the file of a dataset has moved to')
    .action((digest: string, file: string) =>
      context.asOperator(async ({ services, actor }) => {
        const { jobId: _, ...input } = parseInput('evidence.locate', {
          digest,
          path: resolve(file),
          jobId: 'cli',
        });
        const record = await context.job((job) => services.evidence.locate(actor, input, job));
        context.output.result(record, `${record.fileName} is at ${record.path}`);
      }),
    );
}

function registerRuns(program: Command, context: CliContext): void {
  const run = program.command('run').description('validations and comparisons that were interrupted');
  run
    .command('list')
    .description('those that can go on')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const runs = services.evidence.unfinished(actor);
        context.output.result(
          runs,
          table(
            ['id', 'run', 'rows', 'of', 'begun'],
            runs.map((each) => [
              each.id,
              each.title,
              String(each.rowsDone),
              each.rowsTotal === null ? '' : `about ${each.rowsTotal}`,
              `${each.startedAt} by ${each.startedBy}`,
            ]),
          ),
        );
      }),
    );
  run
    .command('resume')
    .argument('<id>')
    .description('go on where it stopped')
    .action((id: string) =>
      context.asOperator(async ({ services, actor }) => {
        const evidence = await context.job((job) => services.evidence.resume(actor, { id }, job));
        context.output.result(evidence, `${evidence.kind} report ${evidence.id}`);
        if (evidence.kind !== 'validation') return;
        const { passed } = services.validation.get(actor, { id: evidence.id });
        if (!passed)
          throw new SallyportError('refused.gate', 'The report does not pass.', {
            hint: 'It is kept.',
          });
      }),
    );
  run
    .command('discard')
    .argument('<id>')
    .description('give it up')
    .action((id: string) =>
      context.asOperator(async ({ services, actor }) => {
        context.output.result(await services.evidence.discard(actor, { id }), 'given up');
      }),
    );
}

function registerQuarantine(program: Command, context: CliContext): void {
  const quarantine = program
    .command('quarantine')
    .description('model files that ended the process they ran in');
  quarantine
    .command('list')
    .description('digests with a crash; from two on they are not run')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const records = services.evidence.quarantined(actor);
        context.output.result(
          records,
          table(
            ['digest', 'crashes', 'by'],
            records.map(({ digest, crashes, reason }) => [digest, String(crashes), reason]),
          ),
        );
      }),
    );
  quarantine
    .command('lift')
    .argument('<digest>')
    .description('give a file another chance')
    .action((digest: string) =>
      context.asOperator(async ({ services, actor }) => {
        context.output.result(await services.evidence.liftQuarantine(actor, { digest }), 'lifted');
      }),
    );
}
