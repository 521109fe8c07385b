/** What the end-to-end tests do all the time: start the sample workspace, sign in, walk to a room, look at a chart. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type LaunchedConsole, launchConsole } from './launch.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** A file of the sample workspace's data. */
export const sampleFile = (name: string): string => join(ROOT, 'resources/samples/data', name);

/** Longest wait for something a process does in the background, in milliseconds: a deadline against a hang. */
export const PATIENCE = 45_000;

export interface SampleOperator {
  readonly name: string;
  readonly person: string;
  readonly passphrase: string;
}

export interface SampleDesktop extends LaunchedConsole {
  readonly home: string;
  operator(name: string): SampleOperator;
  /** What the agent answers one request of the sample's traffic with: the version that answered. */
  servedVersion(): Promise<string>;
  /** Closes the window and removes its home. */
  remove(): Promise<void>;
}

interface SampleRecord {
  readonly operators: readonly SampleOperator[];
  readonly agent: { readonly token: string; readonly predictPort: number };
}

export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));
}

export function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 10 });
}

/** Starts the console on a new sample workspace (or that of `home`), at the sign-in form. */
export async function startSample(home = makeHome()): Promise<SampleDesktop> {
  const desktop = await launchConsole({ args: ['--sample'], env: { HOME: home } });
  await desktop.page.setViewportSize({ width: 1280, height: 800 });
  await heading(desktop.page, 'Sign in').waitFor({ timeout: PATIENCE });
  const record = (): SampleRecord =>
    JSON.parse(readFileSync(join(home, '.config/sallyport-sample/workspace/sample.json'), 'utf8'));
  return {
    ...desktop,
    home,
    operator: (name) => {
      const found = record().operators.find((operator) => operator.name === name);
      if (found === undefined) throw new Error(`The sample has no operator ${name}.`);
      return found;
    },
    servedVersion: async () => {
      const { agent } = record();
      const [header = '', row = ''] = readFileSync(sampleFile('traffic.csv'), 'utf8').split('\n', 2);
      const features = header.split(',').indexOf('url');
      const answer = await fetch(`http://127.0.0.1:${agent.predictPort}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${agent.token}` },
        body: JSON.stringify({
          model_name: 'phish-url',
          features: [row.split(',').slice(0, features).map(Number)],
        }),
      });
      const document = (await answer.json()) as { model_version?: string; detail?: unknown };
      if (document.model_version === undefined)
        throw new Error(`The agent answered ${answer.status}: ${JSON.stringify(document)}`);
      return document.model_version;
    },
    remove: async () => {
      await desktop.close();
      removeHome(home);
    },
  };
}

export function heading(page: Page, name: string | RegExp): Locator {
  return page.getByRole('heading', { name, level: 1, exact: typeof name === 'string' });
}

/** The heading of a page with this title; badges of its state may follow it. */
export function titled(page: Page, title: string): Locator {
  return page.getByRole('heading', { level: 1 }).filter({ has: page.getByTitle(title, { exact: true }) });
}

export function button(scope: Page | Locator, name: string | RegExp): Locator {
  return scope.getByRole('button', { name, exact: typeof name === 'string' });
}

/** The button at the foot of the rail: who is signed in, and their menu. */
export function accountOf(page: Page, person: string): Locator {
  return button(page, new RegExp(`^${person}\\b`));
}

/** Signs in as an operator of the sample by its banner, whoever is signed in now. */
export async function signInAs(desktop: SampleDesktop, name: string): Promise<void> {
  const { page } = desktop;
  const operator = desktop.operator(name);
  const account = accountOf(page, operator.person);
  if (await account.isVisible()) return;
  await page
    .getByRole('complementary', { name: 'Sample workspace' })
    .getByRole('button', { name: new RegExp(`^${name}\\b`) })
    .click();
  // The open shell signs out first; the form then holds name and passphrase.
  await heading(page, 'Sign in').waitFor();
  await button(page, 'Sign in').click();
  await account.waitFor();
}

/** Goes to a page of the window by its address, as a link would. */
export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, path);
}

/** Opens a room by the rail. */
export async function openRoom(page: Page, label: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: label }).click();
  await titled(page, label).waitFor();
}

/** Chooses an option of a searchable select by its label. */
export async function choose(scope: Page | Locator, label: string, option: string | RegExp): Promise<void> {
  const field = scope.getByRole('combobox', { name: label, exact: true });
  await field.click();
  const page = 'page' in scope ? scope.page() : scope;
  await page.getByRole('option', { name: option }).first().click();
}

/** The share of a canvas's pixels that something was drawn on, 0..1. */
export async function inkOf(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data;
    if (pixels === undefined || pixels.length === 0) return 0;
    let drawn = 0;
    for (let index = 3; index < pixels.length; index += 4) if (pixels[index] !== 0) drawn++;
    return drawn / (pixels.length / 4);
  });
}

/** Fills a numeric field and leaves it, so that what was typed counts. */
export async function fillNumber(scope: Page | Locator, label: string, value: number): Promise<void> {
  const field = scope.getByLabel(label, { exact: true });
  await field.fill(String(value));
  await field.blur();
}

/** The text of a notification that has appeared. */
export function notice(page: Page, text: string | RegExp): Locator {
  return page.getByRole('alert').filter({ hasText: text }).first();
}
