/** Looks at a screen as it is, in both themes and two sizes: takes its pictures and asks axe what is wrong with it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { SCREENSHOTS } from './failures.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES = ['light', 'dark'] as const;
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;

interface Found {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}
interface AxeWindow {
  readonly axe?: { run(): Promise<{ readonly violations: readonly Found[] }> };
}

/** Rules of accessibility the page breaks now: impact, rule, where, why. */
export async function violations(page: Page): Promise<string[]> {
  // Evaluated from outside, so the page's own content security policy stays as it is.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const found = await page.evaluate(
    async () => (await (globalThis as AxeWindow).axe?.run())?.violations ?? [],
  );
  // Menus and messages live in a portal beside the landmarks: `region` asks for more than the practice does.
  return found
    .filter(({ id }) => id !== 'region')
    .flatMap(({ id, impact, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) =>
          `${impact} ${id} at ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`,
      ),
    );
}

/** What would make a picture show a passing state: loading bars, or a transition under way. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      document.querySelector('[aria-busy="true"], .mantine-Skeleton-root') === null &&
      document
        .getAnimations()
        .every(
          (animation) =>
            animation.playState !== 'running' ||
            animation.effect?.getTiming().iterations === Number.POSITIVE_INFINITY,
        ),
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Of two looks the second: a message that fades away while it is looked at has a passing contrast. */
async function lastingViolations(page: Page): Promise<string[]> {
  if ((await violations(page)).length === 0) return [];
  await settled(page);
  return violations(page);
}

/** A scroll bar at the bottom of the window means that a page does not fit its smallest size. */
async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const found =
      scrollWidth > clientWidth ? [`the document is ${scrollWidth} px wide in ${clientWidth}`] : [];
    const main = document.querySelector('main > *');
    if (main !== null && main.scrollWidth > main.clientWidth + 1)
      found.push(`the page is ${main.scrollWidth} px wide in ${main.clientWidth}`);
    return found;
  });
}

/**
 * Photographs the window as `<name>-<theme>-<width>.png` in both themes and sizes and answers what is wrong with it:
 * broken rules of accessibility and what does not fit. The theme follows the system here.
 */
export async function inspectScreen(page: Page, name: string): Promise<string[]> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const wrong: string[] = [];
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await settled(page);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${theme}-${size.width}.png`) });
      const problems = await overflow(page);
      if (size === SIZES[0]) problems.push(...(await lastingViolations(page)));
      wrong.push(...problems.map((problem) => `${name}, ${theme}, ${size.width}: ${problem}`));
    }
  }
  await page.setViewportSize(SIZES[0]);
  return wrong;
}
