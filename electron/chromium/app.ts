import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Electron from 'electron';
import type { HostOptions } from './host.ts';
import { Host } from './host.ts';
import { InstanceLock } from './instance-lock.ts';
import { refuseUnknownMembers } from './missing.ts';

type AppSubset = Pick<
  Electron.App,
  | 'whenReady'
  | 'isReady'
  | 'quit'
  | 'exit'
  | 'getPath'
  | 'setPath'
  | 'getName'
  | 'setName'
  | 'getVersion'
  | 'getAppPath'
  | 'isPackaged'
  | 'requestSingleInstanceLock'
  | 'hasSingleInstanceLock'
  | 'releaseSingleInstanceLock'
  | 'setAppUserModelId'
  | 'enableSandbox'
  | 'getLocale'
>;

export interface QuitEvent {
  preventDefault(): void;
  readonly defaultPrevented: boolean;
}

export function preventable(): QuitEvent {
  let prevented = false;
  return {
    preventDefault: () => {
      prevented = true;
    },
    get defaultPrevented() {
      return prevented;
    },
  };
}

/** Electron's `app`: life cycle, paths and the single-instance lock. */
export class StandInApp extends EventEmitter implements AppSubset {
  readonly isPackaged = false;
  readonly host: Host;
  /** Set by the windows module: closes all windows, answers false when one refused. */
  closeWindows: () => boolean = () => true;
  readonly commandLine = {
    // Chromium's switches are the stand-in's own business; the application's are remembered for those who ask.
    appendSwitch: (name: string, value = ''): void => void this.#switches.set(name, value),
    hasSwitch: (name: string): boolean => this.#switches.has(name),
    getSwitchValue: (name: string): string => this.#switches.get(name) ?? '',
  };
  readonly #switches = new Map<string, string>();
  readonly #paths = new Map<string, string>();
  readonly #options: HostOptions;
  readonly #version: string;
  readonly #ready: Promise<void>;
  #name: string;
  #isReady = false;
  #exiting = false;
  #closing = false;
  #lock: InstanceLock | undefined;
  #pendingNotice: Promise<void> = Promise.resolve();

  constructor(options: HostOptions) {
    super();
    this.#options = options;
    const manifest = JSON.parse(readFileSync(join(options.appPath, 'package.json'), 'utf8')) as {
      name?: string;
      productName?: string;
      version?: string;
    };
    this.#name = manifest.productName ?? manifest.name ?? 'app';
    this.#version = manifest.version ?? '0.0.0';
    this.host = new Host(
      options,
      () => this.#name,
      () => this.getPath('userData'),
    );
    // Electron is ready only after the main script's first turn, so that handlers can be set before.
    this.#ready = new Promise((done) => {
      setImmediate(() => {
        if (this.#exiting) return;
        this.#isReady = true;
        this.emit('ready');
        done();
      });
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.quit());
  }

  isReady(): boolean {
    return this.#isReady;
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }

  getName(): string {
    return this.#name;
  }

  setName(name: string): void {
    this.#name = name;
  }

  getVersion(): string {
    return this.#version;
  }

  getAppPath(): string {
    return this.#options.appPath;
  }

  getLocale(): string {
    return new Intl.DateTimeFormat().resolvedOptions().locale;
  }

  setAppUserModelId(): void {
    // A matter of the Windows task bar, which Chromium's own window handles.
  }

  enableSandbox(): void {
    // Pages of the stand-in have no Node at all.
  }

  setPath(name: string, path: string): void {
    this.#paths.set(name, path);
  }

  getPath(name: Parameters<Electron.App['getPath']>[0]): string {
    const set = this.#paths.get(name);
    if (set !== undefined) return set;
    const { env, platform } = this.#options;
    const home = env.HOME ?? env.USERPROFILE ?? homedir();
    const appData =
      platform === 'win32'
        ? (env.APPDATA ?? join(home, 'AppData', 'Roaming'))
        : platform === 'darwin'
          ? join(home, 'Library', 'Application Support')
          : (env.XDG_CONFIG_HOME ?? join(home, '.config'));
    switch (name) {
      case 'home':
        return home;
      case 'appData':
        return appData;
      case 'userData':
      case 'sessionData':
        return join(appData, this.#name);
      case 'logs':
        return join(appData, this.#name, 'logs');
      case 'temp':
        return tmpdir();
      case 'exe':
        return process.execPath;
      case 'desktop':
        return join(home, 'Desktop');
      case 'documents':
        return join(home, 'Documents');
      case 'downloads':
        return join(home, 'Downloads');
      default:
        throw new Error(`app.getPath('${name}') is not part of the Chromium stand-in.`);
    }
  }

  requestSingleInstanceLock(): boolean {
    this.#lock ??= new InstanceLock(this.getPath('userData'));
    const held = this.#lock.take((second) => this.emit('second-instance', {}, second.argv, second.cwd, null));
    if (!held) this.#pendingNotice = this.#lock.notify({ argv: process.argv, cwd: process.cwd() });
    // The data folder is ours from here on: Chromium may start while the application goes on loading.
    else this.host.warm();
    return held;
  }

  hasSingleInstanceLock(): boolean {
    return this.#lock?.held ?? false;
  }

  releaseSingleInstanceLock(): void {
    this.#lock?.release();
  }

  /** before-quit, close every window, will-quit, quit, exit; each of the first three may be refused. */
  quit(): void {
    const before = preventable();
    this.emit('before-quit', before);
    if (before.defaultPrevented) return;
    // Windows closed by quitting do not end in `window-all-closed`.
    this.#closing = true;
    const closed = this.closeWindows();
    this.#closing = false;
    if (!closed) return;
    const will = preventable();
    this.emit('will-quit', will);
    if (will.defaultPrevented) return;
    this.exit(0);
  }

  /** Called when the last window is gone. */
  windowsGone(): void {
    if (this.#closing || this.#exiting) return;
    if (this.listenerCount('window-all-closed') === 0) this.quit();
    else this.emit('window-all-closed');
  }

  exit(code = 0): void {
    if (this.#exiting) return;
    this.#exiting = true;
    this.emit('quit', {}, code);
    void Promise.allSettled([this.host.close(), this.#pendingNotice]).then(() => {
      this.#lock?.release();
      process.exit(code);
    });
  }
}
refuseUnknownMembers(StandInApp, 'electron.app');
