import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { exchange, limitsOf, listener, raw } from './guard-support.ts';

const get = (token: string, more = ''): string =>
  `GET /models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;
const last = 'Connection: close\r\n';
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

/** A clock the test moves, in milliseconds. */
function clock(): { now: () => Date; pass: (ms: number) => void } {
  let at = Date.now();
  return {
    now: () => new Date(at),
    pass: (ms) => {
      at += ms;
    },
  };
}

describe('the shape of a request', () => {
  test.each([
    ['a path over its length', (token: string) => get(token).replace('/models', `/${'m'.repeat(2048)}`), 414],
    ['more header lines than allowed', (token: string) => get(token, `${'A: b\r\n'.repeat(63)}${last}`), 431],
    ['headers over their size', (token: string) => get(token, `A: ${'b'.repeat(17_000)}\r\n`), 431],
    ['two Authorization headers', (token: string) => get(token, `Authorization: Bearer x\r\n${last}`), 400],
    ['two hosts', (token: string) => get(token, `Host: b\r\n${last}`), 400],
    ['two lengths', (token: string) => get(token, 'Content-Length: 0\r\nContent-Length: 0\r\n'), 400],
    [
      'a length beside chunks',
      (token: string) => get(token, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
      400,
    ],
    ['what is not HTTP', () => 'HELO agent\r\n\r\n', 400],
    ['a path that cannot be decoded', (token: string) => get(token, last).replace('/models', '/%zz'), 400],
  ] as const)('refuses %s, with a detail', async (_what, request, status) => {
    const on = await listener();
    const { socket, text, closed } = await raw(on.port);
    socket.write(request(on.token));
    await once(socket, 'data');
    socket.destroy();
    await closed;
    expect(statusOf(text())).toBe(status);
    expect(text()).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/im);
    expect(JSON.parse(text().split('\r\n\r\n')[1] ?? '')).toMatchObject({ detail: expect.any(String) });
  });
});

describe('the rate of a token', () => {
  test('given two requests a second and two seconds’ worth at once, then the fifth waits, with what is left in headers', async () => {
    const { now, pass } = clock();
    const on = await listener({ now, limits: limitsOf({ requestsPerSecond: 2, burstSeconds: 2 }) });
    const other = (await on.tokens.add('other', ['read'], 1, now())).token;
    const call = (token: string) =>
      fetch(`http://127.0.0.1:${on.port}/none`, { headers: { authorization: `Bearer ${token}` } });
    const first = await call(on.token);
    expect(first.status).toBe(404);
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=4;w=2');
    expect(first.headers.get('ratelimit')).toBe('"requests";r=3;t=1');
    for (let each = 0; each < 3; each++) expect((await call(on.token)).status).toBe(404);
    const fifth = await call(on.token);
    expect(fifth.status).toBe(429);
    expect(fifth.headers.get('retry-after')).toBe('1');
    expect(fifth.headers.get('ratelimit')).toBe('"requests";r=0;t=1');
    expect(await fifth.json()).toEqual({ detail: expect.stringContaining('1 s') });
    expect((await call(other)).status).toBe(404);
    pass(500);
    expect((await call(on.token)).status).toBe(404);
    expect((await call(on.token)).status).toBe(429);
  });

  test('rows have a rate of their own, taken once they are counted', async () => {
    const { now, pass } = clock();
    const on = await listener({
      now,
      limits: limitsOf({ rowsPerSecond: 10, burstSeconds: 1 }),
      routes: (app) =>
        app.post('/rows', { config: { scopes: ['predict'] } }, async (request) => {
          request.chargeRows(request.body as number);
          return { rows: request.body };
        }),
    });
    const call = (rows: number) =>
      fetch(`http://127.0.0.1:${on.port}/rows`, {
        method: 'POST',
        headers: { authorization: `Bearer ${on.token}`, 'content-type': 'application/json' },
        body: String(rows),
      });
    expect((await call(8)).status).toBe(200);
    const refused = await call(8);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('ratelimit-policy')).toBe('"rows";q=10;w=1');
    pass(600);
    expect((await call(8)).status).toBe(200);
  });

  test('without a valid token the address is limited, and whoever has one is not held up by it', async () => {
    const { now } = clock();
    const on = await listener({ now, limits: limitsOf({ addressRequestsPerSecond: 1, burstSeconds: 2 }) });
    const call = (path: string, token = 'wrong-wrong-wrong-wrong') =>
      fetch(`http://127.0.0.1:${on.port}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const statuses: number[] = [];
    for (let each = 0; each < 4; each++) statuses.push((await call('/none')).status);
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect((await call('/none', on.token)).status).toBe(404);
    // What is open to everybody is counted apart: guessing tokens does not make a health check fail.
    expect((await call('/open')).status).toBe(200);
    expect((await call('/open')).status).toBe(200);
    expect((await call('/open')).status).toBe(429);
  });
});

describe('requests at once', () => {
  const slow = (limits: Parameters<typeof limitsOf>[0]) => {
    const gate = Promise.withResolvers<void>();
    return listener({
      limits: limitsOf(limits),
      routes: (app) =>
        app.get('/slow', { config: { scopes: ['read'] } }, async () => {
          await gate.promise;
          return {};
        }),
    }).then((on) => ({
      ...on,
      open: gate.resolve,
      call: (token = on.token) =>
        fetch(`http://127.0.0.1:${on.port}/slow`, { headers: { authorization: `Bearer ${token}` } }),
    }));
  };
  const started = async (on: { app: { server: { getConnections: unknown } } }, calls: number) => {
    // Each call has a connection of its own; once all stand, the requests are in, too.
    const server = on.app.server as unknown as {
      getConnections(done: (e: unknown, n: number) => void): void;
    };
    for (;;) {
      const open = await new Promise<number>((resolve) => server.getConnections((_e, n) => resolve(n)));
      if (open >= calls) return new Promise((resolve) => setTimeout(resolve, 50));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  test('one more than a token may have is told so at once; another token is let in', async () => {
    const on = await slow({ requestsPerToken: 2 });
    const other = (await on.tokens.add('other', ['read'], 1, new Date())).token;
    const running = [on.call(), on.call()];
    await started(on, 2);
    const refused = await on.call();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    const third = on.call(other);
    on.open();
    for (const call of [...running, third]) expect((await call).status).toBe(200);
    expect((await on.call()).status).toBe(200);
  });

  test('a caller that sent several at once and went away holds no place', async () => {
    const on = await slow({ requests: 4, requestsPerToken: 4 });
    const { socket, closed } = await raw(on.port);
    const arrived = new Promise<void>((resolve) => {
      let requests = 0;
      on.app.server.on('request', () => {
        if (++requests === 4) resolve();
      });
    });
    socket.write(get(on.token).replace('/models', '/slow').repeat(4));
    await arrived;
    expect([429, 503]).toContain((await on.call()).status);
    socket.destroy();
    await closed;
    on.open();
    await expect.poll(async () => (await on.call()).status).toBe(200);
  });

  test('one more than the listener takes is answered 503 at once; a caller that went away makes room', async () => {
    const on = await slow({ requests: 2 });
    const away = new AbortController();
    const gone = fetch(`http://127.0.0.1:${on.port}/slow`, {
      headers: { authorization: `Bearer ${on.token}` },
      signal: away.signal,
    }).catch(() => null);
    const running = on.call();
    await started(on, 2);
    expect((await on.call()).status).toBe(503);
    away.abort();
    await gone;
    on.open();
    expect((await running).status).toBe(200);
    for (let each = 0; each < 5; each++) expect((await on.call()).status).toBe(200);
  });
});

