/** A real Secret Service of our own: a private D-Bus session and gnome-keyring with its own home directory. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Keyring {
  /** Environment for processes that shall use this keyring and no other. */
  readonly env: Readonly<Record<string, string>>;
  /** Locks the default collection, as a screen lock or a sign-out does. */
  lock(): void;
  /** Forgets everything: what a wiped keychain looks like. The service goes on, unlocked and empty. */
  wipe(): Promise<void>;
  /** Ends the service: nobody answers under its name. */
  vanish(): Promise<void>;
  /** Ends it where it runs, and starts it again, unlocked, with what it had. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Why no keyring can be started here, or null where it can. A test that is skipped prints this. */
export function keyringUnavailable(): string | null {
  if (process.platform !== 'linux') return 'a private Secret Service is started on Linux only';
  for (const program of ['dbus-daemon', 'gnome-keyring-daemon', 'dbus-send']) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .some((folder) => folder !== '' && existsSync(join(folder, program)));
    if (!found) return `${program} is not installed (Debian: apt install dbus gnome-keyring libsecret-1-0)`;
  }
  return null;
}

/** An environment in which no D-Bus session can be found or started. */
export function environmentWithoutDBus(): Readonly<Record<string, string>> {
  return {
    ...inheritedEnvironment(),
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus',
    XDG_RUNTIME_DIR: '/nonexistent',
  };
}

/** This process's environment without a desktop session: no prompt may appear, no real keychain be found. */
function inheritedEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !['DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS'].includes(name))
      env[name] = value;
  }
  return env;
}

/** Resolves with the first line the process writes to stdout. */
function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${what} ended with ${code} before it was ready`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

/** Starts a private, unlocked keyring; its login password is `password`. Call `stop` when done. */
export async function startKeyring(password = 'x'): Promise<Keyring> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-keyring-'));
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  await chmod(runtime, 0o700);
  const base = {
    ...inheritedEnvironment(),
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
  };

  const bus = spawn(
    'dbus-daemon',
    ['--session', '--nofork', '--print-address=1', `--address=unix:path=${join(runtime, 'bus')}`],
    {
      env: base,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: await firstLine(bus, 'dbus-daemon') };

  let daemon: ChildProcess;
  const startDaemon = async (...more: string[]): Promise<void> => {
    daemon = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets', ...more], {
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    daemon.stdin?.end(password);
    for (let tries = 0; tries < 400; tries++) {
      const asked = send(
        env,
        'org.freedesktop.DBus',
        '/org/freedesktop/DBus',
        'org.freedesktop.DBus.GetConnectionUnixProcessID',
        'string:org.freedesktop.secrets',
      );
      const owner = Number(/uint32 (\d+)/.exec(asked)?.[1] ?? 0);
      if (owner === daemon.pid) return;
      // One that the bus started for somebody who asked meanwhile, locked: it may have been quicker than ours.
      if (owner > 0) spawnSync('kill', ['-KILL', String(owner)]);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('gnome-keyring-daemon did not take its name on the bus');
  };
  await startDaemon();

  return {
    env,
    lock: () => {
      send(
        env,
        'org.freedesktop.secrets',
        '/org/freedesktop/secrets',
        'org.freedesktop.Secret.Service.Lock',
        'array:objpath:/org/freedesktop/secrets/collection/login',
      );
    },
    wipe: async () => {
      await ended(daemon);
      await rm(join(home, 'data'), { recursive: true, force: true });
      await startDaemon();
    },
    vanish: () => ended(daemon),
    restart: async () => {
      await ended(daemon);
      await startDaemon('--replace');
    },
    stop: async () => {
      await ended(daemon);
      await ended(bus);
      await rm(home, { recursive: true, force: true });
    },
  };
}

function send(
  env: NodeJS.ProcessEnv,
  destination: string,
  path: string,
  method: string,
  ...args: string[]
): string {
  const result = spawnSync(
    'dbus-send',
    ['--session', '--print-reply', `--dest=${destination}`, path, method, ...args],
    { env, encoding: 'utf8' },
  );
  return result.stdout;
}
