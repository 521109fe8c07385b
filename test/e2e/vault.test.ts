/** A vault's life in the window, from nothing: create, sign in, lock, restart, recover; then the first models. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minimalOnnx } from '../support/minimal-onnx.ts';
import { photographFailures } from './support/failures.ts';
import { type LaunchedConsole, launchConsole } from './support/launch.ts';
import {
  accountOf,
  button,
  goTo,
  heading,
  makeHome,
  notice,
  openRoom,
  PATIENCE,
  removeHome,
  sampleFile,
  titled,
} from './support/workspace.ts';

const OPERATOR = { name: 'ada', person: 'Ada Lovelace', passphrase: 'difference engine 1822' };
const VAULT_PASSPHRASE = 'under the third stair';
const NEW_PASSPHRASE = 'behind the second door';

let home: string;
let desktop: LaunchedConsole;
let page: Page;
let recoveryKey = '';

async function start(): Promise<void> {
  desktop = await launchConsole({ env: { HOME: home } });
  page = desktop.page;
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function signIn(passphrase: string): Promise<void> {
  await heading(page, 'Sign in').waitFor({ timeout: PATIENCE });
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  await button(page, 'Sign in').click();
}

async function fillKeys(passphrase: string): Promise<void> {
  await page.getByRole('radio', { name: 'under a passphrase' }).check();
  await page.getByLabel('Vault passphrase', { exact: true }).fill(passphrase);
  await page.getByLabel('Again', { exact: true }).fill(passphrase);
}

/** Fills in what the add dialog cannot guess and adds; answers once the version's page is there. */
async function add(name: string, version: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByLabel('Version', { exact: true }).fill(version);
  await button(dialog, 'Add to the registry').click();
  await titled(page, `${name}@${version}`).waitFor({ timeout: PATIENCE });
}

beforeAll(async () => {
  home = makeHome();
  await start();
});

photographFailures(() => page);

afterAll(async () => {
  await desktop?.close();
  removeHome(home);
});

describe('a new vault', () => {
  it('is asked for at the first start, and says what is missing', async () => {
    await heading(page, 'Create a vault').waitFor({ timeout: PATIENCE });
    await button(page, 'Create the vault').click();
    await page.getByText('Say who is behind this name').waitFor();
    await page.getByText('Give your signing key a passphrase.').waitFor();
  });

  it('refuses passphrases that differ', async () => {
    await page.getByLabel('Operator name', { exact: true }).fill(OPERATOR.name);
    await page.getByLabel('Person', { exact: true }).fill(OPERATOR.person);
    await page.getByLabel('Passphrase', { exact: true }).fill(OPERATOR.passphrase);
    await page.getByLabel('Passphrase again', { exact: true }).fill('something else');
    await button(page, 'Create the vault').click();
    await page.getByText('The two passphrases differ.').waitFor();
  });

  it('is created with its keys under a passphrase, and shows its recovery key once', async () => {
    await page.getByLabel('Passphrase again', { exact: true }).fill(OPERATOR.passphrase);
    await fillKeys(VAULT_PASSPHRASE);
    await button(page, 'Create the vault').click();
    await heading(page, 'Your recovery key').waitFor({ timeout: PATIENCE });
    recoveryKey = (await page.getByTestId('recovery-key').innerText()).replace(/\s/g, '');
    expect(recoveryKey).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
    const next = button(page, 'Continue');
    expect(await next.isDisabled()).toBe(true);
    const last = page.getByLabel('Type the last group of the key');
    await last.fill('AAAA');
    await page.getByText('That is not how the key ends.').waitFor();
    expect(await next.isDisabled()).toBe(true);
    await last.fill(recoveryKey.slice(-4).toLowerCase());
    await next.click();
    await heading(page, 'Your recovery key').waitFor({ state: 'hidden' });
    expect(await page.content()).not.toContain(recoveryKey);
  });

  it('refuses a wrong passphrase of the operator, and says so', async () => {
    if (await heading(page, 'Sign in').isHidden()) {
      await accountOf(page, OPERATOR.person).click();
      await page.getByRole('menuitem', { name: 'Lock (sign out)' }).click();
    }
    await signIn('not this one');
    const problem = page.getByRole('alert');
    await problem.waitFor({ timeout: PATIENCE });
    expect(await problem.innerText()).toContain('auth.failed');
    expect(await page.getByLabel('Passphrase', { exact: true }).inputValue()).toBe('');
  });

  it('lets its first operator in, to an overview that says what to do first', async () => {
    await signIn(OPERATOR.passphrase);
    await titled(page, 'Overview').waitFor({ timeout: PATIENCE });
    await page.getByText('No models yet').waitFor();
  });
});

