/** Odd requests about files of a release on their way in: whoever sends them is told so, and nothing of an upload is lost. */
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { exchange } from './guard-support.ts';
import { onAgent, type Stage } from './support.ts';
import { TUS, type TusCaller, tusCaller } from './tus-support.ts';

const PLAN = 'plan.json';

let on: Stage;
let tus: TusCaller;
let root: string;
const uploads = (): string => join(on.agent.directory, 'state', 'uploads');
const begun = (): Promise<string> => tus.begun(root, PLAN, 10);

/** The status of one request of each kind. */
async function ask(method: string, path: string): Promise<number> {
  const answer = method === 'PATCH' ? tus.patch(path, 0, 'x') : tus.ask(method, path, TUS);
  return (await answer).status;
}

beforeAll(async () => {
  const site = makeSite();
  on = await onAgent(site, await startAgent(site));
  const made = makeRelease(site);
  root = made.root;
  tus = tusCaller(on.agent);
  expect((await tus.open(made)).status).toBe(200);
});
afterAll(() => on.agent.remove());

describe('an odd request is the caller’s fault, and says so', () => {
  test.each([
    ['a part of a larger upload', { 'upload-concat': 'partial' }],
    ['a joining of parts', { 'upload-concat': 'final;/admin/v1/uploads/a /admin/v1/uploads/b' }],
    ['a length that comes later beside one that is there', { 'upload-defer-length': '1' }],
    ['a length in an odd form', { 'upload-length': '1e+21x' }],
    ['metadata that is none', { 'upload-metadata': '!!' }],
    ['metadata of the prototype', { 'upload-metadata': '__proto__ AAAA,root,name' }],
  ])('%s', async (_what, headers) => {
    const answer = await tus.begin(root, PLAN, 10, headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: expect.any(String) });
  });

  test('a length that comes later', async () => {
    const headers = { 'upload-length': undefined, 'upload-defer-length': '1' };
    expect((await tus.begin(root, PLAN, 0, headers)).status).toBe(400);
  });

  test.each([
    ['a checksum it cannot check', { 'upload-checksum': 'md5 x' }, 204],
    ['another method in a header', { 'x-http-method-override': 'DELETE' }, 204],
    ['a place it is not at', { 'upload-offset': '5' }, 409],
    ['a place before the beginning', { 'upload-offset': '-1' }, 400],
    ['a place that is no number', { 'upload-offset': '1e+21' }, 409],
    ['a length again', { 'upload-length': '10' }, 400],
    ['another type', { 'content-type': 'text/plain' }, 400],
  ])('a piece with %s', async (_what, headers, expected) => {
    const path = await begun();
    expect((await tus.patch(path, 0, 'age', headers)).status).toBe(expected);
    expect(await ask('DELETE', path)).toBe(204);
  });

  test('more than was said, with its length and in chunks', async () => {
    const path = await begun();
    expect((await tus.patch(path, 0, 'eleven bytes')).status).toBe(413);
    const chunks = new Blob(['eleven bytes']).stream();
    expect((await tus.patch(path, 0, chunks)).status).toBe(413);
    expect(await ask('DELETE', path)).toBe(204);
  });
});

describe('an upload is asked for by its own id alone', () => {
  test.each([
    ['its record', (path: string) => `${path}.json`],
    ['a longer id', (path: string) => `${path}0`],
    ['a shorter id', (path: string) => path.slice(0, -1)],
    ['an id in capitals', (path: string) => path.replace(/[^/]+$/, (id) => id.toUpperCase())],
    ['what comes behind a question mark', (path: string) => path.replace(/([^/]+)$/, 'x?/$1')],
    ['a place above', (path: string) => path.replace(/[^/]+$/, '..%2f..%2ftokens')],
  ])('not by %s', async (_what, change) => {
    const path = await begun();
    for (const method of ['HEAD', 'PATCH', 'DELETE'])
      expect(await ask(method, change(path)), method).toBe(404);
    expect(await ask('HEAD', path)).toBe(200);
    expect(await ask('DELETE', path)).toBe(204);
    expect(existsSync(join(on.agent.directory, 'tokens.json'))).toBe(true);
  });

  test('nor where the host it is asked of is none', async () => {
    const path = await begun();
    const port = Number(new URL(on.agent.adminUrl).port);
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const answer = await exchange(
        port,
        `${method} ${path} HTTP/1.1\r\nHost: a:99999\r\nAuthorization: Bearer ${on.agent.token}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nConnection: close\r\n\r\n`,
      );
      expect(answer, method).toMatch(/^HTTP\/1\.1 404 /);
    }
    expect(await ask('DELETE', path)).toBe(204);
  });
});

describe('given the agent was killed while it removed an upload', () => {
  for (const [left, gone] of [
    ['its bytes', '.json'],
    ['its record', ''],
  ] as const) {
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      test(`when ${method} asks for it and ${left} are left, then it is not there, and nothing of it stays`, async () => {
        const path = await begun();
        await rm(join(uploads(), `${path.split('/').pop()}${gone}`));
        expect(await ask(method, path)).toBe(404);
        expect(await readdir(uploads())).toEqual([]);
        expect(await ask('DELETE', path)).toBe(404);
      });
    }
  }

  test('a record that was half written is removed with its bytes', async () => {
    const path = await begun();
    await writeFile(join(uploads(), `${path.split('/').pop()}.json`), '{"id":');
    expect(await ask('HEAD', path)).toBe(404);
    expect(await ask('DELETE', path)).toBe(204);
    expect(await readdir(uploads())).toEqual([]);
  });
});

test('nothing of this was an error that nobody foresaw', () => {
  expect(on.agent.log()).not.toMatch(/unexpectedly/);
});
