/**
 * A vault cared for in the window: made with its kit, filled, searched, compared, collected, rekeyed, backed up, locked
 * and restored into another folder, where its log and its files are proved again.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { photographFailures } from './support/failures.ts';
import { type LaunchedConsole, launchConsole } from './support/launch.ts';
import {
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
const NEXT_PASSPHRASE = 'behind the fourth door';

let home: string;
let elsewhere: string;
let desktop: LaunchedConsole;
let page: Page;
let formerKey = '';
let recoveryKey = '';
const inHome = (name: string): string => join(home, name);

async function start(at: string): Promise<void> {
  desktop = await launchConsole({ env: { HOME: at } });
  page = desktop.page;
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function signIn(): Promise<void> {
  await heading(page, 'Sign in').waitFor({ timeout: PATIENCE });
  await page.getByRole('textbox', { name: 'Passphrase' }).fill(OPERATOR.passphrase);
  await button(page, 'Sign in').click();
  await heading(page, 'Sign in').waitFor({ state: 'hidden', timeout: PATIENCE });
}

/** The key on the screen, confirmed by its last group. */
async function confirmKey(next: string): Promise<string> {
  const shown = page.getByTestId('recovery-key');
  await shown.waitFor({ timeout: PATIENCE });
  const key = (await shown.innerText()).replace(/\s/g, '');
  await page.getByLabel('Type the last group of the key').fill(key.slice(-4));
  await button(page, next).click();
  return key;
}

async function add(version: string): Promise<void> {
  await desktop.dropFiles('main', [sampleFile(`phish-url-${version}.onnx`)]);
  const dialog = page.getByRole('dialog', { name: `Add phish-url-${version}.onnx` });
  await dialog.getByText('What is in the file').waitFor({ timeout: PATIENCE });
  await dialog.getByLabel('Owner', { exact: true }).fill('Mail security');
  await button(dialog, 'Add to the registry').click();
  await titled(page, `phish-url@${version}`).waitFor({ timeout: PATIENCE });
}

beforeAll(async () => {
  home = makeHome();
  elsewhere = makeHome();
  await start(home);
});

photographFailures(() => page);

afterAll(async () => {
  await desktop?.close();
  removeHome(home);
  removeHome(elsewhere);
});

describe('a vault with its recovery kit', () => {
  it('is created, and its kit saved to a file that only its owner reads', async () => {
    await heading(page, 'Create a vault').waitFor({ timeout: PATIENCE });
    await page.getByLabel('Operator name', { exact: true }).fill(OPERATOR.name);
    await page.getByLabel('Person', { exact: true }).fill(OPERATOR.person);
    await page.getByLabel('Passphrase', { exact: true }).fill(OPERATOR.passphrase);
    await page.getByLabel('Passphrase again', { exact: true }).fill(OPERATOR.passphrase);
    await page.getByRole('radio', { name: 'under a passphrase' }).check();
    await page.getByLabel('Vault passphrase', { exact: true }).fill(VAULT_PASSPHRASE);
    await page.getByLabel('Again', { exact: true }).fill(VAULT_PASSPHRASE);
    await button(page, 'Create the vault').click();
    await page.getByTestId('recovery-key').waitFor({ timeout: PATIENCE });
    await desktop.answerDialog({ paths: [inHome('kit.html')] });
    await button(page, 'Save kit…').click();
    await page.getByText('Kit saved to').waitFor({ timeout: PATIENCE });
    formerKey = await confirmKey('Continue');
    expect(statSync(inHome('kit.html')).mode & 0o777).toBe(0o600);
    expect(readFileSync(inHome('kit.html'), 'utf8')).toContain(formerKey.slice(-4));
    if (await heading(page, 'Sign in').isVisible()) await signIn();
    await titled(page, 'Overview').waitFor({ timeout: PATIENCE });
  });
});