describe('the first models', () => {
  it('are inspected before anything is stored: what is in the file, and what the scan found', async () => {
    await openRoom(page, 'Models');
    await page.getByText('No models yet').waitFor();
    await desktop.answerDialog({ paths: [sampleFile('phish-url-1.0.0.onnx')] });
    await button(page, 'Add a model').first().click();
    const dialog = page.getByRole('dialog', { name: 'Add phish-url-1.0.0.onnx' });
    await dialog.getByText('What is in the file').waitFor({ timeout: PATIENCE });
    const text = await dialog.innerText();
    expect(text).toMatch(/\d+ rules ran/);
    expect(text).toContain('features');
    expect(text).toContain('classifier');
    expect(await dialog.getByLabel('Name', { exact: true }).inputValue()).toBe('phish-url');
    expect(await dialog.getByLabel('Version', { exact: true }).inputValue()).toBe('1.0.0');
  });

  it('refuse a version that is no semantic version, at the field', async () => {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Version', { exact: true }).fill('one');
    expect(await button(dialog, 'Add to the registry').isDisabled()).toBe(true);
    expect(await dialog.getByLabel('Version', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  });

  it('are added from the dialog, with a page of their own', async () => {
    await add('phish-url', '1.0.0');
    const panels: readonly (readonly [string, string])[] = [
      ['Summary', 'Producer'],
      ['Scan', 'Rules that ran'],
      ['Mapping', 'How the outputs are read'],
      ['Validation', 'Not validated yet'],
      ['Where deployed', 'Not deployed'],
    ];
    for (const [tab, content] of panels) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tabpanel').getByText(content).first().waitFor();
    }
    const submit = button(page, 'Submit for release');
    expect(await submit.getAttribute('aria-disabled')).toBe('true');
  });

  it('are added by dropping a file anywhere on the window', async () => {
    await openRoom(page, 'Overview');
    await desktop.dropFiles('main', [sampleFile('phish-url-1.1.0.onnx')]);
    await page
      .getByRole('dialog', { name: 'Add phish-url-1.1.0.onnx' })
      .getByText('What is in the file')
      .waitFor({ timeout: PATIENCE });
    await add('phish-url', '1.1.0');
    await openRoom(page, 'Models');
    const table = page.getByRole('table');
    await expect.poll(() => table.getByRole('row').count()).toBe(3);
  });

  it('never change: the same version with other bytes is refused', async () => {
    await desktop.dropFiles('main', [sampleFile('phish-url-1.2.0.onnx')]);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('What is in the file').waitFor({ timeout: PATIENCE });
    await dialog.getByLabel('Version', { exact: true }).fill('1.1.0');
    await dialog.getByText('exists with another digest').waitFor();
    expect(await button(dialog, 'Add to the registry').isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('are refused with a clear reason when the file is no ONNX model', async () => {
    const bad = join(home, 'notes.onnx');
    writeFileSync(bad, 'This is a letter, not a model.\n'.repeat(40));
    await desktop.dropFiles('main', [bad]);
    const problem = page.getByRole('dialog').getByRole('alert');
    await problem.waitFor({ timeout: PATIENCE });
    expect(await problem.innerText()).toMatch(/model\.(not-onnx|truncated)/);
    await button(page.getByRole('dialog'), 'Close').last().click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  it('are refused when the scan finds an attack, and nothing is stored', async () => {
    const evil = join(home, 'evil-1.0.0.onnx');
    writeFileSync(evil, minimalOnnx({ externalLocation: '../../etc/passwd' }));
    await desktop.dropFiles('main', [evil]);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('critical').first().waitFor({ timeout: PATIENCE });
    const text = await dialog.innerText();
    expect(text).toContain('A critical finding refuses this file');
    expect(await button(dialog, 'Add to the registry').isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('are not taken for a file of another kind, and the window says what it takes', async () => {
    const letter = join(home, 'letter.txt');
    writeFileSync(letter, 'Dear all');
    await desktop.dropFiles('main', [letter]);
    await notice(page, 'was not taken').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('are found by the search of the registry', async () => {
    await openRoom(page, 'Models');
    await page.keyboard.press('/');
    await page.keyboard.type('version:1.1');
    const table = page.getByRole('table');
    await expect.poll(() => table.getByRole('row').count()).toBe(2);
    await page.keyboard.press('Escape');
    await expect.poll(() => table.getByRole('row').count()).toBe(3);
    await page.keyboard.type('/state:revoked');
    await page.getByText('Nothing matches').waitFor();
    await button(page, 'Clear the search').click();
  });

  it('are read back from the vault and hashed on demand', async () => {
    await goTo(page, '/models/phish-url/1.0.0');
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Verify the artifact' }).click();
    await notice(page, 'the digest matches').waitFor({ timeout: PATIENCE });
  });
});

async function restart(): Promise<void> {
  expect(await desktop.close()).toBe(0);
  await start();
  await heading(page, 'The vault is locked').waitFor({ timeout: PATIENCE });
}

async function unlock(passphrase: string): Promise<void> {
  await page.getByLabel('Vault passphrase', { exact: true }).fill(passphrase);
  await button(page, 'Unlock').click();
}

describe('behind the door', () => {
  it('shows nothing of the vault once its operator has locked it by keyboard', async () => {
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Sign in').waitFor();
    await expect.poll(() => page.locator('body').innerText()).not.toContain('phish-url');
    // A link into the vault leads to the door as well.
    await goTo(page, '/models/phish-url/1.0.0');
    await heading(page, 'Sign in').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('phish-url');
  });

  it('is locked after a restart, and refuses a wrong passphrase', async () => {
    await restart();
    await unlock('not this one');
    const problem = page.getByRole('alert');
    await problem.waitFor({ timeout: PATIENCE });
    expect(await problem.innerText()).toContain('auth.failed');
  });

  it('opens by its passphrase and has kept everything', async () => {
    await unlock(VAULT_PASSPHRASE);
    await signIn(OPERATOR.passphrase);
    await openRoom(page, 'Models');
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(3);
  });

  it('is recovered with the recovery key, under a new passphrase', async () => {
    await restart();
    await button(page, 'Use the recovery key instead').click();
    const field = page.getByLabel('Recovery key', { exact: true });
    await field.fill('my recovery key');
    await page.getByText('A recovery key begins with AGE-SECRET-KEY-1.').waitFor();
    await field.fill(recoveryKey);
    await fillKeys(NEW_PASSPHRASE);
    await button(page, 'Recover').click();
    await signIn(OPERATOR.passphrase);
    await openRoom(page, 'Models');
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(3);
  });

  it('opens by the new passphrase only', async () => {
    await restart();
    await unlock(VAULT_PASSPHRASE);
    await page.getByRole('alert').waitFor({ timeout: PATIENCE });
    await unlock(NEW_PASSPHRASE);
    await heading(page, 'Sign in').waitFor({ timeout: PATIENCE });
  });
});
