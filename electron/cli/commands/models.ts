import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { SEARCH_FIELDS } from '../../../shared/domain/model/search/grammar.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { ruleCount } from '../../../shared/domain/scan/finding.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import type { RevokedOn } from '../../services/revocations/index.ts';
import type { CliContext } from '../context.ts';
import { parseInput, parseNumber, parseRef, readJsonFile } from '../input.ts';
import { bytes, number, table } from '../output.ts';
import { registerModelUpkeep } from './model-upkeep.ts';

export function registerModels(program: Command, context: CliContext): void {
  const model = program
    .command('model')
    .description('the registry: add, list, show and check model versions');

  model
    .command('add')
    .argument('<file>', 'ONNX file')
    .requiredOption('--name <name>', 'model name')
    .requiredOption('--version <version>', 'semantic version')
    .option('--parent <version>', 'version it was derived from')
    .option(
      '--metadata <file>',
      'JSON: owner, licence, datasetDigest, codeReference, trainingParameters, metrics, tags',
    )
    .description('hash, encrypt, inspect, scan and register a model file')
    .action((file: string, options: { name: string; version: string; parent?: string; metadata?: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const input = parseInput('models.add', {
          path: file,
          name: options.name,
          version: options.version,
          parent: options.parent ?? null,
          metadata: await readMetadata(options.metadata),
          jobId: 'cli',
        });
        const view = await context.job((job) => services.models.add(actor, input, job));
        context.output.result(
          view,
          `${formatRef(view.version)} registered: ${view.version.digest} (${bytes(view.version.sizeBytes)})\n${scanLine(view)}`,
        );
      }),
    );

  model
    .command('list')
    .argument('[query...]', 'words and fields, for example: state:validated "metric.auc>0.98" -tag:old')
    .option('--limit <n>', 'at most so many', '200')
    .option('--offset <n>', 'after so many', '0')
    .description('list versions, newest first')
    .addHelpText('after', `\nFields:\n${searchHelp()}`)
    // A term that begins with a hyphen is no option.
    .allowUnknownOption()
    .action((query: string[], options: { limit: string; offset: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const found = await services.models.list(
          actor,
          parseInput('models.list', {
            text: query.join(' '),
            limit: parseNumber('--limit', options.limit),
            offset: parseNumber('--offset', options.offset),
          }),
        );
        const rows = found.rows.map((row) => [
          `${row.name}@${row.version}`,
          row.state,
          row.aliases.join(','),
          number(row.rocAuc),
          number(row.f1),
          row.worstFinding,
          row.digest.slice(0, 16),
        ]);
        if (found.total > rows.length) context.output.note(`${rows.length} of ${found.total} versions.`);
        context.output.result(
          found,
          rows.length === 0
            ? 'No versions.'
            : table(['version', 'state', 'aliases', 'auc', 'f1', 'scan', 'digest'], rows),
        );
      }),
    );

  model
    .command('show')
    .argument('<version>', 'NAME@VERSION')
    .description('everything the registry knows of a version')
    .action((ref: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.models.get(actor, parseRef(ref));
        context.output.result(view, describeVersion(view));
      }),
    );

  model
    .command('scan')
    .argument('<target>', 'NAME@VERSION or an ONNX file')
    .description('what the scan rules say of a version or a file')
    .action((target: string) =>
      context.asOperator(async ({ services, actor }) => {
        const scan = /^[^/\\]+@\d/.test(target)
          ? services.models.get(actor, parseRef(target)).version
          : await services.models.inspectFile(actor, parseInput('models.inspectFile', { path: target }));
        const rows = scan.findings.map((f) => [f.severity, f.ruleId, f.where, f.title]);
        context.output.result(
          { rulesRun: scan.rulesRun, findings: scan.findings, onnx: scan.onnx },
          `${ruleCount(scan.rulesRun)} rules ran, ${rows.length} findings.${rows.length === 0 ? '' : `\n${table(['severity', 'rule', 'where', 'what'], rows)}`}`,
        );
        if (scan.findings.some((f) => f.severity === 'critical'))
          throw new SallyportError('refused.scan', 'This file would be refused.');
      }),
    );

  model
    .command('verify')
    .argument('[version]', 'NAME@VERSION; all when left out')
    .description('decrypt and hash stored artifacts')
    .action((ref: string | undefined) =>
      context.asOperator(async ({ services, actor }) => {
        const outcome = await context.job((job) =>
          services.models.verify(
            actor,
            parseInput('models.verify', { ref: ref === undefined ? null : parseRef(ref), jobId: 'cli' }),
            job,
          ),
        );
        context.output.result(
          outcome,
          `${outcome.checked} artifacts checked (${bytes(outcome.bytes)}), ${outcome.bad.length} bad.${outcome.bad.map((b) => `\n  ${b.ref}: ${b.problem}`).join('')}`,
        );
        if (outcome.bad.length > 0)
          throw new SallyportError(
            'integrity.artifact',
            `The store is not as it should be: ${outcome.bad[0]?.ref ?? ''}: ${(outcome.bad[0]?.problem ?? '').replace(/\.$/, '')}.`,
            { hint: 'A changed file is not used: restore it from a backup, or add the model again.' },
          );
      }),
    );

  model
    .command('export')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption('--out <dir>', 'directory to write to')
    .description('write the exact registered bytes to a file')
    .action((ref: string, options: { out: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const exported = await services.models.export(
          actor,
          parseInput('models.export', { ...parseRef(ref), directory: options.out }),
        );
        context.output.result(exported, `${exported.path}\n${exported.digest}`);
      }),
    );

  model
    .command('alias')
    .argument('<name>')
    .argument('<alias>')
    .argument('<version>')
    .description('let an alias such as champion name a version')
    .action((name: string, alias: string, version: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.models.alias(actor, parseInput('models.alias', { name, alias, version }));
        context.output.result(view, `${name}@${version} is ${alias} now.`);
      }),
    );

  model
    .command('map')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption('--mapping <json>', 'output mapping as JSON, as `model show --json` prints it')
    .description('say how the outputs are read')
    .action((ref: string, options: { mapping: string }) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.models.setMapping(
          actor,
          parseInput('models.setMapping', {
            ...parseRef(ref),
            mapping: parseJson(options.mapping, '--mapping'),
          }),
        );
        context.output.result(view, `Mapping of ${ref} set.`);
      }),
    );

  model
    .command('archive')
    .argument('<version>', 'NAME@VERSION')
    .description('take a version out of use')
    .action((ref: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.models.archive(actor, parseRef(ref));
        context.output.result(view, `${ref} archived.`);
      }),
    );

  model
    .command('revoke')
    .argument('<version>', 'NAME@VERSION')
    .requiredOption('--reason <text>')
    .option('--on <target>', 'environment or endpoint: signed with your key, and unloaded there at once')
    .description('never let a version be released again; its aliases go too')
    .action((ref: string, options: { reason: string; on?: string }) =>
      context.asOperator(async ({ services, actor, operatorPassphrase }) => {
        if (options.on !== undefined) {
          const done = await services.revocations.revoke(actor, {
            ...parseInput('models.revoke', { ...parseRef(ref), reason: options.reason }),
            target: options.on,
            passphrase: await operatorPassphrase(),
          });
          context.output.result(done, describeRevoked(ref, done));
          return;
        }
        const view = await services.models.revoke(
          actor,
          parseInput('models.revoke', { ...parseRef(ref), reason: options.reason }),
        );
        context.output.result(view, `${ref} revoked.`);
      }),
    );

  registerModelUpkeep(model, context);
}

