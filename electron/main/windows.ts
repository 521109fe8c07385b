import { join } from 'node:path';
import { app, BrowserWindow, nativeTheme, session, shell, type WebContents } from 'electron';
import { APP_SCHEME, APP_URL, isAppUrl, isExternalAllowed } from './addresses.ts';
import { createAppHandler } from './protocol.ts';

function openVetted(url: string): void {
  if (!isExternalAllowed(url)) return;
  shell
    .openExternal(url)
    .catch((error: unknown) => console.error(`The link could not be opened: ${String(error)}`));
}

/** Limits that hold for every page this process will ever have, whoever makes it. */
export function limitWebContents(contents: WebContents): void {
  contents.setWindowOpenHandler(({ url }) => {
    openVetted(url);
    return { action: 'deny' };
  });
  contents.on('will-navigate', (event) => {
    if (!isAppUrl(event.url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** Prepares the window's session: our scheme, no permissions but writing the clipboard, no network at all. */
export function prepareSession(): void {
  const own = session.defaultSession;
  own.protocol.handle(APP_SCHEME, createAppHandler(join(app.getAppPath(), 'out', 'renderer')));
  // "Copy" buttons write text; everything else a page could ask for is refused.
  own.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(permission === 'clipboard-sanitized-write'),
  );
  own.setPermissionCheckHandler((_contents, permission) => permission === 'clipboard-sanitized-write');
  own.setDevicePermissionHandler(() => false);
  own.setSpellCheckerEnabled(false);
  own.webRequest.onBeforeRequest(
    { urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*'] },
    (_details, answer) => answer({ cancel: true }),
  );
}

/** Opens the one window and starts loading it. Resolves when the document is loaded. */
export function openMainWindow(): { readonly window: BrowserWindow; readonly loaded: Promise<void> } {
  const window = new BrowserWindow({
    width: 1360,
    height: 880,
    minWidth: 960,
    minHeight: 640,
    title: 'Sallyport',
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#1a1b1e' : '#ffffff',
    autoHideMenuBar: true,
    webPreferences: {
      preload: join(app.getAppPath(), 'out', 'preload', 'index.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  return { window, loaded: window.loadURL(APP_URL) };
}

/** Brings the window to the front, as a second start expects. */
export function raiseWindow(): void {
  const [window] = BrowserWindow.getAllWindows();
  if (window === undefined) return;
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
