import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

/** Bundles that run on their own in the main build: name of the file in `out/main` → source. */
const MAIN_ENTRIES: Readonly<Record<string, string>> = {
  index: 'electron/main/index.ts',
  chromium: 'electron/chromium/run.ts',
  cli: 'electron/cli/index.ts',
  serving: 'serving/index.ts',
  inference: 'electron/workers/inference.ts',
  'inference-thread': 'electron/workers/inference-thread.ts',
  datasets: 'electron/workers/datasets.ts',
  'vault-jobs': 'electron/workers/vault-jobs.ts',
  backup: 'electron/workers/backup.ts',
  keychain: 'electron/workers/keychain.ts',
  rekey: 'electron/workers/rekey.ts',
  player: 'electron/sample/player.ts',
};

const root = import.meta.dirname;
const input = Object.fromEntries(
  Object.entries(MAIN_ENTRIES)
    .map(([name, path]): [string, string] => [name, resolve(root, path)])
    .filter(([, path]) => existsSync(path)),
);

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      target: 'node24',
      sourcemap: true,
      // Packages stay packages (native ones must); `playwright-core` is a development dependency and named here.
      // age-encryption is many small files: bundled, each worker starts about 60 ms sooner.
      externalizeDeps: { include: ['playwright-core', 'electron'], exclude: ['age-encryption'] },
      rolldownOptions: {
        input,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload is one CommonJS file that may require nothing but `electron` and three Node modules.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: resolve(root, 'electron/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: resolve(root, 'renderer'),
    base: '/',
    plugins: [react()],
    build: {
      outDir: resolve(root, 'out/renderer'),
      target: 'chrome140',
      minify: true,
      rolldownOptions: { input: resolve(root, 'renderer/index.html') },
    },
  },
});
