/**
 * The registry at 100,000 versions: listing, searching, opening and adding, in the encrypted store alone. Each kind of
 * query is asked warm, in turn with all others, and cold: the first one after the vault was opened. Beside adding, the
 * usual registry of one JSON file at its best: index in memory, written whole per added version to a new file, made
 * durable, renamed.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../electron/adapters/sqlite/store.ts';
import type { Store } from '../electron/ports/stores.ts';
import type { ModelVersion } from '../shared/domain/model/version.ts';
import { percentile, timed } from './support/measure.ts';
import { type BenchRow, row } from './support/row.ts';
import { generatedVersions } from './support/versions.ts';

const VERSIONS = 100_000;
/** Where the JSON file is measured a second time; nobody would wait for its 100,000th. */
const PEER_VERSIONS = 10_000;
const PAGE = 100;
const WARM_RUNS = 25;
const COLD_RUNS = 5;
const ADDS = 60;
const KEY = Buffer.alloc(32, 7);

/** Kinds of queries, each with one that finds much and one that finds little where both exist. */
const QUERIES: readonly (readonly [string, readonly string[]])[] = [
  ['list', ['']],
  ['word', ['detector', 'gradient', 'w1ox', 'nothing-has-this']],
  ['beginning of a word', ['d', 'det', 'grad', 'w1']],
  ['several words', ['detector gradient w2x', 'detector -gradient', '"blue team" mail']],
  ['name', ['name:model', 'name:=model-17', 'model-17@1.2']],
  [
    'state, tag, owner',
    ['state:validated', '-state:archived', 'state:draft tag:t3 owner:blue', 'tag:t3 -tag:mail'],
  ],
  ['digest', ['digest:a', 'digest:ab12']],
  ['version', ['version:1', 'version:>=1.20', 'version:<2.0.0-rc.1']],
  ['metric', ['metric.auc>0.98', 'metric.auc>0.6', '-metric.auc>0.6', 'metric.rare>0']],
  ['parameter', ['param.depth=12', 'param.optimizer=adam', 'param.lr<0.01']],
  ['size and date', ['size:>1MB', 'added:2026-02', 'added:>2026-03-01 size:<100kB']],
  [
    'metric with words',
    ['state:validated metric.auc>0.98', 'gradient metric.f1<0.1', 'tag:t3 -metric.f1>0.9'],
  ],
  [
    'everything at once',
    ['state:validated tag:t3 metric.auc>0.9 param.depth<10 size:>1MB -finding:high gradient'],
  ],
];

