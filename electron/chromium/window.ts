import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';
import type { CDPSession, Page } from 'playwright-core';
import { preventable, type StandInApp } from './app.ts';
import type { StandInIpcMain } from './ipc-main.ts';
import type { StandInMenus } from './menu.ts';
import { refuseUnknownMembers } from './missing.ts';
import type { StandInSession, StandInSessions } from './session.ts';
import type { StandInNativeTheme, StandInPowerMonitor } from './surroundings.ts';
import { StandInWebContents } from './web-contents.ts';

export interface WindowParts {
  readonly app: StandInApp;
  readonly ipcMain: StandInIpcMain;
  readonly sessions: StandInSessions;
  readonly menus: StandInMenus;
  readonly theme: StandInNativeTheme;
  readonly power: StandInPowerMonitor;
}

interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Options = Pick<
  Electron.BrowserWindowConstructorOptions,
  | 'width'
  | 'height'
  | 'minWidth'
  | 'minHeight'
  | 'title'
  | 'show'
  | 'backgroundColor'
  | 'webPreferences'
  | 'autoHideMenuBar'
  | 'icon'
>;

/** What the stand-in's other parts use of a window; the application uses the rest by Electron's own types. */
export interface StandInWindowShape extends EventEmitter {
  readonly id: number;
  readonly webContents: StandInWebContents;
  page(): Promise<Page>;
}

export interface BrowserWindowClass {
  new (options?: Options): StandInWindowShape;
  getAllWindows(): StandInWindowShape[];
  getFocusedWindow(): StandInWindowShape | null;
  fromWebContents(contents: unknown): StandInWindowShape | null;
  fromId(id: number): StandInWindowShape | null;
}

let nextId = 1;

