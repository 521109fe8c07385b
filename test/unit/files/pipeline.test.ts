import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createHasher, createThreadHasher, type Hasher } from '../../../shared/node/files/hasher.ts';
import { readAhead } from '../../../shared/node/files/read-ahead.ts';
import { PIECES_AHEAD, readStable } from '../../../shared/node/files/stable-source.ts';
import { writeBehind } from '../../../shared/node/files/write-behind.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipeline-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function opened(name: string, flags: string): Promise<FileHandle> {
  const handle = await open(join(dir, name), flags);
  onTestFinished(() => handle.close().catch(() => {}));
  return handle;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('reading ahead', () => {
  it('answers in order, and never has more reads under way than asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { minLength: 1 }),
        async (count, ahead, turns) => {
          let running = 0;
          let most = 0;
          const seen: number[] = [];
          for await (const index of readAhead(count, ahead, async (index) => {
            most = Math.max(most, ++running);
            for (let left = turns[index % turns.length] ?? 0; left > 0; left--) await turn();
            running--;
            return index;
          })) {
            seen.push(index);
          }
          expect(seen).toEqual(Array.from({ length: count }, (_, index) => index));
          expect(most).toBeLessThanOrEqual(ahead);
        },
      ),
    );
  });

  it('given a read that fails, its turn fails, and none is left running', async () => {
    let running = 0;
    const seen: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const index of readAhead(10, 3, async (index) => {
        running++;
        await turn();
        running--;
        if (index >= 2) throw new Error(`read ${index}`);
        return index;
      })) {
        seen.push(index);
      }
    };
    await expect(reading()).rejects.toThrow('read 2');
    expect([seen, running]).toEqual([[0, 1], 0]);
  });

  it('given the caller stops, none is left running', async () => {
    let running = 0;
    for await (const _ of readAhead(10, 3, async () => {
      running++;
      await turn();
      running--;
    })) {
      break;
    }
    expect(running).toBe(0);
  });
});

describe('writing behind', () => {
  it('writes everything in order, from memory that is reused as soon as it may be', async () => {
    const handle = await opened('order', 'wx+');
    const waiting = 3;
    const queue = writeBehind(handle, waiting);
    const memory = Array.from({ length: waiting + 1 }, () => Buffer.alloc(4096));
    for (let index = 0; index < 200; index++) {
      const piece = memory[index % memory.length] ?? Buffer.alloc(0);
      piece.fill(index);
      await queue.write(piece.subarray(0, 1 + ((index * 37) % 4096)));
    }
    await queue.sync();
    const expected = Array.from({ length: 200 }, (_, index) =>
      Buffer.alloc(1 + ((index * 37) % 4096), index),
    );
    expect((await readFile(join(dir, 'order'))).equals(Buffer.concat(expected))).toBe(true);
  });

  it('sends what was written to the disk on the way, too', async () => {
    const handle = await opened('flush', 'wx');
    const queue = writeBehind(handle, 2);
    const piece = Buffer.alloc(1024 * 1024);
    for (let index = 0; index < 70; index++) await queue.write(piece);
    await queue.sync();
    expect((await handle.stat()).size).toBe(70 * 1024 * 1024);
  });

  // The device that is always full.
  it.runIf(process.platform === 'linux')(
    'given a full disk, the error is told and nothing follows it',
    async () => {
      const handle = await open('/dev/full', 'w');
      onTestFinished(() => handle.close());
      const queue = writeBehind(handle, 4);
      const writeAll = async (): Promise<void> => {
        for (let index = 0; index < 10; index++) await queue.write(Buffer.alloc(10));
      };
      await expect(writeAll()).rejects.toMatchObject({ code: 'ENOSPC' });
      await expect(queue.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
      await queue.settled();
    },
  );
});

describe('hashing', () => {
  const PIECE = 64 * 1024;
  const hashers: readonly [string, () => Promise<Hasher>][] = [
    ['here', async () => createHasher([Buffer.alloc(PIECE)])],
    ['in a thread', () => createThreadHasher(6, PIECE, 5)],
    ['in a thread that is waited for', () => createThreadHasher(1, PIECE, 0)],
  ];
  it.each(hashers)('%s, memory filled in turn gives the digest of all pieces, twice', async (_, create) => {
    const hasher = await create();
    onTestFinished(() => hasher.close());
    for (let round = 0; round < 2; round++) {
      const parts: Buffer[] = [];
      for (let index = 0; index < 100; index++) {
        const memory = hasher.memory[index % hasher.memory.length] as Buffer;
        const part = randomBytes(1 + ((index * 7919) % PIECE));
        part.copy(memory);
        parts.push(part);
        await hasher.update(memory.subarray(0, part.length));
      }
      expect(await hasher.digest()).toBe(sha256(Buffer.concat(parts)));
    }
    expect(await hasher.digest()).toBe(sha256(Buffer.alloc(0)));
  });

  it('in a thread refuses bytes it cannot see', async () => {
    const hasher = await createThreadHasher(1, 16, 0);
    onTestFinished(() => hasher.close());
    await expect(hasher.update(Buffer.alloc(16))).rejects.toThrow('does not lie in the memory');
  });

  it('given a thread that ended, an update and a digest are errors and do not wait for ever', async () => {
    const hasher = await createThreadHasher(1, 16, 0);
    await hasher.close();
    await expect(hasher.update(hasher.memory[0] as Buffer)).rejects.toThrow('ended');
    await expect(hasher.digest()).rejects.toThrow('ended');
  });
});

describe('a file read, hashed in a thread and reread', () => {
  it('given memory for the reads ahead and the lag, no piece is overwritten before it is hashed', async () => {
    const PIECE = 1024 * 1024;
    const bytes = randomBytes(40 * PIECE + 12_345);
    const handle = await opened('large', 'wx+');
    await handle.writeFile(bytes);
    const lag = 4;
    const hasher = await createThreadHasher(lag + PIECES_AHEAD + 1, PIECE, lag);
    onTestFinished(() => hasher.close());
    for await (const piece of readStable(handle, 'large', hasher.memory)) await hasher.update(piece);
    expect(await hasher.digest()).toBe(sha256(bytes));
  });
});
