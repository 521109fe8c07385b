/**
 * How model servers made of a web framework and pickled files are known to fail, and what happens here instead. Their
 * registries lose entries, too: of ours, a writer that is killed is in `test/crash/vault/crash.test.ts`, and two processes
 * that register at once in `test/crash/two-processes.test.ts`.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import { requireMapping } from '../../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import { bytesSource } from '../../shared/domain/onnx/wire.ts';
import { startAgent } from '../support/agent.ts';
import { twoClassTree } from '../support/engine-models.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage, stage } from './support.ts';

describe('a request that makes others fail', () => {
  let on: Stage;
  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(site, await startAgent(site));
    await on.serve(makeRelease(site));
  });
  afterAll(() => on.agent.remove());

  test.each([
    ['NaN', '[NaN,1,1]', 400],
    ['infinity', '[Infinity,1,1]', 400],
    ['a number that is infinite', '[1e400,1,1]', 422],
    ['null in the place of NaN', '[null,1,1]', 422],
    ['a wrong width', '[1,1,1,1]', 422],
    ['rows of several widths', '[[1,1,1],[1]]', 422],
  ])(
    '%s is the caller’s error with its place named, never a 500 and never a label',
    async (_what, features, status) => {
      const answer = await fetch(`${on.agent.predictUrl}/predict`, {
        method: 'POST',
        headers: { authorization: `Bearer ${on.agent.token}`, 'content-type': 'application/json' },
        body: `{"model_name":"phish","features":${features}}`,
      });
      expect(answer.status).toBe(status);
      const body = (await answer.json()) as Record<string, unknown>;
      expect(body).toMatchObject({ detail: expect.any(String) });
      expect(body).not.toHaveProperty('predictions');
    },
  );

  test('an unknown model and an unknown version are not found', async () => {
    expect((await on.predict([1, 1, 1], { model: 'other' })).status).toBe(404);
    expect((await on.predict([1, 1, 1], { version: '7.0.0' })).status).toBe(404);
  });

  test('five million rows are refused by their announced length, and the health check answers meanwhile', async () => {
    const { port } = new URL(on.agent.predictUrl);
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write(
      `POST /predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${on.agent.token}\r\nContent-Type: application/json\r\nContent-Length: ${5_000_000 * 61}\r\n\r\n{"model_name"`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    const many = await on.predict(Array.from({ length: 4097 }, () => [1, 1, 1]));
    expect([many.status, many.body.detail]).toEqual([413, expect.stringContaining('4096')]);
    expect((await fetch(`${on.agent.predictUrl}/health`)).status).toBe(200);
  });

  test('rows without an announced length are refused once they are too many, and the health check answers meanwhile', async () => {
    const { port } = new URL(on.agent.predictUrl);
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write(
      `POST /predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${on.agent.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    let answer = '';
    socket.on('data', (data: Buffer) => {
      answer += data.toString();
    });
    // A reset after the answer is an end like another.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const rows = `${'[1,1,1],'.repeat(8192)}\r\n`;
    const piece = `${(rows.length - 2).toString(16)}\r\n${rows}`;
    // 5,000,000 rows are 611 pieces; it is told to stop long before.
    let sent = 0;
    for (; sent < 611 && answer === '' && !socket.destroyed; sent++) {
      // Only what it takes counts: a writer that does not wait would have all of it in memory at once.
      if (!socket.write(piece))
        await Promise.race([new Promise((taken) => socket.once('drain', taken)), closed]);
      if (sent === 20) expect((await fetch(`${on.agent.predictUrl}/health`)).status).toBe(200);
    }
    socket.end();
    await closed;
    // Whoever goes on sending may find the connection reset before the answer was read.
    expect(answer).toMatch(/^(HTTP\/1\.1 413 |$)/);
    expect(sent).toBeLessThan(611);
    expect((await fetch(`${on.agent.predictUrl}/health`)).status).toBe(200);
  });

  test('labels that the runtime gets wrong beside right probabilities are not answered', async () => {
    const model = twoClassTree({ both: true });
    const mapping = requireMapping(readOnnx(bytesSource(model)).summary);
    await on.serve(makeRelease(on.site, { name: 'trees', model, mapping }));
    const answer = await on.predict(
      [
        [0, 0],
        [1, 0],
      ],
      { model: 'trees' },
    );
    expect(answer.body.predictions).toEqual([0, 1]);
  });

  test('a bad token is refused before a body of 10 MB is sent', async () => {
    const { port } = new URL(on.agent.predictUrl);
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write(
      `POST /predict HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong-wrong-wrong-wrong\r\nContent-Type: application/json\r\nContent-Length: ${10 * 1024 * 1024}\r\n\r\n`,
    );
    let answer = '';
    for await (const data of socket) answer += String(data);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('what happened can be read from /metrics', async () => {
    const headers = { authorization: `Bearer ${on.agent.token}` };
    const text = await (await fetch(`${on.agent.predictUrl}/metrics`, { headers })).text();
    expect(text).toMatch(/^model_prediction_errors_total\{model_name="phish",.*error_type="input"\} [1-9]/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});

test('a rollback goes back to the version deployed before, not the one registered before, at once, and is remembered after a restart', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site, { version: '1.0.0', serial: 1 }));
  await on.serve(makeRelease(on.site, { version: '2.0.0', serial: 2, model: thresholdModel(5) }));
  await on.client.push(
    makeRelease(on.site, { version: '1.5.0', serial: 3, model: thresholdModel(2) }),
    () => {},
  );
  const receipt = await on.client.rollback('phish', { key: 'back', to: null });
  expect(receipt.model.stable?.version).toBe('1.0.0');
  expect((await on.predict([1, 1, 1])).body).toMatchObject({ model_version: '1.0.0', predictions: [1] });
  await on.agent.kill();
  await on.agent.restart();
  expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.0.0');
});

test('a canary of 10 % gets about a tenth of the callers, each always the same; -5 and 250 are refused', async () => {
  const on = await stage();
  const first = makeRelease(on.site, { version: '1.0.0', serial: 1 });
  const second = makeRelease(on.site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
  await on.serve(first);
  await on.client.push(second, () => {});
  const canary = (percent: number) =>
    on.client.route('phish', {
      key: `canary-${percent}`,
      expectedGeneration: 1,
      stableRoot: first.root,
      canary: { root: second.root, percent, mirrorSample: 0, salt: 'a-plan-salt' },
    });
  for (const percent of [-5, 250, 10.5])
    await expect(canary(percent)).rejects.toMatchObject({ code: 'endpoint.refused' });
  await canary(10);
  const versions = await Promise.all(
    Array.from({ length: 400 }, async (_, caller) => {
      const headers = { 'x-routing-key': `caller-${caller}` };
      return (await on.predict([1, 1, 1], { headers })).body.model_version;
    }),
  );
  // By hash of key and salt: the same 400 callers, the same split, each time.
  const share = versions.filter((version) => version === '1.1.0').length;
  expect(share).toBeGreaterThan(20);
  expect(share).toBeLessThan(60);
});

test('an artifact that was changed on disk is not served again, whatever lies beside it', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site));
  const releases = join(on.agent.directory, 'state', 'releases');
  const files = readdirSync(releases, { recursive: true, encoding: 'utf8' })
    .map((name) => join(releases, name))
    .filter((path) => statSync(path).isFile() && path.includes('model'));
  expect(files.length).toBeGreaterThan(0);
  for (const path of files) {
    const bytes = readFileSync(path);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
  await on.agent.kill();
  await on.agent.restart();
  const answer = await on.predict([1, 1, 1]);
  expect(answer.status).toBe(503);
  expect(answer.body.detail).toContain('not what was signed');
  // Nor when the checksums beside it are edited, too: what counts was signed.
  for (const path of files.map((file) => join(file, '..', 'release.json'))) {
    const record = JSON.parse(readFileSync(path, 'utf8')) as { files: { name: string; digest: string }[] };
    const changed = record.files.map((file) =>
      file.name === 'model.onnx' ? { ...file, digest: file.digest.replaceAll(/[0-9a-f]/g, 'a') } : file,
    );
    writeFileSync(path, JSON.stringify({ ...record, files: changed }));
  }
  await on.agent.kill();
  await on.agent.restart();
  expect((await on.predict([1, 1, 1])).status).toBe(503);
});

test('other bytes under a version’s name are not taken without their own signatures, and a name with ../ writes nowhere', async () => {
  const on = await stage();
  const first = makeRelease(on.site);
  await on.serve(first);
  const other = makeRelease(on.site, { model: thresholdModel(9) });
  await expect(on.client.push({ ...other, bundles: first.bundles }, () => {})).rejects.toMatchObject({
    code: expect.stringMatching(/^(integrity|endpoint)\./),
  });
  const outside = makeRelease(on.site, { name: '../../outside', serial: 2 });
  await expect(on.client.push(outside, () => {})).rejects.toMatchObject({ code: 'endpoint.refused' });
  expect(existsSync(join(on.agent.directory, 'outside'))).toBe(false);
  expect((await on.predict([1, 1, 1])).body.predictions).toEqual([1]);
});

test('killed again and again in the middle of a push, it comes back with everything it acknowledged', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site, { name: 'base' }));
  const kept: string[] = ['base'];
  for (const round of [1, 2]) {
    const name = `model-${round}`;
    const release = makeRelease(on.site, { name });
    const pushing = on.client
      .push(release, () => {})
      .then(
        () => true,
        () => false,
      );
    await new Promise((resolve) => setTimeout(resolve, round * 7));
    await on.agent.kill();
    await pushing;
    await on.agent.restart();
    expect((await on.predict([1, 1, 1], { model: 'base' })).status).toBe(200);
    await on.serve(release);
    kept.push(name);
  }
  expect((await on.client.models()).map((model) => model.name).sort()).toEqual(kept.sort());
});

test('given two consoles that release at the same time, then all that was acknowledged is kept', async () => {
  const on = await stage();
  const connector = createAgentConnector();
  const consoles = [on.client, connector.connect(on.endpoint, async () => on.agent.token)];
  const names = await Promise.all(
    consoles.map(async (client, who) => {
      const mine: string[] = [];
      for (const round of [1, 2, 3, 4]) {
        const release = makeRelease(on.site, { name: `model-${who}-${round}` });
        await client.push(release, () => {});
        await client.route(release.name, {
          key: release.root,
          expectedGeneration: 0,
          stableRoot: release.root,
          canary: null,
        });
        mine.push(release.name);
      }
      return mine;
    }),
  );
  await consoles[1]?.close();
  await on.agent.kill();
  await on.agent.restart();
  expect((await on.client.models()).map((model) => model.name).sort()).toEqual(names.flat().sort());
});
