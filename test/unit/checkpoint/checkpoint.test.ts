import { describe, expect, it } from 'vitest';
import {
  generateCheckpointKey,
  originOf,
  signCheckpoint,
  verifyCheckpoint,
  vkeyOf,
} from '../../../shared/node/checkpoint/index.ts';
import { generateNoteKey, openNote, signNote } from '../../../shared/node/checkpoint/note.ts';

/** Key, text and signature from the tests of Go's golang.org/x/mod/sumdb/note. */
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

describe('signed notes', () => {
  it("are those of Go's implementation, byte for byte", () => {
    expect(signNote(TEXT, SKEY)).toBe(`${TEXT}\n${SIGNATURE}`);
    expect(vkeyOf(SKEY)).toBe(VKEY);
    expect(openNote(`${TEXT}\n${SIGNATURE}`, VKEY)).toBe(TEXT);
  });

  it('know the key of a public checksum database', () => {
    // A wrong note under a right key: the key itself is understood, its hash verified.
    const sumdb = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
    expect(() => openNote(`${TEXT}\n${SIGNATURE}`, sumdb)).toThrowError(
      expect.objectContaining({ code: 'integrity.signature' }),
    );
  });

  it('pass over signatures of others, and demand the one expected', () => {
    const other = generateNoteKey('witness.example');
    const cosigned = `${TEXT}\n${SIGNATURE}${signNote(TEXT, other.skey).split('\n\n')[1]}`;
    expect(openNote(cosigned, VKEY)).toBe(TEXT);
    expect(openNote(cosigned, other.vkey)).toBe(TEXT);
    expect(() => openNote(cosigned, generateNoteKey('witness.example').vkey)).toThrowError(
      expect.objectContaining({ code: 'integrity.signature' }),
    );
  });

  it.each(['', 'PeterNeumann', VKEY.replace('c74f20a3', 'c74f20a4'), `${VKEY}A`, SKEY])(
    'refuse %j as a public key',
    (vkey) => {
      expect(() => openNote(`${TEXT}\n${SIGNATURE}`, vkey)).toThrowError(
        expect.objectContaining({ code: 'input.invalid' }),
      );
    },
  );
});

describe('checkpoints', () => {
  const key = generateCheckpointKey('vault-1');
  const checkpoint = { origin: 'sallyport/vault-1', size: 20, root: 'ab'.repeat(32) };
  const note = signCheckpoint(checkpoint, key.skey);

  it('are a C2SP tlog-checkpoint', () => {
    const root = Buffer.from('ab'.repeat(32), 'hex').toString('base64');
    expect(note).toMatch(/^sallyport\/vault-1\n20\n[^\n]+\n\n— sallyport\/vault-1 [A-Za-z0-9+/]+=*\n$/);
    expect(note.split('\n')[2]).toBe(root);
    expect(verifyCheckpoint(note, key.vkey)).toEqual(checkpoint);
    expect(originOf(key.vkey)).toBe('sallyport/vault-1');
  });

  it('with any byte changed are refused', () => {
    const bytes = Buffer.from(note, 'utf8');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => verifyCheckpoint(changed.toString('utf8'), key.vkey), `byte ${at}`).toThrowError(
        expect.objectContaining({ code: 'integrity.signature' }),
      );
    }
  });

  it('whose signature is spelled in another way are refused', () => {
    // 68 bytes end in a letter with two unused bits: four spellings, of which one is right.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = alphabet.indexOf(note.at(-3) ?? '');
    for (const bits of [1, 2, 3]) {
      const respelled = `${note.slice(0, -3)}${alphabet[last | bits]}=\n`;
      expect(() => verifyCheckpoint(respelled, key.vkey)).toThrowError(
        expect.objectContaining({ code: 'integrity.signature' }),
      );
    }
  });

  it('of another vault or another key are refused', () => {
    expect(() => verifyCheckpoint(note, generateCheckpointKey('vault-1').vkey)).toThrowError(
      expect.objectContaining({ code: 'integrity.signature' }),
    );
    expect(() => signCheckpoint({ ...checkpoint, origin: 'sallyport/vault-2' }, key.skey)).toThrowError(
      expect.objectContaining({ code: 'input.invalid' }),
    );
    const forged = signNote('sallyport/vault-2\n20\nq6s=\n', key.skey);
    expect(() => verifyCheckpoint(forged, key.vkey)).toThrowError(
      expect.objectContaining({ code: 'integrity.signature' }),
    );
  });
});
