const REPLACEMENT = 0xfffd;
const CHUNK = 8192;

/** Length of the sequence a lead byte opens, its payload bits, and the smallest code point it may spell. */
function leadOf(
  byte: number,
): { readonly more: number; readonly bits: number; readonly least: number } | null {
  if (byte >= 0xc2 && byte <= 0xdf) return { more: 1, bits: byte & 0x1f, least: 0x80 };
  if (byte >= 0xe0 && byte <= 0xef) return { more: 2, bits: byte & 0x0f, least: 0x800 };
  if (byte >= 0xf0 && byte <= 0xf4) return { more: 3, bits: byte & 0x07, least: 0x10000 };
  return null;
}

/**
 * UTF-8 to a string; whatever is not UTF-8 (overlong forms and surrogates too) becomes U+FFFD, one per bad byte.
 * Hand-written because the domain has neither Node's nor the browser's globals.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  let units: number[] = [];
  for (let index = 0; index < bytes.length; ) {
    const byte = bytes[index] ?? 0;
    index += 1;
    if (byte < 0x80) units.push(byte);
    else {
      const lead = leadOf(byte);
      let point = lead?.bits ?? REPLACEMENT;
      let ok = lead !== null;
      for (let step = 0; lead !== null && ok && step < lead.more; step += 1) {
        const next = bytes[index + step];
        if (next === undefined || (next & 0xc0) !== 0x80) ok = false;
        else point = (point << 6) | (next & 0x3f);
      }
      if (
        lead === null ||
        !ok ||
        point < lead.least ||
        point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff)
      )
        units.push(REPLACEMENT);
      else {
        index += lead.more;
        if (point < 0x10000) units.push(point);
        else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
      }
    }
    if (units.length >= CHUNK) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}
