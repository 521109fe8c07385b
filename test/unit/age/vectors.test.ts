import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { decryptBytes, decryptWithPassphrase } from '../../../shared/node/age/index.ts';

const folder = new URL('../../fixtures/age-vectors/', import.meta.url);
const names = readdirSync(folder).filter((name) => name !== 'README.md' && !name.startsWith('.'));

interface Vector {
  readonly header: Readonly<Record<string, readonly string[]>>;
  readonly file: Buffer;
}

function readVector(name: string): Vector {
  const raw = readFileSync(new URL(name, folder));
  const end = raw.indexOf('\n\n');
  const header: Record<string, string[]> = {};
  for (const line of raw.subarray(0, end).toString().split('\n')) {
    const [key = '', value = ''] = line.split(': ');
    header[key] = [...(header[key] ?? []), value];
  }
  const body = raw.subarray(end + 2);
  return { header, file: header.compressed ? inflateSync(body) : body };
}

it('the vectors are there', () => {
  expect(names.length).toBeGreaterThan(80);
});

it.each(names)("agrees with the format's own test vector %s", async (name) => {
  const { header, file } = readVector(name);
  const [passphrase] = header.passphrase ?? [];
  const outcome = await (passphrase === undefined
    ? decryptBytes(header.identity ?? [], file)
    : decryptWithPassphrase(passphrase, file)
  ).then(
    (payload) => createHash('sha256').update(payload).digest('hex'),
    (error: unknown) => error,
  );
  if (header.expect?.[0] === 'success') {
    expect(outcome).toBe(header.payload?.[0]);
    return;
  }
  expect(outcome).toBeInstanceOf(SallyportError);
  // `no match` is the wrong key; everything else is a file that was never whole. A broken stanza may count as either.
  const { code } = outcome as SallyportError;
  if (header.expect?.[0] === 'HMAC failure' || header.expect?.[0] === 'payload failure')
    expect(code).toBe('integrity.artifact');
  else expect(['auth.failed', 'integrity.artifact']).toContain(code);
});