function describeRevoked(ref: string, { serial, endpoints }: RevokedOn): string {
  return [
    `${ref} revoked, serial ${serial}.`,
    ...endpoints.map(({ name, serves, known }) =>
      serves !== null
        ? `${name} serves ${serves} now.`
        : known
          ? `${name} has no good version of it left and answers 503.`
          : `${name} never served it, and will not.`,
    ),
  ].join('\n');
}

function searchHelp(): string {
  return table(
    ['', ''],
    SEARCH_FIELDS.map(({ example, meaning }) => [`  ${example}`, meaning]),
  );
}

function parseJson(text: string, what: string): never {
  try {
    return JSON.parse(text) as never;
  } catch (cause) {
    throw new SallyportError('usage', `${what} is not JSON.`, { cause });
  }
}

async function readMetadata(file: string | undefined): Promise<Record<string, never>> {
  if (file === undefined) return {};
  return (await readJsonFile(file, 'metadata')) as Record<string, never>;
}

function scanLine(view: VersionView): string {
  const { findings, rulesRun, onnx } = view.version;
  return `${onnx.nodeCount} nodes, ${onnx.parameterCount} parameters, ${ruleCount(rulesRun)} scan rules ran, ${findings.length} findings`;
}

/** What people said of it, where they did. */
function described({ version: v, ancestors, children }: VersionView): [string, string][] {
  const { metadata: m } = v;
  const pairs = (record: Readonly<Record<string, unknown>> | undefined): string =>
    Object.entries(record ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  const lines: [string, string][] = [
    ['description', m.description ?? ''],
    ['owner', m.owner ?? ''],
    ['licence', m.licence ?? ''],
    ['tags', (m.tags ?? []).join(', ')],
    ['deployable', m.permittedToDeploy === false ? 'no: marked as not permitted to deploy' : ''],
    ['derived from', (ancestors ?? []).join(' ← ')],
    ['parent of', (children ?? []).join(', ')],
    ['dataset', m.datasetDigest ?? ''],
    ['code', m.codeReference ?? ''],
    ['training', pairs(m.trainingParameters)],
    ['metrics', pairs(m.metrics)],
  ];
  return lines.filter(([, text]) => text !== '');
}

function describeVersion(view: VersionView): string {
  const { version: v } = view;
  const value = (
    items: readonly {
      name: string;
      elementType: string;
      shape: readonly (string | number | null)[] | null;
    }[],
  ) =>
    items
      .map((i) => `${i.name} ${i.elementType}[${(i.shape ?? ['?']).map((d) => d ?? '?').join(',')}]`)
      .join(', ');
  const lines: [string, string][] = [
    ['version', formatRef(v)],
    ['state', `${v.state}${view.aliases.length === 0 ? '' : ` (${view.aliases.join(', ')})`}`],
    ...described(view),
    ['digest', v.digest],
    [
      'size',
      `${bytes(v.sizeBytes)}${v.removedAt ? `; the file was removed on ${v.removedAt} by ${v.removedBy ?? 'the program'}` : ''}`,
    ],
    ['inputs', value(v.onnx.inputs)],
    ['outputs', value(v.onnx.outputs)],
    ['opsets', v.onnx.opsets.map((o) => `${o.domain === '' ? 'ai.onnx' : o.domain} ${o.version}`).join(', ')],
    ['operators', v.onnx.operators.map((o) => `${o.type}×${o.count}`).join(', ')],
    ['parameters', String(v.onnx.parameterCount)],
    ['producer', `${v.onnx.producerName} ${v.onnx.producerVersion}`.trim()],
    ['scan', `${ruleCount(v.rulesRun)} rules ran, ${v.findings.length} findings`],
    [
      'mapping',
      v.mapping === null
        ? 'not set'
        : `${v.mapping.kind}: label ${v.mapping.labelOutput ?? '–'}, score ${v.mapping.scoreOutput ?? '–'}`,
    ],
    ['added', `${v.addedAt} by ${v.addedBy}`],
    [
      'deployed',
      view.deployedOn.map((d) => `${d.endpoint} (${d.role} ${d.percent} %)`).join(', ') || 'nowhere',
    ],
  ];
  return lines.map(([name, text]) => `${name.padEnd(12)} ${text}`).join('\n');
}
