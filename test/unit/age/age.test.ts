import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createAgeByteSource,
  decryptBytes,
  decryptFileStream,
  decryptWithPassphrase,
  encryptBytes,
  encryptStream,
  encryptWithPassphrase,
  generateIdentity,
  openHeader,
  recipientOf,
  sealToFile,
} from '../../../shared/node/age/index.ts';
import { createThreadHasher } from '../../../shared/node/files/hasher.ts';

/** Around every border of a 64 KiB chunk, and across the 1 MiB batches of streaming. */
const SIZES = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 16 * 65536, 16 * 65536 + 1, 3_000_001];

const vault = await generateIdentity();
const recovery = await generateIdentity();
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'age-test-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe('age files', () => {
  it.each(SIZES)('given %i bytes, any recipient gets exactly them back', async (size) => {
    const bytes = randomBytes(size);
    const file = await encryptBytes([vault.recipient, recovery.recipient], bytes);
    expect((await decryptBytes([vault.identity], file)).equals(bytes)).toBe(true);
    expect((await decryptBytes([recovery.identity], file)).equals(bytes)).toBe(true);
  });

  it.each(SIZES)('given %i bytes, the pure JavaScript library reads ours and we read its', async (size) => {
    const bytes = randomBytes(size);
    const decrypter = new Decrypter();
    decrypter.addIdentity(vault.identity);
    expect(
      Buffer.from(await decrypter.decrypt(await encryptBytes([vault.recipient], bytes))).equals(bytes),
    ).toBe(true);
    const encrypter = new Encrypter();
    encrypter.addRecipient(vault.recipient);
    expect((await decryptBytes([vault.identity], await encrypter.encrypt(bytes))).equals(bytes)).toBe(true);
  });

  it.each([1, 1000, 65536, 70_000])('streams in pieces of %i bytes as it does whole', async (pieceBytes) => {
    const bytes = randomBytes(200_000);
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, at) =>
      bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes),
    );
    const file = await collect(encryptStream([vault.recipient], pieces));
    expect((await decryptBytes([vault.identity], file)).equals(bytes)).toBe(true);
  });

  it('a stranger gets nothing', async () => {
    const stranger = await generateIdentity();
    const file = await encryptBytes([vault.recipient], Buffer.from('secret'));
    await expect(decryptBytes([stranger.identity], file)).rejects.toMatchObject({ code: 'auth.failed' });
  });

  it('text that is no key is refused without being quoted', async () => {
    const wrong = 'AGE-SECRET-KEY-1QQQQ';
    await expect(recipientOf(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
    await expect(recipientOf(wrong)).rejects.not.toThrow(/QQQQ/);
    // One letter off: the checksum tells.
    const typo = vault.identity.slice(0, -1) + (vault.identity.endsWith('Q') ? 'P' : 'Q');
    await expect(recipientOf(typo)).rejects.toMatchObject({ code: 'auth.failed' });
    await expect(encryptBytes(['age1nonsense'], Buffer.alloc(1))).rejects.toMatchObject({
      code: 'input.invalid',
    });
    await expect(encryptBytes([], Buffer.alloc(1))).rejects.toMatchObject({ code: 'usage' });
  });

  it('knows the recipient of an identity', async () => {
    expect(await recipientOf(vault.identity)).toBe(vault.recipient);
  });
});

