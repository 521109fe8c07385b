/** Data files and rows of the window's stand-in: what a file is, which rows a choice matches, labels, interrupted runs. */
import type { ChannelInput, ChannelName, ChannelOutput } from '../../shared/contract/channels.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { DatasetInspection } from '../../shared/domain/evidence/inspection.ts';
import type { EvidenceRow, RowLabel, RowQuery } from '../../shared/domain/evidence/rows.ts';
import type { UnfinishedRun } from '../../shared/domain/evidence/unfinished.ts';
import { type Clock, DATASET, hex, minutesAgo, seeded } from './renderer-data.ts';

const FEATURES = [
  'url_length',
  'host_length',
  'path_depth',
  'digits',
  'entropy',
  'subdomains',
  'tld_risk',
  'has_ip',
];
const KINDS = ['homograph', 'shortener', 'free-hosting', 'typosquat', 'newsletter', 'intranet'];
const HOSTS = ['secure-paypa1.com', 'bit.ly', 'docs.sites-free.net', 'login.micros0ft-support.org'];
export const FAKE_ROWS = 12_480;

function cellsOf(row: number): string[] {
  const random = seeded(row);
  return [
    ...FEATURES.map((_, index) => (random() * (index + 1) * 10).toFixed(3)),
    `https://${HOSTS[row % 4]}/${hex(String(row)).slice(0, 12 + (row % 30))}`,
    KINDS[row % 6] ?? '',
    row % 5 < 2 ? '1' : '0',
  ];
}

/** Columns of a file by its name: `wide` has 500, `renamed` other names than the model, `refused` cannot be read. */
export function inspect({ path, ref, filter }: ChannelInput<'evidence.inspect'>): DatasetInspection {
  if (path.includes('refused'))
    throw new SallyportError('dataset.invalid', 'Line 4,182 has 33 columns; the header has 35.', {
      hint: 'Nothing was kept. Correct the line, or export the file again.',
    });
  const features = path.includes('wide')
    ? Array.from({ length: 500 }, (_, index) => `feature_${index}`)
    : FEATURES;
  const renamed = path.includes('renamed');
  const inFile = features.map((name, index) => (renamed && index < 3 ? `col${index}` : name));
  const problem =
    filter === null || !/\bnope\b|;/.test(filter)
      ? null
      : `There is no column "nope" (at character ${filter.search(/\bnope\b|;/) + 1}).`;
  return {
    format: path.endsWith('.parquet') ? 'parquet' : 'csv',
    sizeBytes: 4_812_330,
    rows: problem !== null ? null : filter === null ? FAKE_ROWS : Math.round(FAKE_ROWS * 0.65),
    columns: [
      ...inFile.map((name) => ({ name, type: 'DOUBLE' })),
      { name: 'url', type: 'VARCHAR' },
      { name: 'kind', type: 'VARCHAR' },
      { name: 'label', type: 'BIGINT' },
    ],
    sample: Array.from({ length: 20 }, (_, row) => {
      const cells = cellsOf(row + 1);
      return [...inFile.map((_, index) => cells[index % FEATURES.length] ?? ''), ...cells.slice(-3)];
    }),
    labelColumn: path.includes('unlabelled') ? null : 'label',
    labelValues: ['0', '1'],
    mapping:
      ref === null
        ? null
        : Object.fromEntries(
            features.flatMap((name, index) => (inFile[index] === name ? [[name, name]] : [])),
          ),
    missing: ref === null ? [] : features.filter((name, index) => inFile[index] !== name),
    filterProblem: problem,
  };
}

function rowOf(row: number, models: number, wrong: boolean, labelled: boolean): EvidenceRow {
  const random = seeded(row * 7);
  const label = row % 5 < 2 ? 1 : 0;
  const answer = (right: boolean) => {
    const predicted = right ? label : 1 - label;
    return { predicted, score: predicted === 1 ? 0.5 + random() / 2 : random() / 2 };
  };
  return {
    row,
    label: labelled ? label : null,
    answers: Array.from({ length: models }, (_, index) =>
      answer(!wrong || (models > 1 && index === row % 2)),
    ),
    cells: cellsOf(row),
    verdict: null,
  };
}

type RowChannels = Extract<ChannelName, `evidence.${string}` | `datasets.${string}`>;
export type RowHandlers = {
  readonly [C in RowChannels]: (input: ChannelInput<C>) => ChannelOutput<C> | Promise<ChannelOutput<C>>;
};

