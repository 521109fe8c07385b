/**
 * `vault`: adding a model of 100 MB through the real artifact store and its built worker, against the slowest single
 * stage of that work (SHA-256, cipher, disk), twice, because every byte is written once and read back once.
 * Beside it: memory of the worker beyond what it takes for a tiny model, the delay of this process's event loop
 * meanwhile, and the time to open the vault again against opening its database alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sodium from 'sodium-native';
import { AgeArtifacts } from '../electron/adapters/artifacts/age-artifacts.ts';
import { FileSecrets } from '../electron/adapters/keychain/file-secrets.ts';
import { MemorySecrets } from '../electron/adapters/keychain/memory-secrets.ts';
import { createSystem } from '../electron/adapters/system/system.ts';
import { checkpointTools, createKeyTools } from '../electron/adapters/vault/key-tools.ts';
import { vaultDirectories } from '../electron/adapters/vault/vault-directory.ts';
import type { ForkWorker } from '../electron/ports/processes.ts';
import type { VaultAdapters } from '../electron/ports/vault.ts';
import { createVault, openVault } from '../electron/services/vault/index.ts';
import { decodeKeys, KEYS_SECRET } from '../electron/services/vault/vault-keys.ts';
import { writeLargeModel } from '../resources/samples/generator/generate.ts';
import { openDatabase } from '../shared/node/sqlite/database.ts';
import { eventLoopDelay, median, peakRss, sideBySide, timed, watchPeakRss } from './support/measure.ts';
import { builtWorkers, ROOT } from './support/program.ts';
import { type Bench, type BenchRow, row } from './support/row.ts';

const MEGABYTES = 100;
const RUNS = 5;
/** What the worker reads and writes at once. */
const PIECE = 1024 * 1024;
/** Plaintext of one encrypted chunk of an age file. */
const CHUNK = 64 * 1024;
const TAG = 16;
const MIB = 1024 * 1024;

function hashOnly(bytes: Buffer): void {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PIECE) hash.update(bytes.subarray(at, at + PIECE));
  hash.digest();
}

function encryptOnly(bytes: Buffer): void {
  const key = randomBytes(32);
  const nonce = Buffer.alloc(12);
  const out = Buffer.alloc(CHUNK + TAG);
  for (let at = 0, counter = 0; at < bytes.length; at += CHUNK) {
    nonce.writeUInt32BE(counter++, 7);
    const chunk = bytes.subarray(at, at + CHUNK);
    const target = out.subarray(0, chunk.length + TAG);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(target, chunk, null, null, nonce, key);
  }
}

/** A new file each time, as the store writes one, durable before it counts. */
async function writeOnly(bytes: Buffer, path: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    for (let at = 0; at < bytes.length; at += PIECE) await handle.write(bytes.subarray(at, at + PIECE));
    await handle.sync();
  } finally {
    await handle.close();
    await rm(path);
  }
}

function adaptersWith(forkWorker: ForkWorker): VaultAdapters {
  const keychain = new MemorySecrets();
  return {
    system: createSystem(),
    keys: createKeyTools(),
    checkpoints: checkpointTools,
    directories: vaultDirectories,
    keychainSecrets: () => keychain,
    fileSecrets: (path, recipient, identity) =>
      new FileSecrets({ path: join(path, 'secrets.age'), recipient, identity }),
    artifacts: (path, recipients, identity) =>
      new AgeArtifacts({
        directory: join(path, 'artifacts'),
        recipients: () => recipients,
        identity,
        forkWorker,
      }),
  };
}

export const vault: Bench = async ({ directory, say }) => {
  say(`a model of ${MEGABYTES} MB`);
  const source = writeLargeModel(directory, MEGABYTES);
  const bytes = readFileSync(source);
  const small = join(ROOT, 'resources/samples/data/phish-url-1.1.0.onnx');

  let worker = watchPeakRss();
  const forkWorker = builtWorkers((pid) => worker.follow(pid));
  const adapters = adaptersWith(forkWorker);
  const path = join(directory, 'vault');
  const created = await createVault(adapters, path, {
    operator: 'bench',
    person: 'Bench',
    operatorPassphrase: randomBytes(24).toString('base64'),
    keys: { kind: 'keychain' },
  });
  const { artifacts } = created.vault;
  const addAndDiscard = async (file: string): Promise<void> =>
    artifacts.discard((await artifacts.add(file)).artifactId);

  say('stages and the whole, side by side');
  const times = await sideBySide(RUNS, {
    hash: () => hashOnly(bytes),
    cipher: () => encryptOnly(bytes),
    disk: () => writeOnly(bytes, join(directory, 'plain')),
    add: () => addAndDiscard(source),
  });
  const stages = [
    ['SHA-256', median(times.hash)],
    ['cipher', median(times.cipher)],
    ['disk write', median(times.disk)],
  ] as const;
  const slowest = stages.reduce((a, b) => (b[1] > a[1] ? b : a));
  const addMs = median(times.add);

  say('memory and event loop');
  worker.stop();
  const idle = watchPeakRss();
  worker = idle;
  await addAndDiscard(small);
  const idleBytes = idle.stop();
  const busy = watchPeakRss();
  worker = busy;
  const before = peakRss(process.pid);
  const loop = await eventLoopDelay(() => addAndDiscard(source));
  const busyBytes = busy.stop();
  const after = peakRss(process.pid);

  say('opening it again');
  const kept = await artifacts.add(source);
  const readMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    readMs.push((await timed(() => artifacts.verify(kept.artifactId, kept.digest))).ms);
  }
  await created.vault.close();
  const keysText = await adapters.keychainSecrets(created.vault.id).get(KEYS_SECRET);
  const { databaseKey } = decodeKeys(keysText ?? '', created.vault.id, 'the keychain');
  const opening = await sideBySide(RUNS, {
    vault: async () => (await openVault(adapters, path)).close(),
    database: () => openDatabase(join(path, 'registry.db'), Buffer.from(databaseKey, 'hex')).close(),
  });

  const rows: BenchRow[] = [
    row({
      name: 'vault.add-100mb',
      value: addMs,
      unit: 'ms',
      limit: { what: `slowest stage × 2 passes (${slowest[0]})`, value: slowest[1] * 2 },
      goal: { atMost: 1.3, of: 'limit' },
    }),
    row({ name: 'vault.add-rate', value: bytes.length / MIB / (addMs / 1000), unit: 'MiB/s' }),
    ...stages.map(([what, ms]) => row({ name: `vault.stage (${what})`, value: ms, unit: 'ms' })),
    row({
      name: 'vault.event-loop-p99',
      value: loop.p99,
      unit: 'ms',
      goal: { atMost: 50, of: 'value' },
    }),
    row({ name: 'vault.verify-100mb', value: median(readMs), unit: 'ms' }),
    row({
      name: 'vault.reopen',
      value: median(opening.vault),
      unit: 'ms',
      limit: { what: 'opening the database alone', value: median(opening.database) },
      goal: { atMost: 250, of: 'value' },
    }),
  ];
  if (idleBytes !== null && busyBytes !== null && before !== null && after !== null) {
    rows.push(
      row({
        name: 'vault.extra-memory',
        value: (busyBytes - idleBytes + (after - before)) / MIB,
        unit: 'MiB',
        goal: { atMost: 64, of: 'value' },
      }),
    );
  }
  return rows;
};
