/**
 * Every screen of the window, filled, empty, wrong and with its dialogs, in both themes and two sizes: a picture of
 * each goes to `screenshots/`, and none breaks a rule of accessibility or needs to be scrolled sideways.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minimalOnnx } from '../support/minimal-onnx.ts';
import { inspectScreen } from './support/camera.ts';
import { photographFailures } from './support/failures.ts';
import { type LaunchedConsole, launchConsole } from './support/launch.ts';
import {
  button,
  choose,
  goTo,
  heading,
  makeHome,
  notice,
  PATIENCE,
  removeHome,
  type SampleDesktop,
  sampleFile,
  signInAs,
  startSample,
  titled,
} from './support/workspace.ts';

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
];
const SETTINGS = ['', '?tab=vault', '?tab=operators', '?tab=roles', '?tab=environments'];

let page: Page;
photographFailures(() => page);

const fileName = (path: string): string => path.replaceAll(/[/?=]+/g, '-');

/** Opens a page by its address and inspects it. */
async function visit(path: string, name = fileName(path)): Promise<string[]> {
  await goTo(page, `/${path}`);
  await page.waitForFunction(
    (hash) => location.hash === hash && document.querySelector('#main h1') !== null,
    `#/${path}`,
  );
  return inspectScreen(page, name);
}

/** Inspects the dialog that is open and closes it. */
async function dialog(name: string, text: string | RegExp): Promise<string[]> {
  await page.getByRole('dialog').getByText(text).first().waitFor({ timeout: PATIENCE });
  const wrong = await inspectScreen(page, name);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').first().waitFor({ state: 'hidden' });
  return wrong;
}

describe('before there is anything', () => {
  const passphrase = 'correct horse battery';
  let desktop: LaunchedConsole;
  let home: string;

  const start = async (): Promise<void> => {
    desktop = await launchConsole({ env: { HOME: home } });
    page = desktop.page;
  };
  beforeAll(async () => {
    home = makeHome();
    await start();
  });
  afterAll(async () => {
    await desktop?.close();
    removeHome(home);
  });

  it('the making of a vault and its recovery key', async () => {
    await heading(page, 'Create a vault').waitFor({ timeout: PATIENCE });
    const wrong = await inspectScreen(page, 'gate-create');
    await button(page, 'Restore from a backup').click();
    wrong.push(...(await inspectScreen(page, 'gate-restore')));
    await button(page, 'Back').click();
    await button(page, 'Verify an exported audit log').click();
    wrong.push(...(await inspectScreen(page, 'gate-verify-file')));
    await button(page, 'Back').click();
    await page.getByRole('radio', { name: 'under a passphrase' }).check();
    await button(page, 'Create the vault').click();
    wrong.push(...(await inspectScreen(page, 'gate-create-mistakes')));
    await page.getByLabel('Operator name', { exact: true }).fill('ada');
    await page.getByLabel('Person', { exact: true }).fill('Ada Lovelace');
    for (const label of ['Passphrase', 'Passphrase again', 'Vault passphrase', 'Again'])
      await page.getByLabel(label, { exact: true }).fill(passphrase);
    await button(page, 'Create the vault').click();
    await heading(page, 'Your recovery key').waitFor({ timeout: PATIENCE });
    wrong.push(...(await inspectScreen(page, 'gate-recovery-key')));
    const key = (await page.getByTestId('recovery-key').innerText()).replace(/\s/g, '');
    await page.getByLabel('Type the last group of the key').fill(key.slice(-4));
    await button(page, 'Continue').click();
    await titled(page, 'Overview').or(heading(page, 'Sign in')).waitFor();
    expect(wrong).toEqual([]);
  });

  it('the empty rooms', async () => {
    if (await heading(page, 'Sign in').isVisible()) {
      await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
      await button(page, 'Sign in').click();
    }
    await titled(page, 'Overview').waitFor();
    const wrong: string[] = [];
    for (const room of [...ROOMS, 'settings?tab=environments'])
      wrong.push(...(await visit(room, `empty-${fileName(room)}`)));
    expect(wrong).toEqual([]);
  });

  it('the locked vault and its recovery', async () => {
    expect(await desktop.close()).toBe(0);
    await start();
    await heading(page, 'The vault is locked').waitFor({ timeout: PATIENCE });
    await page.getByLabel('Vault passphrase', { exact: true }).fill('not this one');
    await button(page, 'Unlock').click();
    await page.getByRole('alert').waitFor({ timeout: PATIENCE });
    const wrong = await inspectScreen(page, 'gate-locked-refused');
    await button(page, 'Use the recovery key instead').click();
    await page.getByRole('radio', { name: 'under a passphrase' }).check();
    wrong.push(...(await inspectScreen(page, 'gate-recover')));
    expect(wrong).toEqual([]);
  });
});

