import { appendFile, mkdtemp, open, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStable } from '../../../shared/node/files/stable-source.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stable-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Reads 3 MiB, calling `change` after the first piece; answers how many bytes came. */
async function read(change: (path: string) => Promise<void>): Promise<number> {
  const path = join(dir, 'model.onnx');
  await writeFile(path, Buffer.alloc(3 * 1024 * 1024));
  // The time of change has the granularity of the system's clock tick: set it apart from "now".
  await utimes(path, 1_000_000, 1_000_000);
  const handle = await open(path, 'r');
  let bytes = 0;
  try {
    for await (const piece of readStable(handle, path)) {
      if (bytes === 0) await change(path);
      bytes += piece.length;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

describe('reading a file that others may write', () => {
  it('given nobody does, all of it comes', async () => {
    expect(await read(async () => {})).toBe(3 * 1024 * 1024);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['grows', (path) => appendFile(path, 'x')],
    ['shrinks', (path) => truncate(path, 2 * 1024 * 1024)],
    ['is overwritten in place', (path) => writeFile(path, 'x', { flag: 'r+' })],
  ])('given it %s meanwhile, the end is an error', async (_what, change) => {
    await expect(read(change)).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('changed'),
    });
  });
});
