/** What is said of versions, how two differ, and what is kept of them. */
import type { Command } from 'commander';
import type { VersionDifference } from '../../../shared/domain/model/difference.ts';
import type { Collection } from '../../../shared/domain/model/retention.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseRef, readJsonFile } from '../input.ts';
import { bytes, table } from '../output.ts';

/** Adds to the `model` command. */
export function registerModelUpkeep(model: Command, context: CliContext): void {
  model
    .command('describe')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption(
      '--metadata <file>',
      'JSON that takes the place of what is said now (see `model show --json`)',
    )
    .description('replace owner, licence, tags, lineage, training parameters, metrics, permission to deploy')
    .action((ref: string, options: { metadata: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.models.describe(
          actor,
          parseInput('models.describe', {
            ...parseRef(ref),
            metadata: (await readJsonFile(options.metadata, 'metadata')) as Record<string, never>,
          }),
        );
        context.output.result(view, `${ref} described.`);
      }),
    );

  model
    .command('unalias')
    .argument('<name>')
    .argument('<alias>')
    .description('take an alias away')
    .action((name: string, alias: string) =>
      context.asOperator(async ({ services, actor }) => {
        const answer = await services.models.unalias(actor, parseInput('models.unalias', { name, alias }));
        context.output.result(
          answer,
          answer.removed
            ? `${name} has no ${alias} any more.`
            : `${name} has no ${alias}; nothing was changed.`,
        );
      }),
    );

  model
    .command('diff')
    .argument('<a>', 'NAME@VERSION')
    .argument('<b>', 'NAME@VERSION')
    .option('--only-differences', 'leave out what is the same')
    .description('two versions field by field')
    .action((a: string, b: string, options: { onlyDifferences?: boolean }) =>
      context.asOperator(async ({ services, actor }) => {
        const rows = services.models
          .diff(actor, { a: parseRef(a), b: parseRef(b) })
          .filter(({ differs }) => differs || options.onlyDifferences !== true);
        context.output.result(rows, differenceTable(a, b, rows));
      }),
    );

  model
    .command('collect')
    .option('--dry-run', 'only say what would go')
    .description('apply the retention rule and remove files that nothing needs; records stay')
    .action((options: { dryRun?: boolean }) =>
      context.asOperator(async ({ services, actor }) => {
        const done = await context.job((job) =>
          services.models.collect(actor, { dryRun: options.dryRun === true }, job),
        );
        context.output.result(done, describeCollection(done));
      }),
    );
}

/** Longest cell; digests and the like are cut in the middle column but whole with `--json`. */
const WIDEST = 60;
const cut = (text: string): string => (text.length <= WIDEST ? text : `${text.slice(0, WIDEST - 1)}…`);

function differenceTable(a: string, b: string, rows: readonly VersionDifference[]): string {
  if (rows.length === 0) return 'No differences.';
  // A group is named once, in its first row.
  return table(
    ['', 'field', '', a, b],
    rows.map((row, index) => [
      rows[index - 1]?.group === row.group ? '' : row.group,
      cut(row.field),
      row.differs ? '≠' : '',
      cut(row.a),
      cut(row.b),
    ]),
  );
}

function describeCollection(done: Collection): string {
  const sections: [string, string[][]][] = [
    [done.dryRun ? 'would be archived' : 'archived', done.archived.map(({ ref, reason }) => [ref, reason])],
    [
      done.dryRun ? 'files that would be removed' : 'files removed',
      done.removed.map(({ ref, sizeBytes, reason }) => [ref, bytes(sizeBytes), reason]),
    ],
    [
      'files without a record',
      done.orphans.map(({ artifactId, sizeBytes }) => [artifactId, bytes(sizeBytes)]),
    ],
    ['kept although old enough', done.kept.map(({ ref, reason }) => [ref, reason])],
  ];
  const told = sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, [first = [], ...rest]]) => `${title}:\n${indent(table(first, rest))}`);
  return [...told, `${bytes(done.freedBytes)} ${done.dryRun ? 'would be freed' : 'freed'}.`].join('\n');
}

const indent = (text: string): string => text.replace(/^/gm, '  ');
