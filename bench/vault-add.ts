/**
 * Adding a model of 1 GB (`SALLYPORT_BENCH_MB`) through the real artifact store and its built worker.
 *
 * Every byte passes twice: written (source read, encrypted, written, fsynced) and checked (read back from the disk,
 * decrypted, hashed). Each stage is measured alone, in this run, on this disk, the disk both through the page cache
 * and past it; the faster way counts. The limit is the stage that takes longest over both passes: what a pipeline
 * takes that hides everything else behind it, even one pass behind the other, and has a core for each stage. Passes
 * that follow one another can do no better than `add-passes`, two cores no better than `add-work`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sodium from 'sodium-native';
import { AgeArtifacts } from '../electron/adapters/artifacts/age-artifacts.ts';
import type { AddedModel } from '../electron/ports/artifacts.ts';
import { writeLargeModel } from '../resources/samples/generator/generate.ts';
import { generateIdentity } from '../shared/node/age/index.ts';
import { alignedMemory, openDirect } from '../shared/node/files/direct.ts';
import { readAhead } from '../shared/node/files/read-ahead.ts';
import {
  currentRss,
  eventLoopDelay,
  median,
  peakRss,
  resetPeakRss,
  sideBySide,
  timed,
} from './support/measure.ts';
import { builtWorkers, ROOT } from './support/program.ts';
import { type BenchContext, type BenchRow, row } from './support/row.ts';

const MEGABYTES = Number(process.env.SALLYPORT_BENCH_MB ?? 1000);
const RUNS = 3;
const MIB = 1024 * 1024;
/** What the worker reads and writes at once. */
const PIECE = MIB;
/** Plaintext of one encrypted chunk of an age file. */
const CHUNK = 64 * 1024;
const TAG = 16;
const TMPFS = 0x01021994;
/** Stands for the model's bytes in the stages; beyond what caches hold. */
const RING = randomBytes(64 * MIB);

/** Calls `use` for pieces of the ring, `bytes` in all. */
function eachPiece(bytes: number, size: number, use: (piece: Buffer) => void): void {
  for (let at = 0; at < bytes; at += size) {
    const from = at % RING.length;
    use(RING.subarray(from, from + Math.min(size, bytes - at)));
  }
}

function hashOnly(bytes: number): void {
  const hash = createHash('sha256');
  eachPiece(bytes, PIECE, (piece) => hash.update(piece));
  hash.digest();
}

const KEY = randomBytes(32);

function encryptOnly(bytes: number): void {
  const nonce = Buffer.alloc(12);
  const out = Buffer.alloc(CHUNK + TAG);
  let counter = 0;
  eachPiece(bytes, CHUNK, (chunk) => {
    nonce.writeUInt32BE(counter++, 7);
    const target = out.subarray(0, chunk.length + TAG);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(target, chunk, null, null, nonce, KEY);
  });
}

/** One sealed chunk for each of the ring's, opened again and again. */
function sealRing(): Buffer[] {
  const nonce = Buffer.alloc(12);
  const sealed: Buffer[] = [];
  eachPiece(RING.length, CHUNK, (chunk) => {
    const target = Buffer.alloc(chunk.length + TAG);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(target, chunk, null, null, nonce, KEY);
    sealed.push(target);
  });
  return sealed;
}

function decryptOnly(bytes: number, sealed: readonly Buffer[]): void {
  const nonce = Buffer.alloc(12);
  const out = Buffer.alloc(CHUNK);
  for (let at = 0; at < bytes; at += CHUNK)
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      out,
      null,
      sealed[(at / CHUNK) % sealed.length] as Buffer,
      null,
      nonce,
      KEY,
    );
}

/** Pieces of the ring in memory that direct writing takes, as the store has it. */
const ALIGNED = (() => {
  const shared = alignedMemory(RING.length);
  if (!shared) return RING;
  const ring = Buffer.from(shared);
  RING.copy(ring);
  return ring;
})();

