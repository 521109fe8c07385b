/** A file is decrypted and hashed as it comes in: what cannot be the signed one is refused at once, and read once. */
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encryptBytes, generateIdentity } from '../../shared/node/age/index.ts';
import { startAgent } from '../support/agent.ts';
import { logisticRegression, model } from '../support/onnx-builder.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';
import { contentOf, TUS, type TusCaller, tusCaller } from './tus-support.ts';

let on: Stage;
let tus: TusCaller;
let serial = 0;
beforeAll(async () => {
  const site = makeSite();
  on = await onAgent(site, await startAgent(site));
  tus = tusCaller(on.agent);
});
afterAll(() => on.agent.remove());

/** A new release with a model of about 300 KiB, opened. */
async function opened(sizes: Record<string, number> = {}) {
  serial++;
  const bytes = model({ ...logisticRegression(), doc: String(serial).repeat(300 * 1024) });
  const made = makeRelease(on.site, { version: `1.${serial}.0`, serial, model: bytes });
  expect((await tus.open(made, sizes)).status).toBe(200);
  return made;
}

const seal = (bytes: Uint8Array, to = on.endpoint.ageRecipient): Promise<Buffer> => encryptBytes([to], bytes);
const fileOf = (path: string): string =>
  join(on.agent.directory, 'state', 'uploads', path.split('/').pop() ?? '');
const complete = (root: string): Promise<Response> => tus.ask('POST', `/admin/v1/releases/${root}/complete`);

/** Sends all of a file, in pieces of an odd size. */
async function send(path: string, sealed: Buffer, from = 0, to = sealed.length): Promise<void> {
  for (let at = from; at < to; at += 100_001) {
    const piece = sealed.subarray(at, Math.min(to, at + 100_001));
    expect((await tus.patch(path, at, new Uint8Array(piece))).status).toBe(204);
  }
}

async function sendAll(made: Awaited<ReturnType<typeof opened>>, but: readonly string[] = []): Promise<void> {
  for (const { name } of made.files) {
    if (but.includes(name)) continue;
    const sealed = await seal(await contentOf(made, name));
    await send(await tus.begun(made.root, name, sealed.length), sealed);
  }
}

/** Thrown away, with the reason. */
async function expectRefused(answer: Response, path: string, code: string): Promise<void> {
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code, detail: expect.any(String) });
  expect((await tus.ask('HEAD', path, TUS)).status).toBe(404);
  expect(existsSync(fileOf(path))).toBe(false);
}

async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

