import { describe, expect, test } from 'vitest';
import { createIdSource, createSystem } from '../../../electron/adapters/system/system.ts';

describe('identifiers', () => {
  test('rise strictly, also within one millisecond and when the clock steps back', () => {
    const times = [1000, 1000, 1000, 2000, 500, 500, 2001];
    let at = 0;
    const newId = createIdSource(() => times[at++] ?? 0);
    const ids = times.map(() => newId());
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('are 26 URL-safe characters whose first ten are the time', () => {
    const id = createIdSource(() => 2 ** 48 - 1)();
    expect(id).toMatch(/^7zzzzzzzzz[0-9a-hjkmnp-tv-z]{16}$/);
  });

  test('of two processes do not meet', () => {
    const sources = [createIdSource(() => 1), createIdSource(() => 1)];
    const ids = sources.flatMap((newId) => Array.from({ length: 1000 }, newId));
    expect(new Set(ids).size).toBe(2000);
  });
});

test('sleeping ends with the reason of the signal', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const sleeping = createSystem().sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});
