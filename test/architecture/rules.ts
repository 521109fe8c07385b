/** The import rules of the house as data, and the checks that apply them. Everything here is pure. */
import { type Import, resolveImport, type SourceFile } from './source.ts';

/** What the files of one room may import. First matching room wins; its files may always import each other. */
interface Room {
  readonly name: string;
  readonly holds: (path: string) => boolean;
  /** Folders (ending in `/`) or files of ours. */
  readonly files: readonly string[];
  /** Folders and files open to `import type` alone. */
  readonly types?: readonly string[];
  /** Packages: names, `'*'` for any; `'node:*'` for built-in modules. */
  readonly modules: readonly string[];
}

const under =
  (...folders: readonly string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(folder));

const BROWSER_PACKAGES = [
  '@axe-core/playwright',
  '@fontsource-variable/inter',
  '@fontsource-variable/jetbrains-mono',
  '@mantine/core',
  '@mantine/dropzone',
  '@mantine/hooks',
  '@mantine/modals',
  '@mantine/notifications',
  '@mantine/spotlight',
  '@tabler/icons-react',
  '@tanstack/react-query',
  '@tanstack/react-table',
  '@tanstack/react-virtual',
  'react',
  'react-dom',
  'react-router',
  'yaml',
  'zod',
];
const CHART_PACKAGES = ['chart.js', 'react-chartjs-2', 'chartjs-plugin-annotation', 'chartjs-plugin-zoom'];

const DOMAIN = 'shared/domain/';
const CONTRACT = 'shared/contract/';
const NODE = 'shared/node/';

export const ROOMS: readonly Room[] = [
  { name: 'domain', holds: under(DOMAIN), files: [], modules: ['zod'] },
  { name: 'contract', holds: under(CONTRACT), files: [DOMAIN], modules: ['zod'] },
  { name: 'shared/node', holds: under(NODE), files: [DOMAIN], modules: ['*', 'node:*'] },
  { name: 'ports', holds: under('electron/ports/'), files: [DOMAIN], modules: [] },
  {
    name: 'services',
    holds: under('electron/services/'),
    files: [DOMAIN, 'electron/ports/', `${CONTRACT}result.ts`],
    types: [CONTRACT],
    // `node:path` computes on text alone; nothing else of Node belongs into a use case.
    modules: ['zod', 'yaml', 'node:path'],
  },
  {
    name: 'adapters',
    holds: under('electron/adapters/'),
    files: [DOMAIN, NODE, 'electron/ports/'],
    // The messages of the worker an adapter talks to.
    types: ['electron/workers/'],
    modules: ['*', 'node:*'],
  },
  {
    name: 'workers',
    holds: under('electron/workers/'),
    files: [DOMAIN, NODE, 'electron/ports/', 'electron/adapters/'],
    modules: ['*', 'node:*'],
  },
  {
    name: 'ipc',
    holds: under('electron/ipc/'),
    files: [DOMAIN, CONTRACT, 'electron/services/', 'electron/ports/'],
    types: ['electron/compose.ts'],
    modules: ['zod'],
  },
  {
    name: 'cli',
    holds: under('electron/cli/'),
    files: [DOMAIN, CONTRACT, NODE, 'electron/services/', 'electron/ports/', 'electron/sample/'],
    types: ['electron/compose.ts'],
    modules: ['commander', 'zod', 'yaml', 'undici', 'node:*'],
  },
  // The sample workspace and its story: drives the services as a person does.
  {
    name: 'sample',
    holds: under('electron/sample/'),
    files: [DOMAIN, NODE, 'electron/services/', 'electron/ports/'],
    types: ['electron/compose.ts'],
    modules: ['zod', 'yaml', 'undici', 'node:*'],
  },
  {
    name: 'main',
    holds: under('electron/main/'),
    files: [
      DOMAIN,
      CONTRACT,
      'electron/services/',
      'electron/ports/',
      'electron/ipc/',
      'electron/compose.ts',
      'electron/sample/',
      `${NODE}onnx/fork-process.ts`,
    ],
    modules: ['electron', 'pino', 'node:*'],
  },
  {
    name: 'preload',
    holds: under('electron/preload/'),
    files: [`${CONTRACT}channel-names.ts`],
    types: [CONTRACT],
    modules: ['electron'],
  },
  {
    name: 'chromium',
    holds: under('electron/chromium/'),
    files: [],
    modules: ['electron', 'playwright-core', 'node:*'],
  },
  {
    name: 'compose',
    holds: (path) => path === 'electron/compose.ts',
    files: [DOMAIN, CONTRACT, NODE, 'electron/services/', 'electron/ports/', 'electron/adapters/'],
    modules: ['*', 'node:*'],
  },
  // The manifest: `/metrics` says which version of the program answers.
  {
    name: 'serving',
    holds: under('serving/'),
    files: [DOMAIN, NODE, 'package.json'],
    modules: ['*', 'node:*'],
  },
  {
    name: 'charts',
    holds: under('renderer/charts/'),
    files: [DOMAIN, CONTRACT, 'renderer/ui/', 'renderer/app/'],
    modules: [...BROWSER_PACKAGES, ...CHART_PACKAGES],
  },
  {
    name: 'renderer',
    holds: under('renderer/'),
    files: [DOMAIN, CONTRACT, 'renderer/'],
    modules: BROWSER_PACKAGES,
  },
  { name: 'policies', holds: under('resources/policies/'), files: [DOMAIN], modules: ['node:*'] },
  {
    name: 'samples',
    holds: under('resources/samples/'),
    files: [DOMAIN],
    modules: ['protobufjs', 'yaml', 'zod', 'node:*'],
  },
  // Tools around the house look into every room.
  {
    name: 'tools',
    holds: (path) => under('test/', 'bench/')(path) || /^[^/]+\.ts$/.test(path),
    files: [DOMAIN, CONTRACT, NODE, 'electron/', 'serving/', 'renderer/', 'resources/', 'test/', 'bench/'],
    modules: ['*', 'node:*'],
  },
];

