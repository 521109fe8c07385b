/**
 * The half of the stand-in that runs in the page, before any script of the page: `ipcRenderer`, `contextBridge`
 * and `webUtils` for the preload. It is sent to Chromium as source text, so it may use nothing but its arguments
 * and the globals named here.
 */

export interface Accelerator {
  readonly id: number;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  /** Lower-case `KeyboardEvent.key`. */
  readonly key: string;
}

export interface PageConfig {
  /** Random per process: marks our own console messages, by which objects reach the main side. */
  readonly secret: string;
  readonly platform: string;
  readonly accelerators: readonly Accelerator[];
}

/** What the page tells the main side, one JSON text per call of the binding. */
export type PageMessage =
  | { readonly t: 'invoke'; readonly id: number; readonly channel: string; readonly args: readonly unknown[] }
  | { readonly t: 'send'; readonly channel: string; readonly args: readonly unknown[] }
  | { readonly t: 'accelerator'; readonly id: number }
  | { readonly t: 'open'; readonly url: string }
  | { readonly t: 'theme'; readonly dark: boolean }
  | { readonly t: 'activity' }
  | {
      readonly t: 'bounds';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
    };

/** What the main side tells the page. */
export type MainMessage =
  | { readonly t: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly t: 'failed'; readonly id: number; readonly message: string }
  | { readonly t: 'event'; readonly channel: string; readonly args: readonly unknown[] }
  | { readonly t: 'accelerators'; readonly accelerators: readonly Accelerator[] };

interface KeyEvent {
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly key: string;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
}

interface PageWindow {
  readonly console: { debug(...values: unknown[]): void };
  readonly screenX: number;
  readonly screenY: number;
  readonly outerWidth: number;
  readonly outerHeight: number;
  readonly location: { readonly href: string };
  matchMedia(query: string): {
    readonly matches: boolean;
    addEventListener(type: 'change', run: () => void): void;
  };
  addEventListener(type: string, run: (event: KeyEvent) => void, options?: object): void;
}

type Preload = (
  require: (name: string) => unknown,
  module: { exports: object },
  exports: object,
  process: object,
) => void;

