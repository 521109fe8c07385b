import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../serving/config.ts';
import { ListenerTls, tlsSchema } from '../../serving/guard/tls.ts';
import { HttpConnection, type HttpTls } from '../../shared/node/http/connection.ts';
import { generateSigningKey } from '../../shared/node/model-signing/index.ts';
import { certificate, type TestCertificate } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { listener } from './guard-support.ts';

const ca = certificate('site authority');
const server = certificate('agent.example', ca);

function write(directory: string, { cert, key }: TestCertificate): { cert: string; key: string } {
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

async function secure(change: Record<string, unknown> = {}) {
  const directory = temporaryDirectory();
  const files = write(directory, server);
  const clientCa = join(directory, 'ca.pem');
  writeFileSync(clientCa, ca.cert);
  const config = tlsSchema.parse({
    ...files,
    reloadSeconds: 0.05,
    ...change,
    ...(change.clientCa ? { clientCa } : {}),
  });
  const tls = await ListenerTls.open(config);
  const on = await listener({ tls });
  const logged: string[] = [];
  const stop = tls.follow(on.app.server, pino({}, { write: (line: string) => void logged.push(line) }));
  onTestFinished(stop);
  return { ...on, files, clientCa, logged, url: `https://127.0.0.1:${on.port}` };
}

async function ask(url: string, tls: HttpTls): Promise<number> {
  const connection = new HttpConnection(url, tls);
  try {
    return (await connection.call({ method: 'GET', path: '/open', timeoutMs: 5000 })).status;
  } finally {
    await connection.close();
  }
}

describe('the client of an endpoint', () => {
  test('speaks to a certificate of the pinned authority, or to the one pinned certificate, and to no other', async () => {
    const { url } = await secure();
    expect(await ask(url, { ca: ca.cert })).toBe(200);
    expect(await ask(url, { certificateFingerprint: server.fingerprint })).toBe(200);
    const refused = { code: 'integrity.endpoint' };
    await expect(ask(url, {})).rejects.toMatchObject(refused);
    await expect(ask(url, { ca: certificate('another authority').cert })).rejects.toMatchObject(refused);
    await expect(ask(url, { certificateFingerprint: ca.fingerprint })).rejects.toMatchObject(refused);
  });

  test('does not speak to a certificate that has ended or has another name', async () => {
    const ended = await secure();
    write(join(ended.files.cert, '..'), certificate('agent.example', ca, { ended: true }));
    await expect.poll(() => ended.logged.join('')).toContain('TLS files read again');
    await expect(ask(ended.url, { ca: ca.cert })).rejects.toMatchObject({
      message: expect.stringContaining('has ended'),
    });
    const named = await secure();
    write(join(named.files.cert, '..'), certificate('agent.example', ca, { elsewhere: true }));
    await expect.poll(() => named.logged.join('')).toContain('TLS files read again');
    await expect(ask(named.url, { ca: ca.cert })).rejects.toMatchObject({
      code: 'integrity.endpoint',
      message: expect.stringContaining('another name'),
    });
  });
});

describe('a listener with TLS', () => {
  const handshake = (port: number, options: object): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', ca: ca.cert, ...options }, () => resolve(socket));
      socket.once('error', reject);
      onTestFinished(() => void socket.destroy());
    });

  test('speaks TLS 1.2 and 1.3, nothing older, and no plain HTTP', async () => {
    const { port } = await secure();
    expect((await handshake(port, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    expect((await handshake(port, {})).getProtocol()).toBe('TLSv1.3');
    await expect(
      handshake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    const only13 = await secure({ minVersion: 'TLSv1.3' });
    await expect(handshake(only13.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    await expect(fetch(`http://127.0.0.1:${port}/open`)).rejects.toThrow();
    expect((await handshake(port, {})).authorized).toBe(true);
  });

  test('given new files, then new connections get them and those that stand go on', async () => {
    const on = await secure();
    const standing = await handshake(on.port, {});
    const ask = async (): Promise<string> => {
      standing.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n');
      return String((await once(standing, 'data'))[0]);
    };
    expect(await ask()).toContain(' 200 ');
    const next = certificate('agent.example', ca);
    // One of two files is there before the other: nothing may break in between.
    writeFileSync(on.files.cert, next.cert);
    await expect.poll(() => on.logged.join('')).toContain('are not used');
    expect((await handshake(on.port, {})).getPeerX509Certificate()?.serialNumber).toBeDefined();
    writeFileSync(on.files.key, next.key, { mode: 0o600 });
    await expect.poll(() => on.logged.join('')).toContain('read again');
    const fresh = await handshake(on.port, {});
    expect(fresh.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
      next.fingerprint,
    );
    expect(await ask()).toContain(' 200 ');
    expect(on.logged.join('')).not.toContain('PRIVATE KEY');
  });

  test('that asks for client certificates speaks to those of its authority only', async () => {
    const { url } = await secure({ clientCa: true });
    const client = certificate('console', ca);
    const stranger = certificate('console', certificate('another authority'));
    expect(await ask(url, { ca: ca.cert, client: async () => client })).toBe(200);
    await expect(ask(url, { ca: ca.cert })).rejects.toMatchObject({ code: 'endpoint.unreachable' });
    await expect(ask(url, { ca: ca.cert, client: async () => stranger })).rejects.toThrow();
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'given another authority, then its clients are let in and those of the old one no more, nor by a session of theirs (%s)',
    async (version) => {
      const on = await secure({ clientCa: true });
      const next = certificate('next authority');
      const before = certificate('console', ca);
      const after = certificate('console', next);
      const as = (client: TestCertificate) => ask(on.url, { ca: ca.cert, client: async () => client });
      expect(await as(before)).toBe(200);
      await expect(as(after)).rejects.toThrow();

      const answer = async (socket: TLSSocket): Promise<string> => {
        socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n');
        const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])]);
        return String(data).split('\r\n')[0] ?? '';
      };
      const options = { cert: before.cert, key: before.key, maxVersion: version };
      const standing = await handshake(on.port, options);
      expect(await answer(standing)).toContain(' 200 ');
      // After the first answer: a session of TLS 1.3 comes once the handshake is over.
      const session = standing.getSession();
      if (!session) throw new Error('a session');
      const resumed = await handshake(on.port, { ...options, session });
      expect([resumed.isSessionReused(), await answer(resumed)]).toEqual([
        true,
        expect.stringContaining(' 200 '),
      ]);

      writeFileSync(on.clientCa, next.cert);
      await expect.poll(() => on.logged.join('')).toContain('TLS files read again');
      expect(await as(after)).toBe(200);
      await expect(as(before)).rejects.toThrow();
      const again = handshake(on.port, { ...options, session }).then(answer);
      expect(await again.catch(() => 'refused')).not.toContain(' 200 ');
      // What stood goes on.
      expect(await answer(standing)).toContain(' 200 ');
    },
  );

  test('given a file that is no authority, then those of the old one are let in as before', async () => {
    const on = await secure({ clientCa: true });
    const client = certificate('console', ca);
    writeFileSync(on.clientCa, 'half a certi');
    await expect.poll(() => on.logged.join('')).toContain('are not used');
    expect(await ask(on.url, { ca: ca.cert, client: async () => client })).toBe(200);
    await expect(ask(on.url, { ca: ca.cert })).rejects.toThrow();
  });

  test('lets in the named clients alone, by name or fingerprint', async () => {
    const [console, scanner, other] = ['console', 'scanner', 'other'].map((name) => certificate(name, ca));
    if (!console || !scanner || !other) throw new Error('three certificates');
    const { url } = await secure({
      clientCa: true,
      clients: [
        { commonName: 'console' },
        { fingerprint: (scanner.fingerprint.match(/../g) ?? []).join(':').toUpperCase() },
      ],
    });
    const as = (client: TestCertificate) => ask(url, { ca: ca.cert, client: async () => client });
    expect(await as(console)).toBe(200);
    expect(await as(scanner)).toBe(200);
    expect(await as(other)).toBe(403);
  });

  test('is not made of a key that others can read, or that is not the certificate’s', async () => {
    const directory = temporaryDirectory();
    const files = write(directory, server);
    const open = () => ListenerTls.open(tlsSchema.parse(files));
    writeFileSync(files.key, certificate('other').key);
    await expect(open()).rejects.toMatchObject({ code: 'input.invalid' });
    const loose = { ...files, key: join(directory, 'loose.pem') };
    writeFileSync(loose.key, server.key, { mode: 0o644 });
    await expect(ListenerTls.open(tlsSchema.parse(loose))).rejects.toThrow('can be read by others');
    await expect(ListenerTls.open(tlsSchema.parse({ ...files, cert: files.key }))).rejects.toThrow('PEM');
    expect(readFileSync(files.cert, 'utf8')).toBe(server.cert);
  });
});

test('the agent listens on other addresses with TLS only', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'agent.yaml');
  const approver = { person: 'A', name: 'a', publicKeyPem: generateSigningKey().publicKeyPem };
  writeFileSync(
    join(directory, 'trust.yaml'),
    JSON.stringify({ vaults: ['v'], quorum: 1, approvers: [approver] }),
  );
  const config = (tls: string): void =>
    writeFileSync(
      file,
      `version: 1\nenvironmentId: e\ntrust: trust.yaml\npredict: { host: 0.0.0.0, port: 0${tls} }\nadmin: { port: 0 }\n`,
    );
  config('');
  await expect(loadConfig(file)).rejects.toMatchObject({
    code: 'input.invalid',
    message: expect.stringMatching(
      /agent\.yaml:4:18: predict\.host: The agent does not listen .* without TLS/,
    ),
  });
  config(', tls: { cert: c.pem, key: k.pem }');
  expect((await loadConfig(file)).predict.tls).toMatchObject({
    cert: join(directory, 'c.pem'),
    key: join(directory, 'k.pem'),
    minVersion: 'TLSv1.2',
  });
});
