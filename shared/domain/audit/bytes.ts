/** Text, hexadecimal and bytes without any runtime's library: the domain runs in Node and in the window. */

/** A hash function over bytes, SHA-256 in this program. */
export type HashFunction = (bytes: Uint8Array) => Uint8Array;

// In every runtime this program has; declared here because the domain is compiled without any of them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** UTF-8 of well-formed text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Bytes of lower-case hex, or null for anything else. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
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
