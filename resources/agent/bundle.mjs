/**
 * `node resources/agent/bundle.mjs DIRECTORY`: the serving agent alone, for a host or an image that has Node and nothing
 * else. One program with its packages inside, beside the two that hold machine code, of this platform only.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'vite';
import { isForeignFile } from '../setup/native-files.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');
/** Packages with machine code, and what they load besides; what only their installation needs stays behind. */
const NATIVE = {
  'better-sqlite3': dependenciesOf('better-sqlite3'),
  'onnxruntime-node': ['onnxruntime-common'],
  'sodium-native': dependenciesOf('sodium-native'),
};

function manifestOf(name) {
  return JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8'));
}

/** Names of a package's dependencies, theirs included; those that are not installed are not needed here. */
function dependenciesOf(name, seen = new Set()) {
  for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) {
    if (seen.has(dependency) || !existsSync(join(MODULES, dependency, 'package.json'))) continue;
    seen.add(dependency);
    dependenciesOf(dependency, seen);
  }
  return [...seen];
}

/** Builds into `directory`, which is made anew. */
export async function bundleAgent(directory) {
  rmSync(directory, { recursive: true, force: true });
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: Object.keys(NATIVE) },
    build: {
      ssr: join(ROOT, 'serving/index.ts'),
      outDir: directory,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        output: { format: 'es', entryFileNames: 'serving.js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  for (const name of Object.keys(NATIVE).flatMap((native) => [native, ...NATIVE[native]])) {
    const from = join(MODULES, name);
    cpSync(from, join(directory, 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => !isForeignFile(`${name}/${relative(from, path)}`, process.platform, process.arch),
    });
  }
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(
    join(directory, 'package.json'),
    `${JSON.stringify({ name: 'sallyport-agent', version, license, private: true, type: 'module' }, null, 2)}\n`,
  );
}

if (process.argv[1] === import.meta.filename) {
  const [, , target] = process.argv;
  if (target === undefined || existsSync(join(target, 'agent.yaml'))) {
    console.error('Usage: node resources/agent/bundle.mjs DIRECTORY (a folder of its own, made anew)');
    process.exit(2);
  }
  mkdirSync(target, { recursive: true });
  await bundleAgent(resolve(target));
  console.log(`The agent is in ${target}: node ${join(target, 'serving.js')} run --config agent.yaml`);
}
