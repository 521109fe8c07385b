/**
 * Releases on the agent's disk, `<root>/<file>.age` beside `release.json`. Everything read here is checked against the
 * root, which is the directory's name in the agent's own state and the digest that the quorum signed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ReleaseRequest, releaseRequestSchema } from '../../shared/domain/approval/request.ts';
import type { ReleaseRef } from '../../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type OutputMapping, outputMappingSchema, sha256Schema } from '../../shared/domain/model/version.ts';
import { type RolloutPlan, rolloutPlanSchema } from '../../shared/domain/rollout/plan.ts';
import { AgeOpener, decryptFileStream, openHeader, readHeader } from '../../shared/node/age/index.ts';
import { fsyncDirectory } from '../../shared/node/files/files.ts';
import { rootOf } from '../../shared/node/model-signing/index.ts';

export const releaseRecordSchema = z.object({
  version: z.literal(1),
  bundles: z.array(z.string()),
  request: z.string(),
  files: z.array(z.object({ name: z.string(), digest: sha256Schema, sizeBytes: z.number().int() })),
  openedAt: z.string(),
});
export type ReleaseRecord = z.infer<typeof releaseRecordSchema>;

export interface StoredRelease {
  readonly root: string;
  readonly request: ReleaseRequest;
  readonly ref: ReleaseRef;
  readonly record: ReleaseRecord;
}

const RECORD = 'release.json';
const TRASH = '.trash-';

function damaged(root: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError(
    'integrity.artifact',
    `The stored release ${root.slice(0, 12)}… was changed: ${what}.`,
    {
      hint: 'It was not loaded. Push the release again.',
      facts: { root },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

export class ReleaseStore {
  readonly #directory: string;
  readonly #ageIdentity: string;
  readonly #held = new Set<string>();

  constructor(directory: string, ageIdentity: string) {
    this.#directory = directory;
    this.#ageIdentity = ageIdentity;
  }

  directoryOf(root: string): string {
    return join(this.#directory, sha256Schema.parse(root));
  }

  fileOf(root: string, name: string): string {
    return join(this.directoryOf(root), `${name}.age`);
  }

  async has(root: string): Promise<boolean> {
    return stat(this.directoryOf(root)).then(
      (status) => status.isDirectory(),
      () => false,
    );
  }

  async roots(): Promise<string[]> {
    return (await readdir(this.#directory)).filter((name) => sha256Schema.safeParse(name).success);
  }

  /** `not-found`, or `integrity.artifact` where record, root and request do not belong together. */
  async read(root: string): Promise<StoredRelease> {
    if (!(await this.has(root))) {
      throw new SallyportError('not-found', `This agent does not hold the release ${root.slice(0, 12)}….`, {
        hint: 'Push it first.',
      });
    }
    let record: ReleaseRecord;
    let request: ReleaseRequest;
    try {
      record = releaseRecordSchema.parse(
        JSON.parse(await readFile(join(this.directoryOf(root), RECORD), 'utf8')),
      );
      request = releaseRequestSchema.parse(JSON.parse(record.request));
    } catch (cause) {
      throw damaged(root, 'its record cannot be read', cause);
    }
    if (rootOf(record.files) !== root) throw damaged(root, 'its list of files is another one');
    const digests = new Map(record.files.map((file) => [file.name, file.digest]));
    if (digests.get('request.json') !== createHash('sha256').update(record.request, 'utf8').digest('hex')) {
      throw damaged(root, 'its request is another one');
    }
    if (digests.get('model.onnx') !== request.digest)
      throw damaged(root, 'its model is not the one requested');
    return { root, request, record, ref: { version: request.version, digest: request.digest, root } };
  }

  /** One file, decrypted and hashed in the buffer that is returned. `integrity.artifact` where a byte differs. */
  async readFile(release: StoredRelease, name: string): Promise<Buffer> {
    const file = release.record.files.find((each) => each.name === name);
    if (!file) throw damaged(release.root, `it has no ${name}`);
    const pieces: Buffer[] = [];
    const hash = createHash('sha256');
    for await (const piece of this.decrypt(this.fileOf(release.root, name))) {
      hash.update(piece);
      pieces.push(piece);
    }
    if (hash.digest('hex') !== file.digest) throw damaged(release.root, `${name} has another digest`);
    return Buffer.concat(pieces);
  }

  /** How the model's outputs are read: part of the signed dossier. */
  async readMapping(release: StoredRelease): Promise<OutputMapping> {
    const bytes = await this.readFile(release, 'dossier.json');
    const parsed = z.object({ mapping: outputMappingSchema }).safeParse(JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) {
      throw new SallyportError('input.invalid', 'The dossier does not say how the model is read.', {
        hint: 'The release was not loaded. Map the outputs and submit it again.',
      });
    }
    return parsed.data.mapping;
  }

  /** How it goes out, and by which guards: part of what was signed. */
  async readPlan(release: StoredRelease): Promise<RolloutPlan> {
    const bytes = await this.readFile(release, 'plan.json');
    const parsed = rolloutPlanSchema.safeParse(JSON.parse(bytes.toString('utf8')));
    if (parsed.success) return parsed.data;
    throw new SallyportError('input.invalid', 'The signed plan is not one this agent understands.', {
      hint: 'A canary is served only by a plan whose guards the agent can judge. Nothing was changed.',
    });
  }

  /** Decrypts and hashes every file; throws what is wrong with the first that differs. */
  async verify(root: string): Promise<void> {
    const release = await this.read(root);
    for (const file of release.record.files) {
      const digest = await this.digestOf(this.fileOf(root, file.name));
      if (digest !== file.digest) throw damaged(root, `${file.name} has another digest`);
    }
  }

  /** SHA-256 hex of an encrypted file's plaintext, in memory that does not grow with it. */
  async digestOf(path: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of this.decrypt(path)) hash.update(piece);
    return hash.digest('hex');
  }

  /** Opens a file for this agent that is still coming in. */
  opener(fileBytes: number, use: (plaintext: Uint8Array) => void): AgeOpener {
    return new AgeOpener(fileBytes, (header) => openHeader(this.#ageIdentity, header), use);
  }

  /** A console has pushed this release and is about to route to it: it stays until it was served, or the agent restarts. */
  hold(root: string): void {
    this.#held.add(root);
  }

  routed(root: string): void {
    this.#held.delete(root);
  }

  /** Whether a console waits to route to it. */
  isHeld(root: string): boolean {
    return this.#held.has(root);
  }

  /** Removes a release. One that goes is gone at once, whatever interrupts the rest. */
  async remove(root: string): Promise<void> {
    const trash = join(this.#directory, `${TRASH}${root}-${randomBytes(4).toString('hex')}`);
    // Synchronous: between a look at `isHeld` and the rename nobody can be told that it is here.
    renameSync(this.directoryOf(root), trash);
    await rm(trash, { recursive: true, force: true });
    await fsyncDirectory(this.#directory);
  }

  /** Finishes removals that a crash interrupted. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(TRASH)) await rm(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  async *decrypt(path: string): AsyncGenerator<Buffer, void, undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (cause) {
      throw new SallyportError('integrity.artifact', 'A file of a stored release is missing.', {
        hint: 'Push the release again.',
        cause,
      });
    }
    try {
      yield* decryptFileStream(handle, await openHeader(this.#ageIdentity, await readHeader(handle)));
    } finally {
      await handle.close();
    }
  }
}
