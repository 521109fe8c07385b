/** Finding Electron's binary, and fetching it once. Since Electron 42 it is no longer fetched when npm installs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const PACKAGE = join(ROOT, 'node_modules/electron');
const STAMP = join(ROOT, 'node_modules/.sallyport-electron.json');

/** Path of the executable, or undefined when it is not here. */
export function electronBinary() {
  try {
    const path = join(PACKAGE, 'dist', readFileSync(join(PACKAGE, 'path.txt'), 'utf8'));
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function version() {
  return JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version;
}

/** Fetches the binary within `timeoutMs`; a failure is remembered for this version unless `again`. */
export function fetchElectron({ timeoutMs, again = false }) {
  const wanted = version();
  if (!again) {
    try {
      if (JSON.parse(readFileSync(STAMP, 'utf8')).failed === wanted) return undefined;
    } catch {
      // Never tried.
    }
  }
  const result = spawnSync(process.execPath, [join(PACKAGE, 'install.js')], {
    cwd: ROOT,
    timeout: timeoutMs,
    stdio: 'ignore',
    killSignal: 'SIGKILL',
  });
  const binary = result.status === 0 ? electronBinary() : undefined;
  if (binary === undefined) writeFileSync(STAMP, JSON.stringify({ failed: wanted }));
  else rmSync(STAMP, { force: true });
  return binary;
}
