/** Signed notes with Ed25519 (C2SP signed-note.md), keys in the spelling of Go's sumdb/note. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { SallyportError } from '../../domain/errors.ts';

/** Algorithm byte of Ed25519 in key and signature. */
const ED25519 = 1;
/** DER of a PKCS#8 and a SubjectPublicKeyInfo Ed25519 key up to the 32 raw bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface NoteKey {
  /** Private: `PRIVATE+KEY+<name>+<hash>+<key>`. Keep it among the secrets. */
  readonly skey: string;
  /** Public: `<name>+<hash>+<key>`; what a verifier pins. */
  readonly vkey: string;
}

function refused(what: string): SallyportError {
  return new SallyportError('integrity.signature', `The checkpoint is not valid: ${what}.`, {
    hint: 'It was not used.',
  });
}

function notAKey(): SallyportError {
  return new SallyportError('input.invalid', 'This is not a checkpoint key.', {
    hint: 'A public one reads NAME+HASH+KEY.',
  });
}

/** First four bytes of SHA-256(name, line feed, algorithm, public key). */
function keyHash(name: string, publicKey: Uint8Array): Buffer {
  return createHash('sha256')
    .update(name)
    .update('\n')
    .update(Uint8Array.of(ED25519))
    .update(publicKey)
    .digest()
    .subarray(0, 4);
}

function privateFromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

function rawPublic(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function encodeKey(name: string, publicKey: Uint8Array, raw: Uint8Array): string {
  return `${name}+${keyHash(name, publicKey).toString('hex')}+${Buffer.concat([Uint8Array.of(ED25519), raw]).toString('base64')}`;
}

/** A fresh key pair. The name has no white space and no plus sign in it. */
export function generateNoteKey(name: string): NoteKey {
  if (!/^[^\s+]{1,300}$/u.test(name))
    throw new SallyportError('input.invalid', 'A checkpoint key cannot have this name.', { facts: { name } });
  const seed = randomBytes(32);
  const publicKey = rawPublic(privateFromSeed(seed));
  return {
    skey: `PRIVATE+KEY+${encodeKey(name, publicKey, seed)}`,
    vkey: encodeKey(name, publicKey, publicKey),
  };
}

function decodeKey(text: string): { readonly name: string; readonly hash: Buffer; readonly raw: Buffer } {
  // The Base64 part may hold plus signs itself, the name may not.
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text);
  const [, name = '', hash = '', key = ''] = match ?? [];
  const bytes = Buffer.from(key, 'base64');
  if (!match || bytes.length !== 33 || bytes[0] !== ED25519 || bytes.toString('base64') !== key)
    throw notAKey();
  return { name, hash: Buffer.from(hash, 'hex'), raw: bytes.subarray(1) };
}

/** The public key that belongs to a private one. */
export function vkeyOf(skey: string): string {
  const { name, publicKey } = readPrivate(skey);
  return encodeKey(name, publicKey, publicKey);
}

function readPrivate(skey: string): {
  readonly name: string;
  readonly key: KeyObject;
  readonly publicKey: Buffer;
} {
  const prefix = 'PRIVATE+KEY+';
  if (!skey.startsWith(prefix)) throw notAKey();
  const { name, hash, raw } = decodeKey(skey.slice(prefix.length));
  const key = privateFromSeed(raw);
  const publicKey = rawPublic(key);
  if (!keyHash(name, publicKey).equals(hash)) throw notAKey();
  return { name, key, publicKey };
}

/** `text` (ends with a line feed) and its signature line. */
export function signNote(text: string, skey: string): string {
  if (!text.endsWith('\n') || text.includes('\n\n'))
    throw new SallyportError('input.invalid', 'A note is lines, each with its end, none of them empty.');
  const { name, key, publicKey } = readPrivate(skey);
  const signature = Buffer.concat([keyHash(name, publicKey), sign(null, Buffer.from(text, 'utf8'), key)]);
  return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
}

/** Notes above this are refused unread. */
const MAX_NOTE_BYTES = 64 * 1024;

/** Keys that notes were opened with: reading one costs as much as the check of a signature, and a log has thousands. */
const opened = new Map<string, { readonly name: string; readonly hash: Buffer; readonly key: KeyObject }>();
const MAX_OPENED = 100;

function publicKeyOf(vkey: string): {
  readonly name: string;
  readonly hash: Buffer;
  readonly key: KeyObject;
} {
  const known = opened.get(vkey);
  if (known) return known;
  const { name, hash, raw } = decodeKey(vkey);
  if (!keyHash(name, raw).equals(hash)) throw notAKey();
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  if (opened.size >= MAX_OPENED) opened.clear();
  opened.set(vkey, { name, hash, key });
  return { name, hash, key };
}

/** `input.invalid` for what is not the public key of a checkpoint, or not of the log with this origin. */
export function checkCheckpointKey(vkey: string, origin: string): void {
  const { name } = publicKeyOf(vkey);
  if (name === origin) return;
  throw new SallyportError('input.invalid', `This is the checkpoint key of ${name}.`, {
    hint: `This vault’s own begins with ${origin}+; sallyport audit key prints it.`,
    facts: { origin },
  });
}

/** The text of a note that this key signed. Signatures of other keys are passed over. `integrity.signature` otherwise. */
export function openNote(note: string, vkey: string): string {
  if (note.length > MAX_NOTE_BYTES) throw refused('it is too large');
  const { name, hash, key } = publicKeyOf(vkey);
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw refused('it is not a signed note');
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split('\n');
  let verified = false;
  for (const line of lines) {
    const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line);
    if (!match) throw refused('a signature line is malformed');
    const bytes = Buffer.from(match[2] ?? '', 'base64');
    // One spelling for each signature: the unused bits of the last letter are zero (RFC 4648, 3.5).
    if (bytes.toString('base64') !== match[2]) throw refused('a signature line is malformed');
    if (match[1] !== name || !bytes.subarray(0, 4).equals(hash)) continue;
    if (bytes.length !== 68 || !verify(null, Buffer.from(text, 'utf8'), key, bytes.subarray(4)))
      throw refused('the signed text was changed');
    verified = true;
  }
  if (!verified) throw refused('it is not signed by the expected key');
  return text;
}