/** Packages with exactly one door: only these files may load them. Types may travel further. */
export const DOORS: readonly {
  readonly module: string;
  readonly files: readonly string[];
  readonly typesToo: boolean;
}[] = [
  { module: 'onnxruntime-node', files: ['shared/node/onnx/runtime.ts', 'test/', 'bench/'], typesToo: true },
  { module: 'chart.js', files: ['renderer/charts/'], typesToo: true },
  { module: 'react-chartjs-2', files: ['renderer/charts/'], typesToo: true },
  { module: 'electron', files: ['electron/main/', 'electron/preload/'], typesToo: false },
  {
    module: 'electron',
    files: ['electron/main/', 'electron/preload/', 'electron/chromium/', 'test/'],
    typesToo: true,
  },
  {
    module: 'better-sqlite3',
    files: ['shared/node/sqlite/', 'electron/adapters/sqlite/', 'test/', 'bench/'],
    typesToo: true,
  },
  { module: 'keytar', files: ['electron/workers/keychain.ts'], typesToo: true },
  {
    module: '@duckdb/node-api',
    files: [
      'electron/adapters/datasets/',
      'electron/workers/datasets.ts',
      'test/support/datasets.ts',
      'bench/',
    ],
    typesToo: true,
  },
  { module: 'sodium-native', files: ['shared/node/', 'bench/'], typesToo: true },
  { module: 'playwright-core', files: ['electron/chromium/', 'test/', 'bench/'], typesToo: true },
];

/** Where the program's own entries are: what an entry needs to know before anything is composed. */
const PROGRAM = 'electron/adapters/system/program.ts';

/** Only these may see the object graph as a value. */
const COMPOSERS = ['electron/main/', 'electron/cli/index.ts', 'electron/cli/run.ts', 'test/', 'bench/'];

const covers = (list: readonly string[], path: string): boolean =>
  list.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry));

function roomOf(path: string): Room | undefined {
  return ROOMS.find((room) => room.holds(path));
}

function moduleAllowed(list: readonly string[], module: string): boolean {
  if (module.startsWith('node:')) return list.includes('node:*') || list.includes(module);
  return (
    list.includes(module) || (list.includes('*') && !['electron', 'react', 'react-dom'].includes(module))
  );
}

/** Files a bundler turns into something else: styles, images, fonts. */
const isAsset = (path: string): boolean => /\.(css|svg|png|woff2?)$/.test(path);

function checkImport(file: SourceFile, room: Room, found: Import): string | null {
  const where = `${file.path}:${found.line}`;
  if (found.specifier === null) {
    // A path made at run time: the stand-in loads the built main bundle so, the tools load what they test.
    return room.name === 'chromium' || room.name === 'tools' || room.name === 'cli'
      ? null
      : `${where} imports a path made at run time`;
  }
  const target = resolveImport(file.path, found.specifier);
  if ('file' in target) {
    if (isAsset(target.file)) return null;
    if (target.file.startsWith('..'))
      return `${where} imports ${found.specifier} from outside of the project`;
    if (target.file === 'electron/compose.ts' && found.runtime && !covers(COMPOSERS, file.path)) {
      return `${where} (${room.name}) imports electron/compose.ts, which only main and cli may`;
    }
    if (room.holds(target.file) && roomOf(target.file) === room) return null;
    if (covers(room.files, target.file)) return null;
    if (!found.runtime && covers(room.types ?? [], target.file)) return null;
    if (['electron/compose.ts', PROGRAM].includes(target.file) && covers(COMPOSERS, file.path)) return null;
    return `${where} (${room.name}) imports ${target.file}`;
  }
  for (const door of DOORS) {
    if (door.module === target.module && (found.runtime || door.typesToo) && !covers(door.files, file.path)) {
      return `${where} (${room.name}) imports ${target.module}, which only ${door.files.join(', ')} may`;
    }
  }
  return moduleAllowed(room.modules, target.module)
    ? null
    : `${where} (${room.name}) imports ${target.module}`;
}

