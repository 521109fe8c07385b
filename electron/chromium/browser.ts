import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { BrowserContext } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'];
const MAC = ['Chromium', 'Google Chrome', 'Microsoft Edge'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
const WINDOWS = [
  'Chromium/Application/chrome.exe',
  'Google/Chrome/Application/chrome.exe',
  'Microsoft/Edge/Application/msedge.exe',
];

/** The installed Chromium (or a browser built from it): `SALLYPORT_CHROMIUM`, else the usual places. */
export function findChromium(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (env.SALLYPORT_CHROMIUM !== undefined) return env.SALLYPORT_CHROMIUM;
  const candidates: string[] = [];
  if (platform === 'darwin') candidates.push(...MAC);
  else if (platform === 'win32') {
    for (const root of [env.LOCALAPPDATA, env.PROGRAMFILES, env['PROGRAMFILES(X86)']]) {
      if (root !== undefined) candidates.push(...WINDOWS.map((path) => join(root, path)));
    }
  } else {
    const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
    candidates.push(...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))));
  }
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface BrowserSettings {
  readonly executable: string;
  /** Chromium's own profile: local storage of the window lives there. */
  readonly profile: string;
  readonly headless: boolean;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly background: string;
  /** Test hook only: opens a loopback port of the system's choice, written to `DevToolsActivePort`. */
  readonly debugPort: boolean;
}

/** Flags for a window that never talks to anyone: no look-ups, no updates, no background traffic. */
export function chromiumFlags(settings: BrowserSettings): string[] {
  const blank = `<title>${settings.title}</title><body style="background:${settings.background}">`;
  return [
    `--app=data:text/html,${encodeURIComponent(blank)}`,
    `--window-size=${settings.width},${settings.height}`,
    // Without this Chromium shows a bar about the flags below, over the window.
    '--test-type',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-domain-reliability',
    '--disable-sync',
    '--no-pings',
    '--no-proxy-server',
    '--dns-prefetch-disable',
    '--host-resolver-rules=MAP * ~NOTFOUND',
    '--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication,CertificateTransparencyComponentUpdater',
    ...(settings.debugPort ? ['--remote-debugging-port=0'] : []),
  ];
}

/** Starts Chromium over the DevTools pipe (no port) and answers its one context, with its one window open. */
export async function launchBrowser(settings: BrowserSettings): Promise<BrowserContext> {
  mkdirSync(settings.profile, { recursive: true, mode: 0o700 });
  if (settings.debugPort) rmSync(join(settings.profile, 'DevToolsActivePort'), { force: true });
  const { chromium } = await import('playwright-core');
  return await chromium.launchPersistentContext(settings.profile, {
    executablePath: settings.executable,
    headless: settings.headless,
    // Chromium cannot sandbox as root, and says so by not starting.
    chromiumSandbox: process.getuid?.() !== 0,
    args: chromiumFlags(settings),
    ignoreDefaultArgs: ['about:blank', '--enable-automation', '--hide-scrollbars'],
    viewport: null,
    colorScheme: null,
    reducedMotion: null,
    contrast: null,
    forcedColors: null,
    acceptDownloads: false,
    // The stand-in closes Chromium itself, after the application has drained.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}
