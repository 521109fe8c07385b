import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type KeySource, keySourceSchema, readKey } from '../../serving/guard/key-source.ts';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { onAgent } from './support.ts';

describe('a key', () => {
  const place = (mode = 0o600): { directory: string; env: NodeJS.ProcessEnv } => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'key'), 'the-key\n');
    chmodSync(join(directory, 'key'), mode);
    return { directory, env: { CREDENTIALS_DIRECTORY: directory, SIGNING: 'the-key\n' } };
  };
  const read = (source: KeySource, at = place()): Promise<string> => readKey(source, at.directory, at.env);

  test('is read from a file, a variable, or a credential', async () => {
    expect(await read({ file: 'key' })).toBe('the-key');
    expect(await read({ credential: 'key' })).toBe('the-key');
    const at = place();
    expect(await read({ env: 'SIGNING' }, at)).toBe('the-key');
    expect(at.env).not.toHaveProperty('SIGNING');
  });

  test('is taken from a credential that its service alone reads, though by an access list', async () => {
    for (const mode of [0o400, 0o440]) expect(await read({ credential: 'key' }, place(mode))).toBe('the-key');
  });

  test.each([
    ['a file that others read', { file: 'key' }, 0o640, 'can be read by others'],
    ['a credential that the world reads', { credential: 'key' }, 0o444, 'can be read by others'],
    ['a credential that is not there', { credential: 'none' }, 0o600, 'is not there'],
    ['a variable that is not set', { env: 'OTHER' }, 0o600, 'is not set'],
  ] as const)('is not taken from %s', async (_what, source, mode, message) => {
    await expect(read(source, place(mode))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message),
    });
  });

  test('is not taken from a link, a folder, an empty file, or without a folder of credentials', async () => {
    const at = place();
    symlinkSync(join(at.directory, 'key'), join(at.directory, 'link'));
    mkdirSync(join(at.directory, 'folder'));
    writeFileSync(join(at.directory, 'empty'), '\n', { mode: 0o600 });
    for (const credential of ['link', 'folder', 'empty'])
      await expect(read({ credential }, at)).rejects.toMatchObject({ code: 'usage' });
    await expect(readKey({ credential: 'key' }, at.directory, {})).rejects.toThrow('CREDENTIALS_DIRECTORY');
    for (const credential of ['../key', 'a/b', '.hidden', ''])
      expect(keySourceSchema.safeParse({ credential }).success).toBe(false);
  });
});

test('given keys that are nowhere in its directory, then the agent is the same one and serves, and its workers do not get them', async () => {
  const site = makeSite();
  const credentials = temporaryDirectory();
  const agent = await startAgent({
    ...site,
    config: { keys: { signing: { env: 'AGENT_SIGNING_KEY' }, age: { credential: 'age' } } },
    env: async (directory) => {
      const [signing, age] = ['signing.pem', 'age.txt'].map((name) =>
        readFileSync(join(directory, 'keys', name), 'utf8'),
      );
      writeFileSync(join(credentials, 'age'), age ?? '', { mode: 0o400 });
      rmSync(join(directory, 'keys'), { recursive: true });
      return { AGENT_SIGNING_KEY: signing ?? '', CREDENTIALS_DIRECTORY: credentials };
    },
  });
  onTestFinished(() => agent.remove());
  const on = await onAgent(site, agent);
  await on.serve(makeRelease(site));
  expect((await on.predict([1, 1, 1])).body.predictions).toEqual([1]);
  expect((await on.client.identity()).environmentId).toBe(site.environmentId);
  // Linux shows what a process was started with; elsewhere there is nothing to look at.
  if (process.platform !== 'linux') return;
  const children = readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').trim().split(' ');
  expect(children.length).toBeGreaterThan(0);
  for (const child of children)
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toContain('PRIVATE KEY');
});