describe('age files on disk', () => {
  it('what is sealed is proved, and streamed back in pieces of at most 1 MiB', async () => {
    const path = join(folder, 'stream.age');
    const bytes = randomBytes(3_000_001);
    const sealed = await sealToFile([vault.recipient], [bytes.subarray(0, 10), bytes.subarray(10)], path);
    expect(sealed.sizeBytes).toBe(bytes.length);
    const pieces: Buffer[] = [];
    for await (const piece of decryptFileStream(path, sealed.fileKey)) pieces.push(piece);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    await expect(sealToFile([vault.recipient], [bytes], path)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('a large one, past the page cache and with a thread that hashes, is the same file', async () => {
    const path = join(folder, 'threaded.age');
    const hasher = await createThreadHasher(6, 1024 * 1024, 3);
    try {
      const bytes = randomBytes(9 * 1024 * 1024 + 77);
      const pieces = function* (): Generator<Buffer> {
        for (let at = 0, turn = 0; at < bytes.length; at += 1024 * 1024, turn++) {
          const memory = hasher.memory[turn % hasher.memory.length] as Buffer;
          yield memory.subarray(0, bytes.copy(memory, 0, at, at + 1024 * 1024));
        }
      };
      const sealed = await sealToFile([vault.recipient], pieces(), path, { hasher, large: true });
      expect(sealed.sizeBytes).toBe(bytes.length);
      expect(sealed.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect((await decryptBytes([vault.identity], await readFile(path))).equals(bytes)).toBe(true);
      const fromDisk = await collect(decryptFileStream(path, sealed.fileKey, { fromDisk: true }));
      expect(fromDisk.equals(bytes)).toBe(true);
    } finally {
      await hasher.close();
    }
  });

  it('is read at random like the plaintext', async () => {
    const path = join(folder, 'random.age');
    const bytes = randomBytes(40 * 65536 + 123);
    const { fileKey } = await sealToFile([vault.recipient], [bytes], path);
    const fd = openSync(path, 'r');
    try {
      const source = createAgeByteSource(fd, fileKey);
      expect(source.size).toBe(bytes.length);
      // From back to front and across chunk borders, more chunks than are cached.
      for (let offset = bytes.length - 70_000; offset >= 0; offset -= 50_001) {
        expect(Buffer.from(source.read(offset, 70_000)).equals(bytes.subarray(offset, offset + 70_000))).toBe(
          true,
        );
      }
      expect(source.read(bytes.length, 0)).toHaveLength(0);
      expect(() => source.read(bytes.length, 1)).toThrow(RangeError);
      expect(() => source.read(-1, 1)).toThrow(RangeError);
    } finally {
      closeSync(fd);
    }
  });

  it('an empty file has one empty chunk', async () => {
    const path = join(folder, 'empty.age');
    const { fileKey } = await sealToFile([vault.recipient], [], path);
    const fd = openSync(path, 'r');
    expect(createAgeByteSource(fd, fileKey).size).toBe(0);
    closeSync(fd);
  });

  it('given a chunk that was changed, random access hands out none of it and all of the others', async () => {
    const path = join(folder, 'changed.age');
    const bytes = randomBytes(5 * 65536);
    const { fileKey } = await sealToFile([vault.recipient], [bytes], path);
    const file = Buffer.from(await collect((await import('node:fs')).createReadStream(path)));
    const middle = file.length - 3 * 65552 + 100;
    file[middle] = (file[middle] ?? 0) ^ 1;
    await writeFile(path, file);
    const fd = openSync(path, 'r');
    try {
      const source = createAgeByteSource(fd, fileKey);
      expect(() => source.read(2 * 65536 + 5, 1)).toThrowError(
        expect.objectContaining({ code: 'integrity.artifact' }),
      );
      expect(Buffer.from(source.read(0, 2 * 65536)).equals(bytes.subarray(0, 2 * 65536))).toBe(true);
      expect(Buffer.from(source.read(3 * 65536, 2 * 65536)).equals(bytes.subarray(3 * 65536))).toBe(true);
    } finally {
      closeSync(fd);
    }
  });
});

describe('age files under a passphrase', () => {
  const bytes = Buffer.from('-----BEGIN PRIVATE KEY-----');

  it('opens with the passphrase, and with no other', async () => {
    const file = await encryptWithPassphrase('correct horse', bytes, { workFactor: 10 });
    expect((await decryptWithPassphrase('correct horse', file)).equals(bytes)).toBe(true);
    await expect(decryptWithPassphrase('correct horsf', file)).rejects.toMatchObject({ code: 'auth.failed' });
    await expect(encryptWithPassphrase('', bytes)).rejects.toMatchObject({ code: 'usage' });
  });

  it('the pure JavaScript library reads ours and we read its', async () => {
    const decrypter = new Decrypter();
    decrypter.addPassphrase('straße 🗝');
    const ours = await encryptWithPassphrase('straße 🗝', bytes, { workFactor: 10 });
    expect(Buffer.from(await decrypter.decrypt(ours)).equals(bytes)).toBe(true);
    const encrypter = new Encrypter();
    encrypter.setPassphrase('straße 🗝');
    encrypter.setScryptWorkFactor(10);
    expect((await decryptWithPassphrase('straße 🗝', await encrypter.encrypt(bytes))).equals(bytes)).toBe(
      true,
    );
  });

  it('uses a work factor of 2^17 unless told otherwise', async () => {
    const file = await encryptWithPassphrase('correct horse', bytes);
    expect(file.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} 17\n/);
  });

  it('a file that asks for more than 2^20 is refused before any work is done', async () => {
    const file = await encryptWithPassphrase('correct horse', bytes, { workFactor: 10 });
    const greedy = Buffer.from(file.toString('latin1').replace(/^(-> scrypt \S+) 10$/m, '$1 21'), 'latin1');
    await expect(decryptWithPassphrase('correct horse', greedy)).rejects.toMatchObject({
      code: 'integrity.artifact',
      message: expect.stringContaining('21'),
    });
  });

  it('a file with a key is not asked a passphrase, and the other way round', async () => {
    await expect(
      decryptWithPassphrase('x', await encryptBytes([vault.recipient], bytes)),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    const file = await encryptWithPassphrase('x', bytes, { workFactor: 10 });
    await expect(decryptBytes([vault.identity], file)).rejects.toMatchObject({ code: 'auth.failed' });
  });

  it('the event loop turns while the key is derived', async () => {
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    await encryptWithPassphrase('correct horse', bytes, { workFactor: 14 });
    done = true;
    // A derivation on the event loop's own thread leaves it a handful of turns.
    expect(turns).toBeGreaterThan(100);
  });

  it('a truncated file is tampering', async () => {
    const file = await encryptWithPassphrase('correct horse', bytes, { workFactor: 10 });
    await expect(decryptWithPassphrase('correct horse', file.subarray(0, -1))).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
    await expect(decryptWithPassphrase('correct horse', Buffer.from('not age'))).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
  });
});

const ageMissing = spawnSync('age', ['--version']).status !== 0;
if (ageMissing) console.warn('skipped: the age command is not installed (Debian: apt install age)');

describe.skipIf(ageMissing)('the age command', () => {
  it.each(SIZES)('decrypts our file of %i bytes, and we decrypt its', async (size) => {
    const bytes = randomBytes(size);
    const keyFile = join(folder, 'key.txt');
    await writeFile(keyFile, `${recovery.identity}\n`, { mode: 0o600 });
    const ours = await encryptBytes([vault.recipient, recovery.recipient], bytes);
    const opened = spawnSync('age', ['-d', '-i', keyFile], { input: ours, maxBuffer: 1e8 });
    expect(opened.stderr.toString()).toBe('');
    expect(opened.stdout.equals(bytes)).toBe(true);
    const theirs = spawnSync('age', ['-r', vault.recipient, '-r', recovery.recipient], {
      input: bytes,
      maxBuffer: 1e8,
    });
    expect((await decryptBytes([recovery.identity], theirs.stdout)).equals(bytes)).toBe(true);
  });
});

it('a header opens by itself', async () => {
  const file = await encryptBytes([vault.recipient], Buffer.from('x'));
  const header = file.subarray(0, file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1);
  expect(await openHeader(vault.identity, header)).toHaveLength(16);
  const changed = Buffer.from(header.toString('latin1').replace('X25519', 'X25518'), 'latin1');
  await expect(openHeader(vault.identity, changed)).rejects.toMatchObject({ code: 'auth.failed' });
});
