/** Starts a window that shows one static page, in the runtime the console would be started in. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { _electron, type Browser, chromium, type Page } from 'playwright-core';
import { electronBinary } from '../../test/e2e/support/launch.ts';
import { built } from './program.ts';

const APPLICATION = join(import.meta.dirname, 'static-window.mjs');

export interface StaticWindow {
  readonly page: Page;
  close(): Promise<void>;
}

export async function launchStaticWindow(home: string): Promise<StaticWindow> {
  const env: Record<string, string> = {
    ...withoutUndefined(process.env),
    HOME: home,
    SALLYPORT_HEADLESS: '1',
  };
  const electron = electronBinary();
  if (electron !== undefined) {
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const application = await _electron.launch({
      executablePath: electron,
      args: [...sandbox, APPLICATION],
      env,
    });
    return { page: await application.firstWindow(), close: () => application.close() };
  }
  const child = fork(built('chromium.js'), [APPLICATION], {
    execArgv: [],
    env: { ...env, SALLYPORT_STANDIN_TEST: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const browser: Browser = await chromium.connectOverCDP(await devtoolsOf(child));
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error('The static window has no page.');
  return {
    page,
    close: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await page.close({ runBeforeUnload: false }).catch(() => undefined);
      await exited;
      await browser.close().catch(() => undefined);
    },
  };
}

function devtoolsOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: { hook: string; address?: string; message?: string }) => {
      if (message.hook === 'devtools' && message.address !== undefined) resolve(message.address);
      if (message.hook === 'failed') reject(new Error(`The static window did not start: ${message.message}`));
    });
    child.once('exit', (code) => reject(new Error(`The static window ended with ${code}.`)));
  });
}

function withoutUndefined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(XDG_|NODE_OPTIONS|SALLYPORT_)/.test(entry[0]),
    ),
  );
}