/** What whoever loads a package imports with it. */
const WITH: Readonly<Record<string, string>> = { 'onnxruntime-node': 'shared/node/onnx/no-telemetry.ts' };

function checkWith(file: SourceFile, found: Import): string | null {
  const fileOf = (specifier: string | null) =>
    specifier === null ? {} : (resolveImport(file.path, specifier) as { file?: string; module?: string });
  const needed = found.runtime ? WITH[fileOf(found.specifier).module ?? ''] : undefined;
  return needed === undefined ||
    file.imports.some((one) => one.runtime && !one.dynamic && fileOf(one.specifier).file === needed)
    ? null
    : `${file.path}:${found.line} imports ${found.specifier} without ${needed}`;
}

/** Every import that breaks a rule, one sentence each. */
export function importViolations(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === undefined) {
      found.push(`${file.path} belongs to no room`);
      continue;
    }
    for (const one of file.imports) {
      const problem = checkImport(file, room, one) ?? checkWith(file, one);
      if (problem !== null) found.push(problem);
    }
  }
  return found;
}

/** Relative imports that name no file of ours: a path without its extension, or a file that moved. */
export function danglingImports(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((one) => {
      if (one.specifier === null) return [];
      const target = resolveImport(file.path, one.specifier);
      return 'file' in target && !exists(target.file)
        ? [`${file.path}:${one.line} imports ${one.specifier}`]
        : [];
    }),
  );
}

/**
 * Import circles, each as the list of its files, by Tarjan's strongly connected components (iterative).
 * `runtime`: what is evaluated on loading, so neither types nor dynamic imports; `types`: all static imports.
 */
export function importCycles(files: readonly SourceFile[], kind: 'runtime' | 'types'): string[][] {
  const edges = new Map<string, string[]>();
  const known = new Set(files.map((file) => file.path));
  for (const file of files) {
    const targets: string[] = [];
    for (const one of file.imports) {
      if (one.specifier === null || one.dynamic || (kind === 'runtime' && !one.runtime)) continue;
      const target = resolveImport(file.path, one.specifier);
      if ('file' in target && known.has(target.file)) targets.push(target.file);
    }
    edges.set(file.path, targets);
  }

  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const lower = (path: string, value: number): void => {
    low.set(path, Math.min(low.get(path) ?? value, value));
  };

  for (const start of known) {
    if (index.has(start)) continue;
    const work: { path: string; next: number }[] = [{ path: start, next: 0 }];
    while (work.length > 0) {
      const frame = work[work.length - 1];
      if (frame === undefined) break;
      const { path } = frame;
      if (frame.next === 0) {
        low.set(path, index.size);
        index.set(path, index.size);
        stack.push(path);
        onStack.add(path);
      }
      const target = (edges.get(path) ?? [])[frame.next++];
      if (target !== undefined) {
        const seen = index.get(target);
        if (seen === undefined) work.push({ path: target, next: 0 });
        else if (onStack.has(target)) lower(path, seen);
        continue;
      }
      work.pop();
      const parent = work[work.length - 1];
      if (parent !== undefined) lower(parent.path, low.get(path) ?? 0);
      if (low.get(path) === index.get(path)) {
        const component = stack.splice(stack.indexOf(path));
        for (const member of component) onStack.delete(member);
        if (component.length > 1 || (edges.get(path) ?? []).includes(path)) cycles.push(component);
      }
    }
  }
  return cycles;
}

/** Lines above which a file is no longer read in one sitting. */
export const MAX_LINES = 400;
/** A suite is a list of sentences and may be longer. */
export const MAX_TEST_LINES = 500;

/** Files above `MAX_LINES`, save those that are tables of rules and are named here with their reason. */
export function longFiles(files: readonly SourceFile[], tables: Readonly<Record<string, string>>): string[] {
  return files
    .filter((file) => file.lines > (file.path.startsWith('test/') ? MAX_TEST_LINES : MAX_LINES))
    .filter((file) => tables[file.path] === undefined)
    .map((file) => `${file.path} has ${file.lines} lines`);
}
