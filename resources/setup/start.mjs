/** Opens the console on the sample workspace with the best runtime that is here, and says which. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { electronBinary, fetchElectron, ROOT } from './electron-binary.mjs';

/** Enough on a good connection; where there is none the attempt fails at once. */
const FETCH_TIMEOUT_MS = 60_000;

const rest = process.argv.slice(2);
// Any arguments after `--` replace the sample workspace: `npm start -- --vault DIR`.
const args = rest.some((argument) => argument.startsWith('--vault')) ? rest : ['--sample', ...rest];
const localNode = join(ROOT, 'node_modules/.bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(localNode) ? localNode : process.execPath;

function runChild(command, commandArgs) {
  const child = spawn(command, commandArgs, { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${command} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

const display = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
if (!display) {
  console.log(
    'There is no display here: playing the same release in the terminal. With a display this opens the window.',
  );
  runChild(node, [join(ROOT, 'out/main/cli.js'), 'demo']);
} else {
  const electron = electronBinary() ?? fetchElectron({ timeoutMs: FETCH_TIMEOUT_MS });
  if (electron !== undefined) {
    // Chromium does not sandbox root, and Electron refuses to start without saying so.
    const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    runChild(electron, [...root, ROOT, ...args]);
  } else {
    console.log("Electron's binary cannot be had here; running on the installed Chromium.");
    const standIn = join(ROOT, 'out/main/chromium.js');
    const bundle = join(ROOT, 'out/main/index.js');
    if (Number(process.versions.node.split('.')[0]) >= 24) {
      // Already the right Node: another process would only cost time.
      process.argv = [process.argv[0], standIn, bundle, ...args];
      await import(pathToFileURL(standIn).href);
    } else runChild(node, [standIn, bundle, ...args]);
  }
}