describe('a wrong file', () => {
  test('given other content, then it is refused with its last byte', async () => {
    const made = await opened();
    const bytes = await contentOf(made, 'model.onnx');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const sealed = await seal(bytes);
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    await send(path, sealed, 0, sealed.length - 1);
    const last = new Uint8Array(sealed.subarray(-1));
    await expectRefused(await tus.patch(path, sealed.length - 1, last), path, 'integrity.artifact');
  });

  test('given a chunk was changed, then it is refused with that chunk, whatever is still to come', async () => {
    const made = await opened();
    const sealed = await seal(await contentOf(made, 'model.onnx'));
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    sealed[70_000] = (sealed[70_000] ?? 0) ^ 1;
    const answer = await tus.patch(path, 0, new Uint8Array(sealed.subarray(0, 150_000)));
    await expectRefused(answer, path, 'integrity.artifact');
  });

  test('given it is not encrypted at all, then it is refused once that is clear', async () => {
    const bytes = 8 * 1024 * 1024;
    const made = await opened({ 'model.onnx': bytes });
    for (let each = 0; each < 5; each++) {
      const path = await tus.begun(made.root, 'model.onnx', bytes);
      await expectRefused(await tus.patch(path, 0, 'x'.repeat(bytes)), path, 'integrity.artifact');
    }
  });

  test('given it is encrypted to somebody else, then it is refused with its header', async () => {
    const made = await opened();
    const { recipient } = await generateIdentity();
    const sealed = await seal(await contentOf(made, 'model.onnx'), recipient);
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    await expectRefused(
      await tus.patch(path, 0, new Uint8Array(sealed.subarray(0, 1000))),
      path,
      'auth.failed',
    );
  });

  test('given it is longer than was announced, then it is refused with its header', async () => {
    const made = await opened({ 'model.onnx': 306_000 });
    const sealed = await seal(await contentOf(made, 'model.onnx'));
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    const answer = await tus.patch(path, 0, new Uint8Array(sealed.subarray(0, 1000)));
    await expectRefused(answer, path, 'integrity.artifact');
  });

  test('is counted as damaged, or refused where another key opens it, and the right one is taken after it', async () => {
    const headers = { authorization: `Bearer ${on.agent.token}` };
    const text = await (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
    const counted = (result: string): number =>
      Number(new RegExp(`^sallyport_pushes_total\\{result="${result}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
    expect({ damaged: counted('damaged'), refused: counted('refused') }).toEqual({ damaged: 8, refused: 1 });
    const made = await opened();
    await sendAll(made);
    expect(await (await complete(made.root)).json()).toMatchObject({ complete: true, missing: [] });
  });
});

test('given a file was verified on its way in, then it is not read again; what is loaded is hashed as it is loaded', async () => {
  const made = await opened();
  await sendAll(made, ['model.onnx']);
  const sealed = await seal(await contentOf(made, 'model.onnx'));
  const path = await tus.begun(made.root, 'model.onnx', sealed.length);
  await send(path, sealed);
  await flip(fileOf(path), 70_000);
  expect(await (await complete(made.root)).json()).toMatchObject({ complete: true });
  const routed = on.client.route('phish', {
    key: 'k',
    expectedGeneration: 0,
    stableRoot: made.root,
    canary: null,
  });
  await expect(routed).rejects.toMatchObject({ facts: { reason: 'integrity.artifact' } });
});

describe('given the agent is killed while a file comes in', () => {
  test('when it goes on, then what is on the disk is hashed first, and the whole is verified', async () => {
    const made = await opened();
    await sendAll(made, ['model.onnx']);
    const sealed = await seal(await contentOf(made, 'model.onnx'));
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    await send(path, sealed, 0, 200_002);
    await on.agent.kill();
    await on.agent.restart();
    await send(path, sealed, 200_002);
    expect(await (await complete(made.root)).json()).toMatchObject({ complete: true, missing: [] });
    await on.serve(made);
  });

  test('when what is on the disk was changed meanwhile, then the next piece is refused', async () => {
    const made = await opened();
    const sealed = await seal(await contentOf(made, 'model.onnx'));
    const path = await tus.begun(made.root, 'model.onnx', sealed.length);
    await send(path, sealed, 0, 200_002);
    await on.agent.kill();
    await flip(fileOf(path), 70_000);
    await on.agent.restart();
    const next = new Uint8Array(sealed.subarray(200_002, 210_000));
    await expectRefused(await tus.patch(path, 200_002, next), path, 'integrity.artifact');
  });

  test('when all of it had come, then it is read once more before the release is stored', async () => {
    const made = await opened();
    await sendAll(made);
    await on.agent.kill();
    await on.agent.restart();
    expect(await (await complete(made.root)).json()).toMatchObject({ complete: true, missing: [] });
  });
});

test('given sizes were announced that are too large, then those of the verified files are kept', async () => {
  const made = await opened({ 'model.onnx': 64 * 1024 * 1024, 'plan.json': 5000 });
  await sendAll(made);
  expect((await complete(made.root)).status).toBe(200);
  const record = JSON.parse(
    await readFile(join(on.agent.directory, 'state', 'releases', made.root, 'release.json'), 'utf8'),
  ) as { files: { name: string; sizeBytes: number }[] };
  expect(record.files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual(
    made.files.map(({ name, sizeBytes }) => [name, sizeBytes]),
  );
  await on.serve(made);
});
