import type * as Electron from 'electron';
import type { BrowserContext, Page, Request as PageRequest, Route } from 'playwright-core';
import type { Host } from './host.ts';
import { refuseUnknownMembers } from './missing.ts';
import { toAppUrl } from './urls.ts';

type ProtocolHandler = (request: Request) => Response | Promise<Response>;
type PermissionHandler = (
  contents: unknown,
  permission: string,
  callback: (granted: boolean) => void,
  details: object,
) => void;
type BeforeRequest = (
  details: { readonly url: string; readonly resourceType: string },
  callback: (answer: { cancel?: boolean }) => void,
) => void;

/** Electron's permission names beside Chromium's own. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  'clipboard-read': 'clipboard-read',
  'clipboard-sanitized-write': 'clipboard-write',
  geolocation: 'geolocation',
  notifications: 'notifications',
  midi: 'midi',
};

/** Electron's `protocol`, per session. */
export class StandInProtocol {
  readonly #host: Host;
  readonly #handlers = new Map<string, ProtocolHandler>();

  constructor(host: Host) {
    this.#host = host;
  }

  registerSchemesAsPrivileged(schemes: readonly Electron.CustomScheme[]): void {
    for (const scheme of schemes) this.#host.schemes.add(scheme.scheme);
  }

  handle(scheme: string, handler: ProtocolHandler): void {
    if (this.#handlers.has(scheme)) throw new Error(`The scheme ${scheme} is already handled.`);
    this.#host.schemes.add(scheme);
    this.#handlers.set(scheme, handler);
  }

  unhandle(scheme: string): void {
    this.#handlers.delete(scheme);
  }

  isProtocolHandled(scheme: string): boolean {
    return this.#handlers.has(scheme);
  }

  handlerOf(url: string): ProtocolHandler | undefined {
    return this.#handlers.get(url.slice(0, url.indexOf(':')));
  }
}
refuseUnknownMembers(StandInProtocol, 'electron.protocol');

/** Electron's `session`: the parts that limit what a window may do. */
export class StandInSession {
  readonly protocol: StandInProtocol;
  readonly webRequest: { onBeforeRequest(filterOrListener: unknown, listener?: BeforeRequest | null): void };
  readonly #host: Host;
  #beforeRequest: { readonly matches: (url: string) => boolean; readonly run: BeforeRequest } | undefined;
  #permission: PermissionHandler | null = null;

  constructor(host: Host) {
    this.#host = host;
    this.protocol = new StandInProtocol(host);
    this.webRequest = {
      onBeforeRequest: (filterOrListener, listener) => {
        const run = (typeof filterOrListener === 'function' ? filterOrListener : listener) as
          | BeforeRequest
          | null
          | undefined;
        const urls =
          typeof filterOrListener === 'function'
            ? ['<all_urls>']
            : (filterOrListener as { urls: readonly string[] }).urls;
        const patterns = urls.map(patternOf);
        this.#beforeRequest = run
          ? { run, matches: (url) => patterns.some((pattern) => pattern.test(url)) }
          : undefined;
      },
    };
  }

  setPermissionRequestHandler(handler: PermissionHandler | null): void {
    this.#permission = handler;
  }

  setPermissionCheckHandler(): void {
    // Chromium checks against what was granted up front; see `applyPermissions`.
  }

  setDevicePermissionHandler(): void {
    // HID, serial and USB are never granted in the stand-in.
  }

  setSpellCheckerEnabled(): void {
    // Chromium's spelling service is off together with all its background traffic.
  }

  /** Chromium cannot ask in the middle: each permission is decided when the window opens, all others are denied. */
  async applyPermissions(context: BrowserContext, contents: unknown): Promise<void> {
    const granted: string[] = [];
    for (const [name, chromium] of Object.entries(PERMISSIONS)) {
      this.#permission?.(contents, name, (yes) => void (yes && granted.push(chromium)), {
        isMainFrame: true,
      });
    }
    await context.grantPermissions(granted);
  }

  /** Answers every request of a page: custom schemes by their handler, the rest by the filter or not at all. */
  async answer(route: Route, request: PageRequest, onNavigate: (url: string) => boolean): Promise<void> {
    const url = toAppUrl(request.url(), this.#host.schemes);
    const handler = this.protocol.handlerOf(url);
    if (request.isNavigationRequest() && request.frame().parentFrame() === null && !onNavigate(url)) {
      // "No content" leaves the document where it is.
      await route.fulfill({ status: 204 });
      return;
    }
    if (handler === undefined) {
      if (await this.#isCancelled(url, request.resourceType())) await route.abort('blockedbyclient');
      else await route.continue();
      return;
    }
    const body = request.postDataBuffer();
    let response: Response;
    try {
      response = await handler(
        new Request(url, {
          method: request.method(),
          headers: request.headers(),
          ...(body === null ? {} : { body: new Uint8Array(body) }),
        }),
      );
    } catch {
      await route.abort('failed');
      return;
    }
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  #isCancelled(url: string, resourceType: string): Promise<boolean> {
    const filter = this.#beforeRequest;
    if (filter === undefined || !filter.matches(url)) return Promise.resolve(false);
    return new Promise((done) => filter.run({ url, resourceType }, (answer) => done(answer.cancel === true)));
  }

  /** Routes one page's requests. */
  async attach(page: Page, onNavigate: (url: string) => boolean): Promise<void> {
    await page.route('**/*', (route, request) =>
      this.answer(route, request, onNavigate).catch((error: unknown) => {
        // A page that went away in the middle has nobody to answer.
        if (!page.isClosed()) console.error(`A request of the window was not answered: ${String(error)}`);
      }),
    );
  }
}
refuseUnknownMembers(StandInSession, 'electron.session');

/** Electron's URL patterns: a star stands for anything. */
function patternOf(pattern: string): RegExp {
  if (pattern === '<all_urls>') return /^/;
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

/** Electron's `session` module. All sessions share one Chromium; their handlers are their own. */
export class StandInSessions {
  readonly defaultSession: StandInSession;
  readonly #host: Host;
  readonly #partitions = new Map<string, StandInSession>();

  constructor(host: Host) {
    this.#host = host;
    this.defaultSession = new StandInSession(host);
  }

  fromPartition(partition: string): StandInSession {
    if (partition === '') return this.defaultSession;
    const session = this.#partitions.get(partition) ?? new StandInSession(this.#host);
    this.#partitions.set(partition, session);
    return session;
  }
}
refuseUnknownMembers(StandInSessions, 'electron.session');
