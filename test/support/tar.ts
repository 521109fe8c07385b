/** Archives as lists of members: read whole, changed, written again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import tar, { type Header } from 'tar-stream';

export interface TarMember {
  readonly name: string;
  readonly bytes: Buffer;
  readonly type?: Header['type'];
  readonly linkname?: string;
}

export async function readTar(path: string): Promise<TarMember[]> {
  const extract = tar.extract();
  const read = pipeline(createReadStream(path), extract as unknown as NodeJS.WritableStream);
  const members: TarMember[] = [];
  for await (const entry of extract) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    members.push({ name: entry.header.name, bytes: Buffer.concat(pieces) });
  }
  await read;
  return members;
}

export async function writeTar(path: string, members: readonly TarMember[]): Promise<void> {
  const pack = tar.pack();
  for (const { name, bytes, type, linkname } of members)
    pack.entry({ name, ...(type ? { type } : {}), ...(linkname ? { linkname } : {}) }, bytes);
  pack.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of pack) pieces.push(piece as Buffer);
  await writeFile(path, Buffer.concat(pieces));
}

/** SHA-256 in hex. */
export function hashBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