/** A new file each time, as the store writes one, durable before it counts; past the page cache where that exists. */
async function writeOnly(bytes: number, path: string, past: boolean): Promise<void> {
  await rm(path, { force: true });
  const handle = await open(path, 'wx');
  const direct = past ? await openDirect(handle, 'writing') : null;
  try {
    // Whole pieces: what the last one is longer by is nothing beside the rest.
    for (let at = 0; at < bytes; at += PIECE)
      await (direct ?? handle).write(ALIGNED, at % ALIGNED.length, PIECE, at);
    await handle.sync();
  } finally {
    await direct?.close();
    await handle.close();
  }
}

/** As the store reads back: two pieces asked for at once. */
async function readOnly(path: string, past: boolean): Promise<void> {
  const handle = await open(path);
  const direct = past ? await openDirect(handle, 'reading') : null;
  try {
    const pieces = Math.floor((await handle.stat()).size / PIECE);
    const reads = readAhead(pieces, 2, (index) =>
      (direct ?? handle).read(ALIGNED, (index % 3) * PIECE, PIECE, index * PIECE),
    );
    for await (const { bytesRead } of reads) if (bytesRead === 0) throw new Error('It became shorter.');
  } finally {
    await direct?.close();
    await handle.close();
  }
}

interface LargeFigures {
  /** Highest resident memory of worker and main process together, in bytes; 0 where the system does not tell. */
  readonly peak: number;
  /** p99 of the main process's event loop, in ms. */
  readonly addDelay: number;
  readonly verifyDelay: number;
  readonly verifyMs: readonly number[];
}

/** One add of the large model and some verifications of it, watched from here. */
async function measureLarge(
  store: AgeArtifacts,
  source: string,
  worker: number | undefined,
): Promise<LargeFigures> {
  for (const pid of [worker, process.pid]) resetPeakRss(pid);
  const added = await eventLoopDelay(() => store.add(source));
  const peak = (peakRss(worker ?? 0) ?? 0) + (peakRss(process.pid) ?? 0);
  const { artifactId, digest } = added.result;
  const verifyMs: number[] = [];
  const verified = await eventLoopDelay(async () => {
    for (let run = 0; run < RUNS; run++)
      verifyMs.push((await timed(() => store.verify(artifactId, digest))).ms);
  });
  await store.discard(artifactId);
  return { peak, addDelay: added.p99, verifyDelay: verified.p99, verifyMs };
}

