/**
 * `npm run crash -- --runs 1000 --seed 1 [--only add,submit] [--run N] [--json]`: kills the program at its steps and
 * at random times, and prints what was lost. Exit code 1 where anything was.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { momentText, type Outcome, problemsOf, runHarness } from './harness/harness.ts';
import { peerFigures } from './peer/peer.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    run: { type: 'string' },
    json: { type: 'boolean', default: false },
    'no-peer': { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) {
  console.error('--runs and --seed are whole numbers.');
  process.exit(2);
}

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-crash-')));
process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

let done = 0;
const report = await runHarness({
  runs,
  seed,
  only: values.only.split(',').filter((name) => name !== ''),
  run: values.run === undefined ? null : Number(values.run),
  directory,
  onOutcome: (outcome) => {
    done++;
    for (const problem of problemsOf(outcome))
      console.error(
        `run ${outcome.index} of seed ${seed}: ${outcome.operation} at ${momentText(outcome.moment)}: ${problem}`,
      );
    if (process.stderr.isTTY && !values.json) process.stderr.write(`\r${done}/${runs} `);
  },
});
const peer = values['no-peer'] ? null : await peerFigures(join(directory, 'peer'), seed);

interface Row {
  readonly operation: string;
  readonly points: number;
  readonly runs: number;
  readonly kills: number;
  readonly lost: number;
  readonly half: number;
  readonly orphans: number;
  readonly unsound: number;
}

function rowOf(operation: string, points: number, of: readonly Outcome[]): Row {
  const sum = (count: (outcome: Outcome) => number): number =>
    of.reduce((total, each) => total + count(each), 0);
  return {
    operation,
    points,
    runs: of.length,
    kills: sum(({ killed }) => Number(killed)),
    lost: sum(({ lost }) => lost.length),
    half: sum(({ half }) => half.length),
    orphans: sum(({ orphans }) => orphans.length),
    unsound: sum(({ unsound }) => unsound.length),
  };
}

const points = new Set([...report.points.values()].flat());
const rows = [...report.points].map(([operation, passed]) =>
  rowOf(
    operation,
    new Set(passed).size,
    report.outcomes.filter((outcome) => outcome.operation === operation),
  ),
);
rows.push(rowOf('together', points.size, report.outcomes));

if (values.json) {
  console.log(JSON.stringify({ seed, seconds: report.seconds, rows, peer }));
} else {
  const heads = ['operation', 'points', 'runs', 'kills', 'lost', 'half', 'orphans', 'unsound'] as const;
  console.log(heads.map((head, at) => (at === 0 ? head.padEnd(11) : head.padStart(9))).join(''));
  for (const row of rows)
    console.log(
      heads
        .map((head, at) => (at === 0 ? String(row[head]).padEnd(11) : String(row[head]).padStart(9)))
        .join(''),
    );
  console.log(`seed ${seed}, ${report.seconds.toFixed(0)} s`);
  if (peer !== null) {
    console.log(
      `\nthe usual JSON-file registry: index lost in ${peer.indexLost} of ${peer.kills} kills, ${peer.acknowledgedLost} acknowledged entries lost;`,
    );
    console.log(`two processes at once: ${peer.kept} of ${peer.registered} entries kept`);
  }
}
process.exitCode = report.outcomes.some((outcome) => problemsOf(outcome).length > 0) ? 1 : 0;
