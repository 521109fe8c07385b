import { join } from 'node:path';
import { app, BrowserWindow, ipcMain, nativeTheme } from 'electron';
import { createRouter, createSenderCheck } from '../ipc/router.ts';
import { isAppUrl } from './addresses.ts';
import { readArguments } from './arguments.ts';
import { openPath, savePath } from './dialogs.ts';
import { drainOnQuit, lockWhenAway } from './lifecycle.ts';
import { createLog } from './log.ts';
import { installMenu } from './menu.ts';
import { limitWebContents, openMainWindow, prepareSession, raiseWindow } from './windows.ts';

/**
 * From nothing to a window, then to the services behind it. The window does not wait for native modules and
 * databases; calls it makes before they are there wait in the router.
 */
export async function bootstrap(): Promise<void> {
  const options = readArguments(process.argv.slice(2), process.env);
  // The sample workspace is a world of its own, so that trying it out beside one's own vault disturbs neither.
  if (options.sample) app.setPath('userData', join(app.getPath('appData'), 'sallyport-sample'));
  else app.setPath('userData', join(app.getPath('appData'), 'sallyport'));
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  app.enableSandbox();
  app.setAppUserModelId('dev.sallyport.console');
  app.on('second-instance', raiseWindow);
  app.on('web-contents-created', (_event, contents) => limitWebContents(contents));

  const log = createLog(app.getPath('logs'));
  const report = (error: unknown): void => {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
    log.error({ message, stack }, 'Unexpected failure in the main process.');
  };
  process.on('unhandledRejection', report);
  const router = createRouter({
    ipcMain,
    isTrustedSender: createSenderCheck(isAppUrl),
    receivers: () => BrowserWindow.getAllWindows().map((window) => window.webContents),
    log,
  });
  router.register('dialogs.open', openPath);
  router.register('dialogs.save', savePath);
  installMenu((command) => router.broadcast('menu.command', { command }), process.platform);

  await app.whenReady();
  prepareSession();
  const { loaded } = openMainWindow();
  loaded.catch(report);
  nativeTheme.on('updated', () => router.broadcast('appearance', { dark: nativeTheme.shouldUseDarkColors }));

  // Loaded only now: with it come native modules and databases.
  const services = import('./desktop.ts').then(({ startDesktop }) =>
    startDesktop({ ...options, router, onError: report }),
  );
  services.then(
    () => router.open(),
    (error: unknown) => {
      report(error);
      router.fail(error);
    },
  );
  drainOnQuit(services, report);
  lockWhenAway(services, () => router.broadcast('invalidated', { topics: ['session'] }), report);
}