export async function addFigures({ directory, say }: BenchContext): Promise<BenchRow[]> {
  const inMemory = (await statfs(directory)).type === TMPFS;
  say(`a model of ${MEGABYTES} MB ${inMemory ? 'in a folder in MEMORY: no disk is measured' : 'on disk'}`);
  const source = writeLargeModel(directory, MEGABYTES);
  const { size } = statSync(source);
  const small = join(ROOT, 'resources/samples/data/phish-url-1.1.0.onnx');
  const plain = join(directory, 'plain');

  const pids: (number | undefined)[] = [];
  const vault = await generateIdentity();
  const recovery = await generateIdentity();
  const store = new AgeArtifacts({
    directory: join(directory, 'add', 'artifacts'),
    recipients: () => [vault.recipient, recovery.recipient],
    identity: () => vault.identity,
    forkWorker: builtWorkers((pid) => pids.push(pid)),
  });
  const discard = ({ artifactId }: AddedModel): Promise<void> => store.discard(artifactId);
  const addAndDiscard = async (file: string): Promise<void> => discard(await store.add(file));

  say('a small model, then the large one: memory and event loop');
  const cold = await timed(() => addAndDiscard(small));
  const warm = await timed(() => addAndDiscard(small));

  // The worker waits for its next job: what it and this process have now is what a model of any size adds to.
  const worker = pids.at(-1);
  const idle = (currentRss(worker) ?? 0) + (currentRss(process.pid) ?? 0);
  const large = await measureLarge(store, source, worker);

  say('each stage alone and the whole, in turn');
  const sealed = sealRing();
  // Taken away afterwards: removing a large file costs the file system a while that is no part of adding it.
  const kept: AddedModel[] = [];
  const times = await sideBySide(RUNS, {
    hash: () => hashOnly(size),
    encrypt: () => encryptOnly(size),
    decrypt: () => decryptOnly(size, sealed),
    writeThrough: () => writeOnly(size, plain, false),
    source: () => readOnly(plain, false),
    writePast: () => writeOnly(size, plain, true),
    read: () => readOnly(plain, true),
    add: async () => {
      kept.push(await store.add(source));
    },
  });
  await rm(plain);
  for (const added of kept) await discard(added);
  const stage = {
    hash: median(times.hash),
    encrypt: median(times.encrypt),
    decrypt: median(times.decrypt),
    write: Math.min(median(times.writeThrough), median(times.writePast)),
    read: median(times.read),
    source: median(times.source),
  };
  const limit = slowest({
    'SHA-256': stage.hash,
    'cipher: encrypt, decrypt': stage.encrypt + stage.decrypt,
    'disk: write+fsync, read': stage.write + stage.read,
  });
  const writing = slowest({ encrypt: stage.encrypt, 'disk write+fsync': stage.write });
  const checking = slowest({ decrypt: stage.decrypt, 'SHA-256': stage.hash, 'disk read': stage.read });
  const addMs = median(times.add);
  // The disk's own time is nobody's work; copying from the page cache is.
  const work = stage.hash + stage.encrypt + stage.decrypt + stage.source;

  const rate = (ms: number): number => size / MIB / (ms / 1000);
  const rows = [
    row({
      name: `vault.add-${MEGABYTES}mb`,
      value: addMs,
      unit: 'ms',
      limit: { what: `slowest stage over both passes (${limit.name})`, value: limit.ms },
      goal: { atMost: 1.3, of: 'limit' },
    }),
    row({
      name: 'vault.add-passes',
      value: addMs,
      unit: 'ms',
      limit: {
        what: `slowest stage of each pass (${writing.name}, then ${checking.name})`,
        value: writing.ms + checking.ms,
      },
    }),
    row({
      name: 'vault.add-work',
      value: addMs,
      unit: 'ms',
      limit: {
        what: `hash, cipher and copies spread evenly over ${availableParallelism()} cores`,
        value: work / availableParallelism(),
      },
    }),
    row({ name: 'vault.add-rate', value: rate(addMs), unit: 'MiB/s' }),
    row({ name: 'vault.stage (SHA-256)', value: rate(stage.hash), unit: 'MiB/s' }),
    row({ name: 'vault.stage (encrypt)', value: rate(stage.encrypt), unit: 'MiB/s' }),
    row({ name: 'vault.stage (decrypt)', value: rate(stage.decrypt), unit: 'MiB/s' }),
    row({ name: 'vault.stage (disk write+fsync)', value: rate(median(times.writePast)), unit: 'MiB/s' }),
    row({
      name: 'vault.stage (the same through the page cache)',
      value: rate(median(times.writeThrough)),
      unit: 'MiB/s',
    }),
    row({ name: 'vault.stage (disk read)', value: rate(stage.read), unit: 'MiB/s' }),
    row({ name: 'vault.add-small-first', value: cold.ms, unit: 'ms' }),
    row({ name: 'vault.add-small-next', value: warm.ms, unit: 'ms' }),
    row({
      name: 'vault.add-event-loop-p99',
      value: large.addDelay,
      unit: 'ms',
      goal: { atMost: 50, of: 'value' },
    }),
    row({
      name: `vault.verify-${MEGABYTES}mb`,
      value: median(large.verifyMs),
      unit: 'ms',
      limit: { what: `slowest stage (${checking.name})`, value: checking.ms },
    }),
    row({
      name: 'vault.verify-event-loop-p99',
      value: large.verifyDelay,
      unit: 'ms',
      goal: { atMost: 50, of: 'value' },
    }),
  ];
  if (large.peak > 0)
    rows.push(
      row({
        name: 'vault.add-extra-memory',
        value: (large.peak - idle) / MIB,
        unit: 'MiB',
        goal: { atMost: 64, of: 'value' },
      }),
    );
  return rows;
}

function slowest(stages: Readonly<Record<string, number>>): { readonly name: string; readonly ms: number } {
  const [name, ms] = Object.entries(stages).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { name, ms };
}
