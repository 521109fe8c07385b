/** A caller of an agent's uploads that says what it likes: no client of tus in between. */
import { expect } from 'vitest';
import type { ReleasePackage } from '../../electron/ports/endpoint.ts';
import type { TestAgent } from '../support/agent.ts';
import type { makeRelease } from '../support/release.ts';

export const UPLOADS = '/admin/v1/uploads';
export const TUS = { 'tus-resumable': '1.0.0' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

export interface TusCaller {
  ask(method: string, path: string, headers?: Record<string, string>, body?: BodyInit): Promise<Response>;
  /** Opens a release; `sizes` are announced in the place of the right ones. */
  open(made: ReturnType<typeof makeRelease>, sizes?: Readonly<Record<string, number>>): Promise<Response>;
  begin(
    root: string,
    name: string,
    length: number,
    headers?: Record<string, string | undefined>,
  ): Promise<Response>;
  /** The path of a new upload. */
  begun(root: string, name: string, length: number): Promise<string>;
  patch(path: string, offset: number, body: BodyInit, headers?: Record<string, string>): Promise<Response>;
}

export function tusCaller(agent: TestAgent): TusCaller {
  const ask: TusCaller['ask'] = (method, path, headers = {}, body) =>
    fetch(`${agent.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${agent.token}`, ...headers },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit);
  const begin: TusCaller['begin'] = (root, name, length, change = {}) => {
    const headers = {
      ...TUS,
      'upload-length': String(length),
      'upload-metadata': `root ${base64(root)},name ${base64(name)}`,
      ...change,
    };
    const given = Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return ask('POST', UPLOADS, Object.fromEntries(given));
  };
  return {
    ask,
    begin,
    begun: async (root, name, length) => {
      const answer = await begin(root, name, length);
      expect(answer.status).toBe(201);
      return answer.headers.get('location') ?? '';
    },
    patch: (path, offset, body, headers = {}) =>
      ask(
        'PATCH',
        path,
        {
          ...TUS,
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
          ...headers,
        },
        body,
      ),
    open: async (made, sizes = {}) =>
      ask(
        'POST',
        '/admin/v1/releases',
        { 'content-type': 'application/json' },
        JSON.stringify({
          bundles: made.bundles,
          request: (await contentOf(made, 'request.json')).toString(),
          files: made.files.map(({ name, sizeBytes }) => ({ name, sizeBytes: sizes[name] ?? sizeBytes })),
        }),
      ),
  };
}

/** The plaintext of a file. */
export async function contentOf(made: ReleasePackage, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of made.files.find((file) => file.name === name)?.open() ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}
