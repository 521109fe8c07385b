/**
 * Starts the built console for a test: in real Electron where its binary exists, else in the stand-in, and says
 * which. Either way the main and preload bundles are the same files from `out/`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron, chromium, type ElectronApplication, type Page } from 'playwright-core';
import type { DialogAnswer } from '../../../electron/chromium/dialog.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Node 24 of the project, whatever runs the tests. */
const NODE = join(ROOT, 'node_modules/.bin/node');

export interface LaunchOptions {
  /** Added to the environment; a HOME of its own is made unless one is given here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface LaunchedConsole {
  readonly runtime: 'electron' | 'chromium';
  readonly page: Page;
  /** Everything the process has written so far. */
  output(): string;
  /** The next dialog is answered with this; call it before the click that opens one. */
  answerDialog(answer: DialogAnswer): Promise<void>;
  /** Drops files of the disk onto an element, as a file manager would. */
  dropFiles(selector: string, paths: readonly string[]): Promise<void>;
  readonly pid: number | undefined;
  /** Resolves with the exit code (null: ended by a signal). */
  readonly exited: Promise<number | null>;
  /** Closes it as a user would, waits for the end, answers the exit code. */
  close(): Promise<number | null>;
}

/** The Electron executable, if its binary was ever fetched. */
export function electronBinary(): string | undefined {
  const folder = join(ROOT, 'node_modules/electron');
  if (!existsSync(join(folder, 'path.txt'))) return undefined;
  const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8'));
  return existsSync(path) ? path : undefined;
}

function environment(options: LaunchOptions, home: string): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(XDG_|VITEST|NODE_OPTIONS|SALLYPORT_)/.test(name),
  ) as [string, string][];
  const headless: Record<string, string> =
    process.env.SALLYPORT_HEADED === '1' ? {} : { SALLYPORT_HEADLESS: '1' };
  return { ...Object.fromEntries(inherited), ...headless, HOME: home, ...options.env };
}

async function dropFiles(page: Page, selector: string, paths: readonly string[]): Promise<void> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`Nothing to drop on: ${selector}`);
  const devtools = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const data = { items: [], files: paths.map((path) => resolve(path)), dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await devtools.send('Input.dispatchDragEvent', { type, ...place, data });
  await devtools.detach();
}

/** Starts the console and answers once its document is loaded. */
export async function launchConsole(options: LaunchOptions = {}): Promise<LaunchedConsole> {
  const bundle = join(ROOT, 'out/main/index.js');
  if (!existsSync(bundle)) throw new Error('There is no build in out/: run `npx electron-vite build` first.');
  const ownHome = options.env?.HOME === undefined ? mkdtempSync(join(tmpdir(), 'sallyport-e2e-')) : undefined;
  const env = environment(options, ownHome ?? options.env?.HOME ?? '');
  const cleanUp = (): void => {
    if (ownHome !== undefined) rmSync(ownHome, { recursive: true, force: true, maxRetries: 5 });
  };
  const electron = electronBinary();
  const launched =
    electron === undefined
      ? await launchStandIn(bundle, options, env)
      : await launchElectron(electron, options, env);
  launched.exited.finally(cleanUp);
  launched.page.setDefaultTimeout(15_000);
  return launched;
}

async function launchStandIn(
  bundle: string,
  options: LaunchOptions,
  env: Record<string, string>,
): Promise<LaunchedConsole> {
  const child = fork(join(ROOT, 'out/main/chromium.js'), [bundle, ...(options.args ?? [])], {
    cwd: ROOT,
    execPath: NODE,
    execArgv: [],
    env: { ...env, SALLYPORT_STANDIN_TEST: '1' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const address = await devtoolsOf(child, () => output);
  const browser = await chromium.connectOverCDP(address);
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error(`The stand-in has no window.\n${output}`);
  // The window starts blank and is sent to the application by its main process.
  await page.waitForURL(/\.invalid\//, { waitUntil: 'load', timeout: 30_000 });
  return {
    runtime: 'chromium',
    page,
    output: () => output,
    answerDialog: (answer) =>
      new Promise((done, failed) =>
        child.send({ hook: 'dialog', answer }, (error) => (error ? failed(error) : done())),
      ),
    dropFiles: (selector, paths) => dropFiles(page, selector, paths),
    pid: child.pid,
    exited,
    close: async () => {
      await page.close({ runBeforeUnload: false }).catch(() => undefined);
      const code = await exited;
      await browser.close().catch(() => undefined);
      return code;
    },
  };
}

function devtoolsOf(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((done, failed) => {
    child.on('message', (message: { hook: string; address?: string; message?: string }) => {
      if (message.hook === 'devtools' && message.address !== undefined) done(message.address);
      if (message.hook === 'failed')
        failed(new Error(`The stand-in did not start: ${message.message}\n${output()}`));
    });
    child.once('exit', (code) =>
      failed(new Error(`The stand-in ended with ${code} before it had a window.\n${output()}`)),
    );
  });
}

async function launchElectron(
  executablePath: string,
  options: LaunchOptions,
  env: Record<string, string>,
): Promise<LaunchedConsole> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const application: ElectronApplication = await _electron.launch({
    executablePath,
    cwd: ROOT,
    args: [...sandbox, ROOT, ...(options.args ?? [])],
    env,
  });
  const child = application.process();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const page = await application.firstWindow();
  await page.waitForLoadState('load');
  return {
    runtime: 'electron',
    page,
    output: () => output,
    answerDialog: (answer) =>
      application.evaluate(({ dialog }, given) => {
        const paths = 'paths' in given ? [...given.paths] : [];
        const canceled = paths.length === 0;
        dialog.showOpenDialog = async () => ({ canceled, filePaths: paths });
        dialog.showSaveDialog = async () => ({ canceled, filePath: paths[0] ?? '' });
        dialog.showMessageBox = async () => ({
          response: 'button' in given ? given.button : 0,
          checkboxChecked: false,
        });
      }, answer),
    dropFiles: (selector, paths) => dropFiles(page, selector, paths),
    pid: child.pid,
    exited,
    close: async () => {
      await application.close();
      return await exited;
    },
  };
}