describe('its models', () => {
  it('are added and found by every part of the one language', async () => {
    await add('1.0.0');
    await add('1.1.0');
    await openRoom(page, 'Models');
    const rows = page.getByRole('table').getByRole('row');
    const search = page.getByRole('combobox', { name: 'Search versions' });
    const found: readonly (readonly [string, number])[] = [
      ['owner:"mail security" state:draft', 2],
      ['name:=phish-url version:>=1.1', 1],
      ['-version:1.0.0 size:>1kB', 1],
      ['state:revoked', 0],
    ];
    for (const [query, count] of found) {
      await search.fill(query);
      await expect.poll(() => rows.count(), { message: query }).toBe(count + 1);
    }
  });

  it('say where a query cannot be read, keep the last list, and complete a field by keyboard', async () => {
    const search = page.getByRole('combobox', { name: 'Search versions' });
    await search.fill('onwer:mail');
    await page.getByText('Did you mean “owner”?').waitFor();
    expect(await search.getAttribute('aria-invalid')).toBe('true');
    await search.fill('');
    await search.pressSequentially('stat');
    // Two keys in one frame, as of a fast typist: the letter stands behind what was completed.
    await search.evaluate((box: HTMLInputElement) => {
      box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      document.execCommand('insertText', false, 'd');
    });
    await page.keyboard.type('r');
    expect(await search.inputValue()).toBe('state:dr');
    await page.keyboard.press('Tab');
    expect(await search.inputValue()).toBe('state:draft ');
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(3);
  });

  it('are compared field by field, two marked by keyboard', async () => {
    await page.getByRole('group', { name: /^Model versions/ }).focus();
    for (const key of ['ArrowDown', 'Space', 'ArrowDown', 'Space']) await page.keyboard.press(key);
    await button(page, 'Compare the two').click();
    const table = page.getByRole('table', { name: /field by field/ });
    await table.waitFor({ timeout: PATIENCE });
    const all = await table.getByRole('row').count();
    await page.getByRole('switch', { name: 'Only differences' }).check();
    await expect.poll(() => table.getByRole('row').count()).toBeLessThan(all);
    await table.getByText('digest').first().waitFor();
  });

  it('are described anew, and the log says so', async () => {
    await goTo(page, '/models/phish-url/1.0.0');
    await titled(page, 'phish-url@1.0.0').waitFor();
    await button(page, 'Edit…').click();
    const dialog = page.getByRole('dialog', { name: 'Describe phish-url@1.0.0' });
    await dialog.getByLabel('Licence', { exact: true }).fill('Apache-2.0');
    await button(dialog, 'Keep the description').click();
    await dialog.waitFor({ state: 'hidden', timeout: PATIENCE });
    await page.getByRole('tabpanel').getByText('Apache-2.0').waitFor();
    await openRoom(page, 'Audit');
    await page.getByRole('combobox', { name: 'Search the log' }).fill('action:model.described');
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(2);
  });

  it('are collected by the rule an administrator sets, after a dry run that says what would go', async () => {
    await goTo(page, '/settings?tab=vault');
    const keep = page.getByLabel('Keep the newest', { exact: true });
    await keep.fill('1');
    await keep.blur();
    await button(page, 'Change the rules').click();
    await notice(page, 'The rules of the vault are changed.').waitFor({ timeout: PATIENCE });
    await openRoom(page, 'Models');
    await button(page, 'Free space…').click();
    const dialog = page.getByRole('dialog', { name: 'Free space' });
    await dialog.getByRole('table', { name: 'Model files that go' }).getByText('phish-url@1.0.0').waitFor({
      timeout: PATIENCE,
    });
    await button(dialog, 'Remove 1 file').click();
    await notice(page, '1 file removed').waitFor({ timeout: PATIENCE });
    await goTo(page, '/models/phish-url/1.0.0');
    await page.getByText('Its file was removed').waitFor({ timeout: PATIENCE });
  });
});