describe('connections', () => {
  test('beyond their number are closed at once', async () => {
    const on = await listener({ limits: limitsOf({ connections: 2 }) });
    await raw(on.port);
    const second = await raw(on.port);
    const third = await raw(on.port);
    await third.closed;
    expect(third.text()).toBe('');
    second.socket.write(get(on.token));
    await once(second.socket, 'data');
    expect(statusOf(second.text())).toBe(404);
  });

  test('end after their number of requests', async () => {
    const on = await listener({ limits: limitsOf({ requestsPerConnection: 2 }) });
    const { socket, text, closed } = await raw(on.port);
    socket.write(get(on.token));
    await once(socket, 'data');
    socket.write(get(on.token));
    await closed;
    expect(text().match(/HTTP\/1\.1 404/g)).toHaveLength(2);
    expect(text()).toMatch(/connection: close/i);
  });

  test('whose headers trickle are ended', async () => {
    const on = await listener({ limits: limitsOf({ headersTimeoutMs: 200 }) });
    const { socket, text, closed } = await raw(on.port);
    const trickle = setInterval(() => socket.write('A: b\r\n'), 20);
    socket.write('GET /open HTTP/1.1\r\n');
    await closed;
    clearInterval(trickle);
    expect(statusOf(text())).toBe(408);
  });

  test('whose body trickles are ended', async () => {
    const on = await listener({ requestTimeoutMs: 200 });
    const { socket, text, closed } = await raw(on.port);
    socket.write(
      get(on.token, 'Content-Type: application/json\r\nContent-Length: 100000\r\n').replace(
        'GET /models',
        'POST /echo',
      ),
    );
    const trickle = setInterval(() => socket.write(' '), 20);
    await closed;
    clearInterval(trickle);
    expect(statusOf(text())).toBe(408);
  });

  test('whose answer is not taken are ended, and hold no place', async () => {
    const on = await listener({
      limits: limitsOf({ answerTimeoutMs: 200, requests: 1 }),
      routes: (app) =>
        app.get('/large', { config: { scopes: null } }, async () => 'x'.repeat(64 * 1024 * 1024)),
    });
    const { socket, closed } = await raw(on.port);
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    const [served] = (await once(on.app.server, 'request')) as [{ socket: NodeJS.EventEmitter }];
    await once(served.socket, 'close');
    expect((await fetch(`http://127.0.0.1:${on.port}/open`)).status).toBe(200);
    socket.destroy();
    await closed;
  });

  test('a kept one is asked for its token with every request', async () => {
    const on = await listener();
    const answer = await exchange(on.port, get(on.token) + get('wrong-wrong-wrong-wrong'));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 401']);
  });
});
