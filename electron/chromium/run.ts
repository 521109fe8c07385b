/**
 * Runs the built main bundle on Node with `electron` resolved to the subset in this folder:
 * `node out/main/chromium.js out/main/index.js [arguments of the application]`.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createElectron } from './electron-module.ts';
import { installTestHook, isTestHook } from './test-hook.ts';

const MODULE_URL = 'sallyport-standin:electron';
const SHARED = Symbol.for('sallyport.standin.electron');

/** The folder of the nearest package.json: what Electron calls the application's path. */
function appPathOf(bundle: string): string {
  let folder = dirname(bundle);
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${bundle}.`);
    folder = parent;
  }
  return folder;
}

async function run(argv: readonly string[]): Promise<void> {
  const [bundleArgument, ...rest] = argv;
  if (bundleArgument === undefined) throw new Error('Usage: chromium.js <main bundle> [arguments]');
  const bundle = resolve(bundleArgument);
  const testHook = isTestHook(process.env);
  const electron = createElectron({
    appPath: appPathOf(bundle),
    env: process.env,
    platform: process.platform,
    testHook,
  });
  Object.assign(globalThis, { [SHARED]: electron.exports });
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'electron' || specifier === 'electron/main'
        ? { url: MODULE_URL, shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) => {
      if (url !== MODULE_URL) return next(url, context);
      const names = Object.keys(electron.exports);
      const source = [
        "const electron = globalThis[Symbol.for('sallyport.standin.electron')];",
        ...names.map((name) => `export const ${name} = electron.${name};`),
        'export default electron;',
      ].join('\n');
      return { format: 'module', source, shortCircuit: true };
    },
  });
  // Electron's arguments are [executable, application, ...rest].
  process.argv = [process.execPath, bundle, ...rest];
  // The driver takes a quarter of a second to load: it does so beside the application.
  void import('playwright-core');
  await import(pathToFileURL(bundle).href);
  if (testHook) installTestHook(electron.app.host, electron.dialog, () => electron.app.quit());
}

await run(process.argv.slice(2));
