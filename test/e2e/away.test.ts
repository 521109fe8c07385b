/** Signed out by the program itself, idle or asleep: the page waits behind the door for its operator, and for nobody else. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { photographFailures } from './support/failures.ts';
import {
  accountOf,
  button,
  goTo,
  heading,
  PATIENCE,
  type SampleDesktop,
  signInAs,
  startSample,
  titled,
} from './support/workspace.ts';

let desktop: SampleDesktop;
let page: Page;

beforeAll(async () => {
  desktop = await startSample();
  page = desktop.page;
  await signInAs(desktop, 'ana');
});

photographFailures(() => page);

afterAll(async () => {
  await desktop?.remove();
});

/** Ends the session in the main process, without the window having asked: what idleness and sleep do. */
async function signedOutElsewhere(): Promise<void> {
  await page.evaluate(async () => {
    const { sallyport } = globalThis as unknown as {
      sallyport: { call(channel: string, input: unknown): Promise<unknown> };
    };
    await sallyport.call('session.signOut', {});
  });
  await heading(page, 'Sign in').waitFor({ timeout: PATIENCE });
}

/** Signs in at the door that is on the screen. */
async function signInAtDoor(name: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Passphrase' }).fill(desktop.operator(name).passphrase);
  await button(page, 'Sign in').click();
}

describe('an operator who was signed out', () => {
  it('leaves nothing to read, and no dialog in front of the door', async () => {
    await goTo(page, '/settings?tab=operators');
    await button(page, 'Add an operator').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Sign-in name', { exact: true }).fill('grace');
    await dialog.getByLabel('Person', { exact: true }).fill('Grace Hopper');
    await dialog.getByLabel('Passphrase', { exact: true }).fill('a moth in relay 70');
    await signedOutElsewhere();
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.locator('body').innerText()).not.toMatch(/Add the operator|Key fingerprint/);
    expect(await page.title()).toBe('Sallyport');
  });

  it('cannot be imitated: no key of the shell works behind the door', async () => {
    await page.keyboard.press('Control+K');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await heading(page, 'Sign in').waitFor();
  });

  it('finds the page again as it was, without the passphrase typed into it', async () => {
    await page.getByText('ana was signed out').waitFor();
    await signInAtDoor('ana');
    const dialog = page.getByRole('dialog', { name: 'Add an operator' });
    await dialog.waitFor({ timeout: PATIENCE });
    expect(await dialog.getByLabel('Sign-in name', { exact: true }).inputValue()).toBe('grace');
    expect(await dialog.getByLabel('Person', { exact: true }).inputValue()).toBe('Grace Hopper');
    expect(await dialog.getByLabel('Passphrase', { exact: true }).inputValue()).toBe('');
    expect(await page.evaluate(() => location.hash)).toBe('#/settings?tab=operators');
    // It works on: the answer comes from the main process, as ana.
    await dialog.getByLabel('Passphrase', { exact: true }).fill('a moth in relay 70');
    await dialog.getByLabel('Again', { exact: true }).fill('a moth in relay 70');
    await button(dialog, 'Add the operator').click();
    await dialog.waitFor({ state: 'hidden', timeout: PATIENCE });
    await page.getByRole('table', { name: 'Operators' }).getByText('Grace Hopper').waitFor();
  });

  it('leaves the page to nobody else: another one begins at the overview', async () => {
    await goTo(page, '/models');
    await page.getByRole('combobox', { name: 'Search versions' }).fill('only ana types this');
    await signedOutElsewhere();
    await page.getByRole('button', { name: /^ben\b/ }).click();
    await button(page, 'Sign in').click();
    await accountOf(page, desktop.operator('ben').person).waitFor({ timeout: PATIENCE });
    await titled(page, 'Overview').waitFor();
    const typed = await page.evaluate(() =>
      [...document.querySelectorAll('input')].map((input) => input.value),
    );
    expect(typed).not.toContain('only ana types this');
  });

  it('who leaves by hand leaves nothing behind', async () => {
    await goTo(page, '/models');
    await page.getByRole('combobox', { name: 'Search versions' }).fill('ben leaves');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Sign in').waitFor({ timeout: PATIENCE });
    await expect.poll(() => page.locator('[data-page]').count()).toBe(0);
    expect(await page.getByText('was signed out').count()).toBe(0);
  });
});
