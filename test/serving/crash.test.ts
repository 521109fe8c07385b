/** What survives: kill -9 at either end, changed bytes on disk, a full disk, a stop in the middle of work. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReleasePackage } from '../../electron/ports/endpoint.ts';
import { encryptBytes } from '../../shared/node/age/index.ts';
import { startAgent } from '../support/agent.ts';
import { logisticRegression, model } from '../support/onnx-builder.ts';
import { makeRelease, type ReleaseOptions, type Site, thresholdModel } from '../support/release.ts';
import { type Stage, stage } from './support.ts';

const CANARY = { percent: 100, mirrorSample: 1, salt: 'a-plan-salt' } as const;

function release(
  site: Site,
  serial: number,
  options: ReleaseOptions = {},
): ReleasePackage & { request: { digest: string } } {
  return makeRelease(site, { version: `1.${serial}.0`, serial, model: thresholdModel(serial), ...options });
}

/** Path of a stored file on the agent's disk. */
function stored(on: Stage, made: ReleasePackage, name = 'model.onnx'): string {
  return join(on.agent.directory, 'state', 'releases', made.root, `${name}.age`);
}

async function flipByte(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size - 40);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, size - 40);
  await handle.close();
}

/** The agent's own code for why it refused. */
async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'accepted',
    (error: { code?: string; facts?: { reason?: string } }) => error.facts?.reason ?? error.code ?? error,
  );
}

test('given it serves two versions, when it is killed, then it comes back serving both, and remembers its answers', async () => {
  const on = await stage();
  const [first, second] = [release(on.site, 1), release(on.site, 2)];
  await on.serve(first);
  await on.client.push(second, () => {});
  const change = {
    key: 'k',
    expectedGeneration: 1,
    stableRoot: first.root,
    canary: { root: second.root, ...CANARY, percent: 30 },
  };
  const receipt = await on.client.route('phish', change);
  const keys = Array.from({ length: 40 }, (_, index) => `caller-${index}`);
  const versions = async () => {
    const seen: unknown[] = [];
    for (const key of keys)
      seen.push((await on.predict([1, 1, 1], { headers: { 'x-routing-key': key } })).body.model_version);
    return seen;
  };
  const before = await versions();
  expect(new Set(before)).toEqual(new Set(['1.1.0', '1.2.0']));

  await on.agent.kill();
  await on.agent.restart();

  expect(await on.client.models()).toEqual([receipt.model]);
  expect(await versions()).toEqual(before);
  expect((await on.client.route('phish', change)).model).toEqual(receipt.model);
  await expect(on.client.route('phish', { ...change, key: 'new' })).rejects.toMatchObject({
    code: 'endpoint.stale',
  });
  expect((await on.client.rollback('phish', { key: 'r', to: null })).model).toMatchObject({
    canary: null,
    stable: { version: '1.1.0' },
  });
});

