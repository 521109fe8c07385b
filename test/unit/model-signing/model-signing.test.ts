import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  buildStatement,
  bundleKeyHint,
  fingerprintOf,
  generateSigningKey,
  hashDirectory,
  type Resource,
  rootOf,
  type Statement,
  signDirectory,
  signStatement,
  verifyBundle,
  verifyDirectory,
} from '../../../shared/node/model-signing/index.ts';

const key = generateSigningKey();
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const resources: Resource[] = ['request.json', 'model.onnx', 'dossier.json'].map((name) => ({
  name,
  digest: digestOf(name),
}));

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'release-'));
  for (const { name } of resources) await writeFile(join(dir, name), name);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A bundle over any payload, signed as ours are: what a signer with bad intent or bad software makes. */
function forge(
  payload: unknown,
  change: (bundle: {
    mediaType: string;
    dsseEnvelope: { payloadType: string; signatures: unknown[] };
  }) => void = () => {},
): string {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const pae = Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${bytes.length} `), bytes]);
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: key.fingerprint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: bytes.toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [
        { sig: sign('sha256', pae, key.privateKeyPkcs8Pem).toString('base64'), keyid: '' },
      ] as unknown[],
    },
  };
  change(bundle);
  return JSON.stringify(bundle);
}

function statementOf(
  listed: readonly Resource[],
  change: (statement: Statement) => unknown = () => {},
): unknown {
  const statement: Statement = {
    ...buildStatement({ name: 'release', resources }),
    subject: [{ name: 'release', digest: { sha256: rootOf(listed) } }],
  };
  statement.predicate.resources = listed.map(({ name, digest }) => ({ name, algorithm: 'sha256', digest }));
  change(statement);
  return statement;
}

const invalid = expect.objectContaining({ code: 'integrity.signature' });

describe('signature bundles', () => {
  it('are OpenSSF Model Signing in a Sigstore bundle v0.3', () => {
    const bundle = JSON.parse(
      signStatement(buildStatement({ name: 'phish', resources }), key.privateKeyPkcs8Pem, key.publicKeyPem),
    );
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        publicKey: { hint: createHash('sha256').update(key.publicKeyPem).digest('hex') },
        tlogEntries: [],
      },
      dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', signatures: [{ keyid: '' }] },
    });
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
    const root = createHash('sha256');
    for (const name of ['dossier.json', 'model.onnx', 'request.json'])
      root.update(createHash('sha256').update(name).digest());
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'phish', digest: { sha256: root.digest('hex') } }],
      predicateType: 'https://model_signing/signature/v1.0',
      predicate: {
        serialization: {
          method: 'files',
          hash_type: 'sha256',
          allow_symlinks: false,
          ignore_paths: ['model.sig', '.git', '.gitattributes', '.github', '.gitignore'],
        },
        resources: ['dossier.json', 'model.onnx', 'request.json'].map((name) => ({
          name,
          algorithm: 'sha256',
          digest: digestOf(name),
        })),
      },
    });
  });

  it('verify with their key and with no other', () => {
    const text = signStatement(
      buildStatement({ name: 'phish', resources }),
      key.privateKeyPkcs8Pem,
      key.publicKeyPem,
    );
    const verified = verifyBundle(text, key.publicKeyPem);
    expect(verified.resources.map(({ name }) => name)).toEqual([
      'dossier.json',
      'model.onnx',
      'request.json',
    ]);
    expect(verified.root).toBe(rootOf(verified.resources));
    expect(verified.keyFingerprint).toBe(key.fingerprint);
    expect(bundleKeyHint(text)).toBe(key.fingerprint);
    const other = generateSigningKey();
    expect(() => verifyBundle(text, other.publicKeyPem)).toThrowError(invalid);
    // Even where the hint was changed to name the other key.
    expect(() =>
      verifyBundle(text.replace(key.fingerprint, other.fingerprint), other.publicKeyPem),
    ).toThrowError(invalid);
  });

  it('with any byte of the payload or the signature changed are refused', () => {
    const bundle = JSON.parse(
      signStatement(buildStatement({ name: 'phish', resources }), key.privateKeyPkcs8Pem, key.publicKeyPem),
    );
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64');
    for (let at = 0; at < payload.length; at++) {
      const changed = Buffer.from(payload);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = JSON.stringify({
        ...bundle,
        dsseEnvelope: { ...bundle.dsseEnvelope, payload: changed.toString('base64') },
      });
      expect(() => verifyBundle(text, key.publicKeyPem)).toThrowError(invalid);
    }
    const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
    for (let at = 0; at < signature.length; at++) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = JSON.stringify({
        ...bundle,
        dsseEnvelope: {
          ...bundle.dsseEnvelope,
          signatures: [{ sig: changed.toString('base64'), keyid: '' }],
        },
      });
      expect(() => verifyBundle(text, key.publicKeyPem)).toThrowError(invalid);
    }
  });

  it('the forgery helper makes valid bundles from valid statements', () => {
    const listed = [...resources].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(verifyBundle(forge(statementOf(listed)), key.publicKeyPem).resources).toEqual(listed);
  });

  const sorted = [...resources].sort((a, b) => (a.name < b.name ? -1 : 1));
  const at = (name: string): Resource => ({ name, digest: digestOf(name) });
  it.each<[string, () => string]>([
    ['files in any other order', () => forge(statementOf([...sorted].reverse()))],
    ['a file twice', () => forge(statementOf([at('a'), at('a')]))],
    ['no files', () => forge(statementOf([]))],
    ['a path outside', () => forge(statementOf([at('../a')]))],
    ['an absolute path', () => forge(statementOf([at('/etc/passwd')]))],
    ['a path with a backslash', () => forge(statementOf([at('a\\b')]))],
    [
      'another root',
      () =>
        forge(
          statementOf(sorted, (s) => {
            s.subject[0].digest.sha256 = digestOf('x');
          }),
        ),
    ],
    [
      'two subjects',
      () =>
        forge(
          statementOf(sorted, (s) => {
            (s.subject as unknown[]).push(s.subject[0]);
          }),
        ),
    ],
    [
      'another predicate',
      () =>
        forge(
          statementOf(sorted, (s) => {
            (s as { predicateType: string }).predicateType = 'https://slsa.dev/provenance/v1';
          }),
        ),
    ],
    [
      'symbolic links allowed',
      () =>
        forge(
          statementOf(sorted, (s) => {
            (s.predicate.serialization as { allow_symlinks: boolean }).allow_symlinks = true;
          }),
        ),
    ],
    [
      'shards instead of files',
      () =>
        forge(
          statementOf(sorted, (s) => {
            (s.predicate.serialization as { method: string }).method = 'shards';
          }),
        ),
    ],
    ['a statement that is not JSON', () => forge('{')],
    [
      'another payload type',
      () =>
        forge(statementOf(sorted), (b) => {
          b.dsseEnvelope.payloadType = 'text/plain';
        }),
    ],
    [
      'another media type',
      () =>
        forge(statementOf(sorted), (b) => {
          b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
        }),
    ],
    [
      'two signatures',
      () =>
        forge(statementOf(sorted), (b) => {
          b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]);
        }),
    ],
    [
      'no signature',
      () =>
        forge(statementOf(sorted), (b) => {
          b.dsseEnvelope.signatures = [];
        }),
    ],
    ['no bundle at all', () => '[]'],
    ['no JSON', () => 'age-encryption.org/v1'],
  ])('given %s, they are refused although signed', (_what, make) => {
    expect(() => verifyBundle(make(), key.publicKeyPem)).toThrowError(invalid);
  });

  it('accept the reference order by path parts as well as that of code points', () => {
    const byParts = ['sub/a', 'sub-b'].map(at);
    expect(verifyBundle(forge(statementOf(byParts)), key.publicKeyPem).resources).toEqual(byParts);
    expect(verifyBundle(forge(statementOf(byParts.toReversed())), key.publicKeyPem).resources).toHaveLength(
      2,
    );
  });

  it('are not made with halves of two keys, or with a key of another kind', () => {
    const statement = buildStatement({ name: 'phish', resources });
    expect(() =>
      signStatement(statement, key.privateKeyPkcs8Pem, generateSigningKey().publicKeyPem),
    ).toThrowError(expect.objectContaining({ code: 'input.invalid' }));
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-384',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    expect(() => signStatement(statement, privateKey, publicKey)).toThrowError(
      expect.objectContaining({ code: 'input.invalid' }),
    );
    expect(() => signStatement(statement, 'nonsense', key.publicKeyPem)).toThrowError(
      expect.objectContaining({ code: 'input.invalid' }),
    );
  });

  it('hint with the digest of the PEM text, whatever its line ends were', () => {
    expect(fingerprintOf(key.publicKeyPem.replaceAll('\n', '\r\n'))).toBe(key.fingerprint);
  });
});

describe('signed directories', () => {
  const bundle = () => signDirectory(dir, key);
  const check = async (text: string, allowedFiles?: string[]) =>
    verifyDirectory(dir, text, key.publicKeyPem, allowedFiles ? { allowedFiles } : {});

  it('are named after themselves and verify as they were signed', async () => {
    const verified = await check(await bundle(), ['model.onnx', 'request.json', 'dossier.json']);
    expect(verified.statement.subject[0].name).toBe(basename(dir));
    expect(verified.resources).toEqual(
      await hashDirectory(dir, ['dossier.json', 'model.onnx', 'request.json']),
    );
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a changed byte', () => writeFile(join(dir, 'model.onnx'), 'model.onnX')],
    ['a missing file', () => rm(join(dir, 'model.onnx'))],
    ['an additional file', () => writeFile(join(dir, 'extra'), '')],
    ['an additional .gitignore, which the reference ignores', () => writeFile(join(dir, '.gitignore'), '')],
    [
      'a file in .git',
      async () => {
        await mkdir(join(dir, '.git'));
        await writeFile(join(dir, '.git/config'), '');
      },
    ],
    ['a signature kept inside', () => writeFile(join(dir, 'model.sig'), '')],
    ['a symbolic link', () => symlink('/etc/hostname', join(dir, 'link'))],
    [
      'a signed file replaced by a link to the same bytes',
      async () => {
        await writeFile(join(dir, '../same-bytes'), 'model.onnx');
        await rm(join(dir, 'model.onnx'));
        await symlink(join(dir, '../same-bytes'), join(dir, 'model.onnx'));
      },
    ],
    [
      'a directory in place of a file',
      async () => {
        await rm(join(dir, 'model.onnx'));
        await mkdir(join(dir, 'model.onnx'));
      },
    ],
  ])('given %s, they are refused', async (_what, change) => {
    const text = await bundle();
    await change();
    await expect(check(text)).rejects.toMatchObject({ code: 'integrity.signature' });
  });

  it('given a signed file that has no place in a release, they are refused', async () => {
    await expect(check(await bundle(), ['model.onnx', 'request.json'])).rejects.toMatchObject({
      code: 'integrity.signature',
    });
  });
});

describe("the reference implementation's bundle", () => {
  const fixtures = new URL('../../fixtures/model-signing/', import.meta.url);
  const bundleText = readFileSync(new URL('reference.sig', fixtures), 'utf8');
  const publicKeyPem = readFileSync(new URL('public.pem', fixtures), 'utf8');

  it('is accepted for its directory', async () => {
    const verified = await verifyDirectory(
      fileURLToPath(new URL('release', fixtures)),
      bundleText,
      publicKeyPem,
    );
    expect(verified.resources.map(({ name }) => name)).toEqual([
      'model.onnx',
      'plan.json',
      'sub/a.txt',
      'sub-b.txt',
    ]);
    expect(verified.statement.subject[0].name).toBe('release');
  });

  it('is refused with another key', () => {
    expect(() => verifyBundle(bundleText, key.publicKeyPem)).toThrowError(invalid);
  });
});
