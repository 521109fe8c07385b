import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { findChromium, launchBrowser } from './browser.ts';

export interface HostOptions {
  /** Folder of the application's package.json. */
  readonly appPath: string;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly testHook: boolean;
}

/** The size Chromium is started with, before the application has said what it wants. */
const START = { width: 1360, height: 880 };

/** The one Chromium of the process, started at most once, and what all parts of the stand-in share. */
export class Host extends EventEmitter<{ gone: [] }> {
  readonly options: HostOptions;
  readonly headless: boolean;
  /** Custom schemes registered by the application. */
  readonly schemes = new Set<string>();
  #launch: Promise<BrowserContext> | undefined;
  #profile: () => string;
  #firstPageTaken = false;
  #title: () => string;

  constructor(options: HostOptions, title: () => string, profile: () => string) {
    super();
    this.options = options;
    this.#title = title;
    this.#profile = profile;
    const { env, platform } = options;
    const display = platform !== 'linux' || Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY);
    this.headless = !display || env.SALLYPORT_HEADLESS === '1';
  }

  /** Starts Chromium early, while the application is still loading; failures surface in `context()`. */
  warm(): void {
    this.context().catch(() => undefined);
  }

  get started(): boolean {
    return this.#launch !== undefined;
  }

  context(): Promise<BrowserContext> {
    this.#launch ??= this.#start();
    return this.#launch;
  }

  get profile(): string {
    return join(this.#profile(), 'window');
  }

  async #start(): Promise<BrowserContext> {
    const { env, platform, testHook } = this.options;
    const executable = findChromium(env, platform);
    if (executable === undefined) {
      throw new Error(
        'No Chromium was found. Install one (Debian: apt-get install chromium) or set SALLYPORT_CHROMIUM.',
      );
    }
    const context = await launchBrowser({
      executable,
      profile: this.profile,
      headless: this.headless,
      ...START,
      title: this.#title(),
      background: '#1a1b1e',
      debugPort: testHook,
    });
    context.on('close', () => this.emit('gone'));
    return context;
  }

  /** The window Chromium opened with for the first caller, a new one for the others. */
  async takePage(): Promise<Page> {
    const context = await this.context();
    if (!this.#firstPageTaken) {
      this.#firstPageTaken = true;
      const first = context.pages()[0];
      if (first !== undefined) return first;
    }
    return await context.newPage();
  }

  async close(): Promise<void> {
    if (this.#launch === undefined) return;
    const context = await this.#launch.catch(() => undefined);
    await context?.close().catch(() => undefined);
  }
}
