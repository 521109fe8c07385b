import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { WorkerEntry } from '../../ports/processes.ts';

/** Where this program's own entries are: beside each other when built, in their rooms when run from source. */
export interface ProgramFiles {
  worker(entry: WorkerEntry): string;
  readonly serving: string;
  /** Data of the sample workspace. */
  readonly sampleData: string;
  readonly trafficPlayer: string;
}

/** `directory` and `filename` are those of the running entry (`import.meta`). */
export function programFiles(directory: string, filename: string): ProgramFiles {
  if (filename.endsWith('.ts')) {
    const root = join(directory, '..', '..');
    return {
      worker: (entry) => join(root, 'electron', 'workers', `${entry}.ts`),
      serving: join(root, 'serving', 'index.ts'),
      sampleData: join(root, 'resources', 'samples', 'data'),
      trafficPlayer: join(root, 'electron', 'sample', 'player.ts'),
    };
  }
  // Bundles share chunks: a module may find itself one folder below the entries.
  const built = basename(directory) === 'chunks' ? join(directory, '..') : directory;
  const inArchive = built.includes('app.asar');
  return {
    worker: (entry) => join(built, `${entry}.js`),
    serving: join(built, 'serving.js'),
    sampleData: inArchive
      ? join(built, '..', '..', '..', 'samples')
      : join(built, '..', '..', 'resources', 'samples', 'data'),
    trafficPlayer: join(built, 'player.js'),
  };
}

/** The per-user data folder, as Electron's `appData` names it; `XDG_CONFIG_HOME` and `APPDATA` are respected. */
export function userDataFolder(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', name);
  if (platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), name);
  return join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), name);
}
