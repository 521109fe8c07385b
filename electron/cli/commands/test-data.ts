/** `validate … --test-data DIR`: a model on its own test data. */
import { resolve } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { DEFAULT_TOLERANCE, type TestDataReport } from '../../../shared/domain/evidence/test-data.ts';
import type { CliContext } from '../context.ts';
import { parseNumber, parseRef } from '../input.ts';
import { table } from '../output.ts';

export interface TestDataOptions {
  readonly testData?: string;
  readonly rtol?: string;
  readonly atol?: string;
}

/** `target`: NAME@VERSION, or a model file that need not be registered. Exit 4 unless every set passes. */
export async function runTestData(
  context: CliContext,
  target: string,
  options: TestDataOptions & { readonly testData: string },
): Promise<void> {
  await context.asOperator(async ({ services, actor }) => {
    const report = await context.job((job) =>
      services.testData.run(
        actor,
        {
          model: isFile(target) ? { path: resolve(target) } : parseRef(target),
          folder: resolve(options.testData),
          tolerance: {
            relative: tolerance('--rtol', options.rtol, DEFAULT_TOLERANCE.relative),
            absolute: tolerance('--atol', options.atol, DEFAULT_TOLERANCE.absolute),
          },
        },
        job,
      ),
    );
    context.output.result(report, describeTestData(report));
    if (report.passed) return;
    const bad = report.sets.filter(({ status }) => status !== 'passed');
    throw new SallyportError(
      'refused.gate',
      `${bad.length} of ${report.sets.length} sets of test data do not pass: ${bad
        .slice(0, 3)
        .map(({ name, reason }) => `${name}: ${reason}.`.replace(/\.\.$/, '.'))
        .join(' ')}`,
      { hint: 'Nothing was changed.' },
    );
  });
}

/** A path is told by its separator or its ending; names of models have neither. */
function isFile(target: string): boolean {
  return /[/\\]/.test(target) || (target.endsWith('.onnx') && !target.includes('@'));
}

function tolerance(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = parseNumber(option, text);
  if (value < 0) throw new SallyportError('usage', `${option}: a tolerance is not negative.`);
  return value;
}

export function describeTestData(report: TestDataReport): string {
  const { relative, absolute } = report.tolerance;
  const passed = report.sets.filter(({ status }) => status === 'passed').length;
  const rows = report.sets.flatMap((set) => {
    if (set.outputs.length === 0) return [[set.name, set.status, '', '', '', set.reason]];
    return set.outputs.map((output) => [
      set.name,
      output.passed ? 'passed' : 'failed',
      `${output.name} ${output.elementType}[${output.dims.join(', ')}]`,
      difference(output.maxAbsolute),
      difference(output.maxRelative),
      output.first === null
        ? output.reason
        : `${output.reason}; first at [${output.first.index.join(', ')}]: ${output.first.actual}, expected ${output.first.expected}`,
    ]);
  });
  return [
    `${report.model}: ${passed} of ${report.sets.length} sets pass (rtol ${relative}, atol ${absolute})`,
    table(['set', '', 'output', 'max abs', 'max rel', ''], rows),
  ].join('\n');
}

function difference(value: number | null): string {
  if (value === null) return '–';
  return value === 0 ? '0' : value.toExponential(2);
}
