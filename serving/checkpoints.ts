/**
 * Audit checkpoints of the vaults, kept for them: append-only, one file per vault, so that a vault whose log was cut
 * or written anew meets a witness outside itself.
 */
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { admitCheckpoint, type Checkpoint, checkpointSchema } from '../shared/domain/audit/checkpoint.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { verifyCheckpoint } from '../shared/node/checkpoint/index.ts';
import { diskError, fsyncDirectory, systemCode, writeAll } from '../shared/node/files/files.ts';
import { Mutex } from './mutex.ts';
import type { Trust } from './trust.ts';

/** Newest notes given back at once; older ones stay in the file. */
const MAX_NOTES = 10_000;

function refusal(
  { size }: Checkpoint,
  { why, held }: { readonly why: 'older' | 'contradicts'; readonly held: Checkpoint },
): SallyportError {
  if (why === 'contradicts') {
    return new SallyportError(
      'integrity.audit',
      `The agent holds another root for size ${size} of this log.`,
      {
        hint: 'One of the two logs was written anew. Nothing was stored; run `sallyport audit verify`.',
        facts: { size },
      },
    );
  }
  return new SallyportError(
    'conflict',
    `The agent holds a checkpoint of ${held.size} entries; this one has ${size}.`,
    {
      hint: 'A log only grows: this one lost entries, or the checkpoint came late. Nothing was stored.',
      facts: { size, newest: held.size },
    },
  );
}

export class Checkpoints {
  readonly #directory: string;
  readonly #trust: Trust;
  readonly #mutex = new Mutex();

  constructor(directory: string, trust: Trust) {
    this.#directory = directory;
    this.#trust = trust;
  }

  /**
   * Durable once it resolves. The same note again is not written twice. `integrity.audit` when it contradicts one
   * held here, `conflict` when it is older than the newest (a log only grows), `not-found` for a vault not trusted.
   *
   * A vault restored from a backup tells so in its signed checkpoints: then what the agent holds of the entries it lost
   * stays as it is, and the new one goes beside it. Only where the vault's key is pinned: others could write anything.
   */
  store(vaultId: string, note: string): Promise<void> {
    return this.#mutex.run(vaultId, async () => {
      const checkpoint = this.#read(vaultId, note);
      const notes = await this.notes(vaultId);
      if (notes.includes(note)) return;
      const verdict = admitCheckpoint(
        notes.map((held) => this.#read(vaultId, held)),
        checkpoint,
      );
      if (!verdict.admitted) throw refusal(checkpoint, verdict);
      await this.#append(vaultId, note);
    });
  }

  /** Oldest first. A last line that was cut off by a crash was never acknowledged, and is passed over. */
  async notes(vaultId: string): Promise<string[]> {
    let text: string;
    try {
      text = await readFile(this.#path(vaultId), 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
    const lines = text.split('\n');
    lines.pop();
    return lines
      .filter((line) => line !== '')
      .slice(-MAX_NOTES)
      .map((line) => JSON.parse(line) as string);
  }

  async #append(vaultId: string, note: string): Promise<void> {
    const handle = await open(this.#path(vaultId), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      // Behind the last complete line: what a crash left after it goes.
      const text = await handle.readFile('utf8');
      const end = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1), 'utf8');
      await handle.truncate(end);
      const bytes = Buffer.from(`${JSON.stringify(note)}\n`, 'utf8');
      if (end === 0) await writeAll(handle, bytes);
      else await handle.write(bytes, 0, bytes.length, end);
      await handle.sync();
    } catch (error) {
      throw diskError(error);
    } finally {
      await handle.close();
    }
    await fsyncDirectory(this.#directory);
  }

  /** Verified where the trust file pins the vault's key; otherwise read for its size and root, to compare. */
  #read(vaultId: string, note: string): Checkpoint {
    const key = this.#trust.checkpointKeys.get(vaultId);
    if (key !== undefined) return verifyCheckpoint(note, key);
    const [origin = '', size = '', root = ''] = note.split('\n');
    const parsed = checkpointSchema.safeParse({
      origin,
      size: /^(0|[1-9]\d{0,15})$/.test(size) ? Number(size) : -1,
      root: Buffer.from(root, 'base64').toString('hex'),
    });
    if (parsed.success && note.includes('\n\n')) return parsed.data;
    throw new SallyportError('input.invalid', 'This is not a signed checkpoint.', {
      hint: 'Nothing was stored.',
    });
  }

  #path(vaultId: string): string {
    if (!this.#trust.vaultIds.includes(vaultId)) {
      throw new SallyportError('not-found', 'This agent does not know this vault.', {
        hint: 'Vaults are named in the agent’s trust file.',
      });
    }
    return join(this.#directory, `${Buffer.from(vaultId, 'utf8').toString('hex')}.jsonl`);
  }
}
