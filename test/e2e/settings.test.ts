/** Settings, and the whole console without a mouse. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { photographFailures } from './support/failures.ts';
import {
  accountOf,
  button,
  goTo,
  heading,
  notice,
  openRoom,
  PATIENCE,
  type SampleDesktop,
  sampleFile,
  signInAs,
  startSample,
  titled,
} from './support/workspace.ts';

const ROOMS = [
  'Overview',
  'Models',
  'Validate',
  'Compare',
  'Releases',
  'Rollouts',
  'Endpoints',
  'Audit',
  'Settings',
];

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

/** The accessible words of what has the keyboard. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    return (element?.getAttribute('aria-label') ?? element?.textContent ?? '').replace(/\s+/g, ' ').trim();
  });

const hasFocus = (of: Locator): Promise<boolean> =>
  of.evaluate((element) => element === document.activeElement);

/** Presses Tab until the words of the focused element match; fails after `limit` presses. */
async function tabTo(words: RegExp, { limit = 20, key = 'Tab', tag = '' } = {}): Promise<void> {
  for (let presses = 0; presses < limit; presses++) {
    await page.keyboard.press(key);
    if (tag !== '' && (await page.evaluate(() => document.activeElement?.tagName)) !== tag) continue;
    if (words.test(await focused())) return;
  }
  throw new Error(`${key} did not reach ${words} in ${limit} presses; it is at “${await focused()}”.`);
}

/**
 * Holds back whatever the window puts off to its next turn, as a busy machine does while keys are pressed, until the
 * test says that the turn has come.
 */
async function holdTurns(): Promise<{ come(): Promise<number>; release(): Promise<void> }> {
  const held = await page.evaluateHandle(() => {
    const timer = window.setTimeout;
    const waiting: (() => void)[] = [];
    const hold = (run: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): number =>
      delay > 0 ? timer(run, delay, ...given) : waiting.push(() => run(...given));
    window.setTimeout = hold as typeof window.setTimeout;
    const come = (): number => {
      const turn = waiting.splice(0);
      for (const run of turn) run();
      return turn.length;
    };
    return {
      come,
      release: () => {
        window.setTimeout = timer;
        come();
      },
    };
  });
  return {
    come: () => held.evaluate(({ come }) => come()),
    release: () => held.evaluate(({ release }) => release()),
  };
}

