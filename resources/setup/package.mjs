/** Builds the installer of the platform it runs on: `npm run package [-- --dir]`. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { electronBinary, fetchElectron, ROOT } from './electron-binary.mjs';

/** A download of about 110 MB: slow lines are given their time, no line at all fails at once. */
const FETCH_TIMEOUT_MS = 15 * 60_000;

function run(script, args) {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

const binary = electronBinary() ?? fetchElectron({ timeoutMs: FETCH_TIMEOUT_MS, again: true });
if (binary === undefined) {
  console.error(
    [
      `Electron's binary for ${process.platform}-${process.arch} cannot be had here, so there is nothing to package.`,
      'Nothing was written. Run this where Electron can be downloaded, or put its zip into the cache that',
      'the variable electron_config_cache names, and run `npm run package` again.',
    ].join('\n'),
  );
  process.exit(1);
}
run('electron-vite/bin/electron-vite.js', ['build']);
// The folder that was just found, so that the packager downloads no second one.
const dist = process.platform === 'darwin' ? join(dirname(binary), '../../..') : dirname(binary);
run('electron-builder/cli.js', ['--publish', 'never', `-c.electronDist=${dist}`, ...process.argv.slice(2)]);
