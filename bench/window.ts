/**
 * `window`: a vault with 100,000 versions, opened in the window. First contentful paint against a static page in the
 * same runtime; then the table of models is filled and scrolled, at once while it is still being filled and again when
 * every row is there. The time between frames is taken while it moves, against the same scrolling of a static page.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { programFiles } from '../electron/adapters/system/program.ts';
import { createConsoleFactory } from '../electron/compose.ts';
import { QUIET_JOB } from '../electron/sample/workspace.ts';
import { versionMetadataSchema } from '../shared/domain/model/version.ts';
import { launchConsole } from '../test/e2e/support/launch.ts';
import { median, percentile } from './support/measure.ts';
import { built, ROOT } from './support/program.ts';
import { type Bench, row } from './support/row.ts';
import { sampleModel } from './support/sample-rows.ts';
import { launchStaticWindow } from './support/static-window.ts';

const VERSIONS = 100_000;
const SCROLL_MS = 2000;
const SCROLLS = 3;

const passphrase = (): string => randomBytes(18).toString('base64url');

/** Milliseconds from navigation to the first painted content. */
function firstPaint(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const seen = performance.getEntriesByName('first-contentful-paint')[0];
        if (seen !== undefined) resolve(seen.startTime);
        else
          new PerformanceObserver((list) => {
            const entry = list.getEntriesByName('first-contentful-paint')[0];
            if (entry !== undefined) resolve(entry.startTime);
          }).observe({ type: 'paint', buffered: true });
      }),
  );
}

/** Scrolls the tallest scrollable element by a fixed speed and answers the milliseconds between frames. */
function scrollFrames(page: Page, durationMs: number): Promise<number[]> {
  return page.evaluate(
    (duration) =>
      new Promise<number[]>((resolve) => {
        const scrollable = [document.scrollingElement, ...document.querySelectorAll('*')].filter(
          (element): element is Element =>
            element !== null && element.scrollHeight > element.clientHeight + 200,
        );
        const tallest = scrollable.sort((a, b) => b.scrollHeight - a.scrollHeight)[0];
        if (tallest === undefined) {
          resolve([]);
          return;
        }
        const frames: number[] = [];
        const began = performance.now();
        let last = began;
        const step = (now: number): void => {
          frames.push(now - last);
          last = now;
          tallest.scrollTop = ((now - began) * 4) % (tallest.scrollHeight - tallest.clientHeight);
          if (now - began < duration) requestAnimationFrame(step);
          else resolve(frames.slice(1));
        };
        requestAnimationFrame(step);
      }),
    durationMs,
  );
}

export const window: Bench = async ({ directory, say }) => {
  const home = join(directory, 'home');
  mkdirSync(home);
  const path = join(directory, 'vault');
  const secrets = { vault: passphrase(), operator: passphrase() };
  say(`a vault of ${VERSIONS.toLocaleString('en')} versions`);
  const factory = createConsoleFactory({ files: programFiles(join(ROOT, 'out/main'), built('cli.js')) });
  const { console: created } = await factory.create(path, {
    operator: 'bench',
    person: 'Bench',
    operatorPassphrase: secrets.operator,
    keys: { kind: 'passphrase', passphrase: secrets.vault },
  });
  const actor = await created.services.session.signIn({ operator: 'bench', passphrase: secrets.operator });
  const { version: template } = await created.services.models.add(
    actor,
    {
      path: sampleModel('1.0.0').path,
      name: 'template',
      version: '1.0.0',
      parent: null,
      metadata: versionMetadataSchema.parse(
        JSON.parse(readFileSync(join(factory.files.sampleData, 'metadata-1.0.0.json'), 'utf8')),
      ),
    },
    QUIET_JOB,
  );
  created.vault.store.transaction((tx) => {
    for (let index = 0; index < VERSIONS; index++) {
      const name = `detector-${String(index % 500).padStart(3, '0')}`;
      tx.insertVersion({
        ...template,
        name,
        version: `1.${Math.floor(index / 500)}.0`,
        parent: null,
        digest: index.toString(16).padStart(64, '0'),
        id: `bench-${index}`,
        artifactId: index.toString(16).padStart(32, '0'),
      });
    }
  });
  await created.close();

  const bare = await launchStaticWindow(home);
  const barePaint = await firstPaint(bare.page);
  await bare.page.evaluate((count) => {
    const list = document.createElement('div');
    for (let index = 0; index < count; index++) {
      const line = document.createElement('div');
      line.textContent = `line ${index}`;
      line.style.height = '40px';
      list.append(line);
    }
    document.body.append(list);
  }, VERSIONS / 10);
  const bareFrames = await scrollFrames(bare.page, SCROLL_MS);
  await bare.close();

  const opened = await launchConsole({
    args: ['--vault', path],
    env: { HOME: home },
  });
  try {
    const { page } = opened;
    const paint = await firstPaint(page);
    say('unlock, sign in, list');
    await unlockAndSignIn(page, secrets);
    const began = performance.now();
    await page.getByRole('link', { name: 'Models' }).first().click();
    await page.getByText('detector-').first().waitFor();
    const listed = performance.now() - began;
    const filling = await framesOfScrolls(page);
    say('every row');
    await page.getByText(`${(VERSIONS + 1).toLocaleString('en-US')} versions`).waitFor({ timeout: 120_000 });
    const filled = performance.now() - began;
    const full = await framesOfScrolls(page);
    return [
      row({
        name: 'window.first-paint',
        value: paint,
        unit: 'ms',
        limit: { what: 'a static page', value: barePaint },
        goal: { atMost: 1000, of: 'value' },
      }),
      row({
        name: `window.models-listed (${VERSIONS})`,
        value: listed,
        unit: 'ms',
        goal: { atMost: 1000, of: 'value' },
      }),
      row({ name: `window.models-all-read (${VERSIONS})`, value: filled, unit: 'ms' }),
      ...Object.entries({ 'while it fills': filling, [`${VERSIONS} rows`]: full }).map(([when, frames]) =>
        row({
          name: `window.scroll-frame-p95 (${when})`,
          value: frames,
          unit: 'ms',
          limit: { what: 'a static page', value: percentile(bareFrames, 95) },
          goal: { atMost: 1.2, of: 'limit' },
        }),
      ),
    ];
  } finally {
    await opened.close();
  }
};

/** Milliseconds between frames, p95, median of several scrolls. */
async function framesOfScrolls(page: Page): Promise<number> {
  const scrolls: number[] = [];
  for (let run = 0; run < SCROLLS; run++) {
    const frames = await scrollFrames(page, SCROLL_MS);
    if (frames.length === 0) throw new Error('The table of models does not scroll.');
    scrolls.push(percentile(frames, 95));
  }
  return median(scrolls);
}

/** As a person does it: the vault's passphrase, then the operator's; the only operator is chosen already. */
async function unlockAndSignIn(page: Page, secrets: { vault: string; operator: string }): Promise<void> {
  await page.getByLabel('Vault passphrase').fill(secrets.vault);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Passphrase', { exact: true }).fill(secrets.operator);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
}
