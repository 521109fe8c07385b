import { expect, it } from 'vitest';
import { AgeOpener, encryptBytes, generateIdentity, openHeader } from '../../../shared/node/age/index.ts';

/** Around every border of a 64 KiB chunk. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 300_000];
const PIECES = [1000, 65_536, 65_552, 100_001, 10_000_000];
const { identity, recipient } = await generateIdentity();

function content(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 255));
}

/** What was opened of a file in pieces of this size, and what it was said to hold. */
async function opened(file: Uint8Array, piece: number, fileBytes = file.length) {
  const out: Buffer[] = [];
  const opener = new AgeOpener(
    fileBytes,
    (header) => openHeader(identity, header),
    (plaintext) => out.push(Buffer.from(plaintext)),
  );
  for (let at = 0; at < file.length; at += piece) await opener.update(file.subarray(at, at + piece));
  return { bytes: Buffer.concat(out), said: opener.plaintextBytes, received: opener.received };
}

const tampered = expect.objectContaining({ code: 'integrity.artifact' });

it.each(SIZES)('opens a file of %i bytes, however it is cut', async (size) => {
  const plaintext = content(size);
  const file = await encryptBytes([recipient], plaintext);
  for (const piece of PIECES) {
    const { bytes, said, received } = await opened(file, piece);
    expect(bytes.equals(plaintext)).toBe(true);
    expect([said, received]).toEqual([size, file.length]);
  }
});

it('opens a file that comes byte by byte', async () => {
  const file = await encryptBytes([recipient], content(3000));
  expect((await opened(file, 1)).bytes.equals(content(3000))).toBe(true);
});

it('refuses a byte that was changed with the chunk it is in, and hands nothing of that chunk out', async () => {
  const file = await encryptBytes([recipient], content(200_000));
  const out: number[] = [];
  const opener = new AgeOpener(
    file.length,
    (header) => openHeader(identity, header),
    (plaintext) => out.push(plaintext.length),
  );
  file[100_000] = (file[100_000] ?? 0) ^ 1;
  await opener.update(file.subarray(0, 131_000));
  await expect(opener.update(file.subarray(131_000, 140_000))).rejects.toEqual(tampered);
  expect(out).toEqual([65_536]);
});

it('refuses a file that is said to be longer or shorter than it was made', async () => {
  const file = await encryptBytes([recipient], content(70_000));
  await expect(opened(file, 100_001, file.length - 1)).rejects.toEqual(tampered);
  await expect(opened(Buffer.concat([file, Buffer.alloc(1)]), 100_001)).rejects.toEqual(tampered);
  await expect(opened(file.subarray(0, -1), 100_001)).rejects.toEqual(tampered);
  // Cut off between two chunks: each by itself verifies.
  const cut = file.subarray(0, file.length - (70_000 - 65_536) - 16);
  await expect(opened(cut, 100_001)).rejects.toEqual(tampered);
});

it('refuses what has no header, at its end or where one would have ended', async () => {
  await expect(opened(Buffer.from('age-encryption.org/v1\n'), 5)).rejects.toEqual(tampered);
  await expect(opened(Buffer.alloc(70_000, 0x61), 1000, 1_000_000)).rejects.toEqual(tampered);
});

it('refuses a file for somebody else', async () => {
  const other = await generateIdentity();
  const file = await encryptBytes([other.recipient], content(10));
  await expect(opened(file, 50)).rejects.toMatchObject({ code: 'auth.failed' });
});