describe('in the sample workspace', () => {
  let desktop: SampleDesktop;
  let requestId = '';

  /** The newest of a list, asked for over the page's own bridge. */
  const newest = <T>(channel: string, input: unknown): Promise<T> =>
    page.evaluate(
      async ([name, value]) => {
        const { sallyport } = globalThis as unknown as {
          sallyport: { call(channel: string, input: unknown): Promise<{ ok: boolean; value: unknown[] }> };
        };
        return (await sallyport.call(name as string, value)).value[0] as T;
      },
      [channel, input] as const,
    );

  beforeAll(async () => {
    desktop = await startSample();
    page = desktop.page;
  });
  afterAll(async () => {
    await desktop?.remove();
  });

  it('the door', async () => {
    await page.getByRole('complementary', { name: 'Sample workspace' }).waitFor();
    const wrong = await inspectScreen(page, 'gate-sign-in');
    await page.getByRole('button', { name: /^ana\b/ }).click();
    await page.getByLabel('Passphrase', { exact: true }).fill('not this one');
    await button(page, 'Sign in').click();
    await page.getByRole('alert').waitFor({ timeout: PATIENCE });
    wrong.push(...(await inspectScreen(page, 'gate-sign-in-refused')));
    await signInAs(desktop, 'ana');
    expect(wrong).toEqual([]);
  });

  it('the rooms', async () => {
    await goTo(page, '/releases');
    await page
      .getByRole('table', { name: 'Release requests' })
      .getByText('phish-url@1.1.0')
      .waitFor({ timeout: PATIENCE });
    const wrong: string[] = [];
    for (const room of [...ROOMS, ...SETTINGS.map((tab) => `settings${tab}`)])
      wrong.push(...(await visit(room)));
    expect(wrong).toEqual([]);
  });

  it('a version with all its tabs', async () => {
    const wrong: string[] = [];
    for (const tab of ['', '?tab=scan', '?tab=mapping', '?tab=validation', '?tab=deployed'])
      wrong.push(...(await visit(`models/phish-url/1.1.0${tab}`, `version${fileName(tab)}`)));
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Revoke' }).waitFor();
    wrong.push(...(await inspectScreen(page, 'version-menu')));
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    wrong.push(...(await dialog('dialog-revoke', 'This cannot be undone')));
    expect(wrong).toEqual([]);
  });

  it('the evidence: reports, comparison, what-if', async () => {
    const report = await newest<{ id: string }>('validation.list', { ref: null });
    const wrong = await visit(`validate/${report.id}`, 'report');
    const comparison = await newest<{ id: string }>('comparison.list', { ref: null });
    wrong.push(...(await visit(`compare/${comparison.id}`, 'comparison')));
    await goTo(page, '/validate');
    await titled(page, 'Validate').waitFor();
    await page.getByRole('radiogroup').getByText('What if').click();
    wrong.push(...(await inspectScreen(page, 'validate-what-if')));
    expect(wrong).toEqual([]);
  });

  it('a file that is looked into, one that is refused, one that is no model', async () => {
    const wrong: string[] = [];
    await goTo(page, '/models');
    await titled(page, 'Models').waitFor();
    await desktop.dropFiles('main', [sampleFile('phish-url-1.2.0.onnx')]);
    wrong.push(...(await dialog('dialog-inspect', 'What is in the file')));
    const evil = join(desktop.home, 'evil-1.0.0.onnx');
    writeFileSync(evil, minimalOnnx({ externalLocation: '../../etc/passwd' }));
    await desktop.dropFiles('main', [evil]);
    wrong.push(...(await dialog('dialog-inspect-refused', 'A critical finding')));
    const letter = join(desktop.home, 'letter.onnx');
    writeFileSync(letter, 'Dear all, this is no model. '.repeat(20));
    await desktop.dropFiles('main', [letter]);
    wrong.push(...(await dialog('dialog-inspect-not-onnx', /model\./)));
    expect(wrong).toEqual([]);
  });

  it('what is not there, and what matches nothing', async () => {
    const wrong = await visit('models/phish-url/9.9.9', 'error-no-such-version');
    wrong.push(...(await visit('nowhere', 'error-no-such-page')));
    await goTo(page, '/models');
    await page.getByRole('combobox', { name: 'Search versions' }).fill('nothing like it');
    await page.getByText('Nothing matches').waitFor();
    wrong.push(...(await inspectScreen(page, 'models-no-match')));
    expect(wrong).toEqual([]);
  });

  it('the palette, the shortcuts and the dialogs of the settings', async () => {
    await goTo(page, '/settings?tab=operators');
    await button(page, 'Add an operator').click();
    const wrong = await dialog('dialog-operator', 'Roles');
    await goTo(page, '/settings?tab=environments');
    await button(page, 'Edit the policy').click();
    wrong.push(...(await dialog('dialog-policy', 'Review the change')));
    await goTo(page, '/endpoints');
    await button(page, 'Add an endpoint').click();
    wrong.push(...(await dialog('dialog-endpoint', 'Fingerprint')));
    await page.keyboard.press('?');
    wrong.push(...(await dialog('dialog-shortcuts', 'Search and commands')));
    await page.keyboard.press('Control+K');
    wrong.push(...(await dialog('dialog-palette', 'Add a model')));
    expect(wrong).toEqual([]);
  });

  it('what is new to look up, compare, collect, describe and rekey', async () => {
    const wrong: string[] = [];
    await goTo(page, '/models');
    const search = page.getByRole('combobox', { name: 'Search versions' });
    await search.fill('me');
    await page.getByRole('option', { name: /metric/ }).waitFor();
    wrong.push(...(await inspectScreen(page, 'models-completion')));
    await search.fill('nam:phish');
    await page.getByText('Did you mean “name”?').waitFor();
    wrong.push(...(await inspectScreen(page, 'models-query-problem')));
    await search.fill('');
    wrong.push(...(await visit('models/compare', 'compare-versions-empty')));
    const pair = 'models/compare?a=phish-url%401.0.0&b=phish-url%401.1.0';
    await goTo(page, `/${pair}`);
    await page.getByRole('table', { name: /field by field/ }).waitFor();
    wrong.push(...(await inspectScreen(page, 'compare-versions')));
    await goTo(page, '/models/phish-url/1.1.0');
    await button(page, 'Edit…').click();
    wrong.push(...(await dialog('dialog-describe', 'Training parameters')));
    await goTo(page, '/settings?tab=vault');
    await button(page, 'Rekey…').click();
    wrong.push(...(await dialog('dialog-rekey', 'How far')));
    await goTo(page, '/models');
    await button(page, 'Free space…').click();
    wrong.push(...(await dialog('dialog-collect', 'Freed')));
    await goTo(page, '/audit');
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Check every model file' }).click();
    wrong.push(...(await dialog('dialog-sweep', 'Check all')));
    expect(wrong).toEqual([]);
  });

  it('a request for a release, and what its approver sees', async () => {
    requestId = (await newest<{ record: { id: string } }>('requests.list', {})).record.id;
    const wrong = await visit(`releases/${requestId}`, 'request');
    await goTo(page, '/releases/new');
    await titled(page, 'New release request').waitFor();
    await choose(page, 'Version', /1\.1\.0/);
    await page.getByRole('table', { name: /gates/i }).waitFor();
    wrong.push(...(await inspectScreen(page, 'releases-new-filled')));
    await signInAs(desktop, 'ben');
    wrong.push(...(await visit('overview', 'overview-waiting')));
    await goTo(page, '/models/phish-url/1.1.0');
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Set an alias' }).click();
    wrong.push(...(await dialog('dialog-alias', 'An alias moves')));
    await goTo(page, `/releases/${requestId}`);
    await button(page, 'Reject').click();
    wrong.push(...(await dialog('dialog-reject', 'Reason')));
    await button(page, 'Approve').click();
    wrong.push(...(await dialog('dialog-approve', 'Passphrase of ben')));
    expect(wrong).toEqual([]);
  });

  it('a rollout under way', async () => {
    for (const name of ['ben', 'cleo']) {
      await signInAs(desktop, name);
      await goTo(page, `/releases/${requestId}`);
      await button(page, 'Approve').click();
      await page.getByLabel(`Passphrase of ${name}`, { exact: true }).fill(desktop.operator(name).passphrase);
      await button(page, 'Sign the approval').click();
      await page.getByRole('dialog').waitFor({ state: 'hidden', timeout: PATIENCE });
    }
    await button(page, 'Deploy').click();
    const wrong = await dialog('dialog-deploy', 'It runs the signed plan');
    await button(page, 'Deploy').click();
    await button(page, 'Start the rollout').click();
    await page.getByRole('list', { name: 'Phases of the rollout' }).waitFor({ timeout: PATIENCE });
    await page.locator('main canvas').first().waitFor({ timeout: PATIENCE });
    wrong.push(...(await inspectScreen(page, 'rollout-running')));
    // The message goes by itself: half faded it can be read by nobody, and is not meant to be.
    await notice(page, 'has started').waitFor({ state: 'hidden' });
    wrong.push(...(await visit('rollouts', 'rollouts-running')));
    wrong.push(...(await visit('overview', 'overview-rollout')));
    wrong.push(...(await visit('endpoints', 'endpoints-rollout')));
    expect(wrong).toEqual([]);
  });

  it('a rollout that was aborted, and the log that tells of it', async () => {
    const { state } = await newest<{ state: { id: string } }>('rollouts.list', {});
    await goTo(page, `/rollouts/${state.id}`);
    await button(page, 'Abort').click();
    const wrong = await dialog('dialog-abort', 'Reason');
    await button(page, 'Abort').click();
    await button(page.getByRole('dialog'), 'Abort').click();
    await expect.poll(() => page.locator('h1').textContent(), { timeout: PATIENCE }).toContain('rolled back');
    // A message half faded can be read by nobody, and is not meant to be.
    await expect
      .poll(() => page.locator('.mantine-Notification-root').count(), { timeout: PATIENCE })
      .toBe(0);
    wrong.push(...(await inspectScreen(page, 'rollout-rolled-back')));
    await goTo(page, '/audit');
    await button(page, 'Verify now').click();
    await page.getByRole('status', { name: 'Outcome of the verification' }).waitFor({ timeout: PATIENCE });
    wrong.push(...(await inspectScreen(page, 'audit-verdict')));
    await page.getByRole('table', { name: 'Audit log' }).getByRole('row').nth(1).click();
    wrong.push(...(await dialog('drawer-entry', 'Canonical JSON')));
    expect(wrong).toEqual([]);
  });
});