describe('settings', () => {
  it('show the vault, the runtime and the licence, and name no network', async () => {
    await openRoom(page, 'Settings');
    expect(await page.locator('main').innerText()).toContain('no telemetry');
    await page.getByRole('tab', { name: 'Vault', exact: true }).click();
    await page.getByText('Last rekey').waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain('SQLCipher 4');
    expect(text).toContain('under a passphrase');
  });

  it('list the operators with their keys, and add one who can sign in', async () => {
    await page.getByRole('tab', { name: 'Operators' }).click();
    const table = page.getByRole('table', { name: 'Operators' });
    await expect.poll(() => table.getByRole('row').count()).toBe(4);
    await button(page, 'Add an operator').click();
    const dialog = page.getByRole('dialog');
    await button(dialog, 'Add the operator').click();
    await dialog.getByText('Say who it is').waitFor();
    await dialog.getByLabel('Sign-in name', { exact: true }).fill('grace');
    await dialog.getByLabel('Person', { exact: true }).fill('Grace Hopper');
    await dialog.getByLabel('Passphrase', { exact: true }).fill('a moth in relay 70');
    await dialog.getByLabel('Again', { exact: true }).fill('a moth in relay 70');
    await button(dialog, 'Add the operator').click();
    await dialog.waitFor({ state: 'hidden', timeout: PATIENCE });
    await expect.poll(() => table.getByRole('row').count()).toBe(5);
  });

  it('change what an operator may do, and take one out of use who then cannot sign in', async () => {
    const table = page.getByRole('table', { name: 'Operators' });
    await button(page, 'Change grace').click();
    await page.getByRole('menuitem', { name: 'Change the roles' }).click();
    const roles = page.getByRole('dialog', { name: 'Roles of grace' });
    await roles.getByRole('checkbox', { name: 'auditor' }).check();
    await button(roles, 'Change the roles').click();
    await notice(page, 'grace is analyst, auditor now.').waitFor({ timeout: PATIENCE });
    await button(page, 'Change grace').click();
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    await button(page.getByRole('dialog', { name: 'Disable grace?' }), 'Disable').click();
    await table.getByText('disabled').waitFor({ timeout: PATIENCE });
    const refused = await page.evaluate(async () => {
      const { sallyport } = globalThis as unknown as {
        sallyport: { call(channel: string, input: unknown): Promise<{ ok: boolean }> };
      };
      return sallyport.call('session.signIn', { operator: 'grace', passphrase: 'a moth in relay 70' });
    });
    expect(refused.ok).toBe(false);
  });

  it('never lose the last administrator, and say so in the dialog', async () => {
    await button(page, 'Change ana').click();
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disable ana?' });
    await button(dialog, 'Disable').click();
    await dialog.getByRole('alert').waitFor({ timeout: PATIENCE });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('renew one’s own passphrase against the present one', async () => {
    await button(page, 'Change ana').click();
    await page.getByRole('menuitem', { name: 'Change your passphrase' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change your passphrase' });
    const { passphrase } = desktop.operator('ana');
    await dialog.getByLabel('Present passphrase').fill(passphrase);
    // The same again: the sample's banner goes on being right.
    await dialog.getByLabel('New passphrase', { exact: true }).fill(passphrase);
    await dialog.getByLabel('New passphrase again').fill(passphrase);
    await button(dialog, 'Change it').click();
    await notice(page, 'Your passphrase is changed').waitFor({ timeout: PATIENCE });
  });

  it('keep the rules of the vault, and refuse an alias that is none', async () => {
    await page.getByRole('tab', { name: 'Vault', exact: true }).click();
    const keep = button(page, 'Change the rules');
    expect(await keep.getAttribute('aria-disabled')).toBe('true');
    const aliases = page.getByRole('combobox', { name: 'Protected aliases' });
    await aliases.fill('Not One!');
    await page.keyboard.press('Enter');
    await page.getByText('is no alias').waitFor();
    expect(await keep.getAttribute('aria-disabled')).toBe('true');
    await page.keyboard.press('Backspace');
    await aliases.fill('golden');
    await page.keyboard.press('Enter');
    await keep.click();
    await notice(page, 'The rules of the vault are changed.').waitFor({ timeout: PATIENCE });
    await page.getByRole('tabpanel').getByText('golden').waitFor();
  });

  it('let an administrator change a policy', async () => {
    await page.getByRole('tab', { name: 'Environments and policy' }).click();
    await button(page, 'Edit the policy').click();
    const dialog = page.getByRole('dialog', { name: 'Policy of production' });
    const hours = dialog.getByLabel('Request stays open', { exact: true });
    await hours.fill('48');
    await hours.blur();
    await button(dialog, 'Review the change').click();
    const changes = dialog.getByRole('table', { name: 'Changes of the policy' });
    await changes.getByText('2 d').waitFor();
    await button(dialog, 'Change the policy').click();
    await notice(page, 'The policy of production is changed.').waitFor({ timeout: PATIENCE });
    await expect.poll(() => page.getByRole('tabpanel').innerText()).toMatch(/Request valid\s+(2 d|48 h)/);
  });

  it('add an environment with a policy of its own', async () => {
    await button(page, 'Add an environment').click();
    const dialog = page.getByRole('dialog', { name: 'Add an environment' });
    await dialog.getByLabel('Name', { exact: true }).fill('staging');
    await button(dialog, 'Add the environment').click();
    await dialog.waitFor({ state: 'hidden', timeout: PATIENCE });
    await page.getByRole('heading', { name: 'staging', level: 2 }).waitFor();
  });

  it('let nobody else manage: the buttons say which role is missing', async () => {
    await signInAs(desktop, 'ben');
    await goTo(page, '/settings?tab=environments');
    const edit = button(page, 'Edit the policy').first();
    expect(await edit.getAttribute('aria-disabled')).toBe('true');
    await edit.hover();
    await page.getByRole('tooltip').filter({ hasText: 'This takes the role administrator' }).waitFor();
    await page.getByRole('tab', { name: 'Operators' }).click();
    expect(await button(page, 'Add an operator').getAttribute('aria-disabled')).toBe('true');
  });

  it('remember the theme over a restart', async () => {
    await goTo(page, '/settings');
    const shown = () =>
      page.evaluate(() => document.documentElement.getAttribute('data-mantine-color-scheme'));
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.getByRole('radiogroup', { name: 'Theme' }).getByText('Dark').click();
    await expect.poll(shown).toBe('dark');
    const dark = await background();
    const { home } = desktop;
    expect(await desktop.close()).toBe(0);
    desktop = await startSample(home);
    page = desktop.page;
    expect(await shown()).toBe('dark');
    expect(await background()).toBe(dark);
    await signInAs(desktop, 'ana');
    await openRoom(page, 'Settings');
    await page.getByRole('radiogroup', { name: 'Theme' }).getByText('Light').click();
    await expect.poll(shown).toBe('light');
    expect(await background()).not.toBe(dark);
  });
});

/** What Enter opens in the palette: its first line, once that has these words. */
const firstFound = (words: string) =>
  page.locator('.mantine-Spotlight-action').first().filter({ hasText: words });

/** The keyboard is the palette's a moment after it is seen; what is typed before goes to the page. */
async function openPalette(): Promise<void> {
  await page.keyboard.press('Control+K');
  await page.locator('[placeholder="Go to, do, or find by name…"]:focus').waitFor();
}

describe('by keyboard alone', () => {
  it('the palette leads to every room', async () => {
    for (const room of ROOMS) {
      await openPalette();
      await page.keyboard.type(room);
      await firstFound(room).waitFor();
      await page.keyboard.press('Enter');
      await titled(page, room).waitFor();
      // Until the palette has gone the keyboard is its own.
      await page.getByPlaceholder('Go to, do, or find by name…').waitFor({ state: 'hidden' });
    }
  });

  it('G and a letter lead to every room too', async () => {
    const letters = {
      o: 'Overview',
      m: 'Models',
      v: 'Validate',
      c: 'Compare',
      r: 'Releases',
      l: 'Rollouts',
      e: 'Endpoints',
      a: 'Audit',
      s: 'Settings',
    };
    for (const [letter, room] of Object.entries(letters)) {
      // Both are sent at once: the second counts for a moment only, and the first is answered late where it is busy.
      await Promise.all([page.keyboard.press('g'), page.keyboard.press(letter)]);
      await titled(page, room).waitFor();
    }
  });

  it('the palette finds a version by its name and opens it', async () => {
    await openPalette();
    await page.keyboard.type('phish-url@1.2.0');
    await firstFound('phish-url@1.2.0').waitFor();
    await page.keyboard.press('Enter');
    await titled(page, 'phish-url@1.2.0').waitFor();
    await page.getByPlaceholder('Go to, do, or find by name…').waitFor({ state: 'hidden' });
  });

  it('the palette marks what is found only after the last key, and Enter opens it', async () => {
    await goTo(page, '/models');
    await page.keyboard.press('Control+K');
    const search = page.getByPlaceholder('Go to, do, or find by name…');
    // Once the former search has been answered, the versions at hand are its own, and the next one finds none at first.
    const findsNone = async (): Promise<boolean> => {
      await search.fill('phish-url@1.2.0');
      if (await page.getByText('Nothing by that name').isVisible()) return true;
      await search.fill('phish-url@1.0.0');
      return false;
    };
    await expect.poll(findsNone, { interval: 500 }).toBe(true);
    await firstFound('phish-url@1.2.0').waitFor();
    await search.press('Enter');
    await titled(page, 'phish-url@1.2.0').waitFor();
    await search.waitFor({ state: 'hidden' });
  });

  it('a question mark shows the shortcuts, and Escape puts them away', async () => {
    await page.keyboard.press('?');
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await sheet.waitFor();
    for (const room of ROOMS) expect(await sheet.innerText()).toContain(room);
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
  });

  it('a page that opens takes the keyboard, and a link before the rail leads there too', async () => {
    await page.reload();
    await titled(page, 'phish-url@1.2.0').waitFor();
    const holder = () => page.evaluate(() => document.activeElement?.id);
    await expect.poll(holder).toBe('main');
    await tabTo(/^Skip to the page$/, { limit: 25, key: 'Shift+Tab' });
    await page.keyboard.press('Enter');
    expect(await holder()).toBe('main');
  });

  it('the reason of a disabled button is read out when Tab reaches it', async () => {
    await goTo(page, '/models/phish-url/1.2.0');
    await titled(page, 'phish-url@1.2.0').waitFor();
    await page.locator('#main').focus();
    await tabTo(/^Submit for release$/);
    expect(await button(page, 'Submit for release').getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('tooltip').filter({ hasText: 'only a validated version' }).waitFor();
  });

  it('Tab reaches the primary action of a page, and a focused element can be seen', async () => {
    const actions: readonly (readonly [string, string, RegExp])[] = [
      ['/models', 'Models', /^Add a model$/],
      ['/releases', 'Releases', /^New request$/],
      ['/endpoints', 'Endpoints', /^Add an endpoint$/],
      ['/audit', 'Audit', /^Verify now$/],
      ['/validate', 'Validate', /^Run the validation$/],
      ['/compare', 'Compare', /^Compare$/],
    ];
    for (const [path, title, action] of actions) {
      await goTo(page, path);
      await titled(page, title).waitFor();
      await page.locator('#main').focus();
      await tabTo(action, { limit: 15, tag: 'BUTTON' });
      const seen = await page.evaluate(() => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement as Element);
        return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
      });
      expect(seen, `${title}: focus ring`).toBe(true);
    }
  });

  it('a dialog keeps the focus inside, and Escape gives it back to the button that opened it', async () => {
    await goTo(page, '/endpoints');
    await titled(page, 'Endpoints').waitFor();
    await button(page, 'Add an endpoint').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add an endpoint' });
    const inside = () => page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null);
    // The dialog takes the keyboard a moment after it is drawn.
    await expect.poll(inside).toBe(true);
    for (let presses = 0; presses < 16; presses++) {
      await page.keyboard.press('Tab');
      expect(await inside()).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await expect.poll(focused).toBe('Add an endpoint');
  });

  it('the rows of a table are walked by arrows and opened by Enter', async () => {
    await goTo(page, '/models');
    const rows = page.getByRole('group', { name: /arrow keys move/ });
    await rows.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).hash).toMatch(/^#\/models\/phish-url\/1\./);
  });

  it('a validation is run from beginning to end', async () => {
    await goTo(page, '/validate');
    await titled(page, 'Validate').waitFor();
    const version = page.getByRole('combobox', { name: 'Version', exact: true });
    await version.waitFor();
    const reached = async (): Promise<boolean> => {
      await page.locator('#main').focus();
      // The page itself is a stop before it, where it is long enough to scroll.
      for (let presses = 0; presses < 3 && !(await hasFocus(version)); presses++)
        await page.keyboard.press('Tab');
      return hasFocus(version);
    };
    // A page that has just come puts the focus on its heading in its own time.
    await expect.poll(reached).toBe(true);
    await page.keyboard.type('1.1.0');
    await page.getByRole('option', { name: /1\.1\.0/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await desktop.answerDialog({ paths: [sampleFile('labelled.csv')] });
    await tabTo(/^Data: browse$/, { limit: 4 });
    await page.keyboard.press('Enter');
    await page.getByText('labelled.csv', { exact: true }).first().waitFor();
    // The file is looked at first.
    const run = button(page, 'Run the validation');
    await expect.poll(() => run.getAttribute('aria-disabled'), { timeout: PATIENCE }).not.toBe('true');
    await tabTo(/^Run the validation$/, { limit: 20 });
    await page.keyboard.press('Enter');
    await titled(page, 'Validation of phish-url@1.1.0').waitFor({ timeout: PATIENCE });
  });

  it('the account is left and entered again', async () => {
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Sign in').waitFor();
    await page.getByRole('combobox', { name: 'Operator' }).focus();
    await page.keyboard.type('ben');
    await page.getByRole('option', { name: 'ben' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type(desktop.operator('ben').passphrase);
    await page.keyboard.press('Enter');
    await accountOf(page, desktop.operator('ben').person).waitFor({ timeout: PATIENCE });
  });

  it('Enter takes the option that is marked, though the list was opened only just before', async () => {
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Sign in').waitFor();
    const operator = page.getByRole('combobox', { name: 'Operator' });
    const turns = await holdTurns();
    try {
      // The second time another one is chosen already: the place of that one must not be taken either.
      for (const [further, chosen] of [
        [1, 'cleo'],
        [0, 'ben'],
      ] as const) {
        await operator.fill('e');
        await page.getByRole('option', { name: 'cleo' }).waitFor();
        await page.keyboard.press('ArrowDown');
        expect(await turns.come()).toBeGreaterThan(0);
        for (let arrow = 0; arrow < further; arrow++) await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Enter');
        await turns.come();
        expect(await operator.inputValue()).toBe(chosen);
      }
    } finally {
      await turns.release();
    }
  });
});