/** Measures on a store of its own in `directory`. */
export async function registryRows(directory: string, say: (text: string) => void): Promise<BenchRow[]> {
  const path = join(directory, 'registry-100k.db');
  const store = openStore(path, KEY, { create: true });
  const next = generatedVersions();

  say(`adding ${VERSIONS} versions`);
  while (store.read.counts().versions < VERSIONS)
    store.transaction((tx) => {
      for (let done = 0; done < 1000; done++) tx.insertVersion(next());
    });
  const empty = openStore(join(directory, 'registry-empty.db'), KEY, { create: true });
  const adds = addInTurn(store, empty, next);
  empty.close();
  store.transaction((tx) =>
    tx.setAlias({
      name: 'model-17',
      alias: 'champion',
      version: tx.versionsOf('model-17')[0]?.version ?? '',
    }),
  );

  say('searching it');
  const warm = new Map<string, number[]>(QUERIES.map(([kind]) => [kind, []]));
  const opened: number[] = [];
  const deep: number[] = [];
  for (let run = -1; run < WARM_RUNS; run++) {
    for (const [kind, texts] of QUERIES)
      for (const text of texts) {
        const { ms } = await timed(() => store.read.search({ text, limit: PAGE, offset: 0 }));
        if (run >= 0) warm.get(kind)?.push(ms);
      }
    deep.push(
      (await timed(() => store.read.search({ text: '', limit: PAGE, offset: VERSIONS - 2 * PAGE }))).ms,
    );
    const { rows } = store.read.search({ text: '', limit: 1, offset: (run + 1) * 997 });
    for (const ref of rows) opened.push((await timed(() => openVersion(store, ref))).ms);
  }
  const counted = await timed(() => store.read.counts());
  store.close();

  say('searching it first thing after opening');
  const cold = new Map<string, number[]>();
  for (const [kind, texts] of QUERIES)
    for (const text of texts)
      for (let run = 0; run < COLD_RUNS; run++) {
        const fresh = openStore(path, KEY);
        const { ms } = await timed(() => fresh.read.search({ text, limit: PAGE, offset: 0 }));
        cold.set(kind, [...(cold.get(kind) ?? []), ms]);
        fresh.close();
      }

  say('the JSON file');
  const peer = jsonFileAdds(join(directory, 'registry.json'));
  const bytes = statSync(path).size;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });

  const goal = { atMost: 10, of: 'value' } as const;
  const searches = QUERIES.map(([kind]) => {
    const times = warm.get(kind) ?? [];
    const coldTimes = cold.get(kind) ?? [];
    say(
      `${kind}: p50 ${percentile(times, 50).toFixed(2)} ms, p95 ${percentile(times, 95).toFixed(2)} ms; first after opening p50 ${percentile(coldTimes, 50).toFixed(2)} ms, p95 ${percentile(coldTimes, 95).toFixed(2)} ms`,
    );
    return row({ name: `vault.search-p95 (${kind})`, value: percentile(times, 95), unit: 'ms', goal });
  });
  const firstWords = ['word', 'beginning of a word', 'several words'].flatMap((kind) => cold.get(kind) ?? []);
  return [
    ...searches,
    row({
      name: 'vault.search-p95 (all kinds)',
      value: percentile([...warm.values()].flat(), 95),
      unit: 'ms',
      goal,
    }),
    row({ name: 'vault.first-word-p95', value: percentile(firstWords, 95), unit: 'ms', goal }),
    row({
      name: 'vault.first-search-p95 (all kinds)',
      value: percentile([...cold.values()].flat(), 95),
      unit: 'ms',
    }),
    row({ name: 'vault.list-end-p95', value: percentile(deep, 95), unit: 'ms', goal }),
    row({ name: 'vault.open-version-p95', value: percentile(opened, 95), unit: 'ms', goal }),
    row({ name: 'vault.counts', value: counted.ms, unit: 'ms', goal }),
    row({
      name: 'vault.add-row-100000th',
      value: percentile(adds.full, 50),
      unit: 'ms',
      limit: { what: 'in an empty registry', value: percentile(adds.empty, 50) },
      peer: { what: `JSON file at its ${PEER_VERSIONS + 1}th`, value: peer.last },
      goal: { atMost: 1.5, of: 'limit' },
    }),
    row({ name: 'vault.json-file-add (1st)', value: peer.first, unit: 'ms' }),
    row({ name: 'vault.bytes-per-version', value: bytes / VERSIONS, unit: 'B' }),
  ];
}

/** What `models.get` reads. */
function openVersion(store: Store, ref: { readonly name: string; readonly version: string }): void {
  const { read } = store;
  read.version(ref);
  read.aliases(ref.name);
  read.children(ref);
  read.parentOf(ref);
}

/** Milliseconds of each of `ADDS` durable transactions of one version, in turn in both stores. */
function addInTurn(
  full: Store,
  empty: Store,
  next: () => ModelVersion,
): { readonly full: number[]; readonly empty: number[] } {
  const times: { full: number[]; empty: number[] } = { full: [], empty: [] };
  for (let run = 0; run < ADDS; run++)
    for (const [name, store] of [
      ['full', full],
      ['empty', empty],
    ] as const) {
      const version = next();
      const started = performance.now();
      store.transaction((tx) => tx.insertVersion(version));
      times[name].push(performance.now() - started);
    }
  return times;
}

/** Median milliseconds of adding to an empty file and to one of `PEER_VERSIONS`. */
function jsonFileAdds(path: string): { readonly first: number; readonly last: number } {
  const next = generatedVersions();
  const index: ModelVersion[] = [];
  const add = (version: ModelVersion): number => {
    const started = performance.now();
    index.push(version);
    const file = openSync(`${path}.tmp`, 'w');
    writeSync(file, JSON.stringify(index));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.tmp`, path);
    return performance.now() - started;
  };
  const first = Array.from({ length: 5 }, () => add(next()));
  while (index.length < PEER_VERSIONS) index.push(next());
  const last = Array.from({ length: 5 }, () => add(next()));
  rmSync(path, { force: true });
  return { first: percentile(first, 50), last: percentile(last, 50) };
}
