/** Who is at the other end, and whether that address is let in. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

/** One address, or a network as `address/bits`; null when it is neither. */
function parseNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | null {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = plainAddress(match?.[1] ?? '');
  if (address === null) return null;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const most = family === 'ipv4' ? 32 : 128;
  const bits = match?.[2] === undefined ? most : Number(match[2]);
  return bits <= most ? { address, bits, family } : null;
}

/** An address without a zone, an IPv4 address written as IPv6 as what it is; null for anything else. */
export function plainAddress(text: string): string | null {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(text)?.[1] ?? text.replace(/%.*$/, '');
  return isIP(mapped) === 0 ? null : mapped;
}

export const networksSchema = z
  .array(
    z.string().refine((text) => parseNetwork(text) !== null, {
      error: 'This is neither an address nor a network such as 10.0.0.0/8 or fd00::/8.',
    }),
  )
  .max(10_000);

export class Networks {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const network = parseNetwork(text);
      if (network) this.#list.addSubnet(network.address, network.bits, network.family);
    }
  }

  has(address: string): boolean {
    return this.#list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

export interface AddressOptions {
  /** null = everybody. */
  readonly allow: Networks | null;
  /** Proxies whose `X-Forwarded-For` is believed; null = none. */
  readonly trustedProxies: Networks | null;
}

/** A proxy that adds to a longer list than this is not believed. */
const MAX_HOPS = 32;

/**
 * The caller's address: that of the connection, or, when that is a trusted proxy, the last one in `X-Forwarded-For` that
 * is not. What stands before it in the list was written by the caller. Null when a trusted proxy sent no readable list.
 */
export function callerAddress(request: IncomingMessage, proxies: Networks | null): string | null {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  if (peer === null || !proxies?.has(peer)) return peer;
  // Node joins repeated lines in their order.
  const hops = String(request.headers['x-forwarded-for'] ?? '').split(',');
  if (hops.length > MAX_HOPS) return null;
  let address: string | null = null;
  for (const hop of hops.reverse()) {
    address = plainAddress(hop.trim());
    if (address === null || !proxies.has(address)) return address;
  }
  // Everybody in it is a trusted proxy: then it is the first of them that asks for itself.
  return address;
}
