/** Text, hexadecimal and bytes without any runtime's library: the domain runs in Node and in the window. */

/** A hash function over bytes, SHA-256 in this program. */
export type HashFunction = (bytes: Uint8Array) => Uint8Array;

// In every runtime this program has; declared here because the domain is compiled without any of them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

const ENCODER = new TextEncoder();
/** The two digits of each byte: hashing a long log spends its time here otherwise. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** UTF-8 of well-formed text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) text += DIGITS[bytes[at] ?? 0];
  return text;
}

/** Bytes of lower-case hex, or null for anything else. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = (digit(text.charCodeAt(2 * at)) << 4) | digit(text.charCodeAt(2 * at + 1));
  return bytes;
}

/** Value of a checked lower-case hexadecimal digit: `0` is 48, `a` is 97. */
function digit(code: number): number {
  return code < 97 ? code - 48 : code - 87;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