/** The parts every window shares; `createBrowserWindow` makes the class that the application sees. */
export function createBrowserWindow(parts: WindowParts): BrowserWindowClass {
  const open: StandInWindow[] = [];

  class StandInWindow extends EventEmitter {
    readonly id = nextId++;
    readonly webContents: StandInWebContents;
    readonly #page: Promise<Page>;
    #livePage: Page | undefined;
    #devtools: CDPSession | undefined;
    #bounds: Bounds;
    #title: string;
    #destroyed = false;
    #visible: boolean;

    static getAllWindows(): StandInWindow[] {
      return [...open];
    }

    static getFocusedWindow(): StandInWindow | null {
      return open.at(-1) ?? null;
    }

    static fromWebContents(contents: unknown): StandInWindow | null {
      return open.find((window) => window.webContents === contents) ?? null;
    }

    static fromId(id: number): StandInWindow | null {
      return open.find((window) => window.id === id) ?? null;
    }

    constructor(options: Options = {}) {
      super();
      const web = options.webPreferences ?? {};
      if (web.nodeIntegration === true || web.contextIsolation === false || web.sandbox === false) {
        throw new Error('The Chromium stand-in opens sandboxed, isolated windows only.');
      }
      const session =
        (web.session as unknown as StandInSession | undefined) ??
        parts.sessions.fromPartition(web.partition ?? '');
      this.#title = options.title ?? parts.app.getName();
      this.#visible = options.show !== false;
      this.#bounds = { x: 0, y: 0, width: options.width ?? 800, height: options.height ?? 600 };
      this.webContents = new StandInWebContents(parts.app.host, parts.ipcMain, session, web.preload, {
        onAccelerator: (id) => parts.menus.run(id, this),
        onTheme: (dark) => parts.theme.report(dark),
        onActivity: () => parts.power.active(),
        onBounds: (bounds) => {
          this.#bounds = bounds;
          this.emit('resize', {});
        },
      });
      open.push(this);
      this.#page = this.#openPage(options);
      this.#page.catch((error: unknown) => {
        console.error(
          `The window could not be opened: ${error instanceof Error ? error.message : String(error)}`,
        );
        this.#gone();
        parts.app.exit(1);
      });
      parts.app.emit('browser-window-created', {}, this);
      parts.app.emit('web-contents-created', {}, this.webContents);
    }

    async #openPage(options: Options): Promise<Page> {
      const page = await parts.app.host.takePage();
      this.#livePage = page;
      page.on('close', () => this.#gone());
      const [devtools] = await Promise.all([
        page.context().newCDPSession(page),
        this.webContents.attach(page, parts.menus.accelerators()),
        page.emulateMedia({ colorScheme: parts.theme.emulated() }),
      ]);
      this.#devtools = devtools;
      if (options.backgroundColor !== undefined) this.setBackgroundColor(options.backgroundColor);
      // Real windows only: a headless page has no frame to size.
      if (options.width !== undefined && options.height !== undefined && !parts.app.host.headless) {
        await this.#setFrame({ width: options.width, height: options.height });
      }
      return page;
    }

    async #setFrame(bounds: {
      width?: number;
      height?: number;
      windowState?: 'normal' | 'minimized' | 'maximized' | 'fullscreen';
    }): Promise<void> {
      const devtools = this.#devtools;
      if (devtools === undefined) return;
      const { windowId } = await devtools.send('Browser.getWindowForTarget');
      await devtools.send('Browser.setWindowBounds', { windowId, bounds });
    }

    async loadURL(url: string): Promise<void> {
      const page = await this.#page;
      const firstPaint = page.waitForEvent('domcontentloaded', { timeout: 0 }).then(
        () => void (this.#destroyed || this.emit('ready-to-show', {})),
        () => undefined,
      );
      await this.webContents.load(url);
      await firstPaint;
    }

    /** Chromium shows its window as soon as it has one; showing it again raises it. */
    show(): void {
      this.#visible = true;
      void this.#page.then((page) => page.bringToFront()).catch(() => undefined);
      this.emit('show', {});
    }

    hide(): void {
      this.minimize();
    }

    focus(): void {
      void this.#page.then((page) => page.bringToFront()).catch(() => undefined);
    }

    minimize(): void {
      void this.#page.then(() => this.#setFrame({ windowState: 'minimized' })).catch(() => undefined);
    }

    maximize(): void {
      void this.#page.then(() => this.#setFrame({ windowState: 'maximized' })).catch(() => undefined);
    }

    restore(): void {
      void this.#page.then(() => this.#setFrame({ windowState: 'normal' })).catch(() => undefined);
    }

    isMinimized(): boolean {
      return false;
    }

    isVisible(): boolean {
      return this.#visible && !this.#destroyed;
    }

    isDestroyed(): boolean {
      return this.#destroyed;
    }

    getBounds(): Bounds {
      return this.#bounds;
    }

    getTitle(): string {
      return this.#title;
    }

    setTitle(title: string): void {
      this.#title = title;
      void this.#page
        .then(() => this.webContents.executeJavaScript(`document.title = ${JSON.stringify(title)}`))
        .catch(() => undefined);
    }

    setMenuBarVisibility(): void {
      // Chromium's app window has no menu bar; accelerators work without one.
    }

    removeMenu(): void {
      // See setMenuBarVisibility.
    }

    setBackgroundColor(color: string): void {
      const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
      if (match === null) throw new Error(`The stand-in reads colours as #rrggbb, not ${color}.`);
      const [r = 0, g = 0, b = 0] = match.slice(1).map((part) => Number.parseInt(part, 16));
      this.#devtools
        ?.send('Emulation.setDefaultBackgroundColorOverride', { color: { r, g, b, a: 1 } })
        .catch(() => undefined);
    }

    /** A picture of the page, with the two methods of NativeImage that tests use. */
    async capturePage(): Promise<{ toPNG(): Buffer; getSize(): { width: number; height: number } }> {
      const png = await (await this.#page).screenshot();
      // Width and height are the first fields of the header chunk of a PNG.
      return {
        toPNG: () => png,
        getSize: () => ({ width: png.readUInt32BE(16), height: png.readUInt32BE(20) }),
      };
    }

    /** The page behind the window, for the stand-in's own dialogs. */
    page(): Promise<Page> {
      return this.#page;
    }

    close(): void {
      if (this.#destroyed) return;
      const event = preventable();
      this.emit('close', event);
      if (!event.defaultPrevented) this.destroy();
    }

    destroy(): void {
      const page = this.#livePage;
      this.#gone();
      void page?.close().catch(() => undefined);
    }

    #gone(): void {
      if (this.#destroyed) return;
      this.#destroyed = true;
      const at = open.indexOf(this);
      if (at >= 0) open.splice(at, 1);
      this.webContents.markDestroyed();
      this.emit('closed', {});
      if (open.length === 0) parts.app.windowsGone();
    }
  }

  parts.app.closeWindows = () => {
    for (const window of [...open]) {
      const event = preventable();
      window.emit('close', event);
      if (event.defaultPrevented) return false;
    }
    for (const window of open.splice(0)) window.destroy();
    return true;
  };
  parts.app.host.on('gone', () => {
    for (const window of [...open]) window.destroy();
  });
  parts.theme.onSource = (scheme) => {
    for (const window of open)
      void window
        .page()
        .then((page) => page.emulateMedia({ colorScheme: scheme }))
        .catch(() => undefined);
  };
  parts.menus.onChange = (accelerators) => {
    for (const window of open) window.webContents.setAccelerators(accelerators);
  };
  refuseUnknownMembers(StandInWindow, 'BrowserWindow');
  return StandInWindow;
}

export type StandInWindowClass = ReturnType<typeof createBrowserWindow>;
export type StandInWindowInstance = InstanceType<StandInWindowClass>;