describe('a push that breaks off', () => {
  /** A model of 24 MiB: five pieces on the wire. */
  const large = () => {
    const spec = logisticRegression();
    return model({ ...spec, doc: 'x'.repeat(24 * 1024 * 1024) });
  };

  test('given the agent is killed in the middle of it and comes back, then the same push goes on where it broke off', async () => {
    const on = await stage();
    const made = release(on.site, 1, { model: large() });
    let opened = 0;
    let killed = false;
    const files = made.files.map((file) =>
      file.name !== 'model.onnx'
        ? file
        : {
            ...file,
            open: async function* () {
              opened++;
              let bytes = 0;
              for await (const piece of file.open()) {
                bytes += piece.length;
                if (bytes > 12 * 1024 * 1024 && !killed) {
                  killed = true;
                  await on.agent.kill();
                  await on.agent.restart();
                }
                yield piece;
              }
            },
          },
    );
    await on.client.push({ ...made, files }, () => {});
    expect(killed).toBe(true);
    expect(opened).toBe(1);
    await on.serve(made);
    expect((await on.predict([1, 1, 1])).status).toBe(200);
    expect(await readdir(join(on.agent.directory, 'state', 'uploads'))).toEqual([]);
    expect(await readdir(join(on.agent.directory, 'state', 'staging'))).toEqual([]);
  });

  test('given the console gave up, when another sends the release again, then only what is missing is sent', async () => {
    const on = await stage();
    await on.serve(release(on.site, 1));
    const made = release(on.site, 2, { model: large() });
    const abort = new AbortController();
    const sent: string[] = [];
    const watched = (onModel: () => void): ReleasePackage => ({
      ...made,
      files: made.files.map((file) => ({
        ...file,
        open: async function* () {
          sent.push(file.name);
          let bytes = 0;
          for await (const piece of file.open()) {
            bytes += piece.length;
            if (file.name === 'model.onnx' && bytes > 12 * 1024 * 1024) onModel();
            yield piece;
          }
        },
      })),
    });
    await expect(
      on.client.push(
        watched(() => abort.abort()),
        () => {},
        abort.signal,
      ),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(
      await refusalOf(
        on.client.route('phish', { key: 'k', expectedGeneration: 1, stableRoot: made.root, canary: null }),
      ),
    ).toBe('not-found');
    await on.agent.kill();
    await on.agent.restart();
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
    sent.length = 0;
    await on.client.push(
      watched(() => {}),
      () => {},
    );
    // request.json is read for the opening too; dossier.json had arrived.
    expect(sent).not.toContain('dossier.json');
    expect(sent).toContain('model.onnx');
    await on.serve(made);
  });
});

describe('a byte changed on the agent’s disk', () => {
  test('given it was never loaded, then it is refused, and what is served stays', async () => {
    const on = await stage();
    await on.serve(release(on.site, 1));
    const made = release(on.site, 2);
    await on.client.push(made, () => {});
    await flipByte(stored(on, made));
    const change = { key: 'k', expectedGeneration: 1, stableRoot: made.root, canary: null };
    expect(await refusalOf(on.client.route('phish', change))).toBe('integrity.artifact');
    expect((await on.client.models())[0]).toMatchObject({ generation: 1, stable: { version: '1.1.0' } });
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
  });

  test('given other bytes were encrypted to the agent in its place, then they are refused too', async () => {
    const on = await stage();
    const made = release(on.site, 1);
    await on.client.push(made, () => {});
    await writeFile(stored(on, made), await encryptBytes([on.endpoint.ageRecipient], thresholdModel(7)));
    const change = { key: 'k', expectedGeneration: 0, stableRoot: made.root, canary: null };
    expect(await refusalOf(on.client.route('phish', change))).toBe('integrity.artifact');
  });

  test('given the dossier was exchanged, which says how labels are read, then it is refused', async () => {
    const on = await stage();
    const made = release(on.site, 1);
    await on.client.push(made, () => {});
    await writeFile(
      stored(on, made, 'dossier.json'),
      await encryptBytes([on.endpoint.ageRecipient], Buffer.from('{}')),
    );
    const change = { key: 'k', expectedGeneration: 0, stableRoot: made.root, canary: null };
    expect(await refusalOf(on.client.route('phish', change))).toBe('integrity.artifact');
  });

  test('given it is loaded already, then it is not promoted, and after a restart the canary is gone', async () => {
    const on = await stage();
    const [first, second] = [release(on.site, 1), release(on.site, 2)];
    await on.serve(first);
    await on.client.push(second, () => {});
    await on.client.route('phish', {
      key: 'c',
      expectedGeneration: 1,
      stableRoot: first.root,
      canary: { root: second.root, ...CANARY },
    });
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.2.0');
    await flipByte(stored(on, second));
    expect(
      await refusalOf(
        on.client.route('phish', { key: 'p', expectedGeneration: 2, stableRoot: second.root, canary: null }),
      ),
    ).toBe('integrity.artifact');

    await on.agent.kill();
    await on.agent.restart();
    expect((await on.client.models())[0]).toMatchObject({
      generation: 3,
      canary: null,
      stable: { version: '1.1.0' },
    });
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
  });

  test('given the stable version is damaged at a restart, then the one before serves; without one, nothing does', async () => {
    const on = await stage();
    const [first, second] = [release(on.site, 1), release(on.site, 2)];
    await on.serve(first);
    await on.serve(second);
    await flipByte(stored(on, second));
    await on.agent.kill();
    await on.agent.restart();
    expect((await on.client.models())[0]).toMatchObject({
      generation: 3,
      stable: { version: '1.1.0' },
      previous: { version: '1.2.0' },
    });
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');

    await flipByte(stored(on, first));
    await on.agent.kill();
    await on.agent.restart();
    expect((await on.predict([1, 1, 1])).status).toBe(503);
    const headers = { authorization: `Bearer ${on.agent.token}` };
    expect(await (await fetch(`${on.agent.predictUrl}/metrics`, { headers })).text()).toMatch(
      /^model_prediction_errors_total\{model_name="phish",version="",error_type="integrity"\} 1$/m,
    );
    // Sent again, it is taken in place of the damaged one.
    await on.serve(first);
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
  });
});

test('given a stored byte changes while its version serves, then the next look shows it, and serving goes on', async () => {
  const on = await stage({ limits: { verifyMinutes: 0.001 } });
  const made = release(on.site, 1);
  await on.serve(made);
  const damaged = async () => {
    const headers = { authorization: `Bearer ${on.agent.token}` };
    const text = await (await fetch(`${on.agent.predictUrl}/metrics`, { headers })).text();
    return /^sallyport_stored_releases_damaged (\d+)$/m.exec(text)?.[1];
  };
  expect(await damaged()).toBe('0');
  await flipByte(stored(on, made));
  await expect.poll(damaged, { timeout: 30_000 }).toBe('1');
  expect((await on.predict([1, 1, 1])).status).toBe(200);
});

/** A predict call that is let in and whose body is still to come. */
async function letIn(on: Stage): Promise<{ finish(features: unknown): Promise<number> }> {
  const call = request(`${on.agent.predictUrl}/predict`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${on.agent.token}`,
      'content-type': 'application/json',
      expect: '100-continue',
    },
  });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  call.flushHeaders();
  await once(call, 'continue');
  return {
    finish: async (features) => {
      call.end(JSON.stringify({ model_name: 'phish', features }));
      const [response] = await answered;
      response.resume();
      return response.statusCode ?? 0;
    },
  };
}

test('given calls are under way, when it is stopped, then they are answered and it ends well', async () => {
  const on = await stage();
  await on.serve(release(on.site, 1));
  const calls = await Promise.all(Array.from({ length: 4 }, () => letIn(on)));
  const stopped = on.agent.stop();
  // Nobody new is let in any more; whoever was let in before is answered, though his body comes only now.
  await expect
    .poll(
      () =>
        on.predict([1, 1, 1]).then(
          ({ status }) => status,
          () => 'no connection',
        ),
      { timeout: 20_000 },
    )
    .not.toBe(200);
  expect(await Promise.all(calls.map((call) => call.finish([1, 1, 1])))).toEqual([200, 200, 200, 200]);
  expect(await stopped).toBe(0);
});

test('given no room is left, then a push is refused and serving goes on', async () => {
  const on = await stage();
  await on.serve(release(on.site, 1));
  await on.agent.stop();
  const config = await readFile(on.agent.configFile, 'utf8');
  await writeFile(on.agent.configFile, `${config}limits:\n  reserveBytes: ${2 ** 52}\n`);
  await on.agent.restart();
  expect(await refusalOf(on.client.push(release(on.site, 2), () => {}))).toBe('disk.full');
  expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
});

test('given an agent runs or exists in a directory, then no second one does', async () => {
  const on = await stage();
  await expect(on.agent.command('run', '--config', on.agent.configFile)).rejects.toMatchObject({ code: 4 });
  const trust = join(on.agent.directory, 'trust.yaml');
  const before = await readFile(join(on.agent.directory, 'keys', 'signing.pem'), 'utf8');
  await expect(
    on.agent.command('init', '--environment', 'x', '--trust', trust, '--dir', on.agent.directory),
  ).rejects.toMatchObject({ code: 4 });
  expect(await readFile(join(on.agent.directory, 'keys', 'signing.pem'), 'utf8')).toBe(before);
});

test('keeps its keys and the directory of them from other users, and models encrypted', async () => {
  const on = await stage();
  const made = release(on.site, 1);
  await on.serve(made);
  for (const path of ['keys', '.']) expect((await stat(join(on.agent.directory, path))).mode & 0o077).toBe(0);
  for (const path of ['keys/signing.pem', 'keys/age.txt', 'tokens.json']) {
    expect((await stat(join(on.agent.directory, path))).mode & 0o077).toBe(0);
  }
  expect(await readFile(join(on.agent.directory, 'tokens.json'), 'utf8')).not.toContain(on.agent.token);
  expect((await readFile(stored(on, made))).subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  expect(existsSync(join(on.agent.directory, 'state', 'releases', made.root, 'model.onnx'))).toBe(false);
});

test('refuses to listen to other machines without TLS', async () => {
  const on = await stage();
  await on.agent.stop();
  const config = await readFile(on.agent.configFile, 'utf8');
  await writeFile(on.agent.configFile, config.replaceAll('127.0.0.1', '0.0.0.0'));
  await expect(on.agent.restart()).rejects.toThrow(/without TLS/);
});

test('an agent that was made anew at the same address is not given the token', async () => {
  const on = await stage();
  await on.agent.stop();
  const { port } = new URL(on.agent.adminUrl);
  const impostor = await startAgent(on.site);
  try {
    await impostor.stop();
    const config = await readFile(impostor.configFile, 'utf8');
    await writeFile(
      impostor.configFile,
      config.replace(/(admin:\s+host: 127\.0\.0\.1\s+port: )\d+/, `$1${port}`),
    );
    await impostor.restart();
    await expect(on.client.models()).rejects.toMatchObject({ code: 'integrity.endpoint' });
    await impostor.stop();
    expect(impostor.log()).toContain('/admin/v1/identity');
    expect(impostor.log()).not.toContain('/admin/v1/models');
  } finally {
    await impostor.remove();
  }
});
