/** Whole age files in memory: keys, secrets, policies, dossiers. */
import { randomBytes } from 'node:crypto';
import { type AgeHeader, headerLength, makeHeader, openHeader } from './header.ts';
import {
  CHUNK_BYTES,
  ChunkSealer,
  openChunkInto,
  PAYLOAD_NONCE_BYTES,
  payloadKeyOf,
  payloadLayout,
  SEALED_CHUNK_BYTES,
  tampered,
} from './stream.ts';

/** The complete age file of `bytes` under a header. */
export function sealWhole(header: AgeHeader, bytes: Uint8Array): Buffer {
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  const sealer = new ChunkSealer(payloadKeyOf(header.fileKey, nonce));
  return Buffer.concat([header.bytes, nonce, sealer.update(bytes), sealer.final()]);
}

/** Opens a complete age file; `keyOf` answers the file key of its header. Nothing is returned unless all chunks verify. */
export async function openWhole(
  file: Uint8Array,
  keyOf: (header: Uint8Array) => Promise<Uint8Array>,
): Promise<Buffer> {
  const length = headerLength(file);
  if (length === null) throw tampered('it has no complete age header');
  const fileKey = await keyOf(file.subarray(0, length));
  const start = length + PAYLOAD_NONCE_BYTES;
  const layout = payloadLayout(file.length - start);
  const key = payloadKeyOf(fileKey, file.subarray(length, start));
  const plaintext = Buffer.alloc(layout.plaintextBytes);
  for (let index = 0; index < layout.chunks; index++) {
    const last = index === layout.chunks - 1;
    const from = start + index * SEALED_CHUNK_BYTES;
    const sealed = file.subarray(from, last ? file.length : from + SEALED_CHUNK_BYTES);
    openChunkInto(
      plaintext.subarray(index * CHUNK_BYTES, last ? layout.plaintextBytes : (index + 1) * CHUNK_BYTES),
      key,
      index,
      last,
      sealed,
    );
  }
  return plaintext;
}

/** An age file that the holder of any of the recipients' identities can open. */
export async function encryptBytes(recipients: readonly string[], bytes: Uint8Array): Promise<Buffer> {
  return sealWhole(await makeHeader(recipients), bytes);
}

/** The content of an age file. Errors: `auth.failed` where no identity fits, `integrity.artifact` for a changed file. */
export async function decryptBytes(identities: readonly string[], file: Uint8Array): Promise<Buffer> {
  return openWhole(file, (header) => openHeader(identities, header));
}