interface RowsWorld {
  readonly clock: Clock;
  readonly operator: () => string;
  readonly labelled: (id: string) => boolean;
  readonly models: (query: RowQuery['evidence']) => number;
  readonly job: (jobId: string, phase: string, total: number) => Promise<void>;
  readonly changed: () => void;
  readonly empty: boolean;
}

/** Answers of the channels about data and rows. Labels last as long as the stand-in. */
export function rowHandlers(world: RowsWorld): RowHandlers {
  const labels = new Map<string, RowLabel>();
  let located = false;
  let unfinished: UnfinishedRun[] = world.empty
    ? []
    : [
        {
          id: 'run-7',
          kind: 'validation',
          title: 'phish-url@1.2.0 on phish-august.parquet',
          rowsDone: 3_801_088,
          rowsTotal: 9_412_006,
          startedAt: minutesAgo(world.clock, 190),
          startedBy: 'ada',
        },
      ];
  const keyOf = (evidence: RowQuery['evidence'], row: number): string =>
    `${evidence.kind} ${evidence.id} ${row}`;
  const match = (query: Omit<RowQuery, 'limit' | 'offset'>): number[] => {
    if (query.filter?.includes('nope') === true)
      throw new SallyportError('input.invalid', 'There is no column "nope" (at character 1).', {
        hint: 'Nothing was read. Columns are listed under Columns.',
      });
    if (query.filter?.includes('moved') === true && !located)
      throw new SallyportError('not-found', 'The file of this dataset is not where it was.', {
        hint: 'The report is kept. Say where the file is now.',
      });
    const one = /^row = (\d+)$/.exec(query.filter ?? '')?.[1];
    if (one !== undefined) return [Number(one)];
    const every = query.preset === 'all' ? 1 : query.preset === 'output-findings' ? 890 : 29;
    return Array.from({ length: Math.floor(FAKE_ROWS / every) }, (_, index) => (index + 1) * every).filter(
      (row) =>
        (query.slice === null || KINDS[row % 6] === query.slice.value) &&
        (query.preset !== 'false-negatives' || row % 5 < 2) &&
        (query.preset !== 'false-positives' || row % 5 >= 2),
    );
  };
  return {
    'evidence.inspect': inspect,
    'evidence.rows': (query) => {
      const found = match(query);
      return {
        columns: [...FEATURES, 'url', 'kind', 'label'],
        total: found.length,
        rows: found.slice(query.offset, query.offset + query.limit).map((row) => ({
          ...rowOf(
            row,
            world.models(query.evidence),
            query.preset !== 'all' && query.preset !== 'output-findings',
            world.labelled(query.evidence.id),
          ),
          verdict: labels.get(keyOf(query.evidence, row)) ?? null,
        })),
      };
    },
    'evidence.labelRow': ({ evidence, row, verdict, note }) => {
      const key = keyOf(evidence, row);
      if (verdict === null) {
        labels.delete(key);
        return null;
      }
      const label = { row, verdict, note, by: world.operator(), at: new Date(world.clock.now).toISOString() };
      labels.set(key, label);
      return label;
    },
    'evidence.exportRows': async ({ jobId, path, ...query }) => {
      const rows = match(query).length;
      await world.job(jobId, 'writing', rows);
      return { path, rows };
    },
    'evidence.locate': async ({ digest, path, jobId }) => {
      await world.job(jobId, 'hashing', DATASET.sizeBytes);
      located = true;
      return { ...record(world.clock), digest, path };
    },
    'evidence.exportReport': ({ path }) => ({ path }),
    'evidence.unfinished': () => unfinished,
    'evidence.resume': async ({ id, jobId }) => {
      await world.job(jobId, 'scoring', 9_412_006);
      unfinished = unfinished.filter((run) => run.id !== id);
      world.changed();
      return { kind: 'validation', id: 'val-1.2.0-production' };
    },
    'evidence.discard': ({ id }) => {
      unfinished = unfinished.filter((run) => run.id !== id);
      world.changed();
      return { done: true };
    },
    'datasets.list': () => (world.empty ? [] : [record(world.clock)]),
  };
}

function record(clock: Clock) {
  return {
    digest: DATASET.digest,
    fileName: DATASET.fileName,
    path: `/data/feeds/${DATASET.fileName}`,
    format: 'csv' as const,
    sizeBytes: DATASET.sizeBytes,
    rows: FAKE_ROWS,
    columns: [...FEATURES, 'url', 'kind', 'label'].map((name) => ({ name, type: 'DOUBLE' })),
    registeredBy: 'ada',
    registeredAt: minutesAgo(clock, 9_200),
  };
}
