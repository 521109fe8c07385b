import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type * as Electron from 'electron';
import type { CDPSession, Page } from 'playwright-core';
import { preventable } from './app.ts';
import { decodeValue, encodeValue } from './codec.ts';
import type { Host } from './host.ts';
import type { StandInIpcMain } from './ipc-main.ts';
import { refuseUnknownMembers } from './missing.ts';
import { type Accelerator, type MainMessage, type PageMessage, pageScript } from './page.ts';
import type { StandInSession } from './session.ts';
import { toAppUrl, toBrowserUrl } from './urls.ts';

type WindowOpenHandler = (details: { readonly url: string; readonly disposition: string }) => {
  readonly action: 'deny' | 'allow';
};

type PdfOptions = Pick<
  Electron.PrintToPDFOptions,
  'pageSize' | 'printBackground' | 'displayHeaderFooter' | 'headerTemplate' | 'footerTemplate'
>;

/** What the rest of the stand-in hears from a page. */
export interface PageListeners {
  readonly onAccelerator: (id: number) => void;
  readonly onTheme: (dark: boolean) => void;
  readonly onActivity: () => void;
  readonly onBounds: (bounds: { x: number; y: number; width: number; height: number }) => void;
}

interface ConsoleArgument {
  readonly value?: unknown;
  readonly objectId?: string;
}

let nextId = 1;

/** Electron's `webContents` over one page: loading, sending, limits on navigation. */
export class StandInWebContents extends EventEmitter {
  readonly id = nextId++;
  readonly session: StandInSession;
  readonly mainFrame: {
    readonly url: string;
    readonly origin: string;
    readonly parent: null;
    readonly top: unknown;
  };
  readonly #host: Host;
  readonly #ipcMain: StandInIpcMain;
  readonly #preload: string | undefined;
  readonly #listeners: PageListeners;
  /** Random, so that a script that guesses names has nothing to guess. */
  readonly #binding = `b${randomBytes(16).toString('hex')}`;
  readonly #secret = randomBytes(16).toString('hex');
  #page: Page | undefined;
  #devtools: CDPSession | undefined;
  #receiver: string | undefined;
  #mainFrameId = '';
  readonly #contexts = new Set<number>();
  #windowOpen: WindowOpenHandler = () => ({ action: 'deny' });
  #accelerators: readonly Accelerator[] = [];
  /** The address `loadURL` asked for: the one navigation that is not the page's own wish. */
  #expected: string | undefined;
  #destroyed = false;

  constructor(
    host: Host,
    ipcMain: StandInIpcMain,
    session: StandInSession,
    preload: string | undefined,
    listeners: PageListeners,
  ) {
    super();
    this.#host = host;
    this.#ipcMain = ipcMain;
    this.session = session;
    this.#preload = preload;
    this.#listeners = listeners;
    const url = (): string => this.getURL();
    this.mainFrame = {
      get url() {
        return url();
      },
      get origin() {
        return new URL(url()).origin === 'null'
          ? url().split('/').slice(0, 3).join('/')
          : new URL(url()).origin;
      },
      parent: null,
      get top(): unknown {
        return this;
      },
    };
  }

