/** A picture of the window for each test that failed: what a person would have seen. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach } from 'vitest';

export const SCREENSHOTS = resolve(import.meta.dirname, '../screenshots');

/** Registers the hook for the file's tests; `page` is asked at the moment of the failure. */
export function photographFailures(page: () => Page | undefined): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const folder = join(SCREENSHOTS, 'failed');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${task.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 80)}.png`);
    await page()
      ?.screenshot({ path, timeout: 5000 })
      .catch(() => undefined);
  });
}