describe('its keys and its copy', () => {
  it('are made anew with a new recovery key, shown once', async () => {
    await goTo(page, '/settings?tab=vault');
    await button(page, 'Rekey…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('checkbox', { name: 'A new recovery key as well' }).check();
    await dialog.getByLabel('Vault passphrase from now on').fill(NEXT_PASSPHRASE);
    await dialog.getByRole('textbox', { name: 'Again' }).fill(NEXT_PASSPHRASE);
    await button(dialog, 'Rekey now').click();
    recoveryKey = await confirmKey('Done');
    expect(recoveryKey).not.toBe(formerKey);
    await dialog.getByText('file keys of artifacts are unchanged').waitFor();
    await button(dialog, 'Close').last().click();
    await dialog.waitFor({ state: 'hidden' });
    // The same operator goes on in the vault as it is now.
    await page.getByText('Last rekey').waitFor();
    await expect
      .poll(() => page.getByRole('tabpanel').innerText())
      .toMatch(/Last rekey\s+(just now|\d+ s ago)/);
  });

  it('are backed up into one verified file', async () => {
    await desktop.answerDialog({ paths: [inHome('backup.tar')] });
    await button(page, 'Back up…').click();
    await notice(page, 'read back and verified').waitFor({ timeout: PATIENCE });
    expect(existsSync(inHome('backup.tar'))).toBe(true);
    await expect
      .poll(() => page.getByRole('tabpanel').innerText())
      .toMatch(/Last backup\s+(just now|\d+ s ago)/);
  });

  it('can be proved by anybody: the log is exported to a file', async () => {
    await openRoom(page, 'Audit');
    await desktop.answerDialog({ paths: [inHome('audit.jsonl')] });
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Export the log' }).click();
    await notice(page, 'written to').waitFor({ timeout: PATIENCE });
  });

  it('stay closed to whoever finds the window locked', async () => {
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Sign in').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('phish-url');
    expect(await desktop.close()).toBe(0);
  });
});

describe('the exported log, where there is no vault at all', () => {
  const verify = async (path: string): Promise<void> => {
    await desktop.answerDialog({ paths: [path] });
    await button(page, 'Exported log: browse').click();
    await button(page, 'Verify').click();
  };

  it('is proved at the door, and what nothing shows is said', async () => {
    await start(elsewhere);
    await heading(page, 'Create a vault').waitFor({ timeout: PATIENCE });
    await button(page, 'Verify an exported audit log').click();
    await verify(inHome('audit.jsonl'));
    await page.getByText('The log is intact').waitFor({ timeout: PATIENCE });
    await page.getByText('Not shown by anything here').waitFor();
  });

  it('is called tampered with when one letter of it was changed', async () => {
    const lines = readFileSync(inHome('audit.jsonl'), 'utf8').split('\n');
    const edited = lines.map((line, at) =>
      at === 3 ? line.replace('"actor":"ada"', '"actor":"eve"') : line,
    );
    expect(edited).not.toEqual(lines);
    writeFileSync(inHome('edited.jsonl'), edited.join('\n'));
    await verify(inHome('edited.jsonl'));
    await page.getByText('The log has been tampered with').waitFor({ timeout: PATIENCE });
    await button(page, 'Back').click();
  });
});

describe('the backup in another folder', () => {
  it('is restored whole, and opens by the new passphrase', async () => {
    await heading(page, 'Create a vault').waitFor({ timeout: PATIENCE });
    await button(page, 'Restore from a backup').click();
    await desktop.answerDialog({ paths: [inHome('backup.tar')] });
    await button(page, 'Backup: browse').click();
    await page.getByText('backup.tar').waitFor();
    await button(page, 'Restore').click();
    await page.getByText('Restored from backup.tar.').waitFor({ timeout: PATIENCE });
    await page.getByLabel('Vault passphrase', { exact: true }).fill(NEXT_PASSPHRASE);
    await button(page, 'Unlock').click();
    await signIn();
    await openRoom(page, 'Models');
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(3);
  });

  it('is proved again: its log, and every file in it', async () => {
    await openRoom(page, 'Audit');
    await button(page, 'Verify now').click();
    await page.getByText('The log is intact').waitFor({ timeout: PATIENCE });
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Check every model file' }).click();
    const dialog = page.getByRole('dialog', { name: 'Check every model file' });
    await button(dialog, 'Check all').click();
    await dialog.getByText('every one is what its record says').waitFor({ timeout: PATIENCE });
  });
});
