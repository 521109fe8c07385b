/**
 * The user's whole path through the window, against real services, a real vault and the sample's real agent process:
 * evidence, request, quorum, canary, rollback, proof. The tests build on each other, in order.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { photographFailures } from './support/failures.ts';
import {
  button,
  choose,
  fillNumber,
  goTo,
  inkOf,
  notice,
  openRoom,
  PATIENCE,
  type SampleDesktop,
  sampleFile,
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

/** Waits until the sample's own first release is out and its next one is submitted. */
async function samplePrepared(): Promise<void> {
  await openRoom(page, 'Releases');
  const table = page.getByRole('table', { name: 'Release requests' });
  await table.getByText('phish-url@1.1.0').waitFor({ timeout: PATIENCE });
}

interface QuickPlan {
  /** Percent of mirrored answers that may differ. */
  readonly disagreement: number;
  readonly pairs: number;
}

/** Submits a version with a plan whose steps take about a second each; answers the request's address. */
async function submit(version: string, plan: QuickPlan): Promise<string> {
  await goTo(page, `/models/phish-url/${version}`);
  await button(page, 'Submit for release').click();
  await titled(page, 'New release request').waitFor();
  await fillNumber(page, 'Bake', 1);
  await fillNumber(page, 'Step timeout', 60);
  await fillNumber(page, 'Least requests for a verdict', 5);
  // Two busy cores make any latency; the guard on it is tried elsewhere.
  await fillNumber(page, 'p95 below this is never a breach', 5000);
  await fillNumber(page, 'Highest disagreement in percent', plan.disagreement);
  await fillNumber(page, 'Least pairs for a verdict', plan.pairs);
  const send = button(page, 'Sign and submit');
  expect(await send.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel('Passphrase of ana', { exact: true }).fill(desktop.operator('ana').passphrase);
  await send.click();
  await titled(page, `phish-url@${version} for production`).waitFor({ timeout: PATIENCE });
  return new URL(page.url()).hash.slice(1);
}

/** Signs the approval as one release manager. */
async function approve(name: string, address: string): Promise<void> {
  await signInAs(desktop, name);
  await goTo(page, address);
  await button(page, 'Approve').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(`Passphrase of ${name}`, { exact: true }).fill(desktop.operator(name).passphrase);
  await button(dialog, 'Sign the approval').click();
  await dialog.waitFor({ state: 'hidden', timeout: PATIENCE });
}

async function deploy(): Promise<void> {
  await button(page, 'Deploy').click();
  const dialog = page.getByRole('dialog');
  const start = button(dialog, 'Start the rollout');
  await dialog.getByRole('combobox', { name: 'Target' }).waitFor();
  await start.click();
  await page.getByRole('list', { name: 'Phases of the rollout' }).waitFor({ timeout: PATIENCE });
}

const station = (label: string) =>
  page.getByRole('list', { name: 'Phases of the rollout' }).getByRole('listitem').filter({ hasText: label });

describe('evidence', () => {
  it('waits ready: one version serves and the next one waits for its approvers', async () => {
    await samplePrepared();
    expect(await desktop.servedVersion()).toBe('1.0.0');
  });

  it('validates a version on a dataset chosen by dialog, and shows gates and drawn charts', async () => {
    await goTo(page, '/models/phish-url/1.2.0');
    await titled(page, 'phish-url@1.2.0').waitFor();
    await button(page, 'Validate').click();
    await titled(page, 'Validate').waitFor();
    await desktop.answerDialog({ paths: [sampleFile('labelled.csv')] });
    await button(page, 'Data: browse').click();
    await page.getByText('labelled.csv', { exact: true }).first().waitFor();
    await button(page, 'Run the validation').click();

    await titled(page, 'Validation of phish-url@1.2.0').waitFor({ timeout: PATIENCE });
    expect(await titled(page, 'Validation of phish-url@1.2.0').textContent()).toContain('passed');
    const gates = page.getByRole('table', { name: /gates/i });
    expect(await gates.getByRole('row').count()).toBeGreaterThan(5);
    const charts = page.locator('main canvas');
    await expect.poll(() => charts.count()).toBeGreaterThanOrEqual(2);
    for (const chart of await charts.all()) {
      await expect.poll(() => inkOf(chart)).toBeGreaterThan(0.005);
      expect(await chart.getAttribute('aria-label')).not.toBeNull();
    }
    const confusion = await page.getByRole('table', { name: 'Confusion matrix' }).innerText();
    const counts = [...confusion.matchAll(/^([\d,]+)$/gm)].map(([, count]) =>
      Number(count?.replaceAll(',', '')),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4000);
  });

  it('says in words what is wrong with a column that holds no labels', async () => {
    await openRoom(page, 'Validate');
    await choose(page, 'Version', /1\.2\.0/);
    await desktop.answerDialog({ paths: [sampleFile('labelled.csv')] });
    await button(page, 'Data: browse').click();
    await page.getByText('labelled.csv', { exact: true }).first().waitFor();
    await page.getByRole('combobox', { name: 'Label column' }).waitFor({ timeout: PATIENCE });
    await choose(page, 'Label column', 'family');
    await button(page, 'Run the validation').click();
    const problem = page.locator('main').getByRole('alert');
    await problem.waitFor({ timeout: PATIENCE });
    expect(await problem.innerText()).toMatch(/family|label/i);
    expect(await problem.innerText()).toMatch(/dataset\./);
  });

  it('compares a challenger with the champion and shows the very rows on which they differ', async () => {
    await openRoom(page, 'Compare');
    await choose(page, 'Challenger', /1\.2\.0/);
    // The version that is the champion stands against it by itself.
    const champion = page.getByRole('combobox', { name: 'Champion', exact: true });
    await expect.poll(() => champion.inputValue()).toContain('phish-url@1.0.0');
    await desktop.answerDialog({ paths: [sampleFile('labelled.csv')] });
    await button(page, 'Data: browse').click();
    await page.getByText('labelled.csv', { exact: true }).first().waitFor();
    await button(page, 'Compare').click();
    await titled(page, 'phish-url@1.2.0 against phish-url@1.0.0').waitFor({ timeout: PATIENCE });
    await page.getByRole('link', { name: 'Look at rows' }).click();
    const rows = page.getByRole('table', { name: 'Rows', exact: true });
    const first = rows.getByRole('row').nth(1);
    await first.waitFor({ timeout: PATIENCE });
    expect(await first.innerText()).toMatch(/fixed|broken|both wrong/);
    expect(await rows.getByRole('row').count()).toBeGreaterThan(5);
  });
});

describe('release', () => {
  let address: string;

  it('submits a version with its evidence and a plan of its own', async () => {
    address = await submit('1.1.0', { disagreement: 40, pairs: 5 });
    expect(await page.locator('main').innerText()).toContain('1 s each');
    expect(await page.getByRole('table', { name: 'Files of the release directory' }).innerText()).toContain(
      'dossier.json',
    );
  });

  it('does not let its submitter approve it, and says why on the button', async () => {
    const approveButton = button(page, 'Approve');
    expect(await approveButton.getAttribute('aria-disabled')).toBe('true');
    await approveButton.hover();
    const reason = page.getByRole('tooltip');
    await reason.waitFor();
    expect((await reason.innerText()).length).toBeGreaterThan(10);
    await approveButton.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('refuses an approval under a wrong passphrase, inside the dialog', async () => {
    await signInAs(desktop, 'ben');
    await goTo(page, address);
    await button(page, 'Approve').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Passphrase of ben', { exact: true }).fill('not this one');
    await button(dialog, 'Sign the approval').click();
    const problem = dialog.getByRole('alert');
    await problem.waitFor({ timeout: PATIENCE });
    expect(await problem.innerText()).toContain('auth.failed');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('reaches its quorum with the approvals of two people', async () => {
    await approve('ben', address);
    await page.getByText('1 of 2', { exact: true }).waitFor();
    await approve('cleo', address);
    await page.getByText('2 of 2', { exact: true }).waitFor();
    expect(await titled(page, 'phish-url@1.1.0 for production').textContent()).toContain('approved');
  });

  it('goes out as a canary whose charts are drawn live, until it has completed', async () => {
    await deploy();
    const charts = page.locator('main canvas');
    await expect.poll(() => charts.count(), { timeout: PATIENCE }).toBe(4);
    await station('Completed').and(page.locator('[data-status="done"]')).waitFor({ timeout: PATIENCE });
    for (const percent of ['10 %', '50 %', '100 %'])
      expect(await station(percent).first().getAttribute('data-status')).toBe('done');
    expect(await titled(page, 'phish-url@1.1.0 to production').textContent()).toContain('completed');
    for (const chart of await charts.all()) await expect.poll(() => inkOf(chart)).toBeGreaterThan(0.003);
    expect(await page.locator('main').innerText()).toContain('promote');
    expect(await desktop.servedVersion()).toBe('1.1.0');
  });

  it('goes back in one click from Endpoints, and the agent serves the former version', async () => {
    await openRoom(page, 'Endpoints');
    const card = page.getByRole('region', { name: 'sample-agent' });
    await button(card, 'Roll back').click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.innerText()).toContain('phish-url@1.0.0 serves again');
    await button(dialog, 'Roll back now').click();
    await notice(page, 'phish-url@1.0.0 serves again').waitFor({ timeout: PATIENCE });
    expect(await desktop.servedVersion()).toBe('1.0.0');
  });

  it('stops itself and goes back when the new version disagrees too often', async () => {
    await signInAs(desktop, 'ana');
    const next = await submit('1.2.0', { disagreement: 2, pairs: 60 });
    await approve('ben', next);
    await approve('cleo', next);
    await deploy();
    await expect
      .poll(() => titled(page, 'phish-url@1.2.0 to production').textContent(), { timeout: PATIENCE })
      .toContain('rolled back');
    expect(await page.locator('main').innerText()).toMatch(/disagree/i);
    expect(await desktop.servedVersion()).toBe('1.0.0');
  });

  it('can be withdrawn by its submitter, and then offers no deployment', async () => {
    await signInAs(desktop, 'ana');
    await openRoom(page, 'Releases');
    const open = page
      .getByRole('table', { name: 'Release requests' })
      .getByRole('row')
      .filter({ hasText: 'phish-url@1.1.0' })
      .filter({ hasText: 'open' });
    await open.first().click();
    await button(page, 'Withdraw').click();
    await button(page.getByRole('dialog'), 'Withdraw').click();
    await expect
      .poll(() => titled(page, 'phish-url@1.1.0 for production').textContent())
      .toContain('withdrawn');
    expect(await button(page, 'Deploy').count()).toBe(0);
  });
});

describe('proof', () => {
  it('verifies the log on demand and shows the verdict', async () => {
    await signInAs(desktop, 'cleo');
    await openRoom(page, 'Audit');
    await button(page, 'Verify now').click();
    const verdict = page.getByRole('status', { name: 'Outcome of the verification' });
    await verdict.waitFor({ timeout: PATIENCE });
    const text = await verdict.innerText();
    expect(text).toContain('The log is intact');
    expect(text).toMatch(/[1-9]\d* signatures? verified/);
  });

  it('finds entries by who, what and about what', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('request.approve');
    const table = page.getByRole('table', { name: 'Audit log' });
    await expect
      .poll(async () =>
        (await table.getByRole('row').allInnerTexts())
          .slice(1)
          .every((row) => row.includes('request.approve')),
      )
      .toBe(true);
    // Two approvals of the sample's own release and two of each of ours.
    expect(await table.getByRole('row').count()).toBe(1 + 6);
  });

  it('opens an entry with the very bytes that were hashed', async () => {
    await page.getByRole('table', { name: 'Audit log' }).getByRole('row').nth(1).click();
    const drawer = page.getByRole('dialog', { name: /^Entry / });
    const canonical = await drawer.locator('pre').innerText();
    const shown = await drawer.innerText();
    const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical));
    expect(shown).toContain(Buffer.from(bytes).toString('hex'));
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
  });

  it('exports the log to a file chosen by dialog, one line for each entry', async () => {
    const path = join(desktop.home, 'audit.jsonl');
    await desktop.answerDialog({ paths: [path] });
    await button(page, 'More').click();
    await page.getByRole('menuitem', { name: 'Export the log' }).click();
    await notice(page, /entries written/).waitFor({ timeout: PATIENCE });
    expect(existsSync(path)).toBe(true);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(40);
    for (const line of lines) JSON.parse(line);
  });
});