  /** Prepares the page before anything of ours is loaded into it. */
  async attach(page: Page, accelerators: readonly Accelerator[]): Promise<void> {
    this.#page = page;
    this.#accelerators = accelerators;
    const devtools = await page.context().newCDPSession(page);
    this.#devtools = devtools;
    devtools.on('Runtime.executionContextCreated', ({ context }) => {
      const aux = context.auxData as { isDefault?: boolean; frameId?: string } | undefined;
      if (aux?.isDefault === true && aux.frameId === this.#mainFrameId) this.#contexts.add(context.id);
    });
    devtools.on(
      'Runtime.executionContextDestroyed',
      ({ executionContextId }) => void this.#contexts.delete(executionContextId),
    );
    devtools.on('Runtime.executionContextsCleared', () => {
      this.#contexts.clear();
      this.#receiver = undefined;
    });
    devtools.on('Runtime.bindingCalled', (event) => {
      // Only the main world of the main frame speaks; other frames' scripts never held the binding.
      if (event.name === this.#binding && this.#contexts.has(event.executionContextId))
        this.#onMessage(event.payload);
    });
    devtools.on('Runtime.consoleAPICalled', (event) => {
      if (event.args[0]?.value === this.#secret) this.#onObject(event.args);
    });
    page.on('domcontentloaded', () => this.emit('dom-ready', {}));
    page.on('load', () => this.emit('did-finish-load', {}));
    page.on('crash', () => this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }));
    page.on('popup', (popup) => {
      // A link with a target opens a page before anybody is asked; it is closed before it loads.
      const target = toAppUrl(popup.url(), this.#host.schemes);
      void popup.close().catch(() => undefined);
      if (target !== 'about:blank') this.#openWindow(target);
    });
    const tree = devtools.send('Page.getFrameTree').then(({ frameTree }) => {
      this.#mainFrameId = frameTree.frame.id;
    });
    const suffixes = [...this.#host.schemes].map((scheme) => `.${scheme}.invalid`);
    await Promise.all([
      tree.then(() => devtools.send('Runtime.enable')),
      devtools.send('Page.enable'),
      devtools.send('Runtime.addBinding', { name: this.#binding }),
      devtools.send('Page.addScriptToEvaluateOnNewDocument', {
        source: pageScript({
          binding: this.#binding,
          config: { secret: this.#secret, platform: process.platform, accelerators },
          originSuffixes: suffixes,
          encode: encodeValue.toString(),
          decode: decodeValue.toString(),
          preload: this.#preload === undefined ? '' : readFileSync(this.#preload, 'utf8'),
        }),
      }),
      this.session.attach(page, (url) => this.#mayNavigate(url)),
      this.session.applyPermissions(page.context(), this),
    ]);
  }

  markDestroyed(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.emit('destroyed', {});
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  getURL(): string {
    return this.#page === undefined ? '' : toAppUrl(this.#page.url(), this.#host.schemes);
  }

  async load(url: string): Promise<void> {
    if (this.#page === undefined) throw new Error('The window is not open yet.');
    this.#expected = url;
    await this.#page.goto(toBrowserUrl(url, this.#host.schemes), { waitUntil: 'load', timeout: 60_000 });
  }

  send(channel: string, ...args: unknown[]): void {
    this.#tell({ t: 'event', channel, args: args.map(encodeValue) });
  }

  setAccelerators(accelerators: readonly Accelerator[]): void {
    this.#accelerators = accelerators;
    this.#tell({ t: 'accelerators', accelerators });
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.#windowOpen = handler;
  }

  async executeJavaScript(code: string, userGesture = false): Promise<unknown> {
    if (this.#devtools === undefined) throw new Error('The window is not open yet.');
    const answer = await this.#devtools.send('Runtime.evaluate', {
      expression: code,
      awaitPromise: true,
      returnByValue: true,
      userGesture,
    });
    if (answer.exceptionDetails !== undefined) {
      throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
    }
    return answer.result.value;
  }

  /** The options the program uses, by the DevTools' own words. */
  async printToPDF(options: PdfOptions = {}): Promise<Buffer> {
    if (this.#devtools === undefined) throw new Error('The window is not open yet.');
    const { data } = await this.#devtools.send('Page.printToPDF', {
      // A4 in inches.
      ...(options.pageSize === 'A4' ? { paperWidth: 8.27, paperHeight: 11.69 } : {}),
      printBackground: options.printBackground ?? false,
      displayHeaderFooter: options.displayHeaderFooter ?? false,
      headerTemplate: options.headerTemplate ?? '',
      footerTemplate: options.footerTemplate ?? '',
    });
    return Buffer.from(data, 'base64');
  }

  reload(): void {
    this.#expected = this.getURL();
    void this.#page?.reload().catch(() => undefined);
  }

  openDevTools(): void {
    // Chromium's own key (F12) opens them.
  }

  isDevToolsOpened(): boolean {
    return false;
  }

  #mayNavigate(url: string): boolean {
    if (this.#expected !== undefined && url === this.#expected) {
      this.#expected = undefined;
      return true;
    }
    const event = Object.assign(preventable(), { url });
    this.emit('will-navigate', event, url);
    return !event.defaultPrevented;
  }

  #openWindow(url: string): void {
    const answer = this.#windowOpen({ url, disposition: 'new-window' });
    if (answer.action !== 'deny')
      throw new Error('Windows opened by a page are not part of the Chromium stand-in.');
  }

  #onMessage(payload: string): void {
    const message = JSON.parse(payload) as PageMessage;
    const event = {
      type: 'frame' as const,
      sender: this,
      senderFrame: this.mainFrame,
      frameId: 1,
      processId: 1,
    };
    switch (message.t) {
      case 'invoke':
        this.#ipcMain.dispatch(event, message.channel, message.args.map(decodeValue)).then(
          (value) => this.#reply(message.id, value),
          (error: unknown) =>
            this.#fail(message.id, `Error invoking remote method '${message.channel}': ${String(error)}`),
        );
        break;
      case 'send':
        this.#ipcMain.emit(message.channel, event, ...message.args.map(decodeValue));
        break;
      case 'accelerator':
        this.#listeners.onAccelerator(message.id);
        break;
      case 'open':
        this.#openWindow(toAppUrl(message.url, this.#host.schemes));
        break;
      case 'theme':
        this.#listeners.onTheme(message.dark);
        break;
      case 'activity':
        this.#listeners.onActivity();
        break;
      case 'bounds':
        this.#listeners.onBounds(message);
        break;
    }
  }

  #onObject(args: readonly ConsoleArgument[]): void {
    const [, kind, id, object] = args;
    if (object?.objectId === undefined) return;
    if (kind?.value === 'receive') {
      this.#receiver = object.objectId;
      // The list may have changed since the script was installed.
      this.setAccelerators(this.#accelerators);
    } else if (kind?.value === 'file' && typeof id?.value === 'number') {
      const call = id.value;
      this.#devtools?.send('DOM.getFileInfo', { objectId: object.objectId }).then(
        ({ path }) => this.#reply(call, path),
        // As Electron: what is no file of the disk has no path.
        () => this.#reply(call, ''),
      );
    }
  }

  #reply(id: number, value: unknown): void {
    try {
      this.#tell({ t: 'reply', id, value: encodeValue(value) });
    } catch (error) {
      this.#fail(id, String(error));
    }
  }

  #fail(id: number, message: string): void {
    this.#tell({ t: 'failed', id, message });
  }

  #tell(message: MainMessage): void {
    const target = this.#receiver;
    // Before the preload has run, and after the page is gone, there is nobody to tell: as in Electron.
    if (target === undefined || this.#destroyed) return;
    this.#devtools
      ?.send('Runtime.callFunctionOn', {
        objectId: target,
        functionDeclaration: 'function (text) { this(text); }',
        arguments: [{ value: JSON.stringify(message) }],
        silent: true,
      })
      .catch(() => undefined);
  }
}
refuseUnknownMembers(StandInWebContents, 'webContents');
