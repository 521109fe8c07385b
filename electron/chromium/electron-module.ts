import { StandInApp } from './app.ts';
import { StandInDialogs } from './dialog.ts';
import type { HostOptions } from './host.ts';
import { StandInIpcMain } from './ipc-main.ts';
import { type StandInMenu, StandInMenus } from './menu.ts';
import { missingExport } from './missing.ts';
import { StandInSessions } from './session.ts';
import { StandInNativeTheme, StandInPowerMonitor, standInShell } from './surroundings.ts';
import { standInUtilityProcess } from './utility-process.ts';
import { createBrowserWindow, type StandInWindowInstance } from './window.ts';

/** Main-process exports of Electron that the stand-in lacks: they can be imported, using them says so. */
const MISSING = [
  'BaseWindow',
  'BrowserView',
  'Notification',
  'Tray',
  'WebContentsView',
  'autoUpdater',
  'clipboard',
  'contentTracing',
  'crashReporter',
  'desktopCapturer',
  'globalShortcut',
  'inAppPurchase',
  'nativeImage',
  'net',
  'netLog',
  'powerSaveBlocker',
  'pushNotifications',
  'safeStorage',
  'screen',
  'systemPreferences',
  'MessageChannelMain',
  'MenuItem',
  'View',
  'ImageView',
  'ShareMenu',
  'TouchBar',
  'webContents',
  'webFrameMain',
] as const;

/** The subset of Electron's main-process API, its parts wired to each other. */
export function createElectron(options: HostOptions) {
  const app = new StandInApp(options);
  const ipcMain = new StandInIpcMain();
  const sessions = new StandInSessions(app.host);
  const menus = new StandInMenus(app);
  const nativeTheme = new StandInNativeTheme();
  const powerMonitor = new StandInPowerMonitor();
  const BrowserWindow = createBrowserWindow({
    app,
    ipcMain,
    sessions,
    menus,
    theme: nativeTheme,
    power: powerMonitor,
  });
  const dialog = new StandInDialogs(
    (): StandInWindowInstance | null => BrowserWindow.getFocusedWindow(),
    () => app.getPath('home'),
  );
  const exports: Record<string, unknown> = {
    app,
    BrowserWindow,
    ipcMain,
    protocol: sessions.defaultSession.protocol,
    session: sessions,
    dialog,
    Menu: {
      buildFromTemplate: (template: Parameters<typeof menus.build>[0]): StandInMenu => menus.build(template),
      setApplicationMenu: (menu: StandInMenu | null): void => menus.set(menu),
      getApplicationMenu: (): StandInMenu | null => menus.get(),
    },
    nativeTheme,
    powerMonitor,
    shell: standInShell,
    utilityProcess: standInUtilityProcess,
    ...Object.fromEntries(MISSING.map((name) => [name, missingExport(name)])),
  };
  return { exports, app, dialog };
}