/** Starts the page half. `binding` reaches the main side and has already been taken off the window. */
export function startPage(
  page: PageWindow,
  binding: (payload: string) => void,
  config: PageConfig,
  encode: (value: unknown) => unknown,
  decode: (value: unknown) => unknown,
  preload: Preload,
): void {
  // Taken now: scripts of the page come later and could replace them.
  const { parse, stringify } = JSON;
  const debug = page.console.debug.bind(page.console);
  const defineProperty = Object.defineProperty;
  const tell = (message: PageMessage): void => binding(stringify(message));

  let nextId = 1;
  let accelerators = config.accelerators;
  const waiting = new Map<number, { done: (value: unknown) => void; failed: (error: Error) => void }>();
  const listeners = new Map<string, Set<(event: object, ...args: unknown[]) => void>>();
  const call = (send: (id: number) => void): Promise<unknown> =>
    new Promise((done, failed) => {
      const id = nextId;
      nextId += 1;
      waiting.set(id, { done, failed });
      send(id);
    });

  const receive = (text: string): void => {
    const message = parse(text) as MainMessage;
    if (message.t === 'event') {
      const args = message.args.map(decode);
      for (const run of [...(listeners.get(message.channel) ?? [])]) run({ sender: ipcRenderer }, ...args);
    } else if (message.t === 'accelerators') {
      accelerators = message.accelerators;
    } else {
      const entry = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.t === 'reply') entry?.done(decode(message.value));
      else entry?.failed(new Error(message.message));
    }
  };

  type Listener = (event: object, ...args: unknown[]) => void;
  const ipcRenderer = {
    invoke: (channel: string, ...args: unknown[]) => {
      const encoded = args.map(encode);
      return call((id) => tell({ t: 'invoke', id, channel, args: encoded }));
    },
    send: (channel: string, ...args: unknown[]) => tell({ t: 'send', channel, args: args.map(encode) }),
    on: (channel: string, run: Listener) => {
      const set = listeners.get(channel) ?? new Set<Listener>();
      listeners.set(channel, set.add(run));
      return ipcRenderer;
    },
    once: (channel: string, run: Listener) => {
      const first: Listener = (event, ...args) => {
        ipcRenderer.removeListener(channel, first);
        run(event, ...args);
      };
      return ipcRenderer.on(channel, first);
    },
    removeListener: (channel: string, run: Listener) => {
      listeners.get(channel)?.delete(run);
      return ipcRenderer;
    },
    off: (channel: string, run: Listener) => ipcRenderer.removeListener(channel, run),
    removeAllListeners: (channel: string) => {
      listeners.delete(channel);
      return ipcRenderer;
    },
  };

  const exposed = (value: unknown): unknown => {
    if (typeof value === 'function') {
      const run = value as (...args: unknown[]) => unknown;
      return Object.freeze((...args: unknown[]) => run(...args));
    }
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return Object.freeze(value.map(exposed));
    return Object.freeze(
      Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exposed(item)])),
    );
  };
  const contextBridge = {
    exposeInMainWorld: (key: string, api: unknown) => {
      if (Object.hasOwn(page, key))
        throw new Error(`Cannot bind an API on top of an existing property: ${key}`);
      defineProperty(page, key, { value: exposed(api), enumerable: true });
    },
  };
  const webUtils = {
    // Electron answers at once; here the browser process has to be asked, so the answer is a promise of the path.
    getPathForFile: (file: unknown) => call((id) => debug(config.secret, 'file', id, file)),
  };

  defineProperty(page, 'open', {
    value: (url?: unknown) => {
      tell({ t: 'open', url: new URL(String(url ?? 'about:blank'), page.location.href).href });
      return null;
    },
  });
  const dark = page.matchMedia('(prefers-color-scheme: dark)');
  const theme = (): void => tell({ t: 'theme', dark: dark.matches });
  dark.addEventListener('change', theme);
  const bounds = (): void =>
    tell({ t: 'bounds', x: page.screenX, y: page.screenY, width: page.outerWidth, height: page.outerHeight });
  page.addEventListener('resize', bounds);
  page.addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    const key = event.key.toLowerCase();
    const hit = accelerators.find(
      (a) =>
        a.key === key &&
        a.ctrl === event.ctrlKey &&
        a.meta === event.metaKey &&
        a.alt === event.altKey &&
        a.shift === event.shiftKey,
    );
    if (hit === undefined) return;
    event.preventDefault();
    tell({ t: 'accelerator', id: hit.id });
  });
  let active = 0;
  const activity = (): void => {
    const now = Date.now();
    // Five seconds are fine enough for an idle lock of minutes.
    if (now - active < 5000) return;
    active = now;
    tell({ t: 'activity' });
  };
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel'])
    page.addEventListener(type, activity, { capture: true, passive: true });

  // An object reaches the other side as an argument of a console message that only our session can match.
  debug(config.secret, 'receive', 0, receive);
  theme();
  bounds();

  const modules: Record<string, unknown> = { electron: { ipcRenderer, contextBridge, webUtils } };
  const module = { exports: {} };
  const require = (name: string): unknown => {
    if (Object.hasOwn(modules, name)) return modules[name];
    throw new Error(`A sandboxed preload cannot require '${name}'.`);
  };
  preload(require, module, module.exports, {
    platform: config.platform,
    env: {},
    versions: {},
    argv: [],
    sandboxed: true,
  });
}

/** The script that Chromium runs before those of the page. Frames, other origins and workers get no binding. */
export function pageScript(parts: {
  readonly binding: string;
  readonly config: PageConfig;
  readonly originSuffixes: readonly string[];
  readonly encode: string;
  readonly decode: string;
  readonly preload: string;
}): string {
  const suffixes = JSON.stringify(parts.originSuffixes);
  return `(() => {
  const binding = globalThis[${JSON.stringify(parts.binding)}];
  delete globalThis[${JSON.stringify(parts.binding)}];
  if (binding === undefined || window !== window.top || !${suffixes}.some((s) => location.hostname.endsWith(s))) return;
  (${startPage.toString()})(window, binding, ${JSON.stringify(parts.config)}, ${parts.encode}, ${parts.decode},
    function (require, module, exports, process) {
${parts.preload}
    });
})();`;
}
