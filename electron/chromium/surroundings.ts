import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { dirname } from 'node:path';
import { refuseUnknownMembers } from './missing.ts';

type Scheme = 'light' | 'dark' | null;

/** Electron's `nativeTheme`: what the page's media query says, or what the application chose. */
export class StandInNativeTheme extends EventEmitter {
  onSource: (scheme: Scheme) => void = () => undefined;
  #source: 'system' | 'light' | 'dark' = 'system';
  #dark = false;

  get themeSource(): 'system' | 'light' | 'dark' {
    return this.#source;
  }

  set themeSource(source: 'system' | 'light' | 'dark') {
    this.#source = source;
    this.onSource(this.emulated());
    if (source !== 'system') this.report(source === 'dark');
  }

  get shouldUseDarkColors(): boolean {
    return this.#dark;
  }

  emulated(): Scheme {
    return this.#source === 'system' ? null : this.#source;
  }

  report(dark: boolean): void {
    if (dark === this.#dark) return;
    this.#dark = dark;
    this.emit('updated', {});
  }
}
refuseUnknownMembers(StandInNativeTheme, 'electron.nativeTheme');

/** How often sleep is looked for, and how much lost time counts as sleep (milliseconds). */
const SLEEP_CHECK = 5000;
const SLEEP_GAP = 15_000;

/**
 * Electron's `powerMonitor`. Sleep shows as wall-clock time that the monotonic clock did not count, so `suspend`
 * is told on waking, right before `resume`. Idle time is that of the window, the only input seen here.
 */
export class StandInPowerMonitor extends EventEmitter {
  #lastInput = Date.now();

  constructor() {
    super();
    let wall = Date.now();
    let steady = performance.now();
    setInterval(() => {
      const lost = Date.now() - wall - (performance.now() - steady);
      wall = Date.now();
      steady = performance.now();
      if (lost < SLEEP_GAP) return;
      this.emit('suspend');
      this.emit('resume');
    }, SLEEP_CHECK).unref();
  }

  active(): void {
    this.#lastInput = Date.now();
  }

  getSystemIdleTime(): number {
    return Math.floor((Date.now() - this.#lastInput) / 1000);
  }
}
refuseUnknownMembers(StandInPowerMonitor, 'electron.powerMonitor');

function openWithSystem(target: string): Promise<void> {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', target]
      : process.platform === 'win32'
        ? ['explorer.exe', target]
        : ['xdg-open', target];
  return new Promise((done, failed) => {
    const child = spawn(command as string, args, { stdio: 'ignore', detached: true });
    child.on('error', failed);
    child.on('spawn', () => {
      child.unref();
      done();
    });
  });
}

/** Electron's `shell`, over the desktop's own opener. */
export const standInShell = {
  async openExternal(url: string): Promise<void> {
    const { protocol } = new URL(url);
    // The application vets addresses too; a program name or a file never gets through here.
    if (protocol !== 'https:' && protocol !== 'http:' && protocol !== 'mailto:')
      throw new Error(`Refused to open a ${protocol} address.`);
    await openWithSystem(url);
  },
  showItemInFolder(path: string): void {
    openWithSystem(dirname(path)).catch((error: unknown) =>
      console.error(`The folder could not be shown: ${String(error)}`),
    );
  },
};
