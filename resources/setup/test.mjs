// `npm test`, after set-up: types, lint, then every suite. Plain Node, no dependencies.
// `npm test -- unit serving` runs those suites alone. The last line is the count from the runner's own report.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const artifacts = join(root, 'test', '.artifacts');
const report = join(artifacts, 'vitest.json');

/** Node 24 of our own, when an older one was asked to run this file. */
function nodePath() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) ? own : process.execPath;
}

/** Runs a tool's own entry with our Node; answers whether it succeeded. */
function step(title, entry, args) {
  const started = Date.now();
  console.log(`\n== ${title}`);
  const result = spawnSync(nodePath(), [join(root, 'node_modules', ...entry.split('/')), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SALLYPORT_VAULT: '' },
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (result.error) console.error(result.error.message);
  const ok = result.status === 0;
  console.log(`== ${title}: ${ok ? 'passed' : `failed (${result.signal ?? result.status})`}, ${seconds} s`);
  return ok;
}

/** The suites of vitest.config.ts that have test files. */
function suitesOnDisk() {
  const hasTests = (folder) =>
    readdirSync(folder, { withFileTypes: true }).some((entry) =>
      entry.isDirectory() ? hasTests(join(folder, entry.name)) : /\.test\.tsx?$/.test(entry.name),
    );
  return readdirSync(join(root, 'test'), { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() && !entry.name.startsWith('.') && hasTests(join(root, 'test', entry.name)),
    )
    .map((entry) => entry.name);
}

/** Counts per suite, from the report; a file that could not even be loaded counts as one failure. */
function count(results) {
  const suites = new Map();
  const skipped = [];
  for (const file of results) {
    const path = relative(root, file.name).split(/[\\/]/).join('/');
    const name = path.split('/')[1] ?? path;
    const sum = suites.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
    suites.set(name, sum);
    for (const test of file.assertionResults) {
      if (test.status === 'passed') sum.passed++;
      else if (test.status === 'failed') sum.failed++;
      else {
        sum.skipped++;
        skipped.push({ path, title: [...test.ancestorTitles, test.title].join(' > ') });
      }
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      sum.failed++;
      console.log(`failed to run: ${path}${file.message ? `: ${file.message.split('\n')[0]}` : ''}`);
    }
  }
  return { suites, skipped };
}

const asked = process.argv.slice(2);
const known = suitesOnDisk();
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no suite called ${unknown.join(', ')}. Suites: ${known.join(', ')}`);
  process.exit(2);
}

mkdirSync(artifacts, { recursive: true });
// A report left from an earlier run must never be counted for this one.
rmSync(report, { force: true });

let ok = step('types', 'typescript/bin/tsc', ['--build']);
ok = step('lint', '@biomejs/biome/bin/biome', ['check', '.']) && ok;
if (!existsSync(join(root, 'out', 'main', 'cli.js'))) {
  ok = step('build', 'electron-vite/bin/electron-vite.js', ['build']) && ok;
}
const ran = step('tests', 'vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...asked.flatMap((name) => ['--project', name]),
]);
ok = ok && ran;

const total = { passed: 0, failed: 0, skipped: 0 };
if (existsSync(report)) {
  const { suites, skipped } = count(JSON.parse(readFileSync(report, 'utf8')).testResults);
  console.log('');
  for (const [name, sum] of [...suites].sort()) {
    for (const key of Object.keys(total)) total[key] += sum[key];
    console.log(
      `${name.padEnd(13)}${String(sum.passed).padStart(6)} passed ${String(sum.failed).padStart(4)} failed ${String(sum.skipped).padStart(4)} skipped`,
    );
  }
  for (const { path, title } of skipped) console.log(`skipped: ${path}: ${title}`);
  // A suite that is on disk and ran nothing is a suite that was lost.
  for (const name of asked.length > 0 ? asked : known) {
    if (suites.has(name)) continue;
    ok = false;
    console.log(`the suite ${name} ran no test`);
  }
} else {
  console.log('the runner wrote no report');
}
if (total.passed + total.failed === 0) {
  ok = false;
  console.log('no test ran');
}
process.exitCode = ok && total.failed === 0 ? 0 : 1;
console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
