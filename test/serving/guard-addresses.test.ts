import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Networks, networksSchema, plainAddress } from '../../serving/guard/addresses.ts';
import { limitsOf, listener } from './guard-support.ts';

const at = (port: number, forwarded?: string) =>
  fetch(`http://127.0.0.1:${port}/who`, {
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  });
const who = (options: Partial<Parameters<typeof listener>[0]>) =>
  listener({
    routes: (app) =>
      app.get('/who', { config: { scopes: null } }, async (request) => ({
        address: request.caller?.address,
      })),
    ...options,
  });

describe('the networks that are let in', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['fd00::/8', 'fd12::1', 'fe80::1'],
    ['::1', '::1', '::2'],
    ['::ffff:192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['0.0.0.0/0', '203.0.113.9', '2001:db8::1'],
  ])('%s has %s and not %s', (network, inside, outside) => {
    expect(networksSchema.safeParse([network]).success).toBe(true);
    const networks = new Networks([network]);
    expect([networks.has(inside), networks.has(outside)]).toEqual([true, false]);
  });

  test('are as large as their bits say, for any IPv4 network', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 32 }), (network, address, bits) => {
        const same = network >>> (32 - bits) === address >>> (32 - bits);
        expect(new Networks([`${text(network)}/${bits}`]).has(text(address))).toBe(same);
      }),
    );
  });

  test.each(['10.0.0.0/33', 'fd00::/129', 'example.com', '10.0.0', '', '1.2.3.4/-1', '10.0.0.0/8/8'])(
    '%j is none',
    (text) => {
      expect(networksSchema.safeParse([text]).success).toBe(false);
    },
  );

  test('an address in either writing is one', () => {
    expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
    expect(plainAddress('10.0.0.1:80')).toBeNull();
  });
});

describe('a listener', () => {
  test('answers 403 to an address that is not on its list, whatever the request says and whatever token it has', async () => {
    const on = await who({ allow: new Networks(['192.0.2.0/24']) });
    expect((await at(on.port)).status).toBe(403);
    expect((await at(on.port, '192.0.2.1')).status).toBe(403);
    const known = await fetch(`http://127.0.0.1:${on.port}/x`, {
      headers: { authorization: `Bearer ${on.token}` },
    });
    expect(known.status).toBe(403);
    expect((await at((await who({ allow: new Networks(['127.0.0.0/8']) })).port)).status).toBe(200);
  });

  test('believes X-Forwarded-For of a trusted proxy only, and of its list the last that is no proxy', async () => {
    const alone = await who({});
    expect(await (await at(alone.port, '192.0.2.1')).json()).toEqual({ address: '127.0.0.1' });
    const behind = await who({
      allow: new Networks(['192.0.2.0/24']),
      trustedProxies: new Networks(['127.0.0.1', '10.0.0.0/8']),
    });
    const told = async (list?: string) => {
      const answer = await at(behind.port, list);
      return answer.status === 200 ? ((await answer.json()) as { address: string }).address : answer.status;
    };
    expect(await told('192.0.2.1')).toBe('192.0.2.1');
    expect(await told('192.0.2.1, 10.0.0.5')).toBe('192.0.2.1');
    // Written by the caller: an address on the list before its own.
    expect(await told('192.0.2.1, 203.0.113.9')).toBe(403);
    expect(await told('203.0.113.9')).toBe(403);
    expect(await told('10.0.0.7')).toBe(403);
    expect(await told('unknown')).toBe(400);
    expect(await told()).toBe(400);
    expect(await told(Array.from({ length: 40 }, () => '10.0.0.1').join(','))).toBe(400);
  });

  test('limits callers behind a trusted proxy each by their own address', async () => {
    const on = await who({
      limits: limitsOf({ addressRequestsPerSecond: 0.5, burstSeconds: 2 }),
      now: () => new Date(0),
      trustedProxies: new Networks(['127.0.0.1']),
    });
    const statuses: number[] = [];
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2'])
      statuses.push((await at(on.port, address)).status);
    expect(statuses).toEqual([200, 429, 200]);
  });
});
