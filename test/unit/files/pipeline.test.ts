import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDirect, slotReader } from '../../../shared/node/files/direct.ts';
import { createHasher, createThreadHasher, type Hasher } from '../../../shared/node/files/hasher.ts';
import { readAhead } from '../../../shared/node/files/read-ahead.ts';
import { PIECES_AHEAD, readStable } from '../../../shared/node/files/stable-source.ts';
import { writeBehind } from '../../../shared/node/files/write-behind.ts';
import { smallDisk } from '../../support/small-disk.ts';

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

/** As `openDirect`; says where this system has no such way, because then the test shows nothing of it. */
async function directly(handle: FileHandle, access: 'reading' | 'writing'): Promise<FileHandle | null> {
  const direct = await openDirect(handle, access);
  if (!direct) console.warn('not past the page cache: this system has no such way');
  return direct;
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
  /** As the file is given to it: plain, and with the same file past the page cache where the system has that. */
  const ways: readonly [string, (handle: FileHandle) => Promise<FileHandle | null>][] = [
    ['through the page cache', async () => null],
    ['past the page cache', (handle) => directly(handle, 'writing')],
  ];

  it.each(ways)(
    '%s, everything is written in order, made in its memory or elsewhere',
    async (way, direct) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.tuple(fc.boolean(), fc.oneof(fc.nat(9000), fc.integer({ min: 1_000_000, max: 1_100_000 }))),
            {
              maxLength: 12,
            },
          ),
          async (pieces) => {
            const name = `order ${way}`;
            await rm(join(dir, name), { force: true });
            const handle = await open(join(dir, name), 'wx+');
            const other = await direct(handle);
            const queue = writeBehind(handle, 3, other);
            const expected: Buffer[] = [];
            try {
              for (const [here, length] of pieces) {
                const bytes = randomBytes(length);
                expected.push(bytes);
                const piece = here ? queue.room(length) : Buffer.from(bytes);
                if (here) bytes.copy(piece);
                await queue.write(piece);
                // What lies elsewhere is copied: it may be used again at once.
                if (!here) piece.fill(0);
              }
              await queue.sync();
            } finally {
              await queue.settled();
              await other?.close();
              await handle.close();
            }
            expect((await readFile(join(dir, name))).equals(Buffer.concat(expected))).toBe(true);
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  it('given a file system that turns direct writing down, goes on through the page cache', async () => {
    const handle = await opened('turned-down', 'wx+');
    let turnedDown = 0;
    const unwilling = {
      write: async () => {
        turnedDown++;
        throw Object.assign(new Error('EINVAL: invalid argument, write'), { code: 'EINVAL' });
      },
    } as unknown as FileHandle;
    const queue = writeBehind(handle, 3, unwilling);
    const bytes = randomBytes(3_000_000);
    await queue.write(bytes);
    await queue.sync();
    expect((await readFile(join(dir, 'turned-down'))).equals(bytes)).toBe(true);
    expect(turnedDown).toBe(1);
  });

  it('sends what was written to the disk on the way, too', async () => {
    const handle = await opened('flush', 'wx');
    const queue = writeBehind(handle, 2);
    const piece = Buffer.alloc(1024 * 1024);
    for (let index = 0; index < 70; index++) await queue.write(piece);
    await queue.sync();
    expect((await handle.stat()).size).toBe(70 * 1024 * 1024);
  });

  it('given a disk that fills up, past the page cache, the error is told and nothing follows it', async () => {
    const disk = smallDisk(4);
    if (!disk) return console.warn('skipped: this machine does not let a test mount a disk');
    onTestFinished(() => disk.remove());
    const handle = await open(join(disk.path, 'file'), 'wx+');
    onTestFinished(() => handle.close());
    const direct = await directly(handle, 'writing');
    onTestFinished(async () => direct?.close());
    const queue = writeBehind(handle, 4, direct);
    await expect(queue.write(Buffer.alloc(12 * 1024 * 1024, 1))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(queue.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
    await queue.settled();
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

describe('reading any range of a file', () => {
  it.each<[string, boolean]>([
    ['through the page cache', false],
    ['past the page cache', true],
  ])('%s, it comes as it lies there, and less of it only at the end', async (way, past) => {
    const bytes = randomBytes(300_001);
    const handle = await opened(`ranges ${way}`, 'wx+');
    await handle.writeFile(bytes);
    const direct = past ? await directly(handle, 'reading') : null;
    onTestFinished(async () => direct?.close());
    const read = slotReader(handle, direct, 3, 100_000);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.integer({ min: 1, max: 100_000 }),
        fc.nat(310_000),
        async (slot, length, position) => {
          const found = await read(slot, length, position);
          expect(found.equals(bytes.subarray(position, position + length))).toBe(true);
        },
      ),
    );
  });

  it('given a file system that turns direct reading down, or answers half a block, it comes all the same', async () => {
    const bytes = randomBytes(50_000);
    const handle = await opened('unwilling', 'wx+');
    await handle.writeFile(bytes);
    const halves = {
      read: (buffer: Buffer, offset: number, length: number, position: number) =>
        handle.read(buffer, offset, Math.min(length, 2000), position),
    } as unknown as FileHandle;
    const unwilling = {
      read: async () => {
        throw Object.assign(new Error('EINVAL: invalid argument, read'), { code: 'EINVAL' });
      },
    } as unknown as FileHandle;
    for (const direct of [halves, unwilling]) {
      const read = slotReader(handle, direct, 1, 20_000);
      for (const position of [0, 1, 4095, 4096, 40_000]) {
        const found = await read(0, 20_000, position);
        expect(found.equals(bytes.subarray(position, position + 20_000))).toBe(true);
      }
    }
  });
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
      expect(await hasher.digest()).toEqual({ digest: sha256(Buffer.concat(parts)), asExpected: null });
    }
    expect((await hasher.digest()).digest).toBe(sha256(Buffer.alloc(0)));
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
    expect((await hasher.digest()).digest).toBe(sha256(bytes));
  });
});
