/** Files of a release on their way in: odd requests of the tus protocol, and what is found out while they stream. */
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const TUS = { 'tus-resumable': '1.0.0' };
const PIECE = { ...TUS, 'content-type': 'application/offset+octet-stream' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let on: Stage;
let root: string;
const uploads = (): string => join(on.agent.directory, 'state', 'uploads');

function ask(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: BodyInit,
): Promise<Response> {
  return fetch(`${on.agent.adminUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${on.agent.token}`, ...headers },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  } as RequestInit);
}

const status = async (...request: Parameters<typeof ask>): Promise<number> => (await ask(...request)).status;

function begin(name: string, length: number, more: Record<string, string> = {}): Promise<Response> {
  const metadata = `root ${base64(root)},name ${base64(name)}`;
  return ask('POST', '/admin/v1/uploads', {
    ...TUS,
    'upload-length': String(length),
    'upload-metadata': metadata,
    ...more,
  });
}

/** The path of a new upload of `plan.json`. */
async function begun(length = 10): Promise<string> {
  const answer = await begin('plan.json', length);
  expect(answer.status).toBe(201);
  return answer.headers.get('location') ?? '';
}

beforeAll(async () => {
  const site = makeSite();
  on = await onAgent(site, await startAgent(site));
  const made = makeRelease(site);
  root = made.root;
  const opened = await ask(
    'POST',
    '/admin/v1/releases',
    { 'content-type': 'application/json' },
    JSON.stringify({
      bundles: made.bundles,
      request: JSON.stringify(made.request, null, 2).concat('\n'),
      files: made.files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    }),
  );
  expect(opened.status).toBe(200);
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
    const answer = await begin('plan.json', 10, headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: expect.any(String) });
  });

  test('a length that comes later', async () => {
    const metadata = `root ${base64(root)},name ${base64('plan.json')}`;
    const headers = { ...TUS, 'upload-defer-length': '1', 'upload-metadata': metadata };
    expect(await status('POST', '/admin/v1/uploads', headers)).toBe(400);
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
    const piece = { ...PIECE, 'upload-offset': '0', ...headers };
    expect(await status('PATCH', path, piece, 'age')).toBe(expected);
    expect(await status('DELETE', path, TUS)).toBe(204);
  });

  test('more than was said, with its length and in chunks', async () => {
    const path = await begun();
    const piece = { ...PIECE, 'upload-offset': '0' };
    expect(await status('PATCH', path, piece, 'eleven bytes')).toBe(413);
    const chunks = new Blob(['eleven bytes']).stream();
    expect(await status('PATCH', path, piece, chunks)).toBe(413);
    expect(await status('DELETE', path, TUS)).toBe(204);
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
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const headers = { ...PIECE, 'upload-offset': '0' };
      expect(await status(method, change(path), headers, method === 'PATCH' ? 'x' : undefined), method).toBe(
        404,
      );
    }
    expect(await status('HEAD', path, TUS)).toBe(200);
    expect(await status('DELETE', path, TUS)).toBe(204);
    expect(existsSync(join(on.agent.directory, 'tokens.json'))).toBe(true);
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
        const headers = { ...PIECE, 'upload-offset': '0' };
        const answered = await status(method, path, headers, method === 'PATCH' ? 'x' : undefined);
        expect([404, 410]).toContain(answered);
        expect(await readdir(uploads())).toEqual([]);
        expect(await status('DELETE', path, TUS)).toBe(404);
      });
    }
  }

  test('a record that was half written is removed with its bytes', async () => {
    const path = await begun();
    await writeFile(join(uploads(), `${path.split('/').pop()}.json`), '{"id":');
    expect(await status('HEAD', path, TUS)).toBe(404);
    expect(await status('DELETE', path, TUS)).toBe(204);
    expect(await readdir(uploads())).toEqual([]);
  });
});

test('nothing of this was an error that nobody foresaw', () => {
  expect(on.agent.log()).not.toMatch(/unexpectedly/);
});
