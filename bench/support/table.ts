import type { Machine } from './machine.ts';
import type { BenchRow } from './row.ts';

const HEADINGS = ['figure', 'value', 'of limit', 'of peer', 'goal', 'met', 'measured beside it'] as const;

function cells(row: BenchRow): readonly string[] {
  const number = (value: number | undefined): string => (value === undefined ? '' : String(value));
  return [
    row.name,
    `${row.value.toLocaleString('en', { maximumSignificantDigits: 4 })} ${row.unit}`,
    number(row.ofLimit),
    number(row.ofPeer),
    row.goal ?? '',
    row.met === null ? '' : row.met ? 'yes' : 'no',
    row.against ?? '',
  ];
}

/** Aligned columns for a terminal. */
export function textTable(rows: readonly BenchRow[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdownTable(rows: readonly BenchRow[]): string {
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows.map(cells)]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

function machineLine(machine: Machine, date: string): string {
  return `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}. Measured on ${date}.`;
}

const SOAK = '\n## Soak\n';

/** The section of a page that `npm run bench -- soak --write` writes, which the other benches leave; '' without one. */
export function soakOf(page: string): string {
  return page.includes(SOAK) ? page.slice(page.indexOf(SOAK)) : '';
}

export function withSection(page: string, section: string): string {
  return (page.includes(SOAK) ? page.slice(0, page.indexOf(SOAK)) : page) + section;
}

export function soakSection(rows: readonly BenchRow[], machine: Machine, date: string): string {
  return `${SOAK}
Written by \`npm run bench -- soak --write\`: memory of the agent and of its inference processes under a steady load. \`of limit\`
is the last quarter's median divided by the first quarter's.

${machineLine(machine, date)}

${markdownTable(rows)}
`;
}

/** `docs/benchmarks.md`: the last run with its machine. */
export function markdownPage(rows: readonly BenchRow[], machine: Machine, date: string): string {
  return `# Benchmarks

Written by \`npm run bench -- --write\`. Every limit and peer is measured in the same run, on the same machine, side by side
with what it is compared to. \`of limit\` and \`of peer\` are the value divided by theirs: for times lower is better, for
rates higher. Values are medians over several runs; first starts, whole loads and the window's paint are taken once.

${machineLine(machine, date)}

${markdownTable(rows)}

What each figure means and how it is taken is said at the top of its file in \`bench/\`.
`;
}
