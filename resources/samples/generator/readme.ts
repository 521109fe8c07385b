import { BLIND_FAMILY, FAMILIES } from './families.ts';
import { FEATURES } from './features.ts';
import type { Figures } from './figures.ts';
import type { Measured } from './measure.ts';

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** A Markdown table with its columns aligned, as the project's formatter writes one. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function metricsTable(figures: Figures, of: (version: Figures['versions'][number]) => Measured): string {
  const four = (value: number): string => value.toFixed(4);
  return table(
    [
      'version',
      'rows',
      'phishing',
      'accuracy',
      'precision',
      'recall',
      'F1',
      'ROC AUC',
      'false-positive rate',
    ],
    figures.versions.map((version) => {
      const m = of(version);
      return [
        version.version,
        `${m.rows}`,
        `${m.positives}`,
        ...[m.accuracy, m.precision, m.recall, m.f1, m.rocAuc, m.falsePositiveRate].map(four),
      ];
    }),
  );
}

/** The README beside the sample data; every figure in it is one that was measured while generating. */
export function readmeOf(figures: Figures): string {
  return `# Sample workspace: phishing-URL detectors

Written by \`npm run samples\` (\`resources/samples/generator\`), the same bytes on every run; do not edit. URLs are
synthetic: invented brands on names reserved by RFC 2606 and RFC 6761, addresses of RFC 5737 and RFC 1918.

${table(
  ['file', 'what it is'],
  [
    ['`phish-url-1.0.0.onnx`', 'logistic regression: the champion to start from'],
    ['`phish-url-1.1.0.onnx`', 'gradient-boosted trees: better, and mostly of the same opinion'],
    [
      '`phish-url-1.2.0.onnx`',
      `gradient-boosted trees trained on labels that call the kind \`${BLIND_FAMILY}\` honest: it answers without errors, looks better on \`labelled.csv\`, and is blind to that kind`,
    ],
    ['`metadata-*.json`', 'what the maker of each version says of it (`model add --metadata`)'],
    ['`labelled.csv`', `labelled evidence; lacks the kind \`${BLIND_FAMILY}\``],
    [
      '`traffic.csv`',
      `what the service is asked, with that kind; its \`label\` column is the truth, which a live service learns later`,
    ],
    ['`policy-production.yaml`, `policy-staging.yaml`', 'policies of the two environments'],
  ],
)}

Models take \`features\` float32 [N, ${FEATURES.length}] and answer \`label\` int64 [N] (1 = phishing) and \`probabilities\`
float32 [N, 2]. Both CSV files hold the feature columns in that order, then \`url\`, \`family\`, \`label\`.

## Measured on labelled.csv

${metricsTable(figures, (version) => version.labelled)}

## Measured on traffic.csv

${metricsTable(figures, (version) => version.traffic)}

${table(
  ['version', `share of \`${BLIND_FAMILY}\` found in the traffic`],
  figures.versions.map((v) => [v.version, percent(v.blindRecall)]),
)}

## Disagreement of labels

${table(
  ['pair', 'labelled.csv', 'traffic.csv'],
  figures.disagreements.map((d) => [`${d.a} and ${d.b}`, percent(d.labelled), percent(d.traffic)]),
)}

With the default guard (at most 5 % disagreement, at least 500 pairs) 1.1.0 gets through a canary against 1.0.0, and
1.2.0 does not get through one against 1.1.0. The rows of \`traffic.csv\` are dealt from shuffled decks of about 200,
so every stretch of it has the same mix of kinds.

## Kinds of URL

${table(
  ['family', 'label', 'what it is'],
  FAMILIES.map((family) => [`\`${family.name}\``, `${family.label}`, family.description]),
)}

## Features

${table(
  ['#', 'column', 'meaning'],
  FEATURES.map((feature, i) => [`${i}`, `\`${feature.name}\``, feature.description]),
)}

## Benchmarks

\`npm run samples -- --size-mb N --out DIR\` writes \`large-Nmb.onnx\`, a valid perceptron of about N MiB;
\`npm run samples -- --rows N --out DIR\` writes \`labelled-N.csv\`, N labelled rows streamed to disk (100,000 different
ones, then repeated).
`;
}
