import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchedConsole, launchConsole } from './support/launch.ts';

/** Where pictures of every screen go; ignored by git. */
const PICTURES = resolve(import.meta.dirname, 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ROOMS = [
  'overview',
  'models',
  'validate',
  'compare',
  'releases',
  'releases/new',
  'rollouts',
  'endpoints',
  'audit',
  'settings',
  'settings?tab=operators',
  'settings?tab=roles',
  'settings?tab=environments',
];
const PASSPHRASE = 'correct horse battery';

let desktop: LaunchedConsole;
let folder: string;

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'sallyport-screens-'));
  desktop = await launchConsole({ env: { SALLYPORT_VAULT: join(folder, 'vault') } });
});

afterAll(async () => {
  await desktop?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface AxeWindow {
  readonly axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> };
}

/** Rules of accessibility the page breaks now, with where. */
async function violations(): Promise<string[]> {
  // Evaluated from outside, so the page's own content security policy stays as it is.
  await desktop.page.evaluate(AXE);
  return await desktop.page.evaluate(async () => {
    const found = await (globalThis as unknown as AxeWindow).axe.run();
    return found.violations.map(
      (violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`,
    );
  });
}

async function goTo(room: string): Promise<void> {
  await desktop.page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${room}`);
  await desktop.page.waitForFunction(
    (path) =>
      location.hash === `#/${path}` &&
      document.querySelector('main h1') !== null &&
      document.querySelector('[aria-busy="true"]') === null,
    room,
  );
}

describe('a first start', () => {
  it('creates a vault and shows its recovery key until it is said to be stored', async () => {
    const { page } = desktop;
    await page.getByRole('heading', { name: 'Create a vault' }).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByLabel('Operator name').fill('ada');
    await page.getByLabel('Person').fill('Ada Lovelace');
    await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await page.getByLabel('Passphrase again').fill('something else');
    await page.getByLabel('under a passphrase').check();
    await page.getByLabel('Vault passphrase').fill('vault secret');
    await page.getByLabel('Again', { exact: true }).fill('vault secret');
    await page.getByRole('button', { name: 'Create the vault' }).click();
    await page.getByText('The two passphrases differ.').waitFor();
    await page.getByLabel('Passphrase again').fill(PASSPHRASE);
    await page.getByRole('button', { name: 'Create the vault' }).click();
    const key = page.getByTestId('recovery-key');
    await key.waitFor({ timeout: 30_000 });
    expect(await key.textContent()).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
    expect(await page.getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true);
    await page.screenshot({ path: join(PICTURES, 'recovery-key.png') });
    await page.getByLabel('I have stored the recovery key').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    // The key is gone from the page once it was confirmed.
    await key.waitFor({ state: 'detached' });
  });

  it('signs the operator in, and refuses a wrong passphrase with a reason', async () => {
    const { page } = desktop;
    // Creating the vault signs its first operator in; signing out leads to the door.
    await page.getByRole('heading', { name: /Overview|Sign in/ }).waitFor();
    if (await page.getByRole('heading', { name: 'Overview' }).isVisible()) {
      await page.getByRole('button', { name: /Ada Lovelace/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
    }
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('Passphrase', { exact: true }).fill('not this');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').getByText('auth.failed').waitFor();
    await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
});

describe.each(['light', 'dark'] as const)('every screen in %s', (theme) => {
  it('opens without an error and breaks no rule of accessibility', async () => {
    const { page } = desktop;
    await goTo('settings');
    await page
      .getByRole('radiogroup', { name: 'Theme' })
      .getByText(theme === 'dark' ? 'Dark' : 'Light')
      .click();
    await page.waitForFunction(
      (scheme) => document.documentElement.getAttribute('data-mantine-color-scheme') === scheme,
      theme,
    );
    for (const room of ROOMS) {
      await goTo(room);
      expect(await page.getByRole('alert').count(), room).toBe(0);
      expect(await violations(), room).toEqual([]);
      await page.screenshot({ path: join(PICTURES, `${room.replaceAll(/[/?=]/g, '-')}-${theme}.png`) });
    }
  });
});

describe('the keyboard', () => {
  it('goes to a room by G and its letter, opens the palette, and shows its own sheet', async () => {
    const { page } = desktop;
    await goTo('overview');
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.getByRole('heading', { name: 'Endpoints', level: 1 }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Go to, do, or find by name…').fill('verify');
    await page.keyboard.press('Enter');
    await page.getByText('The log is intact').waitFor();
  });
});

describe('an environment made in the window', () => {
  it('is there with its policy, and in the audit log', async () => {
    const { page } = desktop;
    await goTo('settings?tab=environments');
    await page.getByRole('button', { name: 'Add an environment' }).first().click();
    await page.getByLabel('Name').fill('production');
    await page.getByRole('dialog').getByRole('button', { name: 'Add the environment' }).click();
    await page.getByRole('heading', { name: 'production' }).waitFor();
    await page.getByText('ROC AUC ≥ 0.9000').waitFor();
    await goTo('audit');
    await page.getByRole('table', { name: 'Audit log' }).getByText('environment.added').waitFor();
  });
});
